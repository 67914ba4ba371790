from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossic_etl.kernels.search.indexes import INDEXES
from crossic_etl.kernels.search.settings import Search
from crossic_etl.kernels.search.shard import Found, Queries, Shard, search_cell
from crossic_etl.kernels.search.shard_stream import CellStream
from crossic_etl.kernels.search.vector_store import CODECS, VectorStore
from crossic_etl.kernels.search.vectors import VectorError, to_binary, to_matrix

D = 16


def unit(n: int, seed: int = 0, dimension: int = D) -> np.ndarray:
    vectors = np.random.default_rng(seed).standard_normal((n, dimension)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def brute_force(documents: np.ndarray, queries: np.ndarray, k: int) -> np.ndarray:
    """Positions of the best k; of equal scores the lower position first."""
    scores = (queries.astype(np.float64) @ documents.T.astype(np.float64)).astype(np.float32)
    return np.argsort(-scores, axis=1, kind="stable")[:, :k]


def queries_to(vectors: np.ndarray, *cells: int, exclusions: np.ndarray | None = None) -> Queries:
    none = np.zeros((len(vectors), 0), np.int64)
    everywhere = [np.array(cells, np.int64)] * len(vectors)
    return Queries(vectors, everywhere, none if exclusions is None else exclusions)


def test_flat_finds_what_brute_force_finds() -> None:
    documents, queries = unit(1000), unit(70, 1)
    found = search_cell([documents[:300], documents[300:]], queries, Search(5, D, query_block=32))
    assert found.positions.tolist() == brute_force(documents, queries, 5).tolist()
    expected = np.take_along_axis(queries @ documents.T, found.positions, 1)
    assert found.scores == pytest.approx(expected, abs=1e-6)


def test_fewer_documents_than_k_leave_places_empty() -> None:
    found = search_cell([unit(2)], unit(3, 1), Search(4, D))
    assert (found.positions[:, 2:] == -1).all() and (found.scores[:, 2:] == -np.inf).all()
    assert sorted(found.positions[0, :2].tolist()) == [0, 1]


@pytest.mark.parametrize(("n_documents", "n_queries"), [(0, 3), (5, 0), (0, 0)])
def test_nothing_is_found_without_documents_or_queries(n_documents: int, n_queries: int) -> None:
    found = search_cell([unit(n_documents)], unit(n_queries, 1), Search(4, D))
    assert found.positions.shape == found.scores.shape == (n_queries, 4)
    assert n_documents or (found.positions == -1).all()


def test_of_equal_vectors_the_first_ones_are_found_however_many_they_are() -> None:
    documents = np.repeat(unit(3), 200, axis=0)
    found = search_cell([documents], unit(3), Search(5, D))
    expected = [list(range(start, start + 5)) for start in (0, 200, 400)]
    assert found.positions.tolist() == expected


def test_equal_vectors_have_equal_scores_wherever_they_lie() -> None:
    documents = unit(50_000, dimension=64)
    documents[[7, 20_000, 49_999]] = documents[3]
    found = search_cell([documents], documents[3:4], Search(4, 64))
    assert found.positions.tolist() == [[3, 7, 20_000, 49_999]]
    assert len(set(found.scores[0].tolist())) == 1


def test_only_the_cells_of_a_query_are_searched() -> None:
    shard, documents = Shard(Search(2, D)), unit(30)
    for cell in range(3):
        rows = documents[10 * cell : 10 * cell + 10]
        shard.add(cell, rows, np.zeros((10, 0), np.int64))
    shard.finish()
    queries = queries_to(documents[:1], 1, 2, 99)
    found = shard.search(queries)
    assert found.positions.tolist() == (brute_force(documents[10:], documents[:1], 2) + 10).tolist()
    assert shard.n_compared(queries).tolist() == [20]


def test_a_cell_in_two_runs_is_refused() -> None:
    shard, none = Shard(Search(2, D)), np.zeros((1, 0), np.int64)
    shard.add(0, unit(1), none)
    shard.add(1, unit(1), none)
    with pytest.raises(ValueError, match="two runs"):
        shard.add(0, unit(1), none)


def test_excluded_documents_leave_their_places_to_others() -> None:
    documents, query = unit(100), unit(1, 1)
    ranked = brute_force(documents, query, 100)[0]
    pages = np.zeros((100, 2), np.int64)
    pages[ranked[:40], 1] = 7  # more than the spare candidates
    shard = Shard(Search(3, D))
    shard.add(0, documents, pages)
    shard.finish()
    found = shard.search(queries_to(query, 0, exclusions=np.array([[0, 7]])))
    assert found.positions.tolist() == [ranked[40:43].tolist()]


def test_all_documents_may_be_excluded() -> None:
    shard = Shard(Search(3, D))
    shard.add(0, unit(30), np.full((30, 1), 7))
    shard.finish()
    found = shard.search(queries_to(unit(1, 1), 0, exclusions=np.array([[7]])))
    assert found.positions.tolist() == [[-1, -1, -1]]


@given(st.integers(1, 40), st.integers(1, 8), st.integers(0, 2**16), st.integers(1, 3))
def test_flat_is_exact_with_ties_and_exclusions(m: int, k: int, seed: int, pages: int) -> None:
    random = np.random.default_rng(seed)
    documents = unit(4)[random.integers(0, 4, m)]
    queries = unit(3, 1)
    of_documents, of_queries = random.integers(0, pages + 1, (m, 1)), random.integers(0, 2, (3, 1))
    shard = Shard(Search(k, D))
    shard.add(0, documents, of_documents)
    shard.finish()
    found = shard.search(queries_to(queries, 0, exclusions=of_queries))
    for i, positions in enumerate(found.positions):
        excluded = (of_documents[:, 0] == of_queries[i, 0]) & (of_documents[:, 0] != 0)
        ranked = [j for j in brute_force(documents, queries[i : i + 1], m)[0] if not excluded[j]]
        assert positions[positions >= 0].tolist() == ranked[:k]


@pytest.mark.parametrize("index", sorted(INDEXES))
def test_each_index_finds_a_document_by_itself(index: str) -> None:
    documents = unit(3000)
    found = search_cell([documents], documents[:200], Search(5, D, index, index_from=1000))
    assert (found.positions[:, 0] == np.arange(200)).mean() >= 0.97
    tolerance = {"SQ8": 5e-3, "SQfp16": 2e-3}.get(index, 1e-6)
    there = found.positions[:, 0] == np.arange(200)
    assert found.scores[there, 0] == pytest.approx(np.ones(there.sum()), abs=tolerance)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"k": 0}, "neighbours.k: 0 given"),
        ({"index": "IVF"}, "neighbours.index: 'IVF' given, expected one of Flat"),
        ({"threads": 0}, "neighbours.threads"),
    ],
)
def test_settings_out_of_range_are_refused(settings: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Search(**{"k": 1, "dimension": D, **settings})  # type: ignore[arg-type]


@pytest.mark.parametrize("codec", sorted(CODECS))
def test_a_store_gives_back_what_it_took_over_block_borders(codec: str) -> None:
    vectors, store = unit(50), VectorStore(D, codec, block_bytes=8 * D * 4)
    for start in range(0, 50, 7):
        store.add(vectors[start : start + 7])
    pieces = list(store.pieces(3, 47))
    assert np.concatenate([piece for _, piece in pieces]) == pytest.approx(vectors[3:47], abs=4e-3)
    assert pieces[0][0] == 3
    chosen = np.array([49, 0, 13, 13])
    assert store.take(chosen) == pytest.approx(vectors[chosen], abs=4e-3)


def test_a_column_of_floats_is_seen_and_not_copied() -> None:
    values = pa.array(np.arange(12, dtype=np.float32))
    column = pa.ListArray.from_arrays(np.arange(0, 13, 4, dtype=np.int32), values)
    assert to_matrix(column, 4).base is not None
    assert to_matrix(column.slice(1, 1), 4).tolist() == [[4, 5, 6, 7]]


@pytest.mark.parametrize("dtype", ["<f4", "<f2"])
@pytest.mark.parametrize("kind", [pa.binary(), pa.large_binary()])
def test_bytes_are_half_or_single_precision(dtype: str, kind: pa.DataType) -> None:
    rows = np.arange(12).reshape(3, 4)
    column = pa.array([row.astype(dtype).tobytes() for row in rows], kind)
    assert to_matrix(column.slice(1), 4).tolist() == rows[1:].tolist()
    assert to_matrix(column.slice(3), 4).shape == (0, 4)


def test_vectors_become_bytes_and_come_back() -> None:
    assert to_matrix(to_binary(unit(5)), D).tolist() == unit(5).tolist()


@pytest.mark.parametrize(
    ("column", "words"),
    [
        (pa.array([[1.0, 2.0], [1.0]], pa.list_(pa.float32())), "vector 1 of a batch of 2 has 1"),
        (pa.array([[1.0, 2.0], None], pa.list_(pa.float32())), "vector 1 .* is null"),
        (pa.array([[1.0, None]], pa.list_(pa.float32())), "holds 1 null"),
        (pa.array([b"\0" * 8, b"\0" * 7]), "vector 1 .* has 7 bytes; expected 8 bytes"),
        (pa.array([b"\0" * 8, None]), "vector 1 .* is null"),
    ],
)
def test_a_vector_of_another_dimension_is_refused(column: pa.Array, words: str) -> None:
    with pytest.raises(VectorError, match=words):
        to_matrix(column, 2)


def rows(
    shard: int, is_query: bool, ids: list[str], vectors: np.ndarray, cell: int = 0
) -> pa.RecordBatch:
    n = len(ids)
    return pa.RecordBatch.from_pydict(
        {
            "shard": pa.array([shard] * n, pa.int32()),
            "is_query": pa.array([is_query] * n),
            "cell": pa.array([0 if is_query else cell] * n, pa.int64()),
            "cells": pa.array([[0, 1]] * n, pa.list_(pa.int64())),
            "id": pa.array(ids),
            "lang": pa.array(["th"] * n),
            "exclusions": pa.array([[]] * n, pa.list_(pa.int64())),
            "vector": to_binary(vectors),
        }
    )


def stream(batches: list[pa.RecordBatch], block: int = 2) -> list[tuple[str, list[str], int]]:
    found = CellStream(Search(2, D, query_block=block)).run(batches)
    return [
        (row["query_id"], [one["doc_id"] for one in row["candidates"]], row["n_compared"])
        for batch in found
        for row in batch.to_pylist()
    ]


def test_a_stream_searches_each_shard_with_the_queries_that_follow() -> None:
    a, b = unit(4), unit(3, 1)
    whole = pa.Table.from_batches(
        [
            rows(0, False, ["a0", "a1"], a[:2]),
            rows(0, False, ["a2", "a3"], a[2:], cell=1),
            rows(0, True, ["q0", "q1", "q2"], a[[0, 3, 2]]),
            rows(1, False, ["b0", "b1", "b2"], b),
            rows(1, True, ["q0"], b[1:2]),
        ]
    ).combine_chunks()
    for size in (1, 3, 100):
        found = stream(whole.to_batches(max_chunksize=size))
        assert [(query, docs[0], n) for query, docs, n in found] == [
            ("q0", "a0", 4), ("q1", "a3", 4), ("q2", "a2", 4), ("q0", "b1", 3),
        ]  # fmt: skip


def test_a_shard_without_documents_answers_nothing() -> None:
    batches = [
        rows(0, True, ["q0", "q1", "q2"], unit(3)),
        rows(1, False, ["b0"], unit(1)),
        rows(2, True, ["q0"], unit(1)),
    ]
    assert stream(batches) == stream([]) == []


def test_ties_between_cells_go_to_the_lower_id() -> None:
    same = unit(1)
    batches = [
        rows(0, False, ["c"], same),
        rows(0, False, ["a", "b"], np.repeat(same, 2, axis=0), cell=1),
        rows(0, True, ["q"], same),
    ]
    assert stream(batches) == [("q", ["a", "b"], 3)]


def test_found_is_aligned_with_the_queries() -> None:
    found = search_cell([unit(10)], unit(2, 1), Search(3, D))
    assert isinstance(found, Found) and found.positions.dtype == np.int64
