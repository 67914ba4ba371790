"""What a search for neighbours needs before it starts: its plan, and a quantizer if it routes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import isqrt

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from crossic_etl.config import Config
from crossic_etl.config.crawl import Neighbours
from crossic_etl.config.errors import UnfitSettingError
from crossic_etl.kernels.encoding.spec import EncoderChoice
from crossic_etl.kernels.search.plan import EXACT, MIB, Job, Plan, PlanError, plan_search
from crossic_etl.kernels.search.routing import Router
from crossic_etl.kernels.search.shard import Search
from crossic_etl.pipeline.retrieval.progress import EXCLUDED
from crossic_etl.schemas import QUANTIZERS
from crossic_etl.tables import Scope, TableError, Tables
from crossic_etl.transforms.increments import count_plan
from crossic_etl.transforms.neighbours import (
    find_candidates,
    load_router,
    merge_candidates,
    recall_at_k,
    sample_by_hash,
    train_quantizer,
)

# Ours, as FAISS advises for its inverted files: about four times the root of the vectors.
_CELLS_OF_ROOT = 4
# Ours: a corpus that would have so many times the cells has grown by its square since.
_MANY_TIMES = 2


@dataclass(frozen=True)
class Sizes:
    """Rows counted, and floats of a vector; what of both is new or gone, the newest generation."""

    n_queries: int
    n_documents: int
    dimension: int
    n_new: int = 0
    n_gone: int = 0
    newest: int = 0


@dataclass(frozen=True)
class Cells:
    """A quantizer in ``quantizers``: the cells that were asked for, its digest, and its row."""

    n: int
    digest: str
    scope: Scope


def make_search(settings: Neighbours, dimension: int) -> Search:
    """How a shard is searched."""
    return Search(settings.k, dimension, settings.index)


def fitted_cells(settings: Neighbours, n_documents: int) -> int:
    """Cells of a new quantizer: as configured, else fitted to the corpus, at least one a shard."""
    fitted = _CELLS_OF_ROOT * isqrt(n_documents)
    return settings.cells or max(settings.shards, min(fitted, max(1, n_documents)))


def plan_of(settings: Neighbours, sizes: Sizes, cells: int) -> Plan:
    """What a search of so many queries in so many documents takes.

    Raises:
        UnfitSettingError: it can't fit; names the setting to change.
    """
    job = Job(
        sizes.n_documents,
        sizes.n_queries,
        settings.method,
        settings.shards,
        settings.task_memory_mb * MIB,
        cells,
        min(settings.nprobe, cells),
    )
    try:
        return plan_search(job, make_search(settings, sizes.dimension))
    except PlanError as error:
        message = str(error).replace("neighbours.task_memory", "neighbours.task_memory_mb")
        raise UnfitSettingError(message) from None


def print_plan(
    settings: Neighbours, sizes: Sizes, cells: Cells | None, job: str = "neighbours"
) -> None:
    """Says what the job's search will take.

    Raises:
        UnfitSettingError: it can't fit; names the setting to change.
    """
    for line in plan_of(settings, sizes, cells.n if cells else 1).lines():
        print(f"{job}: {line}", flush=True)


def choose_quantizer(
    tables: Tables, corpus: DataFrame, sizes: Sizes, config: Config, choice: EncoderChoice
) -> Cells | None:
    """None for an exact search; else the quantizer that was trained before, or a new one, stored.

    A quantizer is trained on rows chosen by a hash with the seed, and kept, also where the corpus
    grows: new documents go to the cells of the old ones. Another encoder, seed or other
    ``neighbours.cells`` or ``train_rows`` have one of their own.

    Raises:
        UnfitSettingError: a search with a new quantizer can't fit.
    """
    settings = config.neighbours
    if settings.method == EXACT:
        return None
    scope: Scope = {
        **choice.scope, "seed": [config.seed], "train_rows": [settings.train_rows],
        "is_fitted": [settings.cells is None],
    }  # fmt: skip
    if settings.cells:
        scope = {**scope, "n_cells": [settings.cells]}
    fitting = fitted_cells(settings, sizes.n_documents)
    held = _held_cells(tables, scope)
    if held and held.n >= settings.shards:
        if fitting >= _MANY_TIMES * held.n:
            print(
                f"neighbours: the quantizer's {held.n:,} cells are kept; {fitting:,} would fit the "
                "corpus now: see neighbours.cells",
                flush=True,
            )
        return held
    plan_of(settings, sizes, fitting)
    sample = sample_by_hash(corpus, settings.train_rows, sizes.n_documents, config.seed)
    trained = train_quantizer(sample, sizes.dimension, fitting, config.seed)
    tables.replace(QUANTIZERS, _as_row(trained, {**scope, "n_cells": [fitting]}), scope)
    return _held_cells(tables, scope)


def _held_cells(tables: Tables, scope: Scope) -> Cells | None:
    digest = F.sha2("quantizer", 256).alias("digest")
    rows = tables.select_or_create(QUANTIZERS, scope).select("n_cells", digest).head(1)
    return Cells(rows[0].n_cells, rows[0].digest, scope) if rows else None


def _as_row(trained: DataFrame, values: Scope) -> DataFrame:
    named = trained.withColumns({key: F.lit(value[0]) for key, value in values.items()})
    return named.select([F.col(f.name).cast(f.dataType).alias(f.name) for f in QUANTIZERS.schema])


def read_router(tables: Tables, cells: Cells | None, settings: Neighbours) -> Router | None:
    """The way to the shards, for a routed search."""
    if cells is None:
        return None
    (row,) = tables.select(QUANTIZERS, cells.scope).select("quantizer").head(1)
    return load_router(bytes(row.quantizer), settings.shards, min(settings.nprobe, cells.n))


def measure(
    forward: DataFrame, queries: DataFrame, corpus: DataFrame, sizes: Sizes, config: Config
) -> dict[str, int]:
    """Neighbours that an exact search finds for a sample of the queries, and how many ``forward``
    has of them: recall, where the search was not exact.
    """
    settings = config.neighbours
    exact = settings.method == EXACT and settings.index == "Flat"
    if exact or not settings.recall_queries or not sizes.n_queries:
        return {}
    sample = sample_by_hash(queries, settings.recall_queries, sizes.n_queries, config.seed)
    search = Search(settings.k, sizes.dimension)
    truth = merge_candidates(
        find_candidates(sample, corpus, search, settings.shards, exclude=EXCLUDED), search.k
    )
    (row,) = recall_at_k(forward, truth, search.k).collect()
    return {
        "recall_queries": row.n_queries,
        "recall_expected": row.n_expected,
        "recall_found": row.n_found,
    }


def sizes_of(queries: DataFrame, corpus: DataFrame, half: bool) -> Sizes:
    """Rows of both, counted, and the dimension of their vectors.

    Raises:
        TableError: there is nothing to search for, or in.
    """
    return _sizes(queries.count(), corpus.count(), corpus, half)


def sizes_of_plan(plan: DataFrame, corpus: DataFrame, half: bool) -> Sizes:
    """The same of a plan, and what is new and gone in it.

    Raises:
        TableError: there is nothing to search for, or in.
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
