from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any, NoReturn

import pytest
from pyspark.errors import AnalysisException, PySparkException

from crossic_etl.cli.__main__ import main
from crossic_etl.cli.actions import checked_config, guarded
from crossic_etl.cli.job import job_command
from crossic_etl.config import Config, ConfigError, UnfitSettingError
from crossic_etl.inputs.errors import InputError
from crossic_etl.log import console_logging
from crossic_etl.pipeline import pages
from crossic_etl.runs.job import Job
from crossic_etl.runs.record import UnbalancedError
from crossic_etl.tables import TableError


@pytest.fixture
def shown() -> Iterator[None]:
    """Messages are shown, as a command does."""
    with console_logging():
        yield


@pytest.fixture
def config_file(tmp_path: Path) -> str:
    path = tmp_path / "my.yaml"
    path.write_text("root: /data\nlanguages: [th]\nwikipedia: {dumps: /d, date: 20260101}\n")
    return str(path)


def raising(error: Exception) -> Any:
    def action() -> NoReturn:
        raise error

    return action


@pytest.mark.usefixtures("shown")
def test_what_succeeds_prints_nothing_and_exits_with_0(
    capsys: pytest.CaptureFixture[str],
) -> None:
    done: list[int] = []
    assert guarded(lambda: done.append(1)) == 0
    assert (done, tuple(capsys.readouterr())) == ([1], ("", ""))


@pytest.mark.usefixtures("shown")
@pytest.mark.parametrize(
    ("error", "line"),
    [
        (ConfigError("seed", "x", "a number"), "seed: 'x' given, expected a number"),
        (UnfitSettingError("split_token: no"), "split_token: no"),
        (InputError("no dump of ไทย"), "no dump of ไทย"),
        (TableError("no table pages"), "no table pages"),
        (UnbalancedError("1 in, 0 out"), "1 in, 0 out"),
        (AnalysisException(message="[TABLE] gone\n'Project [x]\n+- y"), "[TABLE] gone"),
        (PySparkException(message="\n \n[JOB] lost\n\tat java"), "[JOB] lost"),
    ],
)
def test_an_expected_error_is_one_line_and_exits_with_1(
    capsys: pytest.CaptureFixture[str], error: Exception, line: str
) -> None:
    assert guarded(raising(error)) == 1
    assert tuple(capsys.readouterr()) == ("", f"error: {line}\n")


@pytest.mark.parametrize("error", [KeyError("x"), ValueError("a bug"), RuntimeError("a bug")])
def test_an_error_of_the_program_is_not_hidden(error: Exception) -> None:
    with pytest.raises(type(error)):
        guarded(raising(error))


@pytest.mark.usefixtures("shown")
def test_an_error_of_the_system_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    def action() -> None:
        raise PermissionError(13, "Permission denied", "/lake/pages")

    assert guarded(action) == 1
    assert capsys.readouterr().err == "error: [Errno 13] Permission denied: '/lake/pages'\n"


def test_a_job_gets_the_session_and_the_configuration(
    monkeypatch: pytest.MonkeyPatch, config_file: str
) -> None:
    calls: list[tuple[object, Config]] = []
    monkeypatch.setattr("crossic_etl.session.get_session", lambda brief: "session")
    monkeypatch.setattr("crossic_etl.cli.job.only_writer", lambda *given: nullcontext())
    monkeypatch.setattr(pages, "JOB", Job("pages", lambda *given: calls.append(given)))
    arguments = ["--config", config_file, "--set", "seed=3", "--set", "window.length=64"]
    assert main("pages", arguments) == 0
    ((session, config),) = calls
    assert (session, config.root, config.seed, config.window.length) == ("session", "/data", 3, 64)


@pytest.mark.parametrize(
    ("override", "line"),
    [
        ("shards=0", "error: --set: shards: 0 given, expected a whole number >= 1\n"),
        ("window=8", "error: --set: window: 8 given, expected a mapping of keys\n"),
    ],
)
def test_a_wrong_configuration_ends_before_spark_starts(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    config_file: str,
    override: str,
    line: str,
) -> None:
    monkeypatch.setattr("crossic_etl.session.get_session", raising(AssertionError("started")))
    arguments = ["--config", config_file, "--set", override]
    assert main("pages", arguments) == 1
    assert capsys.readouterr().err == line


def test_a_tokenizer_that_does_not_fit_ends_before_spark_starts(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], config_file: str
) -> None:
    monkeypatch.setattr("crossic_etl.session.get_session", raising(AssertionError("started")))
    arguments = ["--config", config_file, "--set", "split_token=<|none|>"]
    assert main("pages", arguments) == 1
    error = capsys.readouterr().err
    assert error.startswith("error: split_token: '<|none|>' is no token of this kind; expected")
    assert error.count("\n") == 1


def test_a_configuration_must_be_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main("pages", []) == 2
    assert capsys.readouterr().err == "error: Missing option '--config'.\n"


def test_overrides_are_taken_in_their_order(config_file: str) -> None:
    command = job_command("pages", "")
    context = command.make_context(
        "pages", ["--set", "seed=1", "--config", config_file, "--set", "seed=2"]
    )
    assert context.params["overrides"] == ("seed=1", "seed=2")
    assert checked_config(context.params["path"], context.params["overrides"]).seed == 2
