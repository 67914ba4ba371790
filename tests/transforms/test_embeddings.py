from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest

from crossic_etl.config.crawl import Encoder
from crossic_etl.config.encoder import choose_encoder
from crossic_etl.kernels.encoding.encoders import load_encoder
from crossic_etl.kernels.encoding.spans import SpanRule
from crossic_etl.kernels.encoding.spec import EncoderChoice, EncoderSpec
from crossic_etl.schemas import STAGED_EMBEDDINGS
from crossic_etl.transforms import embeddings, encoding
from crossic_etl.transforms.arrow import rebatch
from crossic_etl.transforms.embeddings import (
    choose_texts,
    plan_embeddings,
    select_gone,
    select_new,
    select_outcomes,
    select_texts,
)
from crossic_etl.transforms.encoding import (
    embed_batches,
    embed_texts,
    task_encoder,
    task_number,
    task_spec,
)

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

Frame = Callable[[str, list[tuple[Any, ...]]], "DataFrame"]

PAGES = "lang string, page_id long, text_hash string, text string, is_disambiguation boolean"
PAIRS = "pair_id string, target_lang string, en_page_id long, target_page_id long"
DOCUMENTS = "doc_id string, lang string, text_hash string, text string"
TEXTS = "id string, kind string, lang string, text_hash string, outcome string"
HELD = "id string, kind string, lang string, text_hash string, half_vector binary"
PLAN = "outcome string, stale boolean, id string, kind string, n long"

PAGE_ROWS = [
    ("en", 1, "h1", "The tea plant grows in the hills.", False),
    ("en", 2, "h2", "Honey is made by bees.", False),
    ("th", 1, "h3", "ชาปลูกบนเขา", False),
    ("th", 2, "h4", "ชา (แก้ความกำกวม)", True),
    ("es", 7, "h5", "Las abejas hacen la miel.", False),
]
DOCUMENT_ROWS = [
    ("d1", "en", "h6", "Tea is grown on slopes."),
    ("d2", "th", "h7", "ผึ้งทำน้ำผึ้ง"),
]
CHOICE = choose_encoder(Encoder())


def chosen(frame: Frame, queries: str, pairs: list[tuple[Any, ...]]) -> dict[str, str]:
    texts = choose_texts(
        frame(PAGES, PAGE_ROWS), frame(PAIRS, pairs), frame(DOCUMENTS, DOCUMENT_ROWS), queries, 0
    )
    return {row.id: row.outcome for row in texts.collect()}


def test_english_documents_and_the_other_languages_pages_are_embedded(frame: Frame) -> None:
    assert chosen(frame, "pages", []) == {
        "en:1": "not_needed",
        "en:2": "not_needed",
        "th:1": "embed",
        "th:2": "disambiguation",
        "es:7": "embed",
        "d1": "embed",
        "d2": "not_needed",
    }


def test_documents_of_the_other_languages_are_queries_where_they_are_asked_for(
    frame: Frame,
) -> None:
    outcomes = chosen(frame, "documents", [])
    assert {key for key, outcome in outcomes.items() if outcome == "embed"} == {"d1", "d2"}


def test_both_pages_of_a_pair_are_embedded_for_the_thresholds(frame: Frame) -> None:
    pairs = [("p1", "th", 1, 1), ("p2", "es", 1, 7)]
    outcomes = chosen(frame, "documents", pairs)
    assert {outcomes[key] for key in ("en:1", "th:1", "es:7")} == {"embed"}
    assert outcomes["en:2"] == "not_needed"
    assert len(outcomes) == len(PAGE_ROWS) + len(DOCUMENT_ROWS)


def test_thresholds_take_so_many_pairs_of_each_language(
    frame: Frame, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embeddings, "CALIBRATION_PAIRS", 1)
    pages = [("en", i, "h", "t", False) for i in range(20)]
    pairs = [(f"p{i}", lang, i, i) for i in range(20) for lang in ("th", "es")]
    texts = choose_texts(
        frame(PAGES, pages), frame(PAIRS, pairs), frame(DOCUMENTS, []), "documents", 0
    )
    again = choose_texts(
        frame(PAGES, pages).repartition(3),
        frame(PAIRS, pairs[::-1]),
        frame(DOCUMENTS, []),
        "documents",
        0,
    )
    ids = {row.id for row in select_new(texts).collect()}
    assert len(ids) in (1, 2)
    assert {row.id for row in select_new(again).collect()} == ids


def planned(frame: Frame, text: tuple[Any, ...] | None, held: tuple[Any, ...] | None) -> Any:
    plan = plan_embeddings(
        frame(TEXTS, [text] if text else []), frame(HELD, [held] if held else []), False
    )
    (row,) = plan.collect()
    return tuple(row)


TEXT = ("a", "document", "en", "h")
VECTOR = (*TEXT, None)


@pytest.mark.parametrize(
    ("text", "held", "expected"),
    [
        ((*TEXT, "embed"), None, ("embed", False, "a", "document", 1)),
        ((*TEXT, "embed"), VECTOR, ("already_embedded", False, None, None, 1)),
        ((*TEXT, "not_needed"), VECTOR, ("not_needed", False, None, None, 1)),
        ((*TEXT, "not_needed"), None, ("not_needed", False, None, None, 1)),
        ((*TEXT[:3], "new", "embed"), VECTOR, ("embed", True, "a", "document", 1)),
        (("a", "document", "th", "h", "embed"), VECTOR, ("embed", True, "a", "document", 1)),
        ((*TEXT[:3], "new", "not_needed"), VECTOR, ("not_needed", True, "a", "document", 1)),
        ((*TEXT, "disambiguation"), VECTOR, ("disambiguation", True, "a", "document", 1)),
        (None, VECTOR, ("gone", True, "a", "document", 0)),
        ((*TEXT, "embed"), (*TEXT, b"half"), ("embed", True, "a", "document", 1)),
    ],
)
def test_what_a_text_needs_depends_on_the_vector_that_is_there(
    frame: Frame, text: tuple[Any, ...] | None, held: tuple[Any, ...] | None, expected: Any
) -> None:
    assert planned(frame, text, held) == expected


def test_what_asks_for_nothing_is_summed_up(frame: Frame) -> None:
    texts = [(f"a{i}", "page", "th", "h", "embed") for i in range(6)]
    held = [(f"a{i}", "page", "th", "h", None) for i in range(5)]
    plan = plan_embeddings(frame(TEXTS, texts), frame(HELD, held), False)
    assert sorted(map(tuple, plan.collect())) == [
        ("already_embedded", False, None, None, 5),
        ("embed", False, "a5", "page", 1),
    ]


def test_texts_to_embed_come_with_their_role_and_a_lead(frame: Frame) -> None:
    plan = [
        ("embed", True, "th:1", "page", 1),
        ("embed", False, "d1", "document", 1),
        ("gone", True, "en:1", "page", 0),
        ("already_embedded", False, None, None, 5),
    ]
    rows = [*DOCUMENT_ROWS[1:], ("d1", "en", "h6", "x" * 1000)]
    rule = SpanRule("lead", 16)
    texts = select_texts(frame(PLAN, plan), frame(PAGES, PAGE_ROWS), frame(DOCUMENTS, rows), rule)
    actual = {(r.id, r.kind, r.lang, r.text_hash, r.text, r.stale, r.role) for r in texts.collect()}
    assert actual == {
        ("th:1", "page", "th", "h3", "ชาปลูกบนเขา", True, "query"),
        ("d1", "document", "en", "h6", "x" * 64, False, "passage"),
    }


def test_a_mean_of_spans_sees_the_whole_text(frame: Frame) -> None:
    plan = frame(PLAN, [("embed", False, "d1", "document", 1)])
    documents = frame(DOCUMENTS, [("d1", "en", "h6", "x" * 1000)])
    (row,) = select_texts(plan, frame(PAGES, []), documents, SpanRule("mean", 16, 2)).collect()
    assert len(row.text) == 1000


@pytest.mark.parametrize(
    ("n_texts", "expected"),
    [(0, 1), (1, 1), (129, 2), (64_000, 500), (2_000_000, 1000), (324_000_000, 16_200)],
)
def test_a_task_has_neither_few_texts_nor_too_many(n_texts: int, expected: int) -> None:
    assert task_number(n_texts) == expected


STAGED = (
    "id string, kind string, lang string, text_hash string, text string, stale boolean, role string"
)


def test_embedded_rows_are_one_for_each_text_whatever_the_batches(frame: Frame) -> None:
    texts = [(f"d{i}", "document", "en", "h", f"Text {i} on tea.", False, "passage")
             for i in range(40)]  # fmt: skip
    texts += [
        ("th:1", "page", "th", "h", "ชาปลูกบนเขา", True, "query"),
        ("th:2", "page", "th", "h", " \n ", False, "query"),
        ("th:3", "page", "th", "h", "— ! …", False, "query"),
    ]
    source = frame(STAGED, texts)
    rows = {r.id: r for r in embed_texts(source, CHOICE, 1).collect()}
    spread = {r.id: r for r in embed_texts(source.repartition(5), CHOICE, 3).collect()}
    assert {key: row.outcome for key, row in rows.items()} == {
        **{f"d{i}": "embedded" for i in range(40)},
        "th:1": "embedded",
        "th:2": "empty",
        "th:3": "no_letters",
    }
    assert rows.keys() == spread.keys()
    assert all(row.vector == spread[key].vector for key, row in rows.items())
    row = rows["th:1"]
    assert (row.model, row.revision, row.span_rule) == (CHOICE.model, CHOICE.revision, "lead-1000")
    assert (row.spans, row.stale, row.n, row.half_vector) == ([[0, 11]], True, 1, None)
    (right,) = load_encoder(CHOICE.spec).encode(["ชาปลูกบนเขา"], "query")
    assert np.allclose(row.vector, right, atol=1e-6)


def test_a_task_makes_the_same_batches_in_whatever_order_its_texts_come(frame: Frame) -> None:
    texts = [(f"d{i:02}", "document", "en", "h", f"Text {i}.", False, "passage")
             for i in (7, 3, 12, 0, 5)]  # fmt: skip
    for given in (texts, texts[::-1]):
        rows = embed_texts(frame(STAGED, given).coalesce(1), CHOICE, 1).collect()
        assert [row.id for row in rows] == ["d00", "d03", "d05", "d07", "d12"]


def test_outcomes_are_the_plan_and_what_became_of_the_new_texts(frame: Frame) -> None:
    plan = frame(
        PLAN, [("embed", False, "a", "page", 1), ("already_embedded", False, None, None, 5)]
    )
    staged = frame("outcome string, n long", [("embedded", 1)])
    rows = select_outcomes(plan, staged).collect()
    assert sorted(map(tuple, rows)) == [("already_embedded", 5), ("embedded", 1)]


def test_stale_rows_that_nothing_replaces_are_gone(frame: Frame) -> None:
    plan = [
        ("gone", True, "a", "page", 0),
        ("disambiguation", True, "b", "page", 1),
        ("embed", True, "c", "page", 1),
        ("embed", True, "d", "page", 1),
        ("already_embedded", False, None, None, 3),
    ]
    staged = [("c", "embedded", True), ("d", "empty", True), ("e", "empty", False)]
    gone = select_gone(
        frame(PLAN, plan), frame("id string, outcome string, stale boolean", staged), CHOICE
    )
    key = (CHOICE.model, CHOICE.revision, CHOICE.rule.name)
    assert sorted(map(tuple, gone.collect())) == [(i, *key) for i in ("a", "b", "d")]


def batch_of(*texts: str, role: str = "query") -> pa.RecordBatch:
    n_rows = len(texts)
    return pa.RecordBatch.from_pydict(
        {
            "id": [f"t{i}" for i in range(n_rows)],
            "kind": ["page"] * n_rows,
            "lang": ["es"] * n_rows,
            "text_hash": ["h"] * n_rows,
            "text": list(texts),
            "stale": [False] * n_rows,
            "role": [role] * n_rows,
        }
    )


class Recorder:
    """An encoder that notes what it is asked for; vectors are the texts' lengths."""

    name, revision, dimension = CHOICE.model, CHOICE.revision, 2

    def __init__(self, rows: int = 0) -> None:
        self.calls: list[tuple[list[str], str]] = []
        self.too_many = rows

    def encode(self, texts: list[str], kind: str) -> Any:
        self.calls.append((texts, kind))
        lengths = np.array([len(text) for text in texts], np.float32)
        vectors = np.stack([np.ones_like(lengths), lengths], axis=1)
        broken = np.array(["nan" in text for text in texts], bool)
        vectors[broken] = np.nan
        return vectors

    def visible(self, texts: list[str], kind: str) -> list[int]:
        return [len(text) for text in texts]


@pytest.fixture
def recorder(monkeypatch: pytest.MonkeyPatch) -> Recorder:
    encoder = Recorder()
    monkeypatch.setattr(encoding, "load_encoder", lambda spec: encoder)
    return encoder


def staged_of(*batches: pa.RecordBatch, choice: EncoderChoice = CHOICE) -> list[dict[str, Any]]:
    return [row for out in embed_batches(batches, choice) for row in out.to_pylist()]


def test_small_batches_are_encoded_together_from_the_shortest(recorder: Recorder) -> None:
    staged_of(batch_of("ccc", "a"), batch_of("bb"))
    assert recorder.calls == [(["a", "bb", "ccc"], "query")]


def test_a_large_batch_is_encoded_in_parts(
    recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(encoding, "ROWS_AT_ONCE", 2)
    rows = staged_of(batch_of("a", "b", "c", "d", "e"))
    assert [texts for texts, _ in recorder.calls] == [["a", "b"], ["c", "d"], ["e"]]
    assert [row["id"] for row in rows] == ["t0", "t1", "t2", "t3", "t4"]


def test_queries_and_passages_are_encoded_as_such(recorder: Recorder) -> None:
    staged_of(batch_of("a"), batch_of("b", role="passage"))
    assert recorder.calls == [(["a"], "query"), (["b"], "passage")]


def test_a_role_that_no_encoder_knows_is_an_error_and_loses_no_row(recorder: Recorder) -> None:
    with pytest.raises(RuntimeError, match="2 texts gave 1 rows"):
        staged_of(batch_of("a"), batch_of("b", role="other"))


def test_a_vector_that_is_not_finite_is_rejected_with_its_text(recorder: Recorder) -> None:
    good, bad = staged_of(batch_of("good", "nan here"))
    assert (good["outcome"], good["detail"]) == ("embedded", None)
    assert (bad["outcome"], bad["vector"], bad["detail"]) == ("not_finite", None, "nan here")


def test_vectors_are_stored_in_half_precision_where_asked(recorder: Recorder) -> None:
    (row,) = staged_of(batch_of("a"), choice=replace(CHOICE, half=True))
    assert row["vector"] is None
    assert np.allclose(np.frombuffer(row["half_vector"], "<f2"), [0.5**0.5] * 2, atol=1e-3)


def test_no_texts_need_no_encoder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoding, "load_encoder", None)
    assert staged_of(batch_of()) == []


def test_another_encoder_than_the_drivers_is_an_error(recorder: Recorder) -> None:
    with pytest.raises(RuntimeError, match="on this worker, but use-multilingual 9 on the driver"):
        task_encoder(replace(CHOICE, revision="9"), None)


def task(cpus: int, **resources: list[str]) -> Any:
    held = {name: SimpleNamespace(addresses=given) for name, given in resources.items()}
    return SimpleNamespace(cpus=lambda: cpus, resources=lambda: held)


@pytest.mark.parametrize(
    ("context", "threads", "device"),
    [
        (None, 1, None),
        (task(1), 1, None),
        (task(0), 1, None),
        (task(4, gpu=[]), 4, None),
        (task(4, gpu=["3"]), 4, "cuda:3"),
        (task(1, fpga=["0"]), 1, None),
    ],
)
def test_threads_and_device_are_the_tasks(context: Any, threads: int, device: str | None) -> None:
    spec = task_spec(EncoderSpec(), context)
    assert (spec.threads, spec.device) == (threads, device)


def test_a_device_that_is_stated_stays() -> None:
    assert task_spec(EncoderSpec(device="cpu"), task(1, gpu=["0"])).device == "cpu"


@pytest.mark.parametrize(("n_rows", "expected"), [(2, [2, 2, 1]), (3, [3, 2]), (9, [5])])
def test_batches_are_cut_and_joined_to_a_size(n_rows: int, expected: list[int]) -> None:
    whole = batch_of("a", "b", "c", "d", "e")
    for given in ([whole], [whole.slice(0, 1), whole.slice(1, 0), whole.slice(1)]):
        batches = list(rebatch(given, n_rows))
        assert [batch.num_rows for batch in batches] == expected
        assert [text for b in batches for text in b.column("text").to_pylist()] == list("abcde")


def test_staged_rows_have_every_column(recorder: Recorder) -> None:
    assert list(staged_of(batch_of("a"))[0]) == STAGED_EMBEDDINGS.fieldNames()
