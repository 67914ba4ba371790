"""Samples to training windows of a fixed length, by three policies.

All take an ordered stream of the samples of one group and give windows in a fixed order, holding
no more than a window (`best-fit`: a block of samples) in memory.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple

import numpy as np

from crossic_etl.kernels.samples.names import POLICIES as POLICIES
from crossic_etl.kernels.tokens.ends import Ids

# Ours. Ten thousand samples of 1,000 tokens are 40 MB; more of them waste hardly less.
BEST_FIT_BLOCK = 10_000

PackedSample = tuple[str, Ids]
# Sample id to the name of its document.
DocumentOf = Callable[[str], str]


class PackedWindow(NamedTuple):
    """One training window.

    ``sample_starts[i]`` is where ``sample_ids[i]`` begins in ``input_ids``. The first ``n_whole``
    samples are whole; one more is cut by the window's end at most, and only in `sliding`. Of the
    tokens, the first ``n_repeated`` were also in the window before; ``n_new`` were not.
    ``n_padding`` is what is missing to the length: ``input_ids`` is not padded.
    """

    input_ids: Ids
    sample_ids: list[str]
    sample_starts: Ids
    n_whole: int
    n_new: int
    n_repeated: int
    n_padding: int


def pack(
    samples: Iterable[PackedSample], length: int, policy: str, document_of: DocumentOf = str
) -> Iterator[PackedWindow]:
    """The windows of ``length`` tokens for (sample_id, ids) in order, by a policy's name.

    ``document_of`` names the document of a sample that was taken from ``samples``; only `best-fit`
    asks for it, since the others keep the order. By default each sample is its own.

    Raises ValueError for an unknown policy, and for a sample that is empty or longer than a window.
    """
    if policy not in POLICIES:
        expected = ", ".join(POLICIES)
        raise ValueError(f"window.policy: {policy!r} is none; expected one of {expected}")
    checked = _checked(samples, length)
    if policy == "best-fit":
        return pack_best_fit(checked, length, document_of=document_of)
    return pack_sliding(checked, length) if policy == "sliding" else pack_padded(checked, length)


def pack_sliding(samples: Iterable[PackedSample], length: int) -> Iterator[PackedWindow]:
    """Windows of ``length`` tokens of the stream; the next starts after the last sample that fitted
    (the paper, arXiv 2504.20484).

    So each sample is whole in exactly one window. If a window holds the tokens [s, s + L) and its
    last whole sample ends at e, the next window starts at e and repeats the tokens [e, s + L) as
    its first ones. No sample is longer than L, so the first one always fits, and e > s. Only the
    last window has padding.
    """
    held: deque[PackedSample] = deque()
    n_held = n_repeated = 0
    for sample in samples:
        held.append(sample)
        n_held += len(sample[1])
        while n_held > length:
            window = _window(held, length, n_repeated)
            yield window
            n_whole = sum(len(held.popleft()[1]) for _ in range(window.n_whole))
            n_held -= n_whole
            n_repeated = length - n_whole
    if held:
        yield _window(held, length, n_repeated)


def pack_padded(samples: Iterable[PackedSample], length: int) -> Iterator[PackedWindow]:
    """Windows that end with the last sample that fits; the next begins with the one that did not.

    Nothing is cut, nothing repeated.
    """
    held: list[PackedSample] = []
    n_held = 0
    for sample in samples:
        if n_held + len(sample[1]) > length:
            yield _window(held, length)
            held, n_held = [], 0
        held.append(sample)
        n_held += len(sample[1])
    if held:
        yield _window(held, length)


def pack_best_fit(
    samples: Iterable[PackedSample],
    length: int,
    block: int = BEST_FIT_BLOCK,
    document_of: DocumentOf = str,
) -> Iterator[PackedWindow]:
    """Runs of whole samples, the longest first, each in the window where it leaves the least room.

    A run has the samples of one document that follow one another, as many as a window holds.
    Best-fit decreasing over blocks of ``block`` samples. Runs of one length are taken in stream
    order, windows with the same room in the order in which they got it. Within a window samples
    stand in stream order, and windows come in the order of their first samples.
    """
    stream = iter(samples)
    while held := list(islice(stream, block)):
        sizes = [len(ids) for _, ids in held]
        documents = [document_of(sample_id) for sample_id, _ in held]
        for members in fit_runs(sizes, documents, length):
            yield _window([held[i] for i in members], length)


def fit_runs(sizes: Sequence[int], documents: Sequence[str], length: int) -> list[list[int]]:
    """`best_fit` of runs of samples of one document, as indices of ``sizes`` by window.

    Never more windows than in stream order.
    """
    runs = _runs(sizes, documents, length)
    fitted = best_fit([sum(sizes[i] for i in run) for run in runs], length)
    windows = [[i for number in members for i in runs[number]] for members in fitted]
    return min(windows, _in_order(sizes, length), key=len)


def _runs(sizes: Sequence[int], documents: Sequence[str], length: int) -> list[list[int]]:
    runs: list[list[int]] = []
    room, last = 0, None
    for i, (size, document) in enumerate(zip(sizes, documents, strict=True)):
        if size > room or document != last:
            runs.append([])
            room, last = length, document
        runs[-1].append(i)
        room -= size
    return runs


def best_fit(sizes: Sequence[int], length: int) -> list[list[int]]:
    """The indices of ``sizes`` by window, in O(n log n); sizes are 1 to ``length``.

    Never more windows than in stream order: where that needs fewer, as the longest first can need
    one more among few samples, it is taken.
    """
    return min(_longest_first(sizes, length), _in_order(sizes, length), key=len)


def _in_order(sizes: Sequence[int], length: int) -> list[list[int]]:
    windows: list[list[int]] = []
    room = 0
    for i, size in enumerate(sizes):
        if size > room:
            windows.append([])
            room = length
        windows[-1].append(i)
        room -= size
    return windows


def _longest_first(sizes: Sequence[int], length: int) -> list[list[int]]:
    windows: list[list[int]] = []
    by_room: dict[int, deque[int]] = {}
    rooms: list[int] = []
    for i in sorted(range(len(sizes)), key=lambda i: (-sizes[i], i)):
        size = sizes[i]
        at = bisect_left(rooms, size)
        if at < len(rooms):
            room = rooms[at]
            window = by_room[room].popleft()
            if not by_room[room]:
                del by_room[room], rooms[at]
        else:
            room, window = length, len(windows)
            windows.append([])
        windows[window].append(i)
        if room > size:
            if room - size not in by_room:
                by_room[room - size] = deque()
                insort(rooms, room - size)
            by_room[room - size].append(window)
    return sorted((sorted(members) for members in windows), key=lambda members: members[0])


def _checked(samples: Iterable[PackedSample], length: int) -> Iterator[PackedSample]:
    for sample_id, ids in samples:
        if not 0 < len(ids) <= length:
            raise ValueError(
                f"window.length: sample {sample_id} has {len(ids)} tokens; expected 1 to {length}"
            )
        yield sample_id, ids


def _window(samples: Iterable[PackedSample], length: int, n_repeated: int = 0) -> PackedWindow:
    """The window of the first ``length`` tokens of these samples."""
    sample_ids, parts = zip(*samples, strict=True)
    stops = np.cumsum([len(part) for part in parts])
    starts = np.concatenate([[0], stops[:-1]])
    n_begun = int(np.searchsorted(starts, length))
    input_ids = np.concatenate(parts)[:length]
    return PackedWindow(
        input_ids,
        list(sample_ids[:n_begun]),
        starts[:n_begun].astype(np.int32),
        int(np.searchsorted(stops, length, side="right")),
        len(input_ids) - n_repeated,
        n_repeated,
        length - len(input_ids),
    )
