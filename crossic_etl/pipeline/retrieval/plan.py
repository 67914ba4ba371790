"""Prepares a search: its sizes, its plan, and a quantizer if it is routed."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from math import isqrt

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from crossic_etl.config.crawl import Neighbours
from crossic_etl.config.errors import UnfitSettingError
from crossic_etl.kernels.encoding.spec import EncoderChoice
from crossic_etl.kernels.search.plan import (
    EXACT,
    MIB,
    PlanError,
    SearchPlan,
    SearchSize,
    plan_search,
)
from crossic_etl.kernels.search.routing import Router
from crossic_etl.kernels.search.settings import Search
from crossic_etl.pipeline.retrieval.state import EXCLUDED
from crossic_etl.schemas import QUANTIZERS
from crossic_etl.tables import Scope, TableError, Tables
from crossic_etl.transforms.candidates import SearchRequest, find_candidates, merge_candidates
from crossic_etl.transforms.increments import count_plan
from crossic_etl.transforms.neighbours import recall_at_k
from crossic_etl.transforms.quantizers import load_router, sample_by_hash, train_quantizer

log = logging.getLogger(__name__)

# Ours, after FAISS's advice for inverted files: about four times the root of the vector count.
_CELLS_OF_ROOT = 4
# Ours: a line is logged if a new quantizer would have twice the cells (a fourfold corpus).
_MANY_TIMES = 2
# Fields of a plan whose name in the configuration is another.
_KEYS = {"task_memory": "task_memory_mb"}


@dataclass(frozen=True)
class Sizes:
    """Numbers of vectors in a search.

    Attributes:
        n_queries, n_documents: counted rows.
        dimension: floats of a vector.
        n_new, n_gone: vectors that are new or gone since the last search.
        newest: the highest generation of a vector, 0 without any.
    """

    n_queries: int
    n_documents: int
    dimension: int
    n_new: int = 0
    n_gone: int = 0
    newest: int = 0


@dataclass(frozen=True)
class Cells:
    """A stored quantizer.

    Attributes:
        n: number of cells that were asked for.
        digest: sha256 of the quantizer, in hex.
        scope: names its row of ``quantizers``.
    """

    n: int
    digest: str
    scope: Scope


def make_search(settings: Neighbours, dimension: int) -> Search:
    """The settings of a shard's search."""
    return Search(settings.k, dimension, settings.index)


def make_request(settings: Neighbours, dimension: int, router: Router | None) -> SearchRequest:
    """The settings of a neighbour search; ``router`` is None for an exact search."""
    return SearchRequest(
        search=make_search(settings, dimension),
        shards=settings.shards,
        router=router,
        exclude=EXCLUDED,
    )


def fitted_cells(settings: Neighbours, n_documents: int) -> int:
    """Cells of a new quantizer: as configured, or fitted to the corpus; at least one a shard."""
    fitted = _CELLS_OF_ROOT * isqrt(n_documents)
    return settings.cells or max(settings.shards, min(fitted, max(1, n_documents)))


def plan_of(settings: Neighbours, sizes: Sizes, cells: int) -> SearchPlan:
    """The plan of a search, with its cost.

    Raises:
        UnfitSettingError: it can't fit; names the setting to change.
    """
    size = SearchSize(
        n_documents=sizes.n_documents,
        n_queries=sizes.n_queries,
        method=settings.method,
        shards=settings.shards,
        task_memory=settings.task_memory_mb * MIB,
        cells=cells,
        nprobe=min(settings.nprobe, cells),
    )
    try:
        return plan_search(size, make_search(settings, sizes.dimension))
    except PlanError as error:
        key = _KEYS.get(error.setting, error.setting)
        raise UnfitSettingError(f"neighbours.{key}: {error.problem}") from None


def log_plan(
    settings: Neighbours, sizes: Sizes, cells: Cells | None, job: str = "neighbours"
) -> None:
    """Logs the plan of the job's search.

    Raises:
        UnfitSettingError: it can't fit; names the setting to change.
    """
    for line in plan_of(settings, sizes, cells.n if cells else 1).lines():
        log.info("%s: %s", job, line)


def choose_quantizer(
    tables: Tables,
    corpus: DataFrame,
    sizes: Sizes,
    *,
    settings: Neighbours,
    seed: int,
    choice: EncoderChoice,
) -> Cells | None:
    """The stored quantizer of these settings, or a new one, which is stored; None for exact search.

    A quantizer is trained on rows chosen by a hash with the seed. It is kept as the corpus grows,
    and new documents go to its cells. Another encoder, seed, ``neighbours.cells`` or ``train_rows``
    needs another quantizer.

    Raises:
        UnfitSettingError: a search with a new quantizer can't fit.
    """
    if settings.method == EXACT:
        return None
    scope: Scope = {
        **choice.scope, "seed": [seed], "train_rows": [settings.train_rows],
        "is_fitted": [settings.cells is None],
    }  # fmt: skip
    if settings.cells:
        scope = {**scope, "n_cells": [settings.cells]}
    fitting = fitted_cells(settings, sizes.n_documents)
    held = _held_cells(tables, scope)
    if held and held.n >= settings.shards:
        if fitting >= _MANY_TIMES * held.n:
            log.info(
                "neighbours: the quantizer's %s cells are kept; %s would fit the corpus now: "
                "see neighbours.cells",
                f"{held.n:,}",
                f"{fitting:,}",
            )
        return held
    plan_of(settings, sizes, fitting)
    sample = sample_by_hash(corpus, settings.train_rows, sizes.n_documents, seed)
    trained = train_quantizer(sample, sizes.dimension, fitting, seed)
    tables.replace(QUANTIZERS, _as_row(trained, {**scope, "n_cells": [fitting]}), scope)
    return _held_cells(tables, scope)


def _held_cells(tables: Tables, scope: Scope) -> Cells | None:
    digest = F.sha2("quantizer", 256).alias("digest")
    rows = tables.select_if_there(QUANTIZERS, scope).select("n_cells", digest).head(1)
    return Cells(rows[0].n_cells, rows[0].digest, scope) if rows else None


def _as_row(trained: DataFrame, values: Scope) -> DataFrame:
    named = trained.withColumns({key: F.lit(value[0]) for key, value in values.items()})
    return named.select([F.col(f.name).cast(f.dataType).alias(f.name) for f in QUANTIZERS.schema])


def read_router(tables: Tables, cells: Cells | None, settings: Neighbours) -> Router | None:
    """The router of a stored quantizer; None for an exact search."""
    if cells is None:
        return None
    (row,) = tables.select(QUANTIZERS, cells.scope).select("quantizer").head(1)
    return load_router(bytes(row.quantizer), settings.shards, min(settings.nprobe, cells.n))


def measure_recall(
    forward: DataFrame,
    queries: DataFrame,
    corpus: DataFrame,
    sizes: Sizes,
    *,
    settings: Neighbours,
    seed: int,
) -> dict[str, int]:
    """Metrics of recall: the exact neighbours of sampled queries, and how many of those ``forward``
    has. Empty for an exact search.
    """
    exact = settings.method == EXACT and settings.index == "Flat"
    if exact or not settings.recall_queries or not sizes.n_queries:
        return {}
    sample = sample_by_hash(queries, settings.recall_queries, sizes.n_queries, seed)
    search = Search(settings.k, sizes.dimension)
    request = SearchRequest(search, shards=settings.shards, exclude=EXCLUDED)
    truth = merge_candidates(find_candidates(sample, corpus, request), search.k)
    (row,) = recall_at_k(forward, truth, search.k).collect()
    return {
        "recall_queries": row.n_queries,
        "recall_expected": row.n_expected,
        "recall_found": row.n_found,
    }


def sizes_of(queries: DataFrame, corpus: DataFrame, half: bool) -> Sizes:
    """Counts the rows of both; takes the dimension from the first document.

    Raises:
        TableError: there are no queries or no documents.
    """
    return _sizes(queries.count(), corpus.count(), corpus, half)


def sizes_of_plan(plan: DataFrame, corpus: DataFrame, half: bool) -> Sizes:
    """Like `sizes_of`, from the result of `plan_vectors`; also counts what is new and gone.

    Raises:
        TableError: there are no queries or no documents.
    """
    (n,) = count_plan(plan).collect()
    sizes = _sizes(n.n_queries, n.n_documents, corpus, half)
    return replace(sizes, n_new=n.n_new, n_gone=n.n_gone, newest=n.newest)


def _sizes(n_queries: int, n_documents: int, corpus: DataFrame, half: bool) -> Sizes:
    for n, what in ((n_queries, "queries"), (n_documents, "English documents")):
        if not n:
            raise TableError(
                f"embeddings has no {what} of this encoder: run documents and embeddings first"
            )
    length = F.octet_length("vector") / 2 if half else F.size("vector")
    (row,) = corpus.select(length.cast("int").alias("dimension")).head(1)
    return Sizes(n_queries, n_documents, row.dimension)
