"""The search that gives known pairs their margins: as dense as that for neighbours."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from crossic_etl.config import Config
from crossic_etl.kernels.encoding.spec import EncoderChoice
from crossic_etl.kernels.search.shard import Search
from crossic_etl.pipeline.retrieval.plan import (
    Sizes,
    choose_quantizer,
    make_search,
    print_plan,
    read_router,
    sizes_of,
)
from crossic_etl.pipeline.retrieval.progress import EXCLUDED
from crossic_etl.tables import Tables
from crossic_etl.transforms.matches import select_corpus, select_queries
from crossic_etl.transforms.neighbours import (
    as_seekers,
    documents_of,
    find_backward,
    find_candidates,
    merge_candidates,
)
from crossic_etl.transforms.thresholds import (
    KNOWN,
    add_cosines,
    join_pairs,
    pick_nearest,
    pick_random,
    score_pairs,
    select_ends,
)

# The nearest English page beside the right one: best or second best.
_BEST_TWO = 2


def score_known(
    tables: Tables, judged: DataFrame, vectors: DataFrame, config: Config, choice: EncoderChoice
) -> DataFrame:
    """Margins of the known pairs of ``judged`` and of as many wrong ones, see `score_pairs`.

    The neighbours of a query are English documents, as in use, and the English pages of the pairs;
    those of an English page are the queries of its language that are in use, and the pairs' own.

    Raises:
        TableError: there are no queries or documents in use.
        UnfitSettingError: the search can't fit; names the setting to change.
    """
    settings = config.neighbours
    in_use, documents = select_queries(vectors, config.retrieved.queries), select_corpus(vectors)
    sizes = sizes_of(in_use, documents, choice.half)
    known = judged.where(F.col("outcome") == KNOWN)
    queries, pages = select_ends(known, vectors)
    n_pages = pages.count()
    cells = choose_quantizer(tables, documents, sizes, config, choice)
    print_plan(
        settings,
        Sizes(known.count(), sizes.n_documents + n_pages, sizes.dimension),
        cells,
        job="calibrate",
    )
    router = read_router(tables, cells, settings)
    pairs = tables.stage("pairs_to_score", _pairs(known, queries, pages, sizes, config))
    search = make_search(settings, sizes.dimension)
    shards = settings.shards
    corpus = documents.unionByName(pages)
    forward = merge_candidates(
        find_candidates(queries, corpus, search, shards, router, exclude=EXCLUDED), search.k
    )
    asked = in_use.unionByName(queries.join(in_use.select("id"), on="id", how="left_anti"))
    backward = find_backward(pairs, asked, pages, search, shards, router, EXCLUDED)
    return score_pairs(add_cosines(pairs, queries, pages, sizes.dimension), forward, backward)


def _pairs(
    known: DataFrame, queries: DataFrame, pages: DataFrame, sizes: Sizes, config: Config
) -> DataFrame:
    """Right pairs and wrong ones."""
    settings = config.neighbours
    if settings.wrong_pairs == "random":
        return join_pairs(known, pick_random(known, config.seed))
    search = Search(_BEST_TWO, sizes.dimension)
    of_language = as_seekers(documents_of(known), pages)
    found = find_candidates(
        queries, of_language, search, settings.shards, within="lang", exclude=EXCLUDED
    )
    return join_pairs(known, pick_nearest(known, merge_candidates(found, search.k)))
