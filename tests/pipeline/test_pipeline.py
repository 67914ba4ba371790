"""The jobs in one session: what they plan, what they do on a small mirror, and how they fail."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from crossic_etl.config import Config, ConfigError
from crossic_etl.config.crawl import Crawl, CrawlSource, Neighbours
from crossic_etl.config.etl import Wikipedia
from crossic_etl.pipeline import calibrate, flow, neighbours
from crossic_etl.pipeline.flow import choose, jobs_of, plan
from crossic_etl.runs.job import Job, always
from crossic_etl.runs.record import Run
from crossic_etl.sample.build import write_wiki
from crossic_etl.sample.source import SourcePage, SourceWiki
from crossic_etl.schemas import PAGES, PAIRS, REDIRECTS, REJECTS, RUNS, SAMPLES, WINDOWS, Table
from crossic_etl.tables import Tables
from tests.support.visible import visible

if TYPE_CHECKING:
    from pyspark.sql import Row

pytestmark = pytest.mark.shared_run("mirror_run")

ROOT = Path(__file__).resolve().parents[2]


def named(names: list[str]) -> list[Job]:
    return [job for job in flow.JOBS if job.name in names]


@pytest.mark.parametrize(
    ("first", "only", "expected"),
    [
        (None, None, ["pages", "links", "pairs", "samples", "windows"]),
        ("pairs", None, ["pairs", "samples", "windows"]),
        (None, "links", ["links"]),
    ],
)
def test_jobs_are_chosen_in_their_order(
    first: str | None, only: str | None, expected: list[str]
) -> None:
    chosen = choose(Config("/t", ("th",)), first, [only] if only else [])
    assert [job.name for job in chosen] == expected


def test_first_and_only_exclude_each_other() -> None:
    with pytest.raises(ConfigError, match="--only: give it or --from, not both"):
        choose(Config("/t", ("th",)), "links", ["pages"])


def test_jobs_of_the_crawl_need_its_sources() -> None:
    config = Config("/t", ("th",), crawl=Crawl((CrawlSource("/data/crawl"),)))
    assert [job.name for job in choose(config, "documents")] == [
        "documents",
        "embeddings",
        "neighbours",
        "samples",
        "windows",
    ]
    with pytest.raises(ConfigError, match=r"crawl\.sources: .* a crawl for the job neighbours"):
        choose(Config("/t", ("th",)), None, ["neighbours"])


def test_thresholds_are_calibrated_before_neighbours_where_that_is_asked_for() -> None:
    crawl = Crawl((CrawlSource("/data/crawl"),))
    without = Config("/t", ("th",), crawl=crawl)
    config = replace(without, neighbours=Neighbours(calibrate=True))
    names = [job.name for job in jobs_of(config)]
    assert names[names.index("calibrate") :][:2] == ["calibrate", "neighbours"]
    assert "embeddings" in names[: names.index("calibrate")]
    assert calibrate.JOB not in jobs_of(replace(config, crawl=Crawl()))
    with pytest.raises(
        ConfigError, match=r"neighbours\.calibrate: False given, expected true for the job"
    ):
        choose(without, None, ["calibrate"])
    reads = [plan(each, [neighbours.JOB])[1].partition(";")[0] for each in (without, config)]
    assert reads == [
        "neighbours: reads embeddings, documents",
        "neighbours: reads embeddings, documents, thresholds",
    ]


def test_a_plan_names_the_crawl() -> None:
    config = Config("t", ("th",), crawl=Crawl((CrawlSource("/data/crawl/*.parquet"),)))
    assert plan(config, named(["documents"]))[1] == (
        "documents: reads /data/crawl/*.parquet; "
        "writes crawl_files, crawl_texts, near_duplicate_links, documents, rejects, runs"
    )


def test_a_plan_says_what_each_job_reads_and_writes() -> None:
    config = Config(
        "/data/t", ("th", "ja"), Wikipedia("/dumps", {"en": "1" * 8, "th": "2" * 8, "ja": "3" * 8})
    )
    inputs = ", ".join(
        f"/dumps/{wiki}/{date}/*"
        for wiki, date in (("enwiki", "1" * 8), ("thwiki", "2" * 8), ("jawiki", "3" * 8))
    )
    head, *lines = plan(config, named(["pages", "links", "pairs", "samples"]))
    assert head == f"configuration {config.digest()}, tables under /data/t"
    assert lines == [
        f"pages: reads {inputs}; writes pages, redirects, rejects, runs",
        f"links: reads {inputs}, pages; writes links, rejects, runs",
        "pairs: reads pages, redirects, links; writes pairs, rejects, runs",
        "samples: reads pairs, pages; writes samples, rejects, runs",
    ]


def test_a_plan_reads_the_crawl_for_samples_that_need_it() -> None:
    crawl = Crawl((CrawlSource("/data/crawl"),))
    without = Config("t", ("th",), crawl=crawl)
    assert plan(without, named(["samples"]))[1].startswith("samples: reads pairs, pages; writes")
    found = Config("t", ("th",), crawl=crawl, arrangements=("en-first", "retrieved"))
    assert plan(found, named(["samples"]))[1] == (
        "samples: reads pairs, pages, neighbours, documents; writes samples, rejects, runs"
    )


def test_a_plan_names_plain_text() -> None:
    config = Config("t", ("th",), Wikipedia(plain_text={"en": "/data/en", "th": "/data/th"}))
    assert plan(config, named(["pages"]))[1].startswith(
        "pages: reads /data/en, /data/th; writes pages"
    )


def run_without_java(tmp_path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    path = tmp_path / "my.yaml"
    path.write_text("root: /none\nlanguages: [th]\nwikipedia: {dumps: /none, date: 20260101}\n")
    return subprocess.run(
        [sys.executable, "-m", "jobs.pipeline", "--config", str(path), *arguments],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PATH": "", "JAVA_HOME": str(tmp_path / "no-java")},
    )


@pytest.mark.slow
def test_a_dry_run_starts_no_spark(tmp_path: Path) -> None:
    done = run_without_java(tmp_path, "--dry-run", "--from", "samples")
    assert (done.returncode, done.stderr) == (0, "")
    assert [line.partition(" ")[0] for line in done.stdout.splitlines()] == [
        "root:",
        "configuration",
        "samples:",
        "windows:",
    ]


@pytest.mark.slow
def test_a_dry_run_looks_for_the_dumps(tmp_path: Path) -> None:
    done = run_without_java(tmp_path, "--dry-run")
    assert (done.returncode, done.stdout) == (1, "root: /none\n")
    assert done.stderr.startswith("error: no pages-articles dump of en in ")
    for lang in ("en", "th"):
        write_wiki(SourceWiki(lang, (SourcePage(1, "A", "text"),)), tmp_path / "dumps", "20260101")
    where = [f"--set=wikipedia.dumps={tmp_path}/dumps", "--set=wikipedia.date=20260101"]
    done = run_without_java(tmp_path, "--dry-run", *where, "--set=languages=[th]")
    assert (done.returncode, done.stderr) == (0, "")
    assert "en 20260101: 1 file of pages, 0.0 MB; langlinks, page_props\n" in done.stdout


@pytest.mark.slow
def test_a_wrong_configuration_needs_no_spark_to_be_refused(tmp_path: Path) -> None:
    done = run_without_java(tmp_path, "--set", "window.lenght=64")
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == (
        "error: --set: window.lenght: there is no such key; did you mean length? "
        "There are languages, length, order, policy\n"
    )


@pytest.fixture
def tables(mirror_tables: Tables) -> Tables:
    """What the pipeline makes of the small mirror."""
    return mirror_tables


@pytest.fixture
def run(mirror_run: Callable[..., int]) -> Callable[..., int]:
    """The pipeline's command line, after its first run."""
    return mirror_run


def rows(tables: Tables, table: Table) -> list[Row]:
    found: list[Row] = tables.read(table).orderBy(*table.key).collect()
    return found


@pytest.mark.usefixtures("run")
def test_articles_and_redirects_are_those_of_the_dumps(tables: Tables) -> None:
    pages = {(row.lang, row.title): row.is_disambiguation for row in rows(tables, PAGES)}
    assert pages == {
        ("en", "Tea"): False,
        ("en", "Bat"): True,
        ("en", "Ice"): False,
        ("th", "น้ำชา"): False,
        ("th", "น้ำแข็ง"): False,
        ("th", "ไม้"): False,
    }
    redirects = [(row.title, row.target_title) for row in rows(tables, REDIRECTS)]
    assert sorted(redirects) == [("ชา", "น้ำชา"), ("วน", "เวียน"), ("เวียน", "วน")]


@pytest.mark.usefixtures("run")
def test_pairs_have_all_their_evidence(tables: Tables) -> None:
    pairs = {(row.en_title, row.target_title): tuple(row.evidence) for row in rows(tables, PAIRS)}
    assert pairs == {
        ("Tea", "น้ำชา"): ("en->th", "qid", "th->en"),
        ("Ice", "น้ำแข็ง"): ("qid",),
    }


@pytest.mark.usefixtures("run")
def test_what_is_broken_is_rejected(tables: Tables) -> None:
    rejects = {(row.table, row.lang, row.key, row.reason) for row in rows(tables, REJECTS)}
    assert {reject for reject in rejects if reject[3] != "too_large"} == {
        ("pairs", "th", "วน", "redirect_cycle"),
        ("pairs", "th", "เวียน", "redirect_cycle"),
    }
    assert [reject[:2] for reject in rejects if reject[3] == "too_large"] == [("pages", "en")]


@pytest.mark.usefixtures("run")
def test_each_arrangement_holds_the_whole_texts(tables: Tables) -> None:
    pages = {f"{row.lang}:{row.page_id}": row.text for row in rows(tables, PAGES)}
    samples = tables.read(SAMPLES).orderBy("arrangement", "pair_id", "segment").collect()
    for arrangement in ("en-first", "mix"):
        for source in ("en:1", "en:3"):
            parts = [
                row.en_text
                for row in samples
                if (row.arrangement, row.en_source_id) == (arrangement, source)
            ]
            assert visible("".join(parts)) == visible(pages[source])


@pytest.mark.usefixtures("run")
def test_each_sample_is_whole_in_one_window(tables: Tables) -> None:
    samples = sorted(row.sample_id for row in rows(tables, SAMPLES))
    windows = rows(tables, WINDOWS)
    assert sorted(name for row in windows for name in row.sample_ids[: row.n_whole]) == samples


@pytest.mark.usefixtures("run")
def test_every_run_is_recorded_and_balances(tables: Tables) -> None:
    runs = [row for row in rows(tables, RUNS) if row.state == "done"]
    assert {row.job for row in runs} == {"pages", "links", "pairs", "samples", "windows"}
    assert [
        row.job for row in runs if row.rows_in != row.rows_used + sum(row.dropped.values())
    ] == []
    (pages,) = [row for row in runs if row.job == "pages"]
    assert (pages.rows_in, pages.rows_out) == (11, 9)
    assert pages.dropped == {"namespace": 1, "too_large": 1}


def test_a_job_run_again_ends_in_the_same_rows(tables: Tables, run: Callable[..., int]) -> None:
    before = rows(tables, SAMPLES)
    assert run("--only", "samples") == 0
    assert rows(tables, SAMPLES) == before


def test_a_job_that_fails_leaves_the_tables_as_they_were(
    tables: Tables, run: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    version = tables.version(PAGES)
    assert run("--only", "pages", "--set", "wikipedia.plain_text={en: /none}") == 1
    error = capsys.readouterr().err
    assert error.startswith("error: /none can't be read as Parquet")
    assert error.count("\n") == 1
    assert tables.version(PAGES) == version
    (failed,) = [row for row in rows(tables, RUNS) if row.state == "failed"]
    assert (failed.job, f"error: {failed.error}\n") == ("pages", error)


def test_a_new_job_is_one_line_in_the_list(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(*given: object, **more: object) -> Run:
        return Run("counts")

    new = Job("counts", run, writes=(RUNS,), reads=always(PAGES), scratch=("counts",))
    monkeypatch.setattr(flow, "JOBS", (*flow.JOBS, new))
    config = Config("/t", ("th",))
    assert jobs_of(config)[-1] is new
    assert choose(config, "counts") == choose(config, None, ["counts"]) == [new]
    assert plan(config, [new])[1] == "counts: reads pages; writes runs, runs"
    assert "counts" in flow.scratch_names()


def test_a_job_that_is_none_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"pears: no such job; there are pages, links, pairs"):
        choose(Config("/t", ("th",)), None, ["pears"])
