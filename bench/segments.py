"""Do the two sides of a sample stand on the same subject, cut by position, anchors, encoder?

    python -m bench.segments [--max-tokens 512 1024 4096] [shared data folder]

*Known alignment*: long documents of 40 paragraphs, made of articles that are translated paragraph
by paragraph; a section is a paragraph. English and target each keep a share of the sections,
chosen by a hash; where the table says so, a tenth of the target's sections has moved elsewhere.
*Whole articles*: the same articles one by one, all kept. *Comparable*: articles of the shared dumps
on one subject, written independently, of two segments or more at the given budget.

Columns, over the samples of pairs that were cut:

- ``known``: for each section that both sides kept, the share of it that stands beside its
  counterpart: the sum over the samples of the smaller of the two shares that they hold of the
  section's English and of its target text. The mean, weighted by characters of both.
- ``own best``: of the samples with two sides, those whose English side is the nearest of all
  English sides of the article to their target side. A tie with another one counts as a miss.
- ``cosine``: the mean cosine of the two sides, over the samples with two.
- ``paragr.``: the share of cuts (of one side) at a blank line. ``heading``: segments that end with
  a heading, the end of a text left out. ``spaces``: sides with white space at an edge. ``crumbs``:
  samples with fewer than 32 tokens on one of two sides. ``one side``: the share of the tokens that
  is in samples with an empty side.
- ``samples``: their number. ``aligned``: the share of pairs whose cut is not the one by position.

A side's vector, in the last three, is the mean of the embedded encoder's vectors of its text in
pieces of at most 256 tokens, seen whole, weighted by length: other pieces than the cuts are made
by, and the same for every cut. It is the encoder's own judgement all the same; ``known`` is not.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bench.segment_edges import Edges
from bench.segment_worlds import Pair, known_shares, worlds
from bench.wikitext import shared_folder
from crossic_etl.kernels.encoding.encoders import load_encoder
from crossic_etl.kernels.encoding.spec import Encoder, EncoderSpec, Kind, Vectors
from crossic_etl.kernels.samples.aligned_cuts import (
    ALIGNED,
    ChunkedDocument,
    Cut,
    chunk_by_anchors,
    chunk_by_encoder,
    cut_aligned,
    row_cosines,
    segment_vectors,
)
from crossic_etl.kernels.samples.chunks import chunk_texts, make_chunks
from crossic_etl.kernels.samples.segments import Document, segment_pair, tokenize_documents
from crossic_etl.kernels.tokens.tokenizers import load_tokenizer

MAX_TOKENS = (512, 1024, 4096)
METHODS = ("position", "anchors", "encoder")
PIECE_TOKENS = 256
LABEL = 36
# What the encoder's cuts must reach: world, budget, column, at least.
GOALS = (
    ("known 0.9/0.4", 1024, "known", 0.90),
    ("comparable", 1024, "own best", 0.50),
    ("comparable", 4096, "own best", 0.72),
    ("whole articles", 512, "own best", 0.95),
)
MOST_MORE_SAMPLES = 0.01


@dataclass
class Scores:
    """What the table says of one world, budget and method."""

    known: list[tuple[float, int]] = field(default_factory=list)
    own_best: list[bool] = field(default_factory=list)
    cosines: list[float] = field(default_factory=list)
    n_samples: int = 0
    aligned: list[bool] = field(default_factory=list)
    edges: Edges = field(default_factory=Edges)
    seconds: float = 0.0

    def columns(self) -> dict[str, float]:
        """The columns of the table, in order; NaN where nothing is known."""
        shares, sizes = [share for share, _ in self.known], [size for _, size in self.known]
        return {
            "known": float(np.average(shares, weights=sizes)) if sizes else np.nan,
            "own best": _mean(self.own_best),
            "cosine": _mean(self.cosines),
            **self.edges.columns(),
            "samples": self.n_samples,
            "aligned": _mean(self.aligned),
            "seconds": self.seconds,
        }


class Judge:
    """An encoder that embeds each text once, and what that cost."""

    def __init__(self, encoder: Encoder) -> None:
        self.seconds = 0.0
        self.n_characters = 0
        self.name, self.revision = encoder.name, encoder.revision
        self.dimension = encoder.dimension
        self._encoder = encoder
        self._known: dict[tuple[str, str], npt.NDArray[np.float32]] = {}

    def encode(self, texts: list[str], kind: Kind) -> Vectors:
        """As `Encoder` says; the embedded encoder gives a text the same bits in any batch."""
        start = time.process_time()
        for text in texts:
            if (kind, text) not in self._known:
                self._known[kind, text] = self._encoder.encode([text], kind)[0]
                self.n_characters += len(text)
        self.seconds += time.process_time() - start
        rows = [self._known[kind, text] for text in texts]
        return np.array(rows, np.float32).reshape(-1, self.dimension)

    def visible(self, texts: list[str], kind: Kind) -> list[int]:
        """As `Encoder` says."""
        return self._encoder.visible(texts, kind)

    def sides(self, document: Document, texts: Sequence[str]) -> npt.NDArray[np.float64]:
        """The vectors of a document's segments, as the columns are measured by."""
        pieces = make_chunks(document, PIECE_TOKENS)
        vectors = self.encode(chunk_texts(document, pieces), "passage")
        return segment_vectors(ChunkedDocument(document, pieces, vectors), texts)


def main(argv: Sequence[str] | None = None) -> None:
    """Print a line for each world, budget and method, then what embedding cost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--max-tokens", type=int, nargs="*", default=MAX_TOKENS)
    parser.add_argument("data", nargs="?", type=Path, default=shared_folder())
    arguments = parser.parse_args(argv)
    judge = Judge(load_encoder(EncoderSpec()))
    print(f"{'':<{LABEL}}" + "".join(f"{column:>9}" for column in Scores().columns()))
    table = {}
    for name, pairs in worlds(arguments.data).items():
        for budget in arguments.max_tokens:
            for method in METHODS:
                scores = score_pairs(pairs, budget, method, judge)
                table[name, budget, method] = scores
                print_line(f"{name:<22}{budget:>5} {method}", scores)
    print(f"{judge.n_characters:,} characters embedded in {judge.seconds:.0f} s")
    print_goals(table)


def print_line(label: str, scores: Scores) -> None:
    """One line of the table."""
    cells = [
        f"{cell:9}" if isinstance(cell, int) else f"{cell:9.3f}"
        for cell in scores.columns().values()
    ]
    print(f"{label:<{LABEL}}" + "".join(cells), flush=True)


def score_pairs(pairs: list[Pair], budget: int, method: str, judge: Judge) -> Scores:
    """The scores of one line of the table."""
    start = time.process_time() - judge.seconds
    scores = Scores()
    for pair in pairs:
        english, target = tokenized(pair)
        cut = cut_pair(english, target, budget, method, judge)
        if len(cut.pairs) > 1:
            score(scores, pair, cut, judge, (english, target))
    scores.seconds = time.process_time() - judge.seconds - start
    return scores


def print_goals(table: dict[tuple[str, int, str], Scores]) -> None:
    """Whether the encoder's cuts reach what they must, where the table has it."""
    for world, budget, column, least in GOALS:
        if (world, budget, "encoder") in table:
            found = table[world, budget, "encoder"].columns()[column]
            verdict = "reached" if found >= least else "missed"
            print(f"{world} at {budget}, {column}: {found:.3f}, goal {least:.2f}: {verdict}")
    for budget in sorted({budget for _, budget, _ in table}):
        counts = {
            m: sum(s.n_samples for (_, b, by), s in table.items() if (b, by) == (budget, m))
            for m in METHODS
        }
        more = counts["encoder"] / counts["position"] - 1
        verdict = "reached" if abs(more) <= MOST_MORE_SAMPLES else "missed"
        print(f"samples at {budget}: {counts['encoder']} for {counts['position']}: {verdict}")


def cut_pair(english: Document, target: Document, budget: int, method: str, judge: Judge) -> Cut:
    """The pair cut by one of the methods."""
    if method == "position":
        pairs = segment_pair(english, target, budget, n_separator=1)
        return Cut(method, pairs, [None] * len(pairs))
    if method == "anchors":
        left, right = chunk_by_anchors(english, target)
    else:
        left = chunk_by_encoder(english, judge, "passage")
        right = chunk_by_encoder(target, judge, "query")
    return cut_aligned(left, right, budget, n_separator=1)


def score(
    scores: Scores, pair: Pair, cut: Cut, judge: Judge, documents: tuple[Document, Document]
) -> None:
    """Add what one pair's cut shows."""
    sides = ([p.english.text for p in cut.pairs], [p.target.text for p in cut.pairs])
    scores.n_samples += len(cut.pairs)
    scores.aligned.append(cut.kind == ALIGNED)
    scores.edges.add(cut.pairs, documents)
    scores.known += known_shares(pair, sides)
    vectors = [judge.sides(d, texts) for d, texts in zip(documents, sides, strict=True)]
    scores.cosines += [c for c in row_cosines(*vectors) if c is not None]
    scores.own_best += own_best(*vectors)


def own_best(english: npt.NDArray[np.float64], target: npt.NDArray[np.float64]) -> list[bool]:
    """For each sample with two sides: whether its English side is the nearest of all."""
    lengths = [np.linalg.norm(side, axis=1, keepdims=True) for side in (english, target)]
    units = [
        side / np.where(length > 0, length, 1)
        for side, length in zip((english, target), lengths, strict=True)
    ]
    cosines = units[1] @ units[0].T
    own = cosines.diagonal().copy()
    np.fill_diagonal(cosines, -1)
    has_two = (lengths[0] > 0).ravel() & (lengths[1] > 0).ravel()
    nearest: list[bool] = (own > cosines.max(axis=1, initial=-1))[has_two].tolist()
    return nearest


def tokenized(pair: Pair) -> tuple[Document, Document]:
    """Both texts with their tokens."""
    texts, langs = (pair.english, pair.target), ("en", pair.lang)
    english, target = tokenize_documents(texts, langs, load_tokenizer())
    return english, target


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if values else float("nan")


if __name__ == "__main__":
    main()
