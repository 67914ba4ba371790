from __future__ import annotations

from itertools import groupby, pairwise

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from crossic_etl.kernels.samples.packing import (
    POLICIES,
    PackedWindow,
    best_fit,
    pack,
    pack_best_fit,
)

LENGTH = 20
SIZES = st.lists(st.integers(1, LENGTH), max_size=60)


def stream(sizes: list[int]) -> list[tuple[str, np.ndarray]]:
    """Samples a, b, ... whose tokens count on from 0 over the whole stream."""
    starts = np.cumsum([0, *sizes])
    return [
        (f"s{i}", np.arange(starts[i], starts[i + 1], dtype=np.int32)) for i in range(len(sizes))
    ]


def run(sizes: list[int], policy: str, length: int = LENGTH) -> list[PackedWindow]:
    return list(pack(stream(sizes), length, policy))


def test_sliding_starts_after_the_last_sample_that_fitted() -> None:
    first, second = run([4, 4, 3], "sliding", 10)
    assert first.input_ids.tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]
    assert (first.sample_ids, first.sample_starts.tolist()) == (["s0", "s1", "s2"], [0, 4, 8])
    assert first[3:] == (2, 10, 0, 0)
    assert second.input_ids.tolist() == [8, 9, 10]
    assert (second.sample_ids, second.sample_starts.tolist()) == (["s2"], [0])
    assert second[3:] == (1, 1, 2, 7)


def test_sliding_repeats_nothing_where_a_sample_ends_with_the_window() -> None:
    windows = run([6, 4, 5], "sliding", 10)
    assert [window.sample_ids for window in windows] == [["s0", "s1"], ["s2"]]
    assert [window.n_repeated for window in windows] == [0, 0]


def test_padded_ends_with_the_last_sample_that_fits() -> None:
    first, second = run([4, 4, 3], "padded", 10)
    assert (first.input_ids.tolist(), first.sample_ids) == (list(range(8)), ["s0", "s1"])
    assert first[3:] == (2, 8, 0, 2)
    assert (second.input_ids.tolist(), second.sample_ids) == ([8, 9, 10], ["s2"])


def test_best_fit_takes_the_longest_first_and_the_tightest_window() -> None:
    assert best_fit([3, 7, 6, 4, 10], 10) == [[0, 1], [2, 3], [4]]


def test_best_fit_keeps_samples_in_stream_order_within_a_window() -> None:
    windows = run([3, 6, 7, 4], "best-fit", 10)
    assert [window.sample_ids for window in windows] == [["s0", "s2"], ["s1", "s3"]]
    assert windows[0].input_ids.tolist() == [0, 1, 2, *range(9, 16)]


def test_best_fit_holds_no_more_than_a_block() -> None:
    windows = list(pack_best_fit(stream([6, 6, 4, 4]), 10, block=2))
    assert [window.sample_ids for window in windows] == [["s0"], ["s1"], ["s2", "s3"]]


def test_packing_is_lazy() -> None:
    def endless():  # type: ignore[no-untyped-def]
        while True:
            yield "s", np.zeros(7, np.int32)

    assert next(pack(endless(), 10, "sliding")).n_whole == 1
    assert next(pack(endless(), 10, "padded")).n_whole == 1


@pytest.mark.parametrize("policy", POLICIES)
def test_no_samples_give_no_windows(policy: str) -> None:
    assert run([], policy) == []


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("size", [0, 21])
def test_a_sample_that_is_empty_or_longer_than_the_window_is_refused(
    policy: str, size: int
) -> None:
    with pytest.raises(ValueError, match=f"window.length: sample s1 has {size} tokens"):
        run([3, size], policy)


def test_an_unknown_policy_is_refused_with_those_there_are() -> None:
    with pytest.raises(ValueError, match="'greedy' is none; expected one of sliding, padded, best"):
        pack([], 10, "greedy")


@pytest.mark.parametrize("policy", POLICIES)
@given(sizes=SIZES)
def test_every_token_is_accounted_for(policy: str, sizes: list[int]) -> None:
    windows = run(sizes, policy)
    assert sum(window.n_new for window in windows) == sum(sizes)
    assert all(w.n_new + w.n_repeated + w.n_padding == LENGTH for w in windows)
    assert all(len(w.input_ids) == w.n_new + w.n_repeated for w in windows)
    assert all(w.input_ids.dtype == w.sample_starts.dtype == np.int32 for w in windows)
    assert sum(window.n_whole for window in windows) == len(sizes)


@pytest.mark.parametrize("policy", ["padded", "best-fit"])
@given(sizes=SIZES)
def test_no_sample_is_cut_and_each_stands_where_its_offset_says(
    policy: str, sizes: list[int]
) -> None:
    samples = dict(stream(sizes))
    seen = []
    for window in run(sizes, policy):
        starts = window.sample_starts.tolist()
        for name, start, stop in zip(
            window.sample_ids, starts, [*starts[1:], len(window.input_ids)], strict=True
        ):
            assert window.input_ids[start:stop].tolist() == samples[name].tolist()
            seen.append(name)
    assert sorted(seen) == sorted(samples)


@given(sizes=SIZES)
def test_sliding_shows_each_sample_whole_once_and_repeats_a_prefix(sizes: list[int]) -> None:
    samples = dict(stream(sizes))
    whole: list[str] = []
    before: set[int] = set()
    windows = run(sizes, "sliding")
    for window in windows:
        for name, start in list(zip(window.sample_ids, window.sample_starts, strict=True))[
            : window.n_whole
        ]:
            stop = start + len(samples[name])
            assert window.input_ids[start:stop].tolist() == samples[name].tolist()
            whole.append(name)
        tokens = window.input_ids.tolist()
        assert set(tokens) & before == set(tokens[: window.n_repeated])
        before |= set(tokens)
    assert whole == list(samples)
    assert all(window.n_padding == 0 for window in windows[:-1])


@given(sizes=SIZES)
@example(sizes=[3, 6, 10, 4, 8, 8])  # the longest first needs three windows of 20, in order two
def test_best_fit_never_needs_more_windows_than_padded(sizes: list[int]) -> None:
    assert len(run(sizes, "best-fit")) <= len(run(sizes, "padded"))


def document_of(name: str) -> str:
    """Three samples of the stream are a document."""
    return str(int(name.removeprefix("s")) // 3)


def runs_of(windows: list[PackedWindow]) -> list[list[str]]:
    return [list(run) for w in windows for _, run in groupby(w.sample_ids, key=document_of)]


def test_best_fit_keeps_the_samples_of_a_document_together() -> None:
    sizes = [6, 6, 6, 9, 9, 9, 2, 2, 2, 11]
    windows = list(pack(stream(sizes), 20, "best-fit", document_of))
    assert [window.sample_ids for window in windows] == [
        ["s0", "s1", "s2"], ["s3", "s4"], ["s5", "s9"], ["s6", "s7", "s8"],
    ]  # fmt: skip
    alone = list(pack(stream(sizes), 20, "best-fit"))
    assert [window.sample_ids for window in alone] != [window.sample_ids for window in windows]


@given(sizes=SIZES)
def test_best_fit_of_documents_needs_no_more_windows_than_padded(sizes: list[int]) -> None:
    windows = list(pack(stream(sizes), LENGTH, "best-fit", document_of))
    assert len(windows) <= len(run(sizes, "padded"))
    names = [name for window in windows for name in window.sample_ids]
    assert sorted(names) == sorted(name for name, _ in stream(sizes))
    for window in windows:
        numbers = [int(name.removeprefix("s")) for name in window.sample_ids]
        assert numbers == sorted(numbers)


@given(sizes=SIZES)
def test_best_fit_splits_a_document_only_where_a_window_is_full(sizes: list[int]) -> None:
    windows = list(pack(stream(sizes), LENGTH, "best-fit", document_of))
    if len(windows) == len(run(sizes, "padded")):
        return  # may be in stream order, which splits documents anywhere
    lengths = dict(stream(sizes))
    for _, of_document in groupby(sorted(runs_of(windows), key=by_number), key=document_of_run):
        for run_, following in pairwise(list(of_document)):
            held = sum(len(lengths[name]) for name in run_)
            assert held + len(lengths[following[0]]) > LENGTH


def by_number(run: list[str]) -> int:
    return int(run[0].removeprefix("s"))


def document_of_run(run: list[str]) -> str:
    return document_of(run[0])
