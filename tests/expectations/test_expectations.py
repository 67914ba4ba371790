"""Each expectation, on rows that keep it and on rows that break it in one way."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from pyspark.sql import types as T

from crossic_etl.expectations.expectation import count_violations
from crossic_etl.expectations.verify import Absent, Finding, expectations_of, find_violations
from crossic_etl.schemas import (
    DOCUMENTS,
    EMBEDDINGS,
    LINKS,
    NEIGHBOURS,
    PAGES,
    PAIRS,
    REDIRECTS,
    REJECTS,
    REVERSE_NEIGHBOURS,
    RUNS,
    SAMPLES,
    WINDOWS,
    Table,
)
from tests.support.rows import row_of
from tests.support.spark_settings import settings

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

Row = dict[str, Any]
Broken = Callable[..., dict[str, set[str]]]
IN_ONE_TASK = {
    "spark.sql.shuffle.partitions": "1",
    "spark.sql.adaptive.enabled": "false",
    "spark.sql.autoBroadcastJoinThreshold": "-1",
}
NULL = "no null where none may be"


@pytest.fixture
def broken(spark: SparkSession) -> Broken:
    """``broken(table, {table: rows})``: the keys of the rows that break each rule, by its name."""

    def find(table: Table, rows: dict[Table, list[Row]]) -> dict[str, set[str]]:
        given = {one.name: of_table for one, of_table in rows.items()}
        frames = {}
        for read in {one.name: one for p in expectations_of(table) for one in p.reads}.values():
            nullable = T.StructType([T.StructField(c.name, c.dataType) for c in read.schema])
            literal = [row_of(read, **row) for row in given.get(read.name, [])]
            frames[read.name] = spark.createDataFrame(literal, nullable)
        found: dict[str, set[str]] = {}
        with settings(spark, IN_ONE_TASK):
            violations = find_violations(expectations_of(table), frames).collect()
        for check, key in violations:
            found.setdefault(check, set()).add(key)
        assert len(violations) == sum(map(len, found.values()))
        return found

    return find


def text_of(text: str) -> Row:
    return {
        "text": text, "text_hash": hashlib.sha256(text.encode()).hexdigest(), "n_chars": len(text)
    }  # fmt: skip


def page(lang: str, page_id: int, title: str, text: str = "น้ำชา 🍵", **other: Any) -> Row:
    return {"lang": lang, "page_id": page_id, "title": title, **text_of(text), **other}


def test_pages(broken: Broken) -> None:
    pages = [
        page("en", 1, "Tea"),
        page("th", 1, "ชา", text=""),
        page("en", 2, "Bat", text_hash=text_of("other")["text_hash"]),
        page("en", 3, "Ice", n_chars=8),
        page("en", 4, "Chai"),
        page("en", 5, "Twice"),
        page("en", 5, "Twice"),
        page("en", 6, "Null", url=None),
    ]
    redirects = [{"lang": "en", "title": "Chai"}, {"lang": "th", "title": "Tea"}]
    assert broken(PAGES, {PAGES: pages, REDIRECTS: redirects}) == {
        "text_hash is the SHA-256 of text": {"en/2"},
        "n_chars is the length of text": {"en/3"},
        "no page is a redirect too": {"en/4"},
        "its key is unique": {"en/5"},
        NULL: {"en/6"},
    }


def link(page_id: int, lang: str, target: str, evidence: str) -> Row:
    return {"lang": lang, "page_id": page_id, "target_lang": target, "evidence": evidence}


def test_links(broken: Broken) -> None:
    links = [
        link(1, "en", "th", "qid"),
        link(9, "th", "en", "langlink"),  # of a page that no dump has
        link(9, "th", "en", "qid"),
        link(1, "th", "ja", "langlink"),
        link(1, "en", "ja", "guess"),
    ]
    assert broken(LINKS, {LINKS: links, PAGES: [page("en", 1, "Tea"), page("th", 1, "ชา")]}) == {
        "a link by item comes from a page that is there": {"th/9/en/qid"},
        "one of its ends is English": {"th/1/ja/langlink"},
        "evidence is langlink or qid": {"en/1/ja/guess"},
    }


def pair(pair_id: str, en: int, th: int, evidence: list[str] | None = None, **other: Any) -> Row:
    ends = {"en_page_id": en, "en_title": f"E{en}", "target_page_id": th, "target_title": f"T{th}"}
    said = {"evidence": evidence or ["en->th", "qid"], "n_links": 3}
    return {"pair_id": pair_id, "target_lang": "th", **ends, **said, **other}


def test_pairs(broken: Broken) -> None:
    pairs = [
        pair("good", 1, 1),
        pair("both", 2, 2, ["en->th", "th->en"], both_directions=True),
        pair("only said", 3, 3, both_directions=True),
        pair("unsorted", 4, 4, ["qid", "en->th"]),
        pair("other wiki", 5, 5, ["en->ja"]),
        pair("too few", 6, 6, n_links=1),
        pair("gone", 7, 70),
        pair("renamed", 8, 8, en_title="E1"),
        pair("of two", 9, 9),
        pair("ja", 1, 1, ["qid"], target_lang="ja"),
        pair("twice", 1, 10),
    ]
    pages = [
        *(page("en", i, f"E{i}") for i in range(1, 11)),
        *(page("th", i, f"T{i}", is_disambiguation=i == 9) for i in range(1, 11)),
        page("ja", 1, "T1"),
    ]
    assert broken(PAIRS, {PAIRS: pairs, PAGES: pages}) == {
        "both_directions is what evidence says": {"only said"},
        "evidence is a sorted set of what there may be": {"unsorted", "other wiki"},
        "n_links has one for each evidence": {"too few"},
        "both its pages are there, with those titles": {"gone", "renamed"},
        "neither of its pages is a disambiguation": {"of two"},
        "a page is in one pair of a target language": {"th/en:1"},
    }


def test_documents(broken: Broken) -> None:
    def document(doc_id: str, **other: Any) -> Row:
        return {"doc_id": doc_id, **text_of("web"), "n_copies": 2, "urls": ["a", "b"], **other}

    documents = [
        document("good"),
        document("hash", text="wet"),
        document("length", n_chars=4),
        document("copies", n_copies=0, urls=[]),
        document("unsorted", urls=["b", "a"]),
        document("many", urls=["a", "b", "c"]),
    ]
    assert broken(DOCUMENTS, {DOCUMENTS: documents}) == {
        "text_hash is the SHA-256 of text": {"hash"},
        "n_chars is the length of text": {"length"},
        "n_copies counts itself": {"copies"},
        "urls are a sorted set of those of its copies": {"unsorted", "many"},
    }


def embedding(id: str, kind: str, **other: Any) -> Row:
    made = {"lang": "th" if kind == "page" else "en", "text_hash": "h", "vector": [0.6, 0.8]}
    return {
        "id": id,
        "kind": kind,
        "model": "m",
        "revision": "r",
        "span_rule": "s",
        **made,
        **other,
    }


def test_embeddings(broken: Broken) -> None:
    half = {"vector": None, "half_vector": struct.pack("<3e", 0.36, 0.48, 0.8)}
    embeddings = [
        embedding("th:1", "page"),
        embedding("d1", "document", **half),
        embedding("d1", "page"),
        embedding("th:2", "page"),
        embedding("d1", "document", model="other", text_hash="old"),
        embedding("d2", "document", vector=None),
        embedding("d3", "document", half_vector=half["half_vector"]),
        embedding("d4", "document", vector=[0.6, 0.9]),
        embedding("d5", "document", vector=None, half_vector=b"odd"),
    ]
    documents = [{"doc_id": f"d{i}", "lang": "en", "text_hash": "h"} for i in range(1, 6)]
    pages = [{"lang": "th", "page_id": 1, "text_hash": "h"}]
    assert broken(EMBEDDINGS, {EMBEDDINGS: embeddings, PAGES: pages, DOCUMENTS: documents}) == {
        "its text is there, with that hash": {"d1/m/r/s", "th:2/m/r/s", "d1/other/r/s"},
        "its key is unique": {"d1/m/r/s"},
        "it has one of vector and half_vector": {"d2/m/r/s", "d3/m/r/s"},
        "its vector has unit length": {"d4/m/r/s", "d5/m/r/s"},
    }


def neighbour(query: str, doc: str, rank: int, cosine: float, model: str = "m") -> Row:
    found = {"query_id": query, "doc_id": doc, "rank": rank, "cosine": cosine}
    return {**found, "target_lang": "th", "model": model, "revision": "r"}


def test_neighbours(broken: Broken) -> None:
    neighbours = [
        neighbour("th:1", "d2", 2, 0.5),
        neighbour("th:1", "d1", 1, 0.5),
        neighbour("th:1", "d3", 3, 0.4),
        neighbour("th:2", "d1", 1, 0.4),
        neighbour("th:2", "d2", 2, 0.5),
        neighbour("th:3", "d1", 1, 0.5),
        neighbour("th:3", "d2", 3, 0.4),
        neighbour("th:4", "d9", 1, 0.5),
        neighbour("th:9", "d1", 1, 0.5),
        neighbour("th:1", "d1", 1, 0.5, model="other"),
    ]
    embedded = [embedding(f"th:{i}", "page") for i in range(1, 5)]
    embedded += [embedding(f"d{i}", "document", span_rule=s) for i in range(1, 5) for s in "st"]
    assert broken(NEIGHBOURS, {NEIGHBOURS: neighbours, EMBEDDINGS: embedded}) == {
        "ranks of a query are 1 to n, by cosine": {"th:2/m/r", "th:3/m/r"},
        "its query and its document have vectors": {
            "th:4/d9/m/r",
            "th:9/d1/m/r",
            "th:1/d1/other/r",
        },
    }


def test_reverse_neighbours(broken: Broken) -> None:
    def reverse(doc_id: str, *queries: tuple[str, float]) -> Row:
        encoder = {"model": "m", "revision": "r"}
        return {"doc_id": doc_id, "target_lang": "th", "queries": list(queries), **encoder}

    rows = [
        reverse("d1", ("th:1", 0.5), ("th:2", 0.5), ("th:3", 0.4)),
        reverse("d2"),
        reverse("d3", ("th:2", 0.5), ("th:1", 0.5)),
        reverse("d4", ("th:9", 0.5)),
        reverse("d5", ("th:1", 0.5)),
    ]
    found = [neighbour("th:1", f"d{i}", i, 0.5) for i in (1, 2, 3, 4, 6)]
    embedded = [embedding(f"th:{i}", "page") for i in range(1, 4)]
    embedded += [embedding(f"d{i}", "document") for i in range(1, 7)]
    assert broken(
        REVERSE_NEIGHBOURS, {REVERSE_NEIGHBOURS: rows, NEIGHBOURS: found, EMBEDDINGS: embedded}
    ) == {
        "its queries are in order, by cosine": {"d3/th/m/r"},
        "its document and its queries have vectors": {"d4/th/m/r/th:9"},
        "its documents are those of neighbours": {"d5/th/m/r", "d6/th/m/r"},
    }


SEPARATOR, SPLIT = 100, 101


def sample(pair_id: str, en: str, target: str, segment: int = 0, n: int = 1, **other: Any) -> Row:
    """A sample of the pair pN: page N on both sides; a character is a token."""
    number, arrangement = int(pair_id[1:]), other.get("arrangement", "en-first")
    ids = [*map(ord, en), *([SEPARATOR] if en and target else []), *map(ord, target), SPLIT]
    return {
        "sample_id": f"{pair_id} {arrangement} {segment} {en}", "arrangement": arrangement,
        "target_lang": "th", "split": "train", "origin": "wikipedia", "pair_id": pair_id,
        "en_source_id": f"en:{number}", "target_source_id": f"th:{number}",
        "segment": segment, "n_segments": n, "en_text": en, "target_text": target,
        "input_ids": ids, "n_en_tokens": len(en), "n_target_tokens": len(target),
        "n_tokens": len(ids), "tokenizer": "t", "en_revision_id": 7, **other,
    }  # fmt: skip


ENGLISH, THAI = "tea", "น้ำชา"
ONLY_TARGET: Row = {"en_source_id": None, "en_revision_id": None}
ONLY_ENGLISH: Row = {"target_source_id": None}


SOURCES = {
    PAGES: [
        *(
            page("en", i, "Tea", "te\u00a0\n\na " if i == 12 else ENGLISH, revision_id=7)
            for i in range(1, 20)
        ),
        *(page("th", i, "ชา", THAI) for i in range(1, 20)),
    ],
    PAIRS: [pair(f"p{i}", i, i) for i in (*range(1, 10), *range(11, 15), 77)],
    DOCUMENTS: [{"doc_id": "d1", **text_of("web")}],
}


def test_samples(broken: Broken) -> None:
    whole = (ENGLISH, THAI)
    samples = [
        sample("p11", "t", "น้", 0, 2),
        sample("p11", "ea", "ำชา", 1, 2),
        # White space between segments, and a segment that was dropped.
        sample("p12", "te", "น้", 0, 2),
        sample("p12", "a", "ำชา", 1, 2),
        sample("p13", "t", "น้", 0, 3, n_unmatched=1),
        sample("p13", "a", "ชา", 2, 3, n_unmatched=1),
        sample("p11", ENGLISH, "", arrangement="mix", **ONLY_ENGLISH),
        sample("p11", "", THAI, arrangement="mix", **ONLY_TARGET),
        sample("p11", "", THAI, arrangement="target-only", **ONLY_TARGET),
        sample("p11", ENGLISH, THAI, arrangement="random", en_source_id="en:12"),
        sample("p11", ENGLISH, THAI, tokenizer="other", sample_id="other"),
        {
            **sample("p11", "web", THAI, arrangement="retrieved", origin="crawl"),
            **{"pair_id": "th:11 d1", "en_source_id": "d1", "en_revision_id": None},
        },
        # From here on each breaks something.
        sample("p1", "t", "", 0, 3, arrangement="target-first"),
        sample("p1", "ea", THAI, 2, 3, arrangement="target-first"),
        sample("p14", "t", "น้", 0, 3, n_unmatched=2),
        sample("p14", "a", "ชา", 2, 3, n_unmatched=2),
        sample("p77", *whole),
        sample("p2", "tee", THAI, arrangement="target-first"),
        sample("p3", *whole, en_revision_id=8),
        sample("p4", *whole, en_source_id="en:5"),
        sample("p10", *whole),
        sample("p4", *whole, arrangement="random"),
        sample("p6", *whole, split="validation"),
        sample("p6", *whole, arrangement="target-first"),
        sample("p7", *whole, n_tokens=11),
        sample("p8", *whole, input_ids=[*range(11)], n_tokens=11),
        sample("p9", *whole, origin="crawl"),
        sample("p9", *whole, arrangement="target-only"),
        sample("p9", "", THAI, arrangement="mix", **ONLY_TARGET, en_title="Tea"),
        sample("p5", *whole, split="test"),
    ]
    of = "en-first/t/wikipedia"
    assert broken(SAMPLES, {SAMPLES: samples, **SOURCES}) == {
        "segments are 0 to n_segments - 1, once each but those dropped": {
            "target-first/t/wikipedia/p1/en:1/th:1", f"{of}/p14/en:14/th:14",
        },
        "its documents are there": {f"{of}/p77/en:77/th:77"},
        "its segments, joined, are the texts": {"target-first/t/wikipedia/p2/en:2/th:2"},
        "its revisions are the pages'": {f"{of}/p3/en:3/th:3"},
        "its pair is there, with those pages": {
            f"{of}/p4/en:5/th:4", f"{of}/p10/en:10/th:10", "random/t/wikipedia/p4/en:4/th:4",
        },
        "no document is on both sides of the split": {"en:6", "th:6", "en:5"},
        "n_tokens is the number of input_ids": {"p7 en-first 0 tea"},
        "its tokens are the sides', the separator's and the split token's": {
            "p7 en-first 0 tea", "p8 en-first 0 tea",
        },
        "origin is that of its arrangement": {"p9 en-first 0 tea"},
        "it has the sides of its arrangement": {"p9 target-only 0 tea"},
        "a side that it doesn't have is empty": {"p9 mix 0 "},
        "split is train or validation": {"p5 en-first 0 tea"},
    }  # fmt: skip


def window(position: int, samples: list[Row], length: int = 40, **other: Any) -> Row:
    """A window of these samples, the last one cut where it doesn't fit."""
    ids = [token for one in samples for token in one["input_ids"]]
    stops = [sum(len(s["input_ids"]) for s in samples[: i + 1]) for i in range(len(samples))]
    n_ids = min(len(ids), length)
    return {
        "arrangement": "en-first", "tokenizer": "t", "window_length": length, "policy": "sliding",
        "split": "train", "position": position, "input_ids": ids[:length],
        "sample_starts": [0, *stops[:-1]], "sample_ids": [s["sample_id"] for s in samples],
        "sample_langs": ["th"] * len(samples), "n_whole": sum(stop <= length for stop in stops),
        "n_new": n_ids, "n_padding": length - n_ids, **other,
    }  # fmt: skip


A, B, C = (sample(f"p{i}", str(i) * 3, THAI) for i in (1, 2, 3))
OTHER = sample("p4", ENGLISH, THAI, arrangement="mix")  # no windows of it were made
HELD = [A, B, C, OTHER]
GOOD = [
    window(0, [A, B, C], 25),
    window(1, [C], 25, n_new=5, n_repeated=5),
    window(0, [A, B, C], 40, policy="padded"),
    window(0, [A, OTHER], 40, arrangement="mixture"),
]


def test_windows(broken: Broken) -> None:
    kept = [window(0, [A, B, C, OTHER], 60, arrangement="mixture", policy=p) for p in "bc"]
    altered = [1, *window(0, [A, B, C])["input_ids"][1:]]
    windows = [
        *GOOD,
        window(0, [A, B], policy="gap"),
        window(2, [C], policy="gap"),  # one was removed
        window(0, [A, A, B], policy="twice"),
        window(0, [A, B, C], policy="ids", input_ids=altered),
        window(0, [A, B, C], policy="split", split="validation"),
        window(0, [A, B, C], policy="lang", sample_langs=["th", "ja", "th"]),
        *kept,
        window(1, [A, {**B, "sample_id": "gone"}], 60, arrangement="mixture", policy="c"),
        window(0, [A, B, C], policy="starts", sample_starts=[0, 10]),
        window(0, [A, B, C], policy="whole", n_whole=1),
        window(0, [A, B, C], policy="new", n_new=29),
        window(0, [A, B, C], policy="padding", n_padding=9),
        window(0, [A, B, C], policy="long", window_length=29, n_padding=-1),
    ]
    actual = broken(WINDOWS, {WINDOWS: windows, SAMPLES: HELD})
    row, kind = "en-first/t/40/{}/train/0/0/0", "en-first/t/40/{}/{}"
    a, b, c = (s["sample_id"] for s in (A, B, C))
    assert actual == {
        "a sample is whole in one window, in a mixture at most": {
            kind.format("twice", a),
            kind.format("twice", c),
            f"mixture/t/60/c/{a}",
            kind.format("whole", b),
            kind.format("whole", c),
        },
        "its samples are there": {"mixture/t/60/c/gone"},
        "the ids of a whole sample are its own": {
            kind.format("ids", a),
            kind.format("starts", b),
            kind.format("starts", c),
        },
        "split and languages are the samples'": {
            *(kind.format("split", s) for s in (a, b, c)),
            kind.format("lang", b),
        },
        "each of its samples has a start and a language": {row.format("starts")},
        "only its last sample may be cut": {row.format("whole")},
        "its tokens are new or repeated": {row.format("new")},
        "n_padding is what is missing": {row.format("padding")},
        "input_ids fit in": {"en-first/t/29/long/train/0/0/0"},
    }


def test_rejects_and_runs(broken: Broken) -> None:
    rejects = [{"table": "pages", "key": "a"}, {"table": "staging_pages", "key": "b"}]
    assert broken(REJECTS, {REJECTS: rejects}) == {
        "table is one that there is": {"staging_pages//b/"}
    }
    balanced = {"state": "done", "rows_in": 5, "rows_used": 2, "dropped": {"cut": 2, "sql": 1}}
    runs = [
        {"run_id": "good", **balanced},
        {"run_id": "none", "state": "done"},
        {"run_id": "failed", **balanced, "state": "failed", "rows_used": 0},
        {"run_id": "lost", **balanced, "rows_in": 6},
        {"run_id": "odd", **balanced, "state": "running"},
    ]
    assert broken(RUNS, {RUNS: runs}) == {
        "rows in are rows used and rows dropped": {"lost"},
        "state is done or failed": {"odd"},
    }


def test_violations_are_counted_and_a_few_of_them_kept(spark: SparkSession) -> None:
    rows = [("a", f"{i:03}") for i in range(200)] + [("b", "only")]
    counted = count_violations(spark.createDataFrame(rows, "check string, key string")).collect()
    examples = sorted(row.example for row in counted if row.check == "a")
    assert (sum(row.n for row in counted if row.check == "a"), examples[0]) == (200, "000")
    assert 3 <= len(examples) <= 16
    assert [(row.n, row.example) for row in counted if row.check == "b"] == [(1, "only")]


def test_a_finding_is_one_line() -> None:
    assert Finding("pages", "its key is unique").line == "pages: its key is unique: ok"
    broken = Finding("pages", "its key is unique", 1234, ("en/1", "en/2"))
    assert broken.line == "pages: its key is unique: BROKEN by 1,234, such as en/1, en/2"
    skipped = Finding("links", "is there", None, ("the columns of pages",))
    assert skipped.line == "links: is there: not checked, for the columns of pages"
    assert Absent("links").line == "links: isn't there"
