"""The command ``crossic-etl``: its help, its options, and what it says of wrong ones."""

from __future__ import annotations

import json
import logging
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

import crossic_etl
from crossic_etl.cli import __main__ as command_line
from crossic_etl.cli.registry import COMMANDS, JOBS, SCRIPTS, cli
from crossic_etl.export.manifest import LAYOUTS
from crossic_etl.log import console_logging
from crossic_etl.pipeline import flow

ROOT = Path(__file__).resolve().parents[2]
# What takes longer to import than help may.
HEAVY = ("pyspark", "torch", "numpy", "pandas", "pyarrow", "pydantic", "yaml", "faiss", "requests")
ASK = """
import sys
from crossic_etl.cli.__main__ import run_line
status = run_line(sys.argv[1:])
print("imported", *[name for name in {heavy} if name in sys.modules])
sys.exit(status)
"""


def lines_of_help() -> list[list[str]]:
    """Every command's name, those of its own commands included."""
    found: list[list[str]] = [[]]
    for name in COMMANDS:
        command = cli.get_command(click.Context(cli), name)
        found.append([name])
        if isinstance(command, click.Group):
            found += [[name, own] for own in command.commands]
    return found


@pytest.mark.parametrize("words", lines_of_help(), ids=" ".join)
def test_help_imports_nothing_that_takes_time(words: list[str], tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", ASK.format(heavy=HEAVY), *words, "--help"],
        env={"PYTHONPATH": str(ROOT)}, cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(" ".join(["Usage: crossic-etl", *words]))
    assert done.stdout.splitlines()[-1] == "imported"


def test_the_package_and_its_version_need_no_spark(tmp_path: Path) -> None:
    code = "import crossic_etl, sys; print(crossic_etl.__version__, 'pyspark' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": str(ROOT)}, cwd=tmp_path, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout == f"{crossic_etl.__version__} False\n"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_takes_the_options_of_logging(name: str) -> None:
    command = cli.get_command(click.Context(cli), name)
    own = command.commands.values() if isinstance(command, click.Group) else [command]
    for one in own:
        assert one is not None
        assert {"quiet", "verbose", "log_format"} <= {param.name for param in one.params}


def test_the_jobs_are_those_of_the_pipeline_in_its_order() -> None:
    assert list(JOBS) == flow.names()


def test_each_script_is_a_command() -> None:
    for path in (ROOT / "jobs").glob("*.py"):
        assert SCRIPTS.get(path.stem, path.stem) in COMMANDS


def test_the_module_and_a_script_are_the_command(tmp_path: Path) -> None:
    for given in (["-m", "crossic_etl", "pairs"], [str(ROOT / "jobs" / "pairs.py")]):
        done = subprocess.run(
            [sys.executable, *given, "--config", "none.yaml"],
            env={"PYTHONPATH": str(ROOT)}, cwd=tmp_path, capture_output=True, text=True,
            check=False,
        )  # fmt: skip
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.startswith("error: ") and done.stderr.count("\n") == 1
        assert "none.yaml" in done.stderr


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("rn", "no command 'rn'; did you mean 'run'?"),
        ("pipelin", "no command 'pipelin'; did you mean 'run'?"),
        ("xyzzy", "no command 'xyzzy', expected run, sample, pages, "),
        ("run --confg x", "'--config'"),
        ("run --config x --only pags", "'pags' is not one of 'pages', "),
        ("--confg x", "'--config'"),
        ("pairs --config x extra", "unexpected extra argument"),
        ("export --config x --to y --layout mdss", "'mdss' is not one of "),
        ("verify --config x --quiet --verbose", "--quiet: give it or --verbose, not both"),
        ("config chek", "chek"),
        ("config init none/my.yaml", "none/my.yaml: there is no folder none; nothing was written"),
        ("help", "no command 'help'; did you mean '--help'?"),
        ("--quiet run --config x", "options stand behind the command: crossic-etl run --quiet"),
        ("run --config x --from pairs --only links", "--only: give it or --from, not both"),
        ("sample setup.cfg", "'setup.cfg' is a file"),
        ("export --config x --to", "'--to' requires an argument"),
        ("export --config x --to y --tokens 0", "0 is not in the range x>=1"),
        ("report --config x --samples 101", "101 is not in the range 0<=x<=100"),
        ("download --config x --shards ๑/๒", "'๑/๒' given, expected 1/N to N/N"),
        ("submit --config x --interval 0", "0.0 is not in the range x>0"),
        ("config", "Missing command"),
    ],
)
def test_a_wrong_line_is_told_so_in_one(
    line: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command_line.run_line(line.split()) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert err.startswith("error: ") and said in err


def test_help_of_export_names_the_layouts() -> None:
    command = cli.get_command(click.Context(cli), "export")
    assert command is not None
    layout = next(param for param in command.params if param.name == "layout")
    assert isinstance(layout, click.Option) and layout.help
    assert re.findall(r"[a-z]+", layout.help.partition(":")[2]) == [
        *LAYOUTS[:-1],
        "or",
        LAYOUTS[-1],
    ]


def test_an_empty_line_shows_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert command_line.run_line([]) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.startswith("Usage: crossic-etl") and "  windows " in err


def test_a_line_without_a_command_is_one_of_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "my.yaml"
    (tmp_path / "d").mkdir()
    config.write_text("root: r\nlanguages: [th]\nwikipedia: {dumps: /none, date: 20260101}\n")
    given = ["--config", str(config), "--only", "pairs", "--dry-run"]
    assert command_line.run_line(given) == command_line.run_line(["run", *given]) == 0
    out = capsys.readouterr().out.splitlines()
    assert out[: len(out) // 2] == out[len(out) // 2 :]
    assert out[0] == f"root: {Path.cwd() / 'r'}"
    assert out[2].startswith("pairs: reads ")


def test_messages_go_where_they_belong(capsys: pytest.CaptureFixture[str]) -> None:
    log = logging.getLogger("crossic_etl.somewhere")
    with console_logging():
        log.debug("d")
        log.info("pages: %d in", 3)
        log.warning("w")
        log.error("no such file")
        log.critical("stopped")
    log.warning("nobody listens")
    out, err = capsys.readouterr()
    assert (out, err) == ("pages: 3 in\nw\n", "error: no such file\nstopped\n")


def test_messages_are_fewer_more_or_json(capsys: pytest.CaptureFixture[str]) -> None:
    log = logging.getLogger("crossic_etl.somewhere")
    for level, log_format in ((logging.WARNING, "text"), (logging.DEBUG, "text")):
        with console_logging(level, log_format):
            log.debug("d")
            log.info("i")
            log.warning("w")
    names = "crossic_etl.somewhere: "
    assert capsys.readouterr().out == "w\n" + "".join(f"{names}{text}\n" for text in "diw")
    with console_logging(log_format="json"):
        log.info("ชา\n%s", "tea")
        log.error("no")
    out, err = capsys.readouterr()
    first, second = json.loads(out), json.loads(err)
    assert first.keys() == {"time", "level", "logger", "message"}
    assert (first["level"], first["message"]) == ("info", "ชา\ntea")
    assert (second["level"], second["logger"]) == ("error", "crossic_etl.somewhere")
    assert first["time"].endswith("+00:00")


def test_where_the_result_is_output_messages_are_not(capsys: pytest.CaptureFixture[str]) -> None:
    with console_logging(to_stderr=True):
        logging.getLogger("crossic_etl.x").info("submitted")
    assert tuple(capsys.readouterr()) == ("", "submitted\n")


def test_a_new_configuration_is_written_once_and_checked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert command_line.main("config", ["init", "my.yaml"]) == 0
    assert command_line.main("config", ["init"]) == 0
    assert capsys.readouterr().out == "wrote my.yaml\n" + Path("my.yaml").read_text("utf-8")
    assert command_line.main("config", ["init", "my.yaml"]) == 2
    assert capsys.readouterr().err == "error: my.yaml exists; nothing was written\n"
    dumps = ["--set", "wikipedia.dumps=/d", "--set", "wikipedia.date=20260101"]
    assert command_line.main("config", ["check", "--config", "my.yaml", *dumps]) == 0
    assert capsys.readouterr().out == "my.yaml: no errors\n"
    assert command_line.main("config", ["check", "--config", "my.yaml", "--set", "shards=0"]) == 1
    assert "shards: 0 given" in capsys.readouterr().err
    assert command_line.main("config", ["schema"]) == 0
    assert json.loads(capsys.readouterr().out)["properties"]["root"]


def test_training_without_its_packages_names_the_extra(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in [name for name in sys.modules if name.startswith("crossic_etl.training.run")]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "torch", None)
    config = tmp_path / "training.yaml"
    config.write_text("model: {name: m}\nexports: [/x]\noutput: /o\n")
    assert command_line.main("train", ["--config", str(config)]) == 1
    said = "error: package torch is missing: pip install 'crossic-etl[training]'\n"
    assert tuple(capsys.readouterr()) == ("", said)


def test_an_error_of_training_is_json_where_that_is_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "training.yaml"
    config.write_text("model: {name: m}\nexports: [/x]\n")
    given = ["--config", str(config), "--log-format", "json"]
    assert command_line.main("train", given) == 1
    found = json.loads(capsys.readouterr().err)
    assert (found["level"], found["message"]) == (
        "error", f"{config}: output is missing, and has no default",
    )  # fmt: skip


def test_what_is_checked_after_reading_has_its_line_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "my.yaml"
    config.write_text("root: /data\nlanguages: [th]\nwikipedia:\n  dumps: /d\n")
    assert command_line.main("run", ["--config", str(config), "--dry-run"]) == 1
    assert f"{config}:3: wikipedia.date: '' given" in capsys.readouterr().err


def test_latest_is_printed_and_is_the_date_of_the_plan(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dumps = tmp_path / "dumps"
    for wiki in ("enwiki", "thwiki"):
        for date in ("20260101", "20260201"):
            (dumps / wiki / date).mkdir(parents=True)
            (dumps / wiki / date / f"{wiki}-{date}-pages-articles.xml").write_text("x")
    (dumps / "thwiki" / "20260201" / "thwiki-20260201-pages-articles.xml").unlink()
    config = tmp_path / "my.yaml"
    text = f"root: {tmp_path}/t\nlanguages: [th]\nwikipedia: {{dumps: {dumps}, date: latest}}\n"
    config.write_text(text)
    assert command_line.main("run", ["--config", str(config), "--dry-run"]) == 0
    shown = capsys.readouterr().out
    assert "wikipedia.date: latest is 20260101; 20260201 lacks th pages\n" in shown
    assert f"pages: reads {dumps}/enwiki/20260101/*, {dumps}/thwiki/20260101/*;" in shown
    assert "th 20260101: 1 file of pages, 0.0 MB; no langlinks, no page_props\n" in shown
