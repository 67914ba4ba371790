"""The README's tables say what the code says."""

from __future__ import annotations

import ast
import dataclasses
import re
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any, get_type_hints

import pytest

from crossic_etl.config import Config
from crossic_etl.config.crawl import Crawl, CrawlSource, Neighbours
from crossic_etl.config.submit import Submit
from crossic_etl.config.training import TrainingConfig
from crossic_etl.export import job as export
from crossic_etl.pipeline import flow
from crossic_etl.schemas import RUNS, TABLES

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = sorted(path.stem for path in (ROOT / "jobs").glob("*.py"))


def rows_under(header: str, file: str = "README.md") -> dict[str, list[str]]:
    """The cells of each row of the file's table with that header, by the name in the first."""
    text = (ROOT / file).read_text(encoding="utf-8")
    body = text.partition(f"\n{header}\n")[2].partition("\n\n")[0]
    rows: dict[str, list[str]] = {}
    for line in body.splitlines()[1:]:
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip("|"))]
        name = cells[0].strip("`")
        assert name not in rows, f"{name} stands twice"
        rows[name] = cells[1:]
    return rows


JOBS = rows_under("| job | reads | writes | what it does |")
KEYS = rows_under("| key | default | meaning |")


def tables_in(cell: str) -> set[str]:
    return set(TABLES) if cell == "every table" else set(cell.split(", ")) & TABLES.keys()


# Every job with tables, under a configuration that has input for all of them.
CONFIG = Config(
    "/t",
    ("th",),
    crawl=Crawl((CrawlSource("/data/crawl"),)),
    neighbours=Neighbours(calibrate=True),
    arrangements=("en-first", "retrieved"),
)
SPECS = {job.name: job for job in (*flow.JOBS, export.JOB)}


def test_the_table_of_jobs_names_the_scripts_of_the_folder() -> None:
    assert sorted(JOBS) == SCRIPTS


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_is_six_lines_that_call_the_command_of_its_name(name: str) -> None:
    text = (ROOT / "jobs" / f"{name}.py").read_text("utf-8")
    assert ast.get_docstring(ast.parse(text))
    assert text.splitlines()[1:] == [
        "",
        "from crossic_etl.cli.__main__ import main",
        "",
        'if __name__ == "__main__":',
        f'    raise SystemExit(main("{name}"))',
    ]


@pytest.mark.parametrize("name", SPECS)
def test_a_job_reads_and_writes_what_the_table_says(name: str) -> None:
    job, (reads, writes, _) = SPECS[name], JOBS[name]
    assert tables_in(reads) == {table.name for table in job.reads(CONFIG)}
    assert tables_in(writes) == {table.name for table in job.writes}


def test_the_sample_writes_every_table() -> None:
    assert JOBS["sample"][1] == "everything"
    written = {table.name for job in flow.JOBS for table in job.writes} | {RUNS.name}
    assert written == TABLES.keys()


def test_the_pipeline_runs_every_job_that_has_a_table() -> None:
    others = ("pipeline", "sample", "download", "export", "submit_training")
    others = (*others, "report", "verify", "maintain")
    assert flow.names() == [name for name in JOBS if name not in others]


def defaults(kind: type, prefix: str = "") -> dict[str, str]:
    """Every key of a config dataclass with its default, written as the README writes it."""
    hints, found = get_type_hints(kind), {}
    for item in dataclasses.fields(kind):  # type: ignore[arg-type]
        key = f"{prefix}{item.name}"
        if dataclasses.is_dataclass(hints[item.name]):
            found |= defaults(hints[item.name], f"{key}.")
        else:
            factory = item.default_factory
            value = item.default if factory is dataclasses.MISSING else factory()
            found[key] = written(value)
    return found


def written(value: Any) -> str:
    if value is dataclasses.MISSING or value == "":
        return ""
    if value == "\n\n":
        return "two newlines"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, (int, float)):
        return str(value)
    if isinstance(value, tuple):
        value = f"[{', '.join(value)}]"
    text = "null" if value is None else str(value)
    return f"`{text}`".replace("|", "\\|")


def test_the_table_of_keys_has_every_key_and_its_default() -> None:
    assert {key: cells[0] for key, cells in KEYS.items()} == defaults(Config)


def test_the_table_of_keys_to_submit_has_every_key_and_its_default() -> None:
    keys = rows_under("| key | default | meaning |", "docs/submit.md")
    assert {key: cells[0] for key, cells in keys.items()} == defaults(Submit, "submit.")


def test_the_table_of_training_keys_has_every_key_and_its_default() -> None:
    keys = rows_under("| key | default | meaning |", "docs/training.md")
    expected = defaults(TrainingConfig).items()
    assert {key: cells[0] for key, cells in keys.items()} == {
        key: value for key, value in expected if not key.startswith("submit.")
    }


def test_the_page_of_tables_is_that_of_the_schemas() -> None:
    spec = spec_from_file_location("make_tables", ROOT / "docs" / "make_tables.py")
    assert spec and spec.loader
    made = module_from_spec(spec)
    spec.loader.exec_module(made)
    page = made.render()
    assert (ROOT / "docs" / "tables.md").read_text("utf-8") == page
    assert "| `evidence` | `string` | langlink \\| qid |" in page
    assert page.count("\n## ") == len(TABLES)


MESSAGES = rows_under("| it says | what to do |", "docs/troubleshooting.md")


@pytest.fixture(scope="module")
def literals() -> list[str]:
    """The text of each string of the code, what is filled in as ``…``; the Makefile's lines."""
    found = (ROOT / "Makefile").read_text("utf-8").splitlines()
    for path in (*(ROOT / "crossic_etl").rglob("*.py"), *(ROOT / "jobs").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.JoinedStr):
                pieces = [getattr(part, "value", None) for part in node.values]
                found.append("".join(p if isinstance(p, str) else "…" for p in pieces))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.append(node.value)
    return found


@pytest.mark.parametrize("message", MESSAGES)
def test_a_message_of_the_troubleshooting_is_one_that_the_code_has(
    message: str, literals: list[str]
) -> None:
    pieces = [re.escape(piece) for piece in message.split("…")]
    pattern = re.compile(".*".join(pieces), re.DOTALL)
    assert [text for text in literals if pattern.search(text)]


CHANGES = rows_under("| change | files | test |", "CONTRIBUTING.md")


def test_contributing_has_the_ten_changes() -> None:
    assert len(CHANGES) == 10


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_names_at_most_four_files_that_exist(change: str) -> None:
    files = [name for name in re.findall(r"`([\w/<>.-]+)`", CHANGES[change][0]) if "/" in name]
    assert 1 <= len(files) <= 4
    for name in files:
        path = ROOT / "crossic_etl" / name.replace("<name>", "pairs")
        assert path.exists() or (ROOT / name).exists(), name
