"""What a search for neighbours needs before it starts: its plan, and a quantizer if it routes."""

from __future__ import annotations

from dataclasses import dataclass
from math import isqrt

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from crossic_etl.config import Config
from crossic_etl.config_crawl import Neighbours
from crossic_etl.config_errors import UnfitSettingError
from crossic_etl.encoder_choice import EncoderChoice
from crossic_etl.kernels.cell_search import Search
from crossic_etl.kernels.retrieval_plan import EXACT, MIB, Job, PlanError, plan_search
from crossic_etl.kernels.routing import Router
from crossic_etl.schemas import QUANTIZERS
from crossic_etl.tables import Scope, TableError, Tables
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
# A query finds no document of its own address or with its very text.
EXCLUDED = ("url", "text_hash")


@dataclass(frozen=True)
class Sizes:
    """Rows counted, and floats of a vector."""

    n_queries: int
    n_documents: int
    dimension: int


def make_search(settings: Neighbours, dimension: int) -> Search:
    """How a shard is searched."""
    return Search(settings.k, dimension, settings.index)


def n_cells(settings: Neighbours, n_documents: int) -> int:
    """Cells of the quantizer: as configured, else fitted to the corpus, at least one a shard."""
    fitted = _CELLS_OF_ROOT * isqrt(n_documents)
    return settings.cells or max(settings.shards, min(fitted, max(1, n_documents)))


def print_plan(settings: Neighbours, sizes: Sizes, job: str = "neighbours") -> None:
    """Says what the job's search will take.

    Raises:
        UnfitSettingError: it can't fit; names the setting to change.
    """
    cells = n_cells(settings, sizes.n_documents)
    work = Job(
        sizes.n_documents,
        sizes.n_queries,
        settings.method,
        settings.shards,
        settings.task_memory_mb * MIB,
        cells,
        min(settings.nprobe, cells),
    )
    try:
        plan = plan_search(work, make_search(settings, sizes.dimension))
    except PlanError as error:
        message = str(error).replace("neighbours.task_memory", "neighbours.task_memory_mb")
        raise UnfitSettingError(message) from None
    for line in plan.lines():
        print(f"{job}: {line}", flush=True)


def choose_router(
    tables: Tables, corpus: DataFrame, sizes: Sizes, config: Config, choice: EncoderChoice
) -> Router | None:
    """None for an exact search; else the quantizer that was trained before, or a new one, stored.

    A quantizer is trained on rows chosen by a hash with the seed, and kept: new documents go to the
    cells of the old ones.
    """
    settings = config.neighbours
    if settings.method == EXACT:
        return None
    cells = n_cells(settings, sizes.n_documents)
    scope: Scope = {**choice.scope, "n_cells": [cells], "seed": [config.seed]}
    held = tables.select_or_create(QUANTIZERS, scope).select("quantizer").head(1)
    if not held:
        sample = sample_by_hash(corpus, settings.train_rows, sizes.n_documents, config.seed)
        trained = train_quantizer(sample, sizes.dimension, cells, config.seed)
        tables.replace(QUANTIZERS, _as_row(trained, scope), scope)
        held = tables.select(QUANTIZERS, scope).select("quantizer").head(1)
    return load_router(bytes(held[0].quantizer), settings.shards, min(settings.nprobe, cells))


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
    n_queries, n_documents = queries.count(), corpus.count()
    for n, what in ((n_queries, "queries"), (n_documents, "English documents")):
        if not n:
            raise TableError(
                f"embeddings has no {what} of this encoder: run documents and embeddings first"
            )
    length = F.octet_length("vector") / 2 if half else F.size("vector")
    (row,) = corpus.select(length.cast("int").alias("dimension")).head(1)
    return Sizes(n_queries, n_documents, row.dimension)


def _as_row(trained: DataFrame, scope: Scope) -> DataFrame:
    named = trained.withColumns({key: F.lit(values[0]) for key, values in scope.items()})
    return named.select([F.col(f.name).cast(f.dataType).alias(f.name) for f in QUANTIZERS.schema])
