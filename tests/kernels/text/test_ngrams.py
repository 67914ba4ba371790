from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossic_etl.kernels.text.ngrams import code_points, window_hashes

TEXTS = st.text(st.characters(codec=None), max_size=60)


def test_code_points_of_any_characters() -> None:
    assert code_points("aกé猫\ud800🚀").tolist() == [0x61, 0xE01, 0xE9, 0x732B, 0xD800, 0x1F680]
    assert code_points("").tolist() == []


@given(TEXTS, TEXTS, st.integers(1, 40))
def test_windows_have_equal_hashes_where_they_are_equal(a: str, b: str, n: int) -> None:
    texts = [text[i : i + n] for text in (a, b) for i in range(len(text) - n + 1)]
    hashes = [x for text in (a, b) for x in window_hashes(code_points(text), n).tolist()]
    assert len(texts) == len(hashes)
    by_text = dict(zip(texts, hashes, strict=True))
    assert [by_text[text] for text in texts] == hashes
    assert len(set(by_text.values())) == len(by_text)


def test_seed_and_length_change_the_hashes() -> None:
    symbols = code_points("aaaaaaaaaaaaaaaaaaaaaaaaaaaa")
    hashes = {window_hashes(symbols, n, seed)[0] for n in (1, 2, 16, 17, 20) for seed in (0, 1)}
    assert len(hashes) == 10


def test_hashes_are_spread() -> None:
    hashes = window_hashes(np.arange(50_000, dtype=np.uint64), 5)
    assert len(np.unique(hashes >> np.uint64(32))) > 49_990
    assert abs(float(np.mean(hashes / 2**64)) - 0.5) < 0.01


def test_no_windows_of_nothing() -> None:
    with pytest.raises(ValueError, match="at least one"):
        window_hashes(code_points("a"), 0)
