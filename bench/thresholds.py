"""What a calibrated threshold accepts with the right document, without it, and in a larger corpus.

    python -m bench.thresholds [--folds N] [--limit N] [shared data folder]

62 professionally translated documents in each of six languages look for their English originals
among the English texts of the shared dumps and crawl files: whole ones, their paragraphs and their
sentences. Thresholds come from all documents but one fold, by the functions of the job
``calibrate``, and are tried on that fold; each document is tried once. The first run embeds all
texts, which takes some twenty minutes on one core, and keeps the vectors in the temporary folder.
"""

from __future__ import annotations

import argparse
import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bench.encoders import embed, read_news
from bench.packing import read_articles
from bench.wikitext import shared_folder
from crossic_etl.kernels.encoding.encoders import load_encoder
from crossic_etl.kernels.encoding.spans import SpanRule
from crossic_etl.kernels.encoding.spec import EncoderSpec
from crossic_etl.kernels.search.calibration import calibrate
from crossic_etl.pipeline.retrieval.thresholds import MOST_GROWTH
from crossic_etl.transforms.thresholds import COPY_COSINE

Matrix = npt.NDArray[np.float32]
Scores = npt.NDArray[np.float64]
Positions = npt.NDArray[np.int64]

K, MAX_FALSE_ACCEPT, PRECISION = 10, 0.02, 0.95
PARAGRAPH, SENTENCE, LONGEST = 300, 80, 1200
CACHE = "crossic-etl-bench-thresholds.npz"
# Of Japanese there are ten times as many as of other languages.
MOST_ASKED = 400
SIZES = (500, 1_000, 2_500, 5_000, 10_000, 20_000, 40_000)
NONE: Positions = np.array([], np.int64)
# The way of choosing a threshold, and what the wrong pairs are.
NEW, OLD = "max_false_accept 0.02, all documents", "precision 0.95, nearest of the originals"


@dataclass(frozen=True)
class World:
    """Vectors of unit length.

    Attributes:
        originals: English documents.
        others: English texts beside them, no copies, in an order by chance.
        queries: by language; row i is the translation of the original i.
        asked: by language; texts beside the queries, for the backward means.
    """

    originals: Matrix
    others: Matrix
    queries: Mapping[str, Matrix]
    asked: Mapping[str, Matrix]


@dataclass(frozen=True)
class Side:
    """A language's cosines with the originals and a corpus, and the backward means of both.

    Attributes:
        own: float[n, n], of query i with original j; ``others``: float[n, m].
        of_own: float[n]; ``of_others``: float[m].
    """

    own: Matrix
    others: Matrix
    of_own: Scores
    of_others: Scores


@dataclass(frozen=True)
class Tried:
    """Shares of the documents that were tried, for one language.

    Attributes:
        recall: originals that are accepted.
        absent: queries that accept something where no original is in the corpus.
        alone: queries that accept something where only their own original isn't.
    """

    recall: float
    absent: float
    alone: float


def main(argv: Sequence[str] | None = None) -> None:
    """Print what is accepted, by the new and the old way, and in growing corpora."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", nargs="?", type=Path, default=shared_folder())
    parser.add_argument("--folds", type=int, default=8)
    parser.add_argument("--limit", type=int, help="English texts beside the originals")
    given = parser.parse_args(argv)
    world = load_world(given.data)
    corpus = world.others[: given.limit]
    print(f"{len(world.originals)} originals, {len(corpus):,} other English texts, k {K}")
    sides = make_sides(world, corpus)
    for way in (OLD, NEW):
        print_tried(way, try_folds(world, corpus, sides, sides, given.folds, way))
    print_growth(world, corpus, given.folds)


def load_world(data: Path) -> World:
    """The vectors of all texts, embedded once."""
    cache = Path(tempfile.gettempdir()) / CACHE
    if not cache.exists():
        np.savez(cache, **_embed_all(data))
    held = np.load(cache)
    langs = sorted(name[2:] for name in held.files if name.startswith("q_"))
    originals = held["originals"]
    is_copy = (held["others"] @ originals.T).max(axis=1) >= COPY_COSINE
    return World(
        originals=originals,
        others=held["others"][~is_copy],
        queries={lang: held[f"q_{lang}"] for lang in langs},
        asked={lang: held[f"a_{lang}"] for lang in langs},
    )


def _embed_all(data: Path) -> dict[str, Any]:
    encoder, rule = load_encoder(EncoderSpec()), SpanRule()
    searches = read_news(data)
    originals = sorted(searches[0].right)
    corpus = searches[0].corpus
    own = [corpus[at] for at in originals]
    whole = [*sorted({*corpus} - {*own}), *(text for _, text in read_articles(data, "en"))]
    texts = sorted({part for text in whole for part in (text, *parts(text))})
    vectors = {
        "originals": embed(encoder, own, "en", "passage", rule).vectors,
        "others": embed(encoder, shuffled(texts), "en", "passage", rule).vectors,
    }
    for search in searches:
        ordered = [search.queries[i] for i in np.argsort(search.right)]
        vectors[f"q_{search.lang}"] = embed(encoder, ordered, search.lang, "query", rule).vectors
        articles = (text for _, text in read_articles(data, search.lang))
        asked = sorted({part for text in articles for part in paragraphs(text)})
        asked = shuffled(asked)[:MOST_ASKED]
        vectors[f"a_{search.lang}"] = embed(encoder, asked, search.lang, "query", rule).vectors
    return vectors


def shuffled(texts: Sequence[str]) -> list[str]:
    """The texts in an order by chance, which is always the same."""
    return [texts[i] for i in np.random.default_rng(0).permutation(len(texts))]


def parts(text: str) -> Iterator[str]:
    """The paragraphs and the sentences of an English text that say something alone."""
    yield from paragraphs(text)
    for sentence in re.split(r"(?<=[.!?])\s+|\n", text):
        if len(sentence.strip()) >= SENTENCE:
            yield sentence.strip()


def paragraphs(text: str) -> Iterator[str]:
    """Paragraphs, short ones joined to what follows."""
    held = ""
    for line in map(str.strip, text.split("\n")):
        held = f"{held}\n{line}".strip()
        if len(held) >= PARAGRAPH:
            yield held[:LONGEST]
            held = ""


def make_sides(world: World, corpus: Matrix) -> dict[str, Side]:
    """Each language's cosines and backward means."""
    sides = {}
    for lang, queries in world.queries.items():
        asked = np.concatenate([queries, world.asked[lang]])
        sides[lang] = Side(
            own=queries @ world.originals.T,
            others=queries @ corpus.T,
            of_own=nearest_mean(world.originals @ asked.T),
            of_others=nearest_mean(corpus @ asked.T),
        )
    return sides


def nearest_mean(cosines: Matrix) -> Scores:
    """float[n]: the mean of the K highest of each row."""
    k = min(K, cosines.shape[1])
    return np.asarray(np.partition(cosines, -k, axis=1)[:, -k:].mean(axis=1), np.float64)


def right_margins(side: Side, rows: Positions, originals: Matrix) -> Scores:
    """Margins of the queries ``rows`` with their originals.

    ``originals`` has the cosines with the originals that are searched: float[n, any].
    """
    searched = np.concatenate([originals, side.others[rows]], axis=1)
    return 2 * side.own[rows, rows] / (nearest_mean(searched) + side.of_own[rows])


def wrong_margins(side: Side, rows: Positions, there: Positions, left_out: Any) -> Scores:
    """The best margin of each query, without what ``left_out`` (bool[n, any + m]) marks.

    Originals ``there`` and the corpus are searched.
    """
    searched = np.concatenate([side.own[np.ix_(rows, there)], side.others[rows]], axis=1)
    backward = np.concatenate([side.of_own[there], side.of_others])
    searched = np.where(left_out, -2, searched)
    nearest = np.argpartition(-searched, K, axis=1)[:, :K]
    cosines = np.take_along_axis(searched, nearest, axis=1)
    margins = 2 * cosines / (cosines.mean(axis=1)[:, None] + backward[nearest])
    return np.asarray(margins.max(axis=1), np.float64)


def nearest_original_margins(side: Side, rows: Positions) -> Scores:
    """The margin of each query with the nearest other original, all of which are searched."""
    others = np.where(np.eye(len(rows), dtype=bool), -2, side.own[np.ix_(rows, rows)])
    nearest = rows[others.argmax(axis=1)]
    searched = np.concatenate([side.own[np.ix_(rows, rows)], side.others[rows]], axis=1)
    return 2 * side.own[rows, nearest] / (nearest_mean(searched) + side.of_own[nearest])


def find_thresholds(
    world: World, corpus: Matrix, sides: Mapping[str, Side], known: Positions, way: str
) -> dict[str, float]:
    """The least margin of each language from the ``known`` originals, as the job finds it."""
    if way == OLD:
        pages = {lang: side.own[np.ix_(known, known)] for lang, side in sides.items()}
        right = {lang: right_margins(side, known, pages[lang]) for lang, side in sides.items()}
        wrong = {lang: nearest_original_margins(side, known) for lang, side in sides.items()}
        found = calibrate(right, wrong, PRECISION)
    else:
        copies = world.originals[known] @ corpus.T >= COPY_COSINE
        own = {lang: side.own[known, known][:, None] for lang, side in sides.items()}
        right = {lang: right_margins(side, known, own[lang]) for lang, side in sides.items()}
        wrong = {lang: wrong_margins(side, known, NONE, copies) for lang, side in sides.items()}
        found = calibrate(right, wrong, max_false_accept=MAX_FALSE_ACCEPT)
    points = {lang: found[lang].point for lang in sides}
    return {lang: point.threshold if point else np.inf for lang, point in points.items()}


def try_folds(
    world: World,
    corpus: Matrix,
    calibrated: Mapping[str, Side],
    used: Mapping[str, Side],
    n_folds: int,
    way: str,
) -> dict[str, Tried]:
    """What thresholds found among ``corpus``, ``calibrated``, accept in the corpus of ``used``."""
    order = np.random.default_rng(0).permutation(len(world.originals))
    tried: dict[str, list[Scores]] = {lang: [] for lang in used}
    for fold in range(n_folds):
        rows = order[fold::n_folds]
        least = find_thresholds(world, corpus, calibrated, np.setdiff1d(order, rows), way)
        for lang, side in used.items():
            own = np.zeros((len(rows), len(order) + side.others.shape[1]), bool)
            own[np.arange(len(rows)), rows] = True
            margins = (
                right_margins(side, rows, side.own[rows]),
                wrong_margins(side, rows, NONE, np.False_),
                wrong_margins(side, rows, np.arange(len(order)), own),
            )
            tried[lang].append(np.stack(margins) >= least[lang])
    shares = {lang: np.concatenate(parts, axis=1).mean(axis=1) for lang, parts in tried.items()}
    return {lang: Tried(*map(float, share)) for lang, share in shares.items()}


def print_tried(way: str, tried: Mapping[str, Tried]) -> None:
    """A line for each language, and the mean."""
    print(f"\n{way}\n  {'':6}{'recall':>8}{'absent':>9}{'own alone absent':>18}")
    for lang, one in [*tried.items(), ("mean", mean_of(tried.values()))]:
        print(f"  {lang:6}{one.recall:8.3f}{one.absent:9.3f}{one.alone:18.3f}")


def mean_of(tried: Iterable[Tried]) -> Tried:
    """The mean over languages."""
    return Tried(*np.mean([astuple(one) for one in tried], axis=0).tolist())


def print_growth(world: World, corpus: Matrix, n_folds: int) -> None:
    """Recall and false acceptance where a threshold is used among more or fewer texts."""
    sizes = [n for n in SIZES if n <= len(corpus)]
    sides = {n: make_sides(world, corpus[:n]) for n in sizes}
    print(f"\ncalibrated among rows, used among columns: recall / absent; bound {MOST_GROWTH:g}")
    print(" " * 9 + "".join(f"{n:>15,}" for n in sizes))
    for n in sizes:
        cells = []
        for used in sizes:
            tried = try_folds(world, corpus[:n], sides[n], sides[used], n_folds, NEW)
            mean = mean_of(tried.values())
            cells.append(f"{mean.recall:.3f} / {mean.absent:.3f}")
        print(f"{n:>9,}" + "".join(f"{cell:>15}" for cell in cells))


if __name__ == "__main__":
    main()
