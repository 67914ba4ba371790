"""Small worlds of vectors for the neighbours job, and what it must make of them, in plain numpy."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from crossic_etl.config.encoder import choose_encoder
from crossic_etl.kernels.search.quantizer import Quantizer, assign
from crossic_etl.kernels.search.vectors import inner_products
from crossic_etl.schemas import DOCUMENTS, EMBEDDINGS
from tests.support.rows import row_of

if TYPE_CHECKING:
    from crossic_etl.config import Config
    from crossic_etl.tables import Tables

DIMENSION = 16


@dataclass(frozen=True)
class Text:
    """A row of ``embeddings``, and of ``documents`` if it is one."""

    lang: str
    kind: str
    text_hash: str
    vector: tuple[float, ...]
    url: str | None = None


World = dict[str, Text]


class Found(NamedTuple):
    """A row of ``neighbours``, without what all rows share."""

    query_id: str
    doc_id: str
    target_lang: str
    rank: int
    cosine: float
    margin: float | None
    mutual: bool
    accepted: bool


def unit(n: int, seed: int) -> np.ndarray[Any, np.dtype[np.float32]]:
    made = np.random.default_rng(seed).normal(size=(n, DIMENSION))
    return (made / np.linalg.norm(made, axis=1, keepdims=True)).astype(np.float32)


def texts(names: Iterable[str], lang: str, kind: str, seed: int) -> World:
    """New texts, each of its own vector and address."""
    names = list(names)
    vectors = unit(len(names), seed).tolist()
    return {
        name: Text(lang, kind, f"{name}/{seed}", tuple(vector), f"https://{name}.test/")
        for name, vector in zip(names, vectors, strict=True)
    }


def write(tables: Tables, world: World, config: Config) -> None:
    """Replaces what ``embeddings`` and ``documents`` hold."""
    choice, spark = choose_encoder(config.encoder), tables.spark
    encoder = (choice.model, choice.revision, choice.rule.name, [[0, 5]])
    rows = [
        (name, text.kind, text.lang, *encoder, text.text_hash, list(text.vector), None)
        for name, text in world.items()
    ]
    documents = [
        row_of(DOCUMENTS, doc_id=name, lang=text.lang, text_hash=text.text_hash, url=text.url)
        for name, text in world.items()
        if text.kind == "document"
    ]
    scope = {"lang": ["en", "th", "ja"]}
    tables.replace(EMBEDDINGS, spark.createDataFrame(rows, EMBEDDINGS.schema), scope)
    tables.replace(DOCUMENTS, spark.createDataFrame(documents, DOCUMENTS.schema), scope)


def expected(world: World, config: Config, quantizer: Quantizer | None = None) -> set[Found]:
    """What a search of the whole world finds."""
    kind = "page" if config.retrieved.queries == "pages" else "document"
    corpus, found = _names(world, "en", "document"), set()
    for lang in config.languages:
        queries = _names(world, lang, kind)
        found |= _of_language(world, lang, queries, corpus, config, quantizer)
    return found


def _names(world: World, lang: str, kind: str) -> list[str]:
    return sorted(name for name, text in world.items() if (text.lang, text.kind) == (lang, kind))


def _of_language(
    world: World,
    lang: str,
    queries: list[str],
    corpus: list[str],
    config: Config,
    quantizer: Quantizer | None,
) -> set[Found]:
    settings = config.neighbours
    forward = _lists(world, queries, corpus, config, quantizer)
    found = sorted({doc for of_query in forward.values() for doc, _ in of_query})
    backward = _lists(world, found, queries, config, quantizer)
    rows = []
    for query, of_query in forward.items():
        for rank, (doc, cosine) in enumerate(of_query, 1):
            margin = _margin(cosine, _mean(of_query), _mean(backward[doc]))
            nearest = backward[doc][0][0] if backward[doc] else None
            mutual = rank == 1 and nearest == query
            rows.append(Found(query, doc, lang, rank, float(cosine), margin, mutual, False))
    least = settings.thresholds.get(lang, settings.thresholds.get("*"))

    def fits(row: Found) -> bool:
        if least is None:
            return row.mutual
        return row.margin is not None and row.margin >= np.float32(least)

    order = sorted(
        filter(fits, rows),
        key=lambda row: (row.doc_id, -(row.margin or 0), -row.cosine, row.query_id),
    )
    uses: dict[str, int] = {}
    taken = set()
    for row in order:
        uses[row.doc_id] = uses.get(row.doc_id, 0) + 1
        if uses[row.doc_id] <= settings.max_uses:
            taken.add((row.query_id, row.doc_id))
    return {row._replace(accepted=(row.query_id, row.doc_id) in taken) for row in rows}


def _lists(
    world: World,
    queries: list[str],
    targets: list[str],
    config: Config,
    quantizer: Quantizer | None,
) -> dict[str, list[tuple[str, np.float32]]]:
    """The best k of each query, best first, of equal ones the lower id."""
    ours, theirs = _matrix(world, queries), _matrix(world, targets)
    lists = {}
    if quantizer:
        probed = assign(ours, quantizer.centroids, config.neighbours.nprobe)
        lying = assign(theirs, quantizer.centroids, 1)[:, 0]
    for i, query in enumerate(queries):
        scores = inner_products(np.broadcast_to(ours[i], theirs.shape), theirs)
        allowed = [
            j
            for j, target in enumerate(targets)
            if not _are_excluded(world[query], world[target])
            and (quantizer is None or lying[j] in probed[i])
        ]
        best = sorted(allowed, key=lambda j: (-scores[j], targets[j]))[: config.neighbours.k]
        lists[query] = [(targets[j], scores[j]) for j in best]
    return lists


def _matrix(world: World, names: list[str]) -> np.ndarray[Any, np.dtype[np.float32]]:
    return np.array([world[name].vector for name in names], np.float32).reshape(-1, DIMENSION)


def _are_excluded(one: Text, other: Text) -> bool:
    both_documents = one.kind == other.kind == "document"
    same_url = both_documents and bool(one.url) and one.url == other.url
    return same_url or one.text_hash == other.text_hash


def _mean(entries: list[tuple[str, np.float32]]) -> float | None:
    total = 0.0
    for cosine in sorted(float(cosine) for _, cosine in entries):
        total += cosine
    return total / len(entries) if entries else None


def _margin(cosine: np.float32, forward: float | None, backward: float | None) -> float | None:
    if forward is None or backward is None or not forward + backward > 0:
        return None
    return float(np.float32(float(2 * cosine) / (forward + backward)))
