from __future__ import annotations

import numpy as np
import pytest

from crossic_etl.kernels.dedup.buckets import LEADERS, BucketLinker, bands_for
from crossic_etl.kernels.dedup.minhash import BANDS, PERMUTATIONS, Signature
from tests.support.cpu_limit import no_hang
from tests.support.signatures import THRESHOLD


def with_places(n_changed: int, value: int = 1) -> Signature:
    """A signature of zeros but for its first places: 1 - n_changed / 128 similar to zeros."""
    row = np.zeros(PERMUTATIONS, np.uint32)
    row[:n_changed] = value
    return row


def links(*rows: tuple[int, str, Signature]) -> list[str]:
    """The leaders of each row, joined."""
    linker = BucketLinker(0.75)
    return [" ".join(linker.link(*row)) for row in rows]


def test_each_document_of_a_bucket_is_linked_to_its_lowest_if_it_is_like_it() -> None:
    assert links(
        (1, "a", with_places(0)),
        (1, "b", with_places(32)),  # 0.75
        (1, "c", with_places(1)),
    ) == ["", "a", "a"]


def test_one_that_is_unlike_the_lowest_leads_others() -> None:
    assert links(
        (1, "a", with_places(0)),
        (1, "b", with_places(33)),
        (1, "c", with_places(40)),  # 0.69 like a, 0.95 like b
        (1, "d", with_places(30)),  # like both, and so a link between them
    ) == ["", "", "b", "a b"]


def test_buckets_have_nothing_to_do_with_each_other() -> None:
    rows = [(bucket, doc_id, with_places(0)) for bucket in (1, 2) for doc_id in ("a", "b")]
    assert links(*rows) == ["", "a", "", "a"]


def test_a_bucket_has_a_bounded_number_of_leaders() -> None:
    strangers = [(1, f"{i:04}", with_places(128, i)) for i in range(LEADERS + 1)]
    again = [(1, f"x{i}", row) for i, (_, _, row) in enumerate(strangers)]
    found = links(*strangers, *again)
    assert found[: LEADERS + 1] == [""] * (LEADERS + 1)
    assert found[LEADERS + 1 :] == [*(f"{i:04}" for i in range(LEADERS)), ""]


def test_a_bucket_of_strangers_is_not_quadratic() -> None:
    rng = np.random.default_rng(0)
    rows = rng.integers(0, 2**32, (20_000, PERMUTATIONS), np.uint32)
    linker = BucketLinker(0.8)
    with no_hang():
        for i, row in enumerate(rows):
            linker.link(1, str(i), row)


@pytest.mark.parametrize(
    ("threshold", "expected"), [(THRESHOLD, BANDS), (0.7, 32), (0.95, 8), (1.0, 1), (0.0, 128)]
)
def test_bands_find_nine_of_ten_pairs_at_the_threshold(threshold: float, expected: int) -> None:
    assert bands_for(threshold) == expected
