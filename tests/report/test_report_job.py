"""The report of real tables, and of a root where some are missing."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from crossic_etl.kernels.samples.shares import COUNTS
from crossic_etl.report.browser import MOST_CHARACTERS
from crossic_etl.report.content import Grid, ReportData, Section
from crossic_etl.report.make import make_report
from crossic_etl.schemas import NEIGHBOURS, PAGES, RUNS, SAMPLES, TABLES, THRESHOLDS
from crossic_etl.tables import Tables
from tests.support.commands import report as main
from tests.support.rows import write_rows

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from crossic_etl.config import Config

pytestmark = pytest.mark.shared_run("shared_tables")

MOST = 3


@pytest.fixture(scope="module")
def report(spark: SparkSession, shared_tables: Tables, shared_config: Config) -> ReportData:
    return make_report(spark, shared_config, MOST)


def section(report: ReportData, key: str) -> Section:
    return next(one for one in report.sections if one.key == key)


def rows(grid: Grid) -> dict[Any, tuple[Any, ...]]:
    return {row[0]: row[1:] for row in grid.rows}


def test_what_the_tables_do_not_have_is_left_out(report: ReportData) -> None:
    assert [one.key for one in report.sections] == [
        "flow", "rejects", "pairs", "lengths", "sides", "windows", "similarity", "seconds",
    ]  # fmt: skip


def test_the_rows_of_every_table_that_is_there(report: ReportData, shared_tables: Tables) -> None:
    held = {name: shared_tables.find(table) for name, table in TABLES.items()}
    counts = {name: frame.count() for name, frame in held.items() if frame is not None}
    assert {name: n for name, (n,) in rows(section(report, "flow").grids[0]).items()} == counts
    assert "documents" not in counts
    assert counts["pairs"] == 78


def test_each_job_balances_and_is_in_the_order_of_the_flow(report: ReportData) -> None:
    _, jobs, dropped = section(report, "flow").grids
    assert [row[0] for row in jobs.rows][:5] == ["pages", "links", "pairs", "samples", "windows"]
    for job, n_in, n_used, n_dropped, *_ in jobs.rows:
        assert n_in == n_used + n_dropped  # type: ignore[operator]
        assert n_dropped == sum(row[2] for row in dropped.rows if row[0] == job)  # type: ignore[misc]


def test_pairs_of_each_language(report: ReportData, shared_data: Path) -> None:
    (figure,) = section(report, "pairs").figures
    expected = json.loads((shared_data / "EXPECTED.json").read_text())["pairs"]["list"]
    counts = {lang: len(pairs) for lang, pairs in expected.items()}
    found = rows(figure.grid)
    assert {lang: row[0] for lang, row in found.items()} == counts
    assert all(row[0] == sum(row[1:]) for row in found.values())


def test_lengths_of_pages_and_tokens_of_samples(report: ReportData, shared_tables: Tables) -> None:
    pages, samples = section(report, "lengths").figures
    longest = {
        row.lang: row.most
        for row in shared_tables.read(PAGES).groupBy("lang").agg({"n_chars": "max"})
        .withColumnRenamed("max(n_chars)", "most").collect()
    }  # fmt: skip
    assert {lang: row[-1] for lang, row in rows(pages.grid).items()} == longest
    assert set(rows(samples.grid)) == {
        "en-first", "mix", "random", "target-first", "target-only",
    }  # fmt: skip


def test_every_place_of_a_window_is_new_repeated_or_padding(report: ReportData) -> None:
    (figure,) = section(report, "windows").figures
    assert len(figure.grid.rows) == 10  # five arrangements, train and validation
    for row in figure.grid.rows:
        assert sum(row[-3:]) == pytest.approx(1)  # type: ignore[arg-type]


def test_sides_of_real_pairs_are_nearer_than_random_ones(report: ReportData) -> None:
    (figure,) = section(report, "similarity").figures
    median = {name: row[3] for name, row in rows(figure.grid).items()}
    assert set(median) == {"en-first", "target-first", "random"}
    assert median["en-first"] > median["random"] + 0.1
    assert all(row[0] <= 200 for row in rows(figure.grid).values())


def test_shares_of_each_arrangement(report: ReportData, shared_tables: Tables) -> None:
    (grid,) = section(report, "sides").grids
    held = shared_tables.read(SAMPLES).collect()
    shares = {row[:2]: row[2:] for row in grid.rows}
    for name in ("en-first", "random", "mix"):
        of_name = [row for row in held if row.arrangement == name]
        both = [(r.n_en_tokens, r.n_target_tokens) for r in of_name]
        two = [sides for sides in both if min(sides)]
        n_samples, similarity, one_sided, lopsided = shares[name, "all"]
        cosines = [r.similarity for r in of_name if r.similarity is not None]
        assert bool(cosines) == (name == "en-first")  # what the encoder has cut
        mean = pytest.approx(sum(cosines) / len(cosines), abs=1e-4) if cosines else None
        assert (n_samples, similarity) == (len(of_name), mean)
        if name == "mix":
            assert (one_sided, lopsided) == (None, None)
        else:
            assert one_sided == pytest.approx(1 - len(two) / len(both), abs=1e-6)
            n_lopsided = sum(max(sides) > 5 * min(sides) for sides in two)
            assert lopsided == pytest.approx(n_lopsided / len(two), abs=1e-6)
    assert shares["en-first", "ko"] != shares["en-first", "all"]
    assert shares["en-first", "all"][3] > 0  # type: ignore[operator]
    assert ("random", "ko") not in shares  # a single pair


def test_a_random_text_is_as_long_as_the_pair_s_own(shared_tables: Tables) -> None:
    """Few of its samples are lopsided, as few as of en-first on the same documents or fewer."""
    held = shared_tables.read(SAMPLES).where("n_en_tokens > 0 AND n_target_tokens > 0").collect()
    swapped = {row.pair_id for row in held if row.arrangement == "random"}
    lopsided = {}
    for name in ("en-first", "random"):
        sides = [
            (row.n_en_tokens, row.n_target_tokens)
            for row in held
            if row.arrangement == name and row.pair_id in swapped
        ]
        lopsided[name] = sum(max(pair) > 5 * min(pair) for pair in sides) / len(sides)
    assert len(swapped) > 60
    assert lopsided["random"] <= lopsided["en-first"] + max(0.01, 1 / len(sides)) < 0.05


def test_the_mixture_says_its_shares(
    spark: SparkSession, tmp_path: Path, shared_config: Config
) -> None:
    tables = Tables(spark, str(tmp_path / "mixed"))
    write_rows(tables, SAMPLES, [{"arrangement": "en-first", "target_lang": "th"}])
    counts = (5, 5, 4, 1, 4, 3_000_000)
    metrics = {f"mixture_en-first_{name}": n for name, n in zip(COUNTS, counts, strict=True)}
    run = {
        "job": "windows",
        "state": "done",
        "metrics": {"windows": 3, "mixture_en-first": 70, **metrics},
    }
    write_rows(tables, RUNS, [run])
    report = make_report(spark, type(shared_config)(tables.root, ("th",)), MOST)
    sides, mixture = section(report, "sides").grids
    assert sides.rows == (
        ("en-first", "all", 1, None, 1.0, None), ("en-first", "th", 1, None, 1.0, None),
    )  # fmt: skip
    assert mixture.rows == (("en-first", 70, 5, 0.75, 0.2, 0.25),)


def test_samples_of_each_language_and_arrangement(
    report: ReportData, shared_tables: Tables
) -> None:
    by = ["arrangement", "target_lang"]
    held = {
        (row.arrangement, row.target_lang): row["count"]
        for row in shared_tables.read(SAMPLES).groupBy(*by).count().collect()
    }
    shown: dict[tuple[str, str], int] = {}
    for sample in report.samples:
        key = sample.arrangement, sample.target_lang
        shown[key] = shown.get(key, 0) + 1
    assert shown == {key: min(MOST, n) for key, n in held.items()}


def test_a_shown_side_is_the_sample_s_own(report: ReportData, shared_tables: Tables) -> None:
    held = {row.sample_id: row for row in shared_tables.read(SAMPLES).collect()}
    for sample in report.samples:
        row = held[sample.sample_id]
        for side, text in ((sample.english, row.en_text), (sample.target, row.target_text)):
            assert (side is None) == (not text)
            if side is not None:
                assert side.text == text[:MOST_CHARACTERS]
                assert side.n_cut == len(text) - len(side.text)
                assert side.url.startswith(f"https://{side.lang}.wikipedia.org/")


def test_retrieval_says_what_was_measured(
    spark: SparkSession, tmp_path: Path, shared_config: Config
) -> None:
    tables = Tables(spark, str(tmp_path / "found"))
    found = [
        ("q1", "d1", "th", "page", "m", "1", 1, 0.81, 1.21, True, True),
        ("q1", "d2", "th", "page", "m", "1", 2, 0.52, None, False, False),
        ("q2", "d1", "th", "page", "m", "1", 1, 0.33, 0.99, False, False),
    ]
    tables.replace(NEIGHBOURS, spark.createDataFrame(found, NEIGHBOURS.schema), {})
    counts = {"recall_queries": 2, "recall_expected": 4, "recall_found": 3}
    tables.append_run(
        {
            "run_id": "1", "job": "neighbours", "state": "done", "started": datetime(2026, 1, 1),
            "seconds": 2.0, "config_hash": "c", "code_version": "1", "input_versions": {},
            "rows_in": 2, "rows_used": 1, "rows_out": 3, "dropped": {"none_accepted": 1},
            "metrics": counts, "error": None, "settings": None, "inputs": None,
            "output_versions": None,
        }
    )  # fmt: skip
    config = type(shared_config)(tables.root, ("th",))
    report = make_report(spark, config, MOST)
    keys = ["flow", "rejects", "neighbours", "seconds"]
    assert [one.key for one in report.sections] == keys
    assert report.samples == []
    retrieval = section(report, "neighbours")
    assert "75.0%, 3 of the 4" in retrieval.text
    assert retrieval.grids[0].rows == (("th", "pages", 2, 3, 1, 1),)
    cosine, margin = (rows(figure.grid)["th"] for figure in retrieval.figures)
    assert cosine[0] == margin[0] == 2  # of the nearest alone
    assert cosine[-1] == pytest.approx(0.81)


def test_thresholds_with_their_curves_and_a_language_that_has_none(
    spark: SparkSession, tmp_path: Path, shared_config: Config
) -> None:
    tables = Tables(spark, str(tmp_path / "calibrated"))
    points = [(0.9, 0.5, 1.0, 0.67), (1.1, 1.0, 0.75, 0.86)]
    scope = ("m", "1", "lead", 4, "searched", None)
    held = [
        ("th", *scope, 1.1, 1.0, 0.75, 0.86, 50, 50, False, points, 0.02, 0.02, 0.09, 1_000),
        ("ar", *scope, None, None, None, None, 0, 0, True, [], 0.02, None, None, 1_000),
    ]
    tables.replace(THRESHOLDS, spark.createDataFrame(held, THRESHOLDS.schema), {})
    report = make_report(spark, type(shared_config)(tables.root, ("th",)), MOST)
    (figure,) = section(report, "thresholds").figures
    assert figure.title == "m, k 4, searched wrong pairs"
    assert rows(figure.grid) == {
        "ar": (None, None, None, None, None, 0, 0, "all languages"),
        "th": (1.1, 1.0, 0.75, 0.02, 0.09, 50, 50, "its own pairs"),
    }
    assert ">th<" in figure.svg and ">precision<" in figure.svg and ">ar<" not in figure.svg
    assert figure.svg.count('stroke-dasharray="4,4"') == 1


def test_the_job_writes_a_file(
    shared_tables: Tables, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "my.yaml").write_text(f"root: {shared_tables.root}\nlanguages: [th]\n")
    out = tmp_path / "a report.html"
    arguments = ["--config", str(tmp_path / "my.yaml"), "--out", str(out), "--samples", "0"]
    assert main(arguments) == 0
    assert out.read_text("utf-8").startswith("<!doctype html>")
    assert f"8 sections, 0 samples, {out}" in capsys.readouterr().out


def test_a_root_without_tables_is_one_line(
    spark: SparkSession, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "my.yaml").write_text(f"root: {tmp_path}/none\nlanguages: [th]\n")
    out = tmp_path / "report.html"
    assert main(["--config", str(tmp_path / "my.yaml"), "--out", str(out)]) == 1
    assert capsys.readouterr().err == (
        f"error: there is no table under {tmp_path}/none: run the pipeline first\n"
    )
    assert not out.exists()
