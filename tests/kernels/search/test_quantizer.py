from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from crossic_etl.kernels.search.quantizer import Quantizer, assign, shard_cells, train
from crossic_etl.kernels.search.routing import Router
from crossic_etl.kernels.search.vectors import to_binary, to_matrix

D = 8


def unit(n: int, seed: int = 0) -> np.ndarray:
    vectors = np.random.default_rng(seed).standard_normal((n, D)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@pytest.fixture(scope="module")
def quantizer() -> Quantizer:
    return train(unit(2000), 40, seed=3)


def test_training_is_repeatable_and_the_seed_matters(quantizer: Quantizer) -> None:
    again, other = train(unit(2000), 40, seed=3), train(unit(2000), 40, seed=4)
    assert (again.centroids == quantizer.centroids).all()
    assert not (other.centroids == quantizer.centroids).all()


def test_centroids_are_of_unit_length_and_the_sample_is_counted(quantizer: Quantizer) -> None:
    assert np.linalg.norm(quantizer.centroids, axis=1) == pytest.approx(np.ones(40), abs=1e-5)
    assert quantizer.n_trained.sum() == 2000


def test_fewer_vectors_than_cells_are_a_cell_each() -> None:
    vectors = unit(3)
    quantizer = train(vectors, 40, seed=0)
    assert (quantizer.centroids == vectors).all()
    assert quantizer.n_trained.tolist() == [1, 1, 1]


def test_without_vectors_there_is_one_cell() -> None:
    quantizer = train(np.zeros((0, D), np.float32), 40, seed=0)
    assert quantizer.centroids.shape == (1, D)
    assert assign(unit(2), quantizer.centroids, 3).tolist() == [[0], [0]]


def test_cells_come_nearest_first(quantizer: Quantizer) -> None:
    vectors = unit(50, 1)
    expected = np.argsort(-(vectors @ quantizer.centroids.T), axis=1)[:, :4]
    assert assign(vectors, quantizer.centroids, 4).tolist() == expected.tolist()


def test_cells_do_not_depend_on_what_else_is_in_the_batch() -> None:
    random = np.random.default_rng(5)
    centroids = np.repeat(random.normal(0, 0.1, (30, 100)), 4, axis=0)
    centroids = (centroids + random.normal(0, 1e-8, centroids.shape)).astype(np.float32)
    vectors = random.normal(0, 0.1, (5000, 100)).astype(np.float32)
    together = assign(vectors, centroids, 6)
    alone = [assign(vector[None, :], centroids, 6)[0] for vector in vectors[:500]]
    assert np.sort(together[:500]).tolist() == np.sort(alone).tolist()


def test_of_equal_cells_the_lowest_are_taken_however_many_they_are() -> None:
    centroids = np.repeat(unit(3, 8), 40, axis=0)
    assert assign(unit(3, 8), centroids, 2).tolist() == [[0, 1], [40, 41], [80, 81]]


def test_a_vector_that_is_no_number_has_a_cell(quantizer: Quantizer) -> None:
    cells = assign(np.full((1, D), np.nan, np.float32), quantizer.centroids, 2)
    assert ((cells >= 0) & (cells < 40)).all()


def test_bytes_give_back_the_quantizer(quantizer: Quantizer) -> None:
    again = Quantizer.from_bytes(quantizer.to_bytes())
    assert (again.centroids == quantizer.centroids).all()
    assert (again.n_trained == quantizer.n_trained).all()


@pytest.mark.parametrize("data", [b"", b"PK", b"other bytes"])
def test_other_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="are no quantizer"):
        Quantizer.from_bytes(data)


@pytest.mark.parametrize("shards", [1, 2, 3, 7, 40])
def test_shards_are_all_used_and_about_even(quantizer: Quantizer, shards: int) -> None:
    shard_of = shard_cells(quantizer, shards)
    filled = np.bincount(shard_of, quantizer.n_trained, minlength=shards)
    assert set(shard_of.tolist()) == set(range(shards))
    assert filled.max() <= 2000 / shards + 2 * quantizer.n_trained.max()


def test_more_shards_than_cells_leave_some_empty(quantizer: Quantizer) -> None:
    assert shard_cells(quantizer, 100).max() < 100


def test_shards_hold_neighbours(quantizer: Quantizer) -> None:
    shard_of = shard_cells(quantizer, 8)
    nearest = assign(unit(300, 2), quantizer.centroids, 5)
    used = np.mean([len(set(row)) for row in shard_of[nearest].tolist()])
    by_chance = np.mean([len(set(row)) for row in (nearest % 8).tolist()])
    assert used < by_chance


def sent(n: int, seed: int) -> pa.RecordBatch:
    return pa.RecordBatch.from_pydict(
        {
            "id": pa.array([f"i{i}" for i in range(n)]),
            "lang": pa.array(["en"] * n),
            "vector": to_binary(unit(n, seed)),
            "group": pa.array([1000] * n, pa.int64()),
            "exclusions": pa.array([[7]] * n, pa.list_(pa.int64())),
        }
    )


def test_a_document_goes_to_the_shard_of_its_cell(quantizer: Quantizer) -> None:
    router = Router.of(quantizer, 4, nprobe=6)
    (batch,) = router.documents([sent(20, 5)])
    cells = assign(unit(20, 5), quantizer.centroids, 1)[:, 0]
    assert batch.column("cell").to_pylist() == (cells + 1000).tolist()
    assert batch.column("shard").to_pylist() == router.shard_of[cells].tolist()
    assert to_matrix(batch.column("vector"), D).tolist() == unit(20, 5).tolist()


def test_a_query_goes_once_to_each_shard_of_its_cells(quantizer: Quantizer) -> None:
    router = Router.of(quantizer, 4, nprobe=6)
    (batch,) = router.queries([sent(20, 5)])
    probed = assign(unit(20, 5), quantizer.centroids, 6)
    reached: dict[str, list[int]] = {}
    for row in batch.to_pylist():
        assert {int(router.shard_of[cell - 1000]) for cell in row["cells"]} == {row["shard"]}
        reached.setdefault(row["id"], []).extend(cell - 1000 for cell in row["cells"])
    assert {name: sorted(cells) for name, cells in reached.items()} == {
        f"i{i}": sorted(cells) for i, cells in enumerate(probed.tolist())
    }
    shards = [(row["id"], row["shard"]) for row in batch.to_pylist()]
    assert len(shards) == len(set(shards))


def test_no_rows_are_sent_on_as_none(quantizer: Quantizer) -> None:
    router = Router.of(quantizer, 4, nprobe=6)
    assert list(router.queries([sent(0, 5)])) == []
    assert sum(batch.num_rows for batch in router.documents([sent(0, 5)])) == 0


@pytest.mark.parametrize("send", ["documents", "queries"])
def test_half_precision_is_sent_on_as_it_came(quantizer: Quantizer, send: str) -> None:
    halves = pa.array([row.tobytes() for row in unit(3, 5).astype("<f2")], pa.binary())
    batch = sent(3, 5)
    batch = batch.set_column(batch.schema.get_field_index("vector"), "vector", halves)
    (out,) = getattr(Router.of(quantizer, 1, nprobe=2), send)([batch])
    assert out.column("vector").to_pylist() == halves.to_pylist()
    assert out.column("id").to_pylist() == ["i0", "i1", "i2"]
