"""Of which texts samples are made, on a few rows of the tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from crossic_etl.config.crawl import Encoder
from crossic_etl.config.encoder import choose_encoder
from crossic_etl.kernels.text.contamination import NgramIndex
from crossic_etl.pipeline import sample_chunks
from crossic_etl.pipeline.sample_chunks import make_parts, make_source
from crossic_etl.pipeline.sample_sources import (
    NeighbourQueries,
    SampleRules,
    SampleSource,
    count_text_pairs,
    describe_source,
    load_sources,
    plan_embedding,
    stage_contaminated,
)
from crossic_etl.schemas import DOCUMENTS, NEIGHBOURS, PAGES, PAIRS
from crossic_etl.tables import Tables
from crossic_etl.transforms.samples import SampleSettings
from tests.support.rows import write_rows

if TYPE_CHECKING:
    from pyspark.sql import Row, SparkSession

QUESTION = "Which of the potter's vessels stands longest on the shelf beside the river, and why?"
TEXTS = {
    ("en", 1): "An article about tea.",
    ("en", 2): QUESTION,
    ("en", 3): "An article that no other language has.",
    ("th", 11): "บทความภาษาไทยเรื่องชา",
    ("th", 12): "บทความภาษาไทยเรื่องน้ำผึ้ง",
    ("ja", 21): "お茶についての記事。",
}
OF_PAGES = NeighbourQueries("model", "1", are_pages=True)
OF_DOCUMENTS = NeighbourQueries("model", "1", are_pages=False)


@pytest.fixture(scope="module")
def tables(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Tables:
    tables = Tables(spark, str(tmp_path_factory.mktemp("sources")))
    pages: list[dict[str, Any]] = [
        {"lang": lang, "page_id": key, "title": f"{lang} {key}", "text": text, "n_chars": len(text)}
        for (lang, key), text in TEXTS.items()
    ]
    pairs: list[dict[str, Any]] = [
        {"pair_id": pair, "target_lang": lang, "en_page_id": english, "target_page_id": target}
        for pair, lang, english, target in [
            ("p1", "th", 1, 11),
            ("p2", "th", 2, 12),
            ("p3", "ja", 1, 21),
        ]
    ]
    documents: list[dict[str, Any]] = [
        {"lang": lang, "doc_id": key, "text": text, "n_chars": len(text), "url": f"https://{key}"}
        for lang, key, text in [("en", "d1", "A web page about tea."), ("th", "d2", "หน้าเว็บ")]
    ]
    neighbours: list[dict[str, Any]] = [
        {"query_id": query, "doc_id": "d1", "query_kind": kind, "accepted": accepted,
         "target_lang": "th", "model": model, "revision": "1", "margin": 1.2}
        for query, kind, accepted, model in [
            ("th:11", "page", True, "model"),
            ("th:12", "page", False, "model"),
            ("d2", "document", True, "model"),
            ("th:12", "page", True, "another model"),
        ]
    ]  # fmt: skip
    for table, rows in (
        (PAGES, pages),
        (PAIRS, pairs),
        (DOCUMENTS, documents),
        (NEIGHBOURS, neighbours),
    ):
        write_rows(tables, table, rows)
    return tables


def sources_of(
    tables: Tables, *arrangements: str, retrieved: NeighbourQueries | None = None
) -> list[SampleSource]:
    return load_sources(
        tables, ("th", "ja"), arrangements, validation_share=0, seed=0, retrieved=retrieved
    )


def ids(source: SampleSource) -> list[tuple[str, str]]:
    rows = source.text_pairs.select("en_source_id", "target_source_id").collect()
    return sorted(map(tuple, rows))


def test_arrangements_of_pairs_have_one_source(tables: Tables) -> None:
    (source,) = sources_of(tables, "en-first", "mix")
    assert (source.origin, source.arrangements) == ("wikipedia", ("en-first", "mix"))
    assert ids(source) == [("en:1", "ja:21"), ("en:1", "th:11"), ("en:2", "th:12")]
    assert {row.text for row in source.target.collect()} == {
        text for (lang, _), text in TEXTS.items() if lang != "en"
    }


def test_what_is_retrieved_for_pages_is_a_source_of_its_own(tables: Tables) -> None:
    of_pairs, found = sources_of(tables, "en-first", "retrieved", retrieved=OF_PAGES)
    assert (of_pairs.arrangements, found.arrangements) == (("en-first",), ("retrieved",))
    assert found.origin == "crawl"
    assert ids(found) == [("d1", "th:11")]
    assert [row.text for row in found.english.collect()] == ["A web page about tea."]
    assert TEXTS["th", 11] in {row.text for row in found.target.collect()}


def test_what_is_retrieved_for_documents_has_documents_on_both_sides(tables: Tables) -> None:
    (found,) = sources_of(tables, "retrieved", retrieved=OF_DOCUMENTS)
    assert ids(found) == [("d1", "d2")]
    assert [row.text for row in found.target.collect()] == ["หน้าเว็บ"]


def test_the_neighbours_of_one_encoder_and_kind_of_query_are_read() -> None:
    assert OF_DOCUMENTS.scope(["th"]) == {
        "target_lang": ["th"],
        "model": ["model"],
        "revision": ["1"],
        "query_kind": ["document"],
    }


def test_a_pair_counts_once_for_each_arrangement(tables: Tables) -> None:
    sources = sources_of(tables, "en-first", "mix", "retrieved", retrieved=OF_PAGES)
    assert count_text_pairs(sources) == {"crawl th": 1, "wikipedia ja": 2, "wikipedia th": 4}


def test_pages_of_a_source_that_overlap_an_evaluation_text_are_staged(tables: Tables) -> None:
    sources = sources_of(tables, "en-first")
    wikis = ("en", "th", "ja")
    assert stage_contaminated(tables, wikis, None, sources) is None
    found = stage_contaminated(tables, wikis, NgramIndex.of([QUESTION, TEXTS["en", 3]]), sources)
    assert found is not None
    assert [row.source_id for row in found.collect()] == ["en:2"]  # en:3 is in no pair


def test_samples_of_a_language_or_a_share_are_what_they_are_of_all(tables: Tables) -> None:
    settings = SampleSettings("qwen2.5", "<|quad_end|>", 64, "\n\n")
    rules = SampleRules(("th", "ja"), settings, 1, 0)

    def rows(*languages: str, share: tuple[int, int] = (0, 1)) -> list[Row]:
        (source,) = sources_of(tables, "en-first", "random")
        pairs = describe_source(source, rules)
        made = make_source(source, pairs, languages, rules, share=share)
        return sorted(made.where("outcome = 'sample'").collect(), key=lambda row: row.sample_id)

    both = rows("th", "ja")
    assert [row for row in both if row.target_lang == "ja"] == rows("ja")
    assert {row.target_lang for row in rows("th")} == {"th"}
    shares = [rows("th", "ja", share=(i, 3)) for i in range(3)]
    assert sorted((row for share in shares for row in share), key=lambda r: r.sample_id) == both
    ids = [{row.en_source_id for row in share} for share in shares]
    assert sum(map(len, ids)) == len(set.union(*ids)) > 1


def test_languages_are_staged_one_by_one_or_english_texts_where_these_are_embedded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sample_chunks, "LEAST_TEXT_PAIRS", 4)
    monkeypatch.setattr(sample_chunks, "LEAST_EMBEDDED", 3)
    counts = {"wikipedia ja": 4, "wikipedia th": 2}
    assert make_parts(counts, embeds=False) == [(["wikipedia ja"], 0, 1), (["wikipedia th"], 0, 1)]
    assert make_parts(counts, embeds=True) == [(list(counts), 0, 2), (list(counts), 1, 2)]
    assert make_parts({}, embeds=True) == [([], 0, 1)]


def test_what_is_embedded_is_said_before_and_what_the_encoder_does_not_know(
    tables: Tables,
) -> None:
    def lines(similarity: str, align: str = "encoder", max_tokens: int = 64) -> list[str]:
        embeds = align == "encoder" or similarity == "all"
        choice = choose_encoder(Encoder()) if embeds else None
        settings = SampleSettings(
            "qwen2.5", "<|quad_end|>", max_tokens, "\n\n", align, similarity, "keep", choice
        )
        rules = SampleRules(("th", "ja", "sw"), settings, 1, 0)
        (source,) = sources_of(tables, "en-first", "mix")
        return list(plan_embedding(describe_source(source, rules), rules))

    unknown = "samples: use-multilingual doesn't know sw: their text pairs are "
    paired = [("en", 1), ("en", 2), ("th", 11), ("th", 12), ("ja", 21)]
    n = sum(len(TEXTS[key]) for key in paired)
    said = f"samples: up to {n:,} characters of 5 texts are embedded by use-multilingual"
    assert lines("all") == [f"{unknown}cut by anchors", f"{said} to compare 3 text pairs"]
    n = len(TEXTS["en", 2]) + len(TEXTS["th", 12])
    long = f"samples: up to {n} characters of 2 texts are embedded by use-multilingual"
    assert lines("cut") == [f"{unknown}cut by anchors", f"{long} to cut 1 text pairs"]
    assert lines("cut", max_tokens=4096) == [f"{unknown}cut by anchors"]
    assert lines("all", "position")[0] == f"{unknown}not compared"
    assert lines("cut", "anchors") == lines("cut", "position") == []
