from __future__ import annotations

from pathlib import Path
from typing import NoReturn

import pytest

from crossic_etl.config import ConfigError
from crossic_etl.pipeline.flow import names
from crossic_etl.report import make
from crossic_etl.report.flow import ORDER
from crossic_etl.report.make import check_file, write_report
from tests.report.literal_report import literal_report
from tests.support.commands import report as main


def test_a_report_replaces_an_older_one_whole_and_leaves_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_text("older")
    write_report(literal_report(), path)
    assert path.read_text("utf-8").endswith("</html>")
    assert path.stat().st_mode & 0o777 == 0o644
    assert list(tmp_path.iterdir()) == [path]


def test_a_report_that_fails_leaves_the_older_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: object) -> NoReturn:
        raise RuntimeError("disk full")

    path = tmp_path / "report.html"
    path.write_text("older")
    monkeypatch.setattr(make, "render", fail)
    with pytest.raises(RuntimeError, match="disk full"):
        write_report(literal_report(), path)
    assert path.read_text() == "older"
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_cannot_be_is_refused(tmp_path: Path) -> None:
    check_file(tmp_path / "report.html")
    for path in (tmp_path, tmp_path / "none" / "report.html"):
        with pytest.raises(ConfigError, match=r"--out: .* a file in a folder that exists"):
            check_file(path)


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--samples", "-1"], "error: --samples: -1 given, expected 0 to 100\n"),
        (["--samples", "101"], "error: --samples: 101 given, expected 0 to 100\n"),
        (
            ["--out", "/none/x.html"],
            "error: --out: '/none/x.html' given, expected a file in a folder that exists\n",
        ),
    ],
)
def test_wrong_arguments_end_before_spark_starts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], line: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    def start() -> NoReturn:
        raise AssertionError("Spark started")

    monkeypatch.setattr("crossic_etl.session.get_session", start)
    config = tmp_path / "my.yaml"
    config.write_text("root: /data\nlanguages: [th]\n")
    assert main(["--config", str(config), *arguments]) == 1
    assert capsys.readouterr().err == line


def test_the_flow_has_every_job_of_the_pipeline_in_its_order() -> None:
    assert (*names(), "export") == ORDER
