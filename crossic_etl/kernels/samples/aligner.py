"""Cuts two documents as the setting ``segment.align`` says, and measures how near the sides are."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from crossic_etl.kernels.encoding.spec import Encoder, Kind
from crossic_etl.kernels.samples.aligned_cuts import (
    ALIGNED,
    CHUNK_RULE,
    ChunkedDocument,
    Cut,
    chunk_by_anchors,
    chunk_by_encoder,
    cut_aligned,
    pair_cosines,
)
from crossic_etl.kernels.samples.chunks import CHUNK_TOKENS
from crossic_etl.kernels.samples.names import BY_ANCHORS, BY_ENCODER, BY_POSITION
from crossic_etl.kernels.samples.segments import Document, segment_pair

# What determines a cut besides texts, tokenizer, budget and encoder. The number goes up with every
# change of the code that moves cuts.
CUT_RULE = (2, CHUNK_RULE.name, CHUNK_TOKENS)

Sizes = tuple[int, int, int]


@dataclass
class Aligner:
    """How two documents are cut.

    Attributes:
        method: one of `names.ALIGNMENTS`.
        encoder: embeds chunks; None where nothing is embedded.
        languages: what the encoder knows; None for any. Others are cut by anchors.
        all_similarities: sides of pairs that aren't aligned are embedded too.
        n_characters: characters that the encoder was given.
    """

    method: str = BY_POSITION
    encoder: Encoder | None = None
    languages: Collection[str] | None = None
    all_similarities: bool = False
    n_characters: int = 0
    # The last English document. Callers have the pairs of a document one after the other.
    _english: ChunkedDocument | None = field(default=None, repr=False)

    def cut(self, english: Document, target: Document, sizes: Sizes, match: bool = True) -> Cut:
        """The pairs of segments; cosines are the encoder's, None where it wasn't asked.

        ``sizes`` are the budget and the tokens of separator and split token, see `segment_pair`.
        Texts that are known not to match have ``match`` false: they are cut by position.
        ``Cut.kind`` is the method by which the pair was cut.

        Raises:
            ValueError: see `segment_pair`.
        """
        pairs = segment_pair(english, target, *sizes)
        has_both = bool(english.text and target.text)
        if match and has_both and len(pairs) > 1 and self.method != BY_POSITION:
            if self._knows(target.lang):
                chunked = self._embed_english(english), self._embed(target, "query")
                return _named(cut_aligned(*chunked, *sizes, pairs), BY_ENCODER)
            cut = cut_aligned(*chunk_by_anchors(english, target), *sizes, pairs)
            cut = _named(cut, BY_ANCHORS)._replace(cosines=[None] * len(cut.pairs))
        else:
            cut = Cut(BY_POSITION, pairs, [None] * len(pairs))
        if self.all_similarities and has_both and self._can_embed(target.lang):
            chunked = self._embed_english(english), self._embed(target, "query")
            return cut._replace(cosines=pair_cosines(*chunked, cut.pairs))
        return cut

    def _knows(self, lang: str) -> bool:
        return self.method == BY_ENCODER and self._can_embed(lang)

    def _can_embed(self, lang: str) -> bool:
        return self.encoder is not None and (self.languages is None or lang in self.languages)

    def _embed_english(self, document: Document) -> ChunkedDocument:
        if self._english is None or self._english.document.text != document.text:
            self._english = self._embed(document, "passage")
        return self._english

    def _embed(self, document: Document, kind: Kind) -> ChunkedDocument:
        if self.encoder is None:
            raise ValueError(f"segment.align: {self.method!r} without an encoder")
        chunked = chunk_by_encoder(document, self.encoder, kind)
        self.n_characters += chunked.n_characters
        return chunked


def _named(cut: Cut, method: str) -> Cut:
    return cut._replace(kind=method) if cut.kind == ALIGNED else cut
