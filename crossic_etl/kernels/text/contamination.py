"""Whether a text holds parts of evaluation sets: shared runs of letters and digits.

Characters, not words, so that it holds in Thai and Japanese, whose benchmarks word n-grams miss. A
run of 50 letters and digits is GPT-4's measure (arXiv 2303.08774, appendix C; they take three runs
of each example, we take all); that Chinese, Japanese and Korean, which say the same in half the
characters, have runs of 25 is ours. Compared without case, spaces, punctuation, and without the
vowel signs that are combining marks (Arabic's are often left out).
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO

import numpy as np

from crossic_etl.kernels.text.ngrams import Hashes, code_points, window_hashes
from crossic_etl.kernels.text.normalize import normalized
from crossic_etl.kernels.unpacking import Damage, unpack

NGRAM = 50
STEP = 5
MAX_EVALUATION_BYTES = 2**30

_NO_LETTER_OR_DIGIT = re.compile(r"[\W_]+")
_DENSE = re.compile("[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\U00020000-\U0003ffff]")
_SEED = 1


@dataclass(frozen=True)
class Overlap:
    """``hits`` places where a text has an indexed run; ``share`` of its letters and digits that lie
    in one, 0 to 1; ``longest`` stretch of them, in letters and digits.
    """

    hits: int
    share: float
    longest: int


@dataclass(frozen=True, eq=False)
class NgramIndex:
    """Hashed runs of evaluation texts, eight bytes each; a few arrays that travel to workers whole.

    ``runs`` are sorted hashes by the length of their run. A text shorter than a run is found whole
    or not at all: ``shorts`` has, by the length and hash of its first half run, its own length and
    hash. Shorter than half a run, it is not looked for (``n_ignored``): "Paris" is no evidence.
    """

    runs: Mapping[int, Hashes]
    shorts: Mapping[int, Mapping[int, frozenset[tuple[int, int]]]]
    n_ignored: int
    _short_hashes: Mapping[int, Hashes] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        firsts = {length: _sorted(found) for length, found in self.shorts.items()}
        object.__setattr__(self, "_short_hashes", firsts)

    @classmethod
    def of(cls, texts: Iterable[str], n: int = NGRAM, step: int = STEP) -> NgramIndex:
        """Index the runs of n letters and digits that begin at every ``step``th one of each text.

        A shared stretch of n + step - 1 is found wherever it lies; of n, one in ``step``.
        """
        if n < 4 or not 1 <= step <= n:
            raise ValueError(f"n must be at least 4 and step 1 to n, not n={n} and step={step}")
        runs: dict[int, list[Hashes]] = defaultdict(list)
        shorts: dict[int, dict[int, set[tuple[int, int]]]] = defaultdict(lambda: defaultdict(set))
        n_ignored = 0
        for text in texts:
            letters = _letters(text)
            length = n // 2 if 2 * len(_DENSE.findall(letters)) > len(letters) else n
            symbols = code_points(letters)
            if len(symbols) >= length:
                hashes = window_hashes(symbols, length, _SEED)
                # the last one too, or the end of each text could be copied unseen
                runs[length].append(np.append(hashes[::step], hashes[-1:]))
            elif len(symbols) >= length // 2:
                first = int(window_hashes(symbols[: length // 2], length // 2, _SEED)[0])
                whole = int(window_hashes(symbols, len(symbols), _SEED)[0])
                shorts[length // 2][first].add((len(symbols), whole))
            else:
                n_ignored += 1
        return cls(
            {length: np.unique(np.concatenate(found)) for length, found in runs.items()},
            {
                length: {first: frozenset(wholes) for first, wholes in found.items()}
                for length, found in shorts.items()
            },
            n_ignored,
        )

    def overlap(self, text: str) -> Overlap:
        """The overlap of a text with the indexed texts; none where it has no letters or digits."""
        symbols = code_points(_letters(text))
        found = [*self._run_hits(symbols), *self._short_hits(symbols)]
        covers = np.zeros(len(symbols) + 1, np.int64)
        for start, length in found:
            covers[start] += 1
            covers[start + length] -= 1
        is_covered = np.cumsum(covers[:-1]) > 0
        n_covered = int(is_covered.sum())
        return Overlap(len(found), n_covered / max(1, len(symbols)), _longest(is_covered))

    def _run_hits(self, symbols: Hashes) -> Iterator[tuple[int, int]]:
        for length, known in self.runs.items():
            for start in _places(window_hashes(symbols, length, _SEED), known):
                yield start, length

    def _short_hits(self, symbols: Hashes) -> Iterator[tuple[int, int]]:
        for length, known in self._short_hashes.items():
            hashes = window_hashes(symbols, length, _SEED)
            for start in _places(hashes, known):
                wholes = self.shorts[length][int(hashes[start])]
                for n_letters in range(length, min(2 * length + 2, len(symbols) - start + 1)):
                    there = symbols[start : start + n_letters]
                    if (n_letters, int(window_hashes(there, n_letters, _SEED)[0])) in wholes:
                        yield start, n_letters


def _letters(text: str) -> str:
    return _NO_LETTER_OR_DIGIT.sub("", normalized(text))


def _sorted(hashes: Iterable[int]) -> Hashes:
    return np.array(sorted(hashes), np.uint64)


def _places(hashes: Hashes, known: Hashes) -> list[int]:
    """Where a hash is among the sorted ones."""
    at = np.minimum(np.searchsorted(known, hashes), len(known) - 1)
    places: list[int] = np.flatnonzero(known[at] == hashes).tolist()
    return places


def _longest(is_covered: np.ndarray[Any, np.dtype[np.bool_]]) -> int:
    padded = np.concatenate([[False], is_covered, [False]])
    edges = np.flatnonzero(padded[1:] != padded[:-1])
    return int((edges[1::2] - edges[::2]).max(initial=0))


def read_evaluation(
    name: str,
    source: bytes | BinaryIO,
    fields: Sequence[str] = (),
    max_bytes: int = MAX_EVALUATION_BYTES,
) -> list[str]:
    """The texts of an evaluation file, plain, ``.gz`` or ``.zst``.

    ``.jsonl`` and ``.json``: every string in them, or those at ``fields`` (names of keys, at any
    depth); anything else: its lines. Raises ``ValueError``, with file and line, for what can't be
    read: an evaluation set that is skipped silently would stay in the training data.
    """
    text = _whole(name, source, max_bytes)
    suffix = re.sub(r"\.(?:gz|zst)$", "", name.lower()).rpartition(".")[2]
    if suffix == "json":
        return list(_strings(_json(text, name), fields))
    lines = [(i, line) for i, line in enumerate(text.split("\n"), 1) if line.strip()]
    if suffix in ("jsonl", "ndjson"):
        rows = (_json(line, f"{name}, line {i}") for i, line in lines)
        return [string for row in rows for string in _strings(row, fields)]
    return [line.strip() for _, line in lines]


def _whole(name: str, source: bytes | BinaryIO, max_bytes: int) -> str:
    data = bytearray()
    for piece in unpack(source):
        if isinstance(piece, Damage):
            raise ValueError(f"{name}: {piece.what}")
        data += piece
        if len(data) > max_bytes:
            raise ValueError(f"{name}: more than {max_bytes} bytes of evaluation text")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"{name}: not UTF-8 at byte {error.start}") from error


def _json(text: str, where: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{where}: not JSON: {error}") from error


def _strings(row: Any, fields: Sequence[str]) -> Iterator[str]:
    """The strings of a JSON value in order, or those below a key of ``fields``."""
    waiting = [(row, not fields)]
    while waiting:
        value, is_wanted = waiting.pop()
        if isinstance(value, str) and is_wanted:
            yield value
        elif isinstance(value, dict):
            items = [(below, is_wanted or key in fields) for key, below in value.items()]
            waiting.extend(reversed(items))
        elif isinstance(value, list):
            waiting.extend((below, is_wanted) for below in reversed(value))
