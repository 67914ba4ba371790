"""Where the cuts of ``bench.segments`` stand, as a reader would see them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from crossic_etl.kernels.samples.segments import Document, Segment, SegmentPair

CRUMB_TOKENS = 32
_HEADING_LAST = re.compile(r"(?:^|\n)#{1,6} [^\n]*\s*\Z")


@dataclass
class Edges:
    """Counts over the pairs that were cut. A cut is one of one side, with text on both sides of it.

    A cut is at a paragraph's end where a blank line stands there. A crumb is a pair with two sides
    and fewer than 32 tokens on one of them.
    """

    n_cuts: int = 0
    n_at_paragraphs: int = 0
    n_behind_headings: int = 0
    n_with_spaces: int = 0
    n_crumbs: int = 0
    n_tokens: int = 0
    n_one_sided_tokens: int = 0

    def columns(self) -> dict[str, float]:
        """The columns of the table."""
        return {
            "paragr.": self.n_at_paragraphs / self.n_cuts if self.n_cuts else float("nan"),
            "heading": self.n_behind_headings,
            "spaces": self.n_with_spaces,
            "crumbs": self.n_crumbs,
            "one side": self.n_one_sided_tokens / max(1, self.n_tokens),
        }

    def add(self, pairs: Sequence[SegmentPair], documents: tuple[Document, Document]) -> None:
        """Count one pair of documents."""
        for document, side in zip(
            documents, zip(*(p[2:] for p in pairs), strict=True), strict=True
        ):
            self._add_side(document.text, [segment for segment in side if segment.text])
        for pair in pairs:
            sizes = sorted((len(pair.english.ids), len(pair.target.ids)))
            self.n_crumbs += 0 < sizes[0] < CRUMB_TOKENS
            self.n_tokens += sum(sizes)
            self.n_one_sided_tokens += sizes[1] if not sizes[0] else 0

    def _add_side(self, text: str, segments: Sequence[Segment]) -> None:
        stop = 0
        for i, (segment, _) in enumerate(segments):
            start = text.index(segment, stop)
            if i > 0:
                self._add_cut(segments[i - 1].text, text[stop:start], segment)
            stop = start + len(segment)
            self.n_with_spaces += segment != segment.strip()

    def _add_cut(self, before: str, between: str, after: str) -> None:
        spaces = before[len(before.rstrip()) :] + between + after[: -len(after.lstrip()) or None]
        self.n_cuts += 1
        self.n_at_paragraphs += spaces.count("\n") > 1
        self.n_behind_headings += _HEADING_LAST.search(before) is not None
