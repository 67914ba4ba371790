"""Which part of a text the encoder sees.

An encoder has a token limit, and encoding a long text whole costs more than it gains. The rule is
part of an embedding's key, since another rule gives the same text another vector.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

from crossic_etl.kernels.encoding.names import SPANS
from crossic_etl.kernels.text.clusters import splits_a_cluster
from crossic_etl.kernels.text.sentences import find_borders

EMPTY = "empty"
NO_LETTERS = "no_letters"
REASONS = (EMPTY, NO_LETTERS)

# Ours, by measuring (python -m bench.encoders): of 372 translated news documents, leads of 300,
# 600, 1,000, 2,000 and 4,000 characters lose 2, 4, 4, 3 and 0, in 6, 7, 12, 21 and 42 s of work for
# the English side; pages are all found under each. A mean of four spans of 600 or 1,000 loses none.
# That data is translated line by line, which flatters short leads: the open web begins with less.
DEFAULT_CHARACTERS = 1000
MOST_CHARACTERS = 20_000

_VISIBLE = re.compile(r"\S")
_LETTER = re.compile(r"[^\W_]")
# What stands before a place decides whether a sentence ends there (J. Smith), and what follows.
_BEFORE, _AFTER = 100, 8

Span = tuple[int, int]


@dataclass(frozen=True)
class SpanRule:
    """``lead``: the first ``max_characters`` of a text. ``mean``: the mean of up to ``n_spans``
    such pieces, evenly spread, the first at the text's start and the last at its end.

    Raises ValueError for values out of range.
    """

    kind: str = "lead"
    max_characters: int = DEFAULT_CHARACTERS
    n_spans: int = 4

    def __post_init__(self) -> None:
        for key, fits, expected in (
            ("kind", self.kind in SPANS, f"one of {', '.join(SPANS)}"),
            (
                "max_characters",
                16 <= self.max_characters <= MOST_CHARACTERS,
                f"16 to {MOST_CHARACTERS} characters",
            ),
            ("n_spans", 2 <= self.n_spans <= 64, "2 to 64 spans"),
        ):
            if not fits:
                raise ValueError(f"span.{key}: {getattr(self, key)!r} given, expected {expected}")

    @property
    def name(self) -> str:
        """What stands in ``embeddings.span_rule``: ``lead-1000``, ``mean-4x1000``."""
        if self.kind == "lead":
            return f"lead-{self.max_characters}"
        return f"mean-{self.n_spans}x{self.max_characters}"


def unfit_reason(text: str | None) -> str | None:
    """Why a text can't be embedded; None where it can. An encoder gives a vector for any text."""
    if text is None or not _VISIBLE.search(text):
        return EMPTY
    return None if _LETTER.search(text) else NO_LETTERS


def find_spans(text: str, lang: str, rule: SpanRule) -> list[Span]:
    """The (start, end) of each span in characters: in order, disjoint, within the rule's length.

    A span ends at a sentence's border in its last quarter, else at a word's, else between two
    letters, never inside a grapheme cluster (but for a cluster that is longer than the span).
    White space at either end is left out. The time is that of the spans, not of the whole text.
    """
    first = _VISIBLE.search(text)
    if first is None:
        return []
    limit = rule.max_characters
    n_spans = (
        1 if rule.kind == "lead" else min(rule.n_spans, -(-(len(text) - first.start()) // limit))
    )
    spans: list[Span] = []
    for target in _targets(first.start(), len(text), limit, n_spans):
        start = _start(text, target, limit, lang) if spans else target
        visible = _VISIBLE.search(text, max(start, spans[-1][1]) if spans else start)
        if visible:
            spans.append((visible.start(), _end(text, visible.start(), limit, lang)))
    return spans


def _targets(start: int, stop: int, limit: int, n_spans: int) -> Iterator[int]:
    yield start
    for index in range(1, n_spans):
        yield start + index * (stop - limit - start) // (n_spans - 1)


def _start(text: str, target: int, limit: int, lang: str) -> int:
    """The first border from the target on."""
    begin, latest = max(0, target - _BEFORE), target + limit // 4
    stops = (find_borders(text[begin : latest + _AFTER], lang).stops + begin).tolist()
    sentences = (at for at in stops if target <= at <= latest)
    near = range(target, min(latest, len(text)))
    words = (at for at in near if text[at - 1].isspace() and not text[at].isspace())
    return next(
        (at for at in chain(sentences, words, near) if not splits_a_cluster(text, at)), target
    )


def _end(text: str, start: int, limit: int, lang: str) -> int:
    """The last border within the limit."""
    stop = start + limit
    if len(text) > stop:
        earliest = start + limit * 3 // 4
        borders = find_borders(text[start : stop + _AFTER], lang).starts + start
        sentences = (at for at in borders[::-1].tolist() if earliest < at <= stop)
        words = (at for at in range(stop, earliest, -1) if text[at].isspace())
        places = chain(sentences, words, range(stop, start, -1))
        stop = next((at for at in places if not splits_a_cluster(text, at)), stop)
    return start + len(text[start:stop].rstrip())
