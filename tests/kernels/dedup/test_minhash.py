from __future__ import annotations

import csv
import itertools
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crossic_etl.kernels.dedup.minhash import ALGORITHM, band_keys, signatures
from crossic_etl.kernels.text.normalize import document_id, normalized
from tests.support.signatures import THRESHOLD, jaccard_estimate, signature

LANGUAGES = ("ar", "en", "es", "ja", "ko", "pt", "th")


def shingles(text: str, n: int = 5) -> frozenset[str]:
    text = normalized(text)
    return frozenset(text[i : i + n] for i in range(max(1, len(text) - n + 1)))


def near_pairs(texts: Sequence[str]) -> set[tuple[int, int]]:
    """Pairs that share a band and reach the threshold."""
    found = signatures(texts)
    buckets = defaultdict(list)
    for i, row in enumerate(found):
        for key in band_keys(row):
            buckets[key].append(i)
    candidates = {pair for bucket in buckets.values() for pair in itertools.combinations(bucket, 2)}
    return {(i, j) for i, j in candidates if jaccard_estimate(found[i], found[j]) >= THRESHOLD}


@pytest.mark.parametrize("text", ["", "a", "猫", "กำ", "\ud800", "abcd", "قطة", "a" * 1000])
def test_any_text_has_a_signature(text: str) -> None:
    found = signature(text)
    assert (found.dtype, found.shape) == (np.uint32, (128,))
    assert jaccard_estimate(found, signature(text)) == 1.0


def test_the_empty_text_has_the_largest_value_throughout() -> None:
    assert set(signature(" \n").tolist()) == {2**32 - 1}


@settings(max_examples=50)
@given(st.text("ab ", max_size=30), st.text("ab ", max_size=30))
def test_equal_sets_have_equal_signatures(a: str, b: str) -> None:
    same = bool((signature(a) == signature(b)).all())
    assert same == (shingles(a) == shingles(b))


def test_order_and_repetition_of_ngrams_do_not_count() -> None:
    assert signature("abcab" * 4).tolist() == signature("abcab" * 9).tolist()


def test_a_signature_does_not_depend_on_the_texts_beside_it() -> None:
    texts = ["the cat sat on the mat", "แมวนั่งบนเสื่อ", "", "猫が座った"]
    together = signatures(texts)
    assert [row.tolist() for row in together] == [signature(text).tolist() for text in texts]
    assert signatures([]).shape == (0, 128)


def test_signatures_are_stable_between_versions() -> None:
    # Signatures stand in tables: another value here means that old ones can't be compared.
    assert ALGORITHM == "rensa-r2"
    assert signature("The cat sat on the mat.", permutations=4, seed=7).tolist() == [
        1033389959,
        72017923,
        259878639,
        316635402,
    ]


def test_the_seed_changes_the_signature() -> None:
    assert (
        jaccard_estimate(signature("the cat sat", seed=1), signature("the cat sat", seed=2)) < 0.1
    )


@pytest.mark.parametrize("n_shared", [40, 160, 360])
def test_the_estimate_is_that_of_the_sets(n_shared: int) -> None:
    words = [f"{i:03}" for i in range(999)]
    a = "".join(words[: n_shared + 80])
    b = "".join(words[:n_shared]) + "".join(words[500 : 500 + 80])
    expected = len(shingles(a) & shingles(b)) / len(shingles(a) | shingles(b))
    estimates = [
        jaccard_estimate(signature(a, seed=seed), signature(b, seed=seed)) for seed in range(30)
    ]
    assert float(np.mean(estimates)) == pytest.approx(expected, abs=0.03)


def test_band_keys_are_longs_and_differ_between_bands() -> None:
    keys = band_keys(signature(""))
    assert len(set(keys)) == 16
    assert all(-(2**63) <= key < 2**63 for key in keys)
    assert band_keys(signature("the cat sat on the mat")) != keys


def test_bands_share_the_signature_out_evenly() -> None:
    with pytest.raises(ValueError, match="12 bands don't divide 128"):
        band_keys(signature("a"), 12)
    with pytest.raises(ValueError, match="can't be compared"):
        jaccard_estimate(signature("a"), signature("a", permutations=64))


def test_near_duplicates_are_found_and_nothing_else_is(shared_data: Path) -> None:
    with (shared_data / "crawl/duplicates.tsv").open() as lines:
        rows = [row for row in csv.DictReader(lines, delimiter="\t") if row["kind"] == "near"]
    expected = {frozenset((row["id"], row["of_id"])) for row in rows}
    found = set()
    for lang in LANGUAGES:
        table = pq.read_table(shared_data / f"crawl/fineweb/{lang}-000.parquet")
        by_id = {}
        for row in table.select(["id", "text"]).to_pylist():
            by_id.setdefault(document_id(row["text"]), row)
        ids = [row["id"] for row in by_id.values()]
        pairs = near_pairs([row["text"] for row in by_id.values()])
        found |= {frozenset((ids[i], ids[j])) for i, j in pairs}
    # every space doubled: an exact copy already, by its normalized text
    exact = {frozenset((r["id"], r["of_id"])) for r in rows if "space doubled" in r["how"]}
    assert found == expected - exact
    assert len(found) == 4
