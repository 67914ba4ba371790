"""The job over small embeddings, against brute force in numpy, and over real translated news."""

from __future__ import annotations

import contextlib
import csv
import dataclasses
import hashlib
import io
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from pyspark.sql import functions as F
from pyspark.sql import types as T

from crossic_etl.config import Config, load_config
from crossic_etl.config.crawl import Neighbours
from crossic_etl.config.encoder import choose_encoder
from crossic_etl.kernels.search.calibration import Calibration, calibrate
from crossic_etl.log import console_logging
from crossic_etl.pipeline import calibrate as job
from crossic_etl.pipeline import embeddings, neighbours
from crossic_etl.pipeline.retrieval import thresholds as used
from crossic_etl.pipeline.retrieval.thresholds import thresholds_of
from crossic_etl.schemas import (
    DOCUMENTS,
    EMBEDDINGS,
    NEIGHBOURS,
    PAGES,
    PAIRS,
    RUNS,
    THRESHOLDS,
    Table,
)
from crossic_etl.tables import TableError, Tables
from crossic_etl.transforms.thresholds import COPY_COSINE
from tests.support.commands import calibrate as main
from tests.support.rows import row_of

if TYPE_CHECKING:
    from pyspark.sql import Row, SparkSession

Matrix = np.ndarray[Any, np.dtype[np.float32]]
DIMENSION, N_DOCUMENTS, N_COPIES, K = 16, 120, 3, 4
SEARCH = Neighbours(k=K, shards=3, task_memory_mb=512, calibrate=True, max_false_accept=0.1)
# Pairs of each language, all with the first English pages. Thai has pages besides that are in
# none; the Korean pages have nothing to do with theirs.
LATER = ("wanted_false_accept", "false_accept", "highest_false_accept", "n_searched")
N_PAIRS, N_THAI = {"ja": 5, "ko": 25, "th": 40}, 60
LANGUAGES = tuple(N_PAIRS)


def unit(n: int, seed: int) -> Matrix:
    made = np.random.default_rng(seed).normal(size=(n, DIMENSION))
    return (made / np.linalg.norm(made, axis=1, keepdims=True)).astype(np.float32)


def near(vectors: Matrix, seed: int) -> Matrix:
    moved = vectors + 0.9 * unit(len(vectors), seed)
    return (moved / np.linalg.norm(moved, axis=1, keepdims=True)).astype(np.float32)


ENGLISH = unit(N_PAIRS["th"], 2)
# The first documents are copies of English pages.
CORPUS = np.concatenate([ENGLISH[:N_COPIES], unit(N_DOCUMENTS - N_COPIES, 1)])
PAGES_OF = {
    "th": np.concatenate([near(ENGLISH, 3), unit(N_THAI - N_PAIRS["th"], 4)]),
    "ja": near(ENGLISH[: N_PAIRS["ja"]], 5),
    "ko": unit(N_PAIRS["ko"], 6),
}


def write(tables: Tables, table: Table, rows: list[tuple[Any, ...]], scope: Any) -> None:
    tables.replace(table, tables.spark.createDataFrame(rows, table.schema), scope)


def pair_rows(lang: str, n_pairs: int) -> list[tuple[Any, ...]]:
    return [
        row_of(PAIRS, pair_id=f"{lang}{n}", target_lang=lang, en_page_id=n, target_page_id=n)
        for n in range(n_pairs)
    ]


@pytest.fixture(scope="module")
def config(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Config:
    """Pages, pairs and documents; of the last Thai pair the English page has no vector."""
    root = str(tmp_path_factory.mktemp("calibrate"))
    config, tables = Config(root, LANGUAGES, neighbours=SEARCH), Tables(spark, root)
    choice = choose_encoder(config.encoder)
    encoder = {"model": choice.model, "revision": choice.revision, "span_rule": choice.rule.name}

    def row(key: str, kind: str, lang: str, vector: Matrix) -> tuple[Any, ...]:
        given = {"id": key, "kind": kind, "lang": lang, "text_hash": key, **encoder}
        return row_of(EMBEDDINGS, vector=vector.tolist(), **given)

    rows = [row(f"d{n:03}", "document", "en", v) for n, v in enumerate(CORPUS)]
    rows += [row(f"en:{n}", "page", "en", v) for n, v in enumerate(ENGLISH)]
    for lang, vectors in PAGES_OF.items():
        rows += [row(f"{lang}:{n}", "page", lang, v) for n, v in enumerate(vectors)]
    write(tables, EMBEDDINGS, rows, {"lang": ["en", *LANGUAGES]})
    pairs = [row for lang, n in N_PAIRS.items() for row in pair_rows(lang, n + (lang == "th"))]
    write(tables, PAIRS, pairs, {"target_lang": LANGUAGES})
    write(tables, DOCUMENTS, [], {"lang": ["en"]})
    return config


def brute_force() -> dict[str, Calibration]:
    """Margins of all queries in the documents, with and without their own page."""
    right, wrong = {}, {}
    corpus = CORPUS.astype(np.float64)
    for lang, pages in PAGES_OF.items():
        known, english = pages[: N_PAIRS[lang]].astype(np.float64), ENGLISH[: N_PAIRS[lang]]
        own = (known * english).sum(axis=1)
        others = np.where(english @ corpus.T >= COPY_COSINE, -2, known @ corpus.T)
        of_queries = np.sort(np.column_stack([own, others]), axis=1)[:, -K:].mean(axis=1)
        of_pages = np.sort(english @ pages.T, axis=1)[:, -K:].mean(axis=1)
        right[lang] = 2 * own / (of_queries + of_pages)
        of_documents = np.sort(corpus @ pages.T, axis=1)[:, -K:].mean(axis=1)
        nearest = np.argsort(-others, axis=1)[:, :K]
        left = np.take_along_axis(others, nearest, axis=1)
        means = left.mean(axis=1)[:, None] + of_documents[nearest]
        wrong[lang] = (2 * left / means).max(axis=1)
    return calibrate(right, wrong, max_false_accept=SEARCH.max_false_accept)


def brute_force_on_pages(precision: float) -> dict[str, Calibration]:
    """The same, where the wrong page is the nearest other one of a pair."""
    right, wrong = {}, {}
    for lang, pages in PAGES_OF.items():
        n = N_PAIRS[lang]
        known, english = pages[:n].astype(np.float64), ENGLISH[:n].astype(np.float64)
        near_query = np.sort(known @ np.concatenate([CORPUS, ENGLISH]).T, axis=1)[:, -K:]
        near_page = np.sort(english @ pages.T, axis=1)[:, -K:]
        cosines = known @ english.T
        margins = 2 * cosines / (near_query.mean(1)[:, None] + near_page.mean(1)[None, :])
        others = np.where(np.eye(n, dtype=bool), -2, cosines)
        right[lang] = margins.diagonal()
        wrong[lang] = margins[np.arange(n), others.argmax(axis=1)]
    return calibrate(right, wrong, precision)


def thresholds(tables: Tables) -> dict[str, Row]:
    return {row.target_lang: row for row in tables.read(THRESHOLDS).collect()}


@pytest.fixture(scope="module")
def run(spark: SparkSession, config: Config) -> tuple[Tables, str]:
    """The tables after one run of the job, and what it said."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said), console_logging():
        job.run(spark, config)
    return Tables(spark, config.root), said.getvalue()


@pytest.fixture(scope="module")
def tables(run: tuple[Tables, str]) -> Tables:
    return run[0]


def test_thresholds_equal_brute_force(tables: Tables) -> None:
    expected, actual = brute_force(), thresholds(tables)
    assert actual.keys() == expected.keys() == {"*", *LANGUAGES}
    for lang, one in expected.items():
        row = actual[lang]
        figures = (row.threshold, row.precision, row.recall, row.f1, row.false_accept)
        if one.point is None:
            assert figures == (None,) * 5 and row.highest_false_accept is None
        else:
            assert 0 < one.point.recall < 1 and 0 < one.point.false_accept <= 0.1
            assert figures == pytest.approx(dataclasses.astuple(one.point), abs=1e-5)
            assert row.highest_false_accept == pytest.approx(one.highest_false_accept)
        assert (row.n_right, row.n_wrong, row.pooled) == (one.n_right, one.n_wrong, one.pooled)
        assert (row.wanted_precision, row.wanted_false_accept) == (None, 0.1)
        assert (row.wrong_pairs, row.k, row.n_searched) == ("searched", K, N_DOCUMENTS)
        assert row.points[0].threshold == pytest.approx(one.table[0].threshold, abs=1e-5)
        assert (row.points[0].recall, len(row.points)) == (1.0, len(one.table))
    assert [lang for lang, row in actual.items() if row.threshold is None] == ["ko"]
    assert actual["ja"].threshold == actual["*"].threshold != actual["th"].threshold


def test_every_pair_is_accounted_for(tables: Tables) -> None:
    (run,) = tables.read(RUNS).where("job = 'calibrate'").collect()
    assert (run.rows_in, run.rows_used, run.rows_out) == (71, 70, 4)
    assert run.dropped == {"no_vector": 1}


def test_the_job_says_what_it_found(run: tuple[Tables, str]) -> None:
    rows, lines = thresholds(run[0]), run[1].splitlines()
    shown = {line.split()[0]: line.split()[1:] for line in lines if line.startswith("  ")}
    thai = rows["th"]
    values = (thai.threshold, thai.precision, thai.recall, thai.false_accept)
    figures = [f"{value:.3f}" for value in (*values, thai.highest_false_accept)]
    assert shown["th"] == [*figures, "40"]
    assert shown["ja"][5:] == ["5", "too", "few:", "threshold", "of", "all", "languages"]
    assert (
        "calibrate: ko: no threshold has false acceptance 0.1; its neighbours are accepted where "
        "mutual" in lines
    )


def test_neighbours_take_configured_thresholds_calibrated_ones_and_mutual_ones(
    tables: Tables,
    config: Config,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    # As if the corpus had grown since the calibration.
    monkeypatch.setattr(used, "MOST_GROWTH", 0.5)
    least = thresholds(tables)["th"].threshold
    settings = replace(SEARCH, thresholds={"ja": 0.0}, max_uses=1000)
    neighbours.run(tables.spark, replace(config, neighbours=settings))
    rows = tables.read(NEIGHBOURS).collect()
    (said,) = [message for message in caplog.messages if "run calibrate again" in message]
    assert said.startswith("neighbours: thresholds of th were calibrated among 120 English texts")
    of_th = [row for row in rows if row.target_lang == "th"]
    assert [row.accepted for row in of_th] == [row.margin >= least for row in of_th]
    assert 0 < sum(row.accepted for row in of_th) < len(of_th)
    assert all(row.accepted for row in rows if row.target_lang == "ja")
    assert all(row.accepted == row.mutual for row in rows if row.target_lang == "ko")
    assert {row.target_lang for row in rows} == set(LANGUAGES)


def test_of_another_share_there_is_none_until_it_is_calibrated(
    tables: Tables, config: Config
) -> None:
    def taken(**settings: Any) -> Mapping[str, float]:
        changed = replace(SEARCH, **{"max_false_accept": 0.05, **settings})
        choice = choose_encoder(config.encoder)
        return thresholds_of(tables, changed, config.languages, choice).least

    said = "thresholds has none of this encoder, k and false acceptance 0.05 for ja, ko, th: run"
    with pytest.raises(TableError, match=said):
        taken()
    with pytest.raises(TableError, match=r"k and precision 0\.9 for ja, ko, th: run calibrate"):
        taken(max_false_accept=None, precision=0.9)
    with pytest.raises(TableError, match=r"k and false acceptance 0\.05 for ja: run"):
        taken(thresholds={"th": 1.1, "ko": 1.2})
    assert taken(thresholds={"*": 1.0}) == {"*": 1.0}
    assert taken(calibrate=False) == {}


def test_other_wrong_pairs_stand_beside_those_searched(tables: Tables, config: Config) -> None:
    before = thresholds(tables)
    found = {}
    for easy in ("nearest", "random"):
        settings = replace(SEARCH, max_false_accept=None, precision=0.9, wrong_pairs=easy)
        job.run(tables.spark, replace(config, neighbours=settings))
        rows = tables.read(THRESHOLDS).where(f"wrong_pairs = '{easy}'").collect()
        found[easy] = {row.target_lang: row for row in rows}
        assert {(row.wanted_precision, row.wanted_false_accept) for row in rows} == {(0.9, None)}
    rows = tables.read(THRESHOLDS).where("wrong_pairs = 'searched'").collect()
    assert {row.target_lang: row for row in rows} == before
    expected = brute_force_on_pages(0.9)["th"].point
    assert expected is not None
    nearest, random = found["nearest"]["th"], found["random"]["th"]
    assert nearest.threshold == pytest.approx(expected.threshold, abs=1e-5)
    assert random.n_wrong == N_PAIRS["th"]
    # Right ones are told from random ones more easily than from the nearest.
    assert random.threshold < nearest.threshold and random.false_accept < nearest.false_accept


def test_a_table_of_an_older_version_gets_the_columns(spark: SparkSession, config: Config) -> None:
    tables = Tables(spark, config.root)
    fields = [field for field in THRESHOLDS.schema if field.name not in LATER]
    old = replace(THRESHOLDS, schema=T.StructType(fields))
    other = Tables(spark, f"{config.root}-older")
    held = tables.read(THRESHOLDS).withColumn("k", F.lit(K + 1))
    other.replace(old, held.select(*old.columns), {})
    with pytest.raises(TableError, match=r"table thresholds: .*missing, should be"):
        other.read(THRESHOLDS)
    other.replace(THRESHOLDS, tables.read(THRESHOLDS), {"k": [K]})
    rows = other.read(THRESHOLDS).collect()
    assert {row.n_searched for row in rows if row.k == K + 1} == {None}
    assert {row.n_searched for row in rows if row.k == K} == {N_DOCUMENTS, 160}


NEWS = ("es", "th")


@pytest.fixture(scope="module")
def news(shared_data: Path, spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A configuration: translated news as pages, other English web texts as documents."""
    folder = tmp_path_factory.mktemp("news")
    texts = {lang: crawl_texts(shared_data, lang) for lang in ("en", *NEWS)}
    with (shared_data / "crawl" / "ntrex_pairs.tsv").open(encoding="utf-8", newline="") as file:
        gold = [row for row in csv.DictReader(file, delimiter="\t") if row["target_lang"] in NEWS]
    numbers = {name: n for n, name in enumerate(sorted({row["en_id"] for row in gold}))}
    pages = {("en", number): texts["en"][name] for name, number in numbers.items()}
    pages |= {
        (row["target_lang"], numbers[row["en_id"]]): texts[row["target_lang"]][row["target_id"]]
        for row in gold
    }
    others = sorted({text for name, text in texts["en"].items() if name not in numbers})
    tables = Tables(spark, str(folder / "tables"))
    write(
        tables,
        PAGES,
        [
            row_of(PAGES, lang=lang, page_id=number, text=text, text_hash=digest(text))
            for (lang, number), text in pages.items()
        ],
        {"lang": ["en", *NEWS]},
    )
    write(
        tables,
        DOCUMENTS,
        [
            row_of(DOCUMENTS, doc_id=digest(text), lang="en", text=text, text_hash=digest(text))
            for text in others
        ],
        {"lang": ["en"]},
    )
    write(
        tables,
        PAIRS,
        [row for lang in NEWS for row in pair_rows(lang, len(numbers))],
        {"target_lang": NEWS},
    )
    path = folder / "my.yaml"
    path.write_text(
        f"root: {tables.root}\nlanguages: [es, th]\nneighbours: {{calibrate: true}}\n"
        "wikipedia: {plain_text: {en: unread, es: unread, th: unread}}\n"
    )
    embeddings.run(spark, load_config(path))
    return path


def crawl_texts(data: Path, lang: str) -> dict[str, str]:
    path = data / "crawl" / "fineweb" / f"{lang}-000.parquet"
    columns = pq.read_table(path, columns=["id", "text"]).to_pydict()
    return dict(zip(columns["id"], columns["text"], strict=True))


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def test_most_real_news_is_told_from_the_best_of_all_documents(
    news: Path, spark: SparkSession, capsys: pytest.CaptureFixture[str]
) -> None:
    plot = news.with_name("plot.svg")
    assert main(["--config", str(news), "--plot", str(plot)]) == 0
    rows = thresholds(Tables(spark, load_config(news).root))
    for lang in NEWS:
        row = rows[lang]
        assert (row.n_right, row.n_wrong, row.pooled) == (62, 62, False)
        assert row.false_accept <= 0.02 and row.recall > 0.7 and row.threshold > 1.2
        assert (row.wanted_false_accept, row.wrong_pairs) == (0.02, "searched")
    said = capsys.readouterr().out
    assert said.splitlines()[-1] == f"calibrate: plot in {plot}"
    assert f"es: threshold {rows['es'].threshold:.3f}, 62 pairs" in plot.read_text()


def test_a_plot_without_a_place_is_refused_before_the_job(
    news: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--config", str(news), "--plot", "plot.png"]) == 1
    error = capsys.readouterr().err
    assert error.startswith("error: --plot: 'plot.png' given") and error.count("\n") == 1
