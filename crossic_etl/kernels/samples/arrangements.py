"""From two documents on one subject to samples, in each of the arrangements.

An arrangement says which sides a sample holds, in which order. `random` is `en-first` with an
English document that the caller has taken from another pair, `retrieved` with one that was found
for the target document. `aligner` cuts them. Nothing but white space is lost, and the samples of
all arrangements have the same budget of tokens, so that they can be compared.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

import numpy as np

from crossic_etl.kernels.samples.aligned_cuts import Cut
from crossic_etl.kernels.samples.aligner import Aligner
from crossic_etl.kernels.samples.names import ARRANGEMENTS as ARRANGEMENTS
from crossic_etl.kernels.samples.names import ENGLISH as ENGLISH
from crossic_etl.kernels.samples.names import RANDOM
from crossic_etl.kernels.samples.names import TARGET as TARGET
from crossic_etl.kernels.samples.segments import NO_DOCUMENT, Document, SegmentPair
from crossic_etl.kernels.tokens.ends import Ids
from crossic_etl.kernels.tokens.tokenizers import Tokenizer

# Ours: the paper names no separator. A blank line is how texts follow each other in any corpus.
DEFAULT_SEPARATOR = "\n\n"


@dataclass(frozen=True)
class Recipe:
    """How samples are made: the tokenizer with its split token, the most tokens a sample may have
    (separator and split token included), the text between the two sides, how documents are cut,
    and whether segments with nothing opposite are dropped.
    """

    tokenizer: Tokenizer
    max_tokens: int
    separator: str = DEFAULT_SEPARATOR
    aligner: Aligner = field(default_factory=Aligner)
    drops_unmatched: bool = False

    @cached_property
    def separator_ids(self) -> Ids:
        """The ids of the separator."""
        return self.tokenizer.encode(self.separator)[0]


class Sample(NamedTuple):
    """One sample: segment ``segment`` (from 0) of ``n_segments``, of the sides in ``sides``.

    ``input_ids`` (int32) are the sides in order, the separator between them where neither is empty,
    and the split token. A text is empty where the sample does not hold its side.
    ``cut`` is the method by which its texts were cut, None where they weren't; ``similarity`` the
    cosine of its sides, None where it isn't known; ``n_unmatched`` the dropped segments of its
    texts.
    """

    sample_id: str
    arrangement: str
    sides: tuple[str, ...]
    segment: int
    n_segments: int
    english_text: str
    target_text: str
    n_english_tokens: int
    n_target_tokens: int
    input_ids: Ids
    cut: str | None
    similarity: float | None
    n_unmatched: int


def check_arrangements(names: Sequence[str]) -> None:
    """Raise ValueError, with the names that exist, for a name that is no arrangement."""
    for name in names:
        if name not in ARRANGEMENTS:
            expected = ", ".join(ARRANGEMENTS)
            raise ValueError(f"arrangements: {name!r} is none; expected some of {expected}")


def make_samples(
    arrangements: Sequence[str],
    english: Document,
    target: Document,
    source_ids: tuple[str, str],
    recipe: Recipe,
) -> Iterator[Sample]:
    """The samples of one pair of documents in each of the arrangements, in order.

    Documents that are arranged the same way are cut once. The sides of `random` don't match.
    ``source_ids`` name the English and the target document and go into each ``sample_id``, of both
    even where a sample holds one side: an English article with partners in two languages gives
    samples for each.
    Raises ValueError for an unknown arrangement or a budget too small (`segment_pair`).
    """
    check_arrangements(arrangements)
    cuts: dict[tuple[frozenset[str], bool], Cut] = {}
    for arrangement in arrangements:
        for sides in ARRANGEMENTS[arrangement]:
            key = frozenset(sides), arrangement != RANDOM
            if key not in cuts:
                cuts[key] = _cut(english, target, *key, recipe)
            yield from _samples(arrangement, sides, cuts[key], source_ids, recipe)


def _cut(
    english: Document, target: Document, sides: frozenset[str], match: bool, recipe: Recipe
) -> Cut:
    """The cut of the sides held."""
    return recipe.aligner.cut(
        english if ENGLISH in sides else NO_DOCUMENT,
        target if TARGET in sides else NO_DOCUMENT,
        (
            recipe.max_tokens,
            len(recipe.separator_ids) if len(sides) == 2 else 0,
            len(recipe.tokenizer.split_ids),
        ),
        match,
    )


def _samples(
    arrangement: str,
    sides: tuple[str, ...],
    cut: Cut,
    source_ids: tuple[str, str],
    recipe: Recipe,
) -> Iterator[Sample]:
    two_sided = [bool(len(pair.english.ids) and len(pair.target.ids)) for pair in cut.pairs]
    drops = recipe.drops_unmatched and len(sides) == 2
    n_unmatched = two_sided.count(False) if drops else 0
    for pair, cosine, whole in zip(cut.pairs, cut.cosines, two_sided, strict=True):
        if whole or not drops:
            how = cut.kind if pair.n > 1 and len(sides) == 2 else None
            sample = _sample(arrangement, sides, pair, source_ids, recipe)
            yield sample._replace(cut=how, similarity=cosine, n_unmatched=n_unmatched)


def assemble(pair: SegmentPair, sides: Sequence[str], separator: Ids, split: Ids) -> Ids:
    """The ids of a sample (int32): the sides in order, a separator between two, the split token."""
    segments = {ENGLISH: pair.english, TARGET: pair.target}
    parts = [segments[side].ids for side in sides if len(segments[side].ids)]
    if len(parts) == 2:
        parts.insert(1, separator)
    return np.concatenate([*parts, split]).astype(np.int32, copy=False)


def _sample(
    arrangement: str,
    sides: tuple[str, ...],
    pair: SegmentPair,
    source_ids: tuple[str, str],
    recipe: Recipe,
) -> Sample:
    tokenizer = recipe.tokenizer
    made_of = (
        arrangement,
        "+".join(sides),
        *source_ids,
        str(pair.number),
        str(pair.n),
        pair.english.text,
        pair.target.text,
        recipe.separator,
        tokenizer.name,
        tokenizer.split_token,
    )
    return Sample(
        _hash(made_of),
        arrangement,
        sides,
        pair.number,
        pair.n,
        pair.english.text,
        pair.target.text,
        len(pair.english.ids),
        len(pair.target.ids),
        assemble(pair, sides, recipe.separator_ids, tokenizer.split_ids),
        None,
        None,
        0,
    )


def _hash(parts: Sequence[str]) -> str:
    """128 bits of BLAKE2b, in hex, over the parts and their lengths."""
    encoded = [part.encode("utf-8", "surrogatepass") for part in parts]
    sized = [piece for data in encoded for piece in (len(data).to_bytes(8, "little"), data)]
    return hashlib.blake2b(b"".join(sized), digest_size=16).hexdigest()
