"""Margins of calibration pairs: searched for as densely as neighbours are."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from crossic_etl.config.crawl import Neighbours
from crossic_etl.kernels.encoding.spec import EncoderChoice
from crossic_etl.kernels.search.settings import Search
from crossic_etl.pipeline.retrieval.plan import (
    Sizes,
    choose_quantizer,
    log_plan,
    make_request,
    read_router,
    sizes_of,
)
from crossic_etl.pipeline.retrieval.state import EXCLUDED
from crossic_etl.tables import Tables
from crossic_etl.transforms.candidates import SearchRequest, find_candidates, merge_candidates
from crossic_etl.transforms.matches import select_corpus, select_queries
from crossic_etl.transforms.neighbours import as_queries, documents_of, find_backward
from crossic_etl.transforms.thresholds import (
    KNOWN,
    add_cosines,
    choose_nearest,
    choose_random,
    join_pairs,
    score_pairs,
    select_ends,
)

SCRATCH = "pairs_to_score"
# The nearest English page beside the right one: best or second best.
_BEST_TWO = 2


def score_calibration_pairs(
    tables: Tables,
    filtered: DataFrame,
    vectors: DataFrame,
    *,
    settings: Neighbours,
    query_kind: str,
    seed: int,
    choice: EncoderChoice,
) -> DataFrame:
    """Margins of the known pairs of ``filtered`` and of as many wrong ones, see `score_pairs`.

    ``filtered`` is what `filter_pairs` gave, ``query_kind`` is ``retrieved.queries``. The
    neighbours of a query are English documents, as in use, and the English pages of the pairs.
    Those of an English page are the queries of its language that are in use, and the pairs' own.

    Raises:
        TableError: there are no queries or no documents in use.
        UnfitSettingError: the search can't fit; names the setting to change.
    """
    in_use, documents = select_queries(vectors, query_kind), select_corpus(vectors)
    sizes = sizes_of(in_use, documents, choice.half)
    known = filtered.where(F.col("outcome") == KNOWN)
    queries, pages = select_ends(known, vectors)
    n_documents = sizes.n_documents + pages.count()
    cells = choose_quantizer(tables, documents, sizes, settings=settings, seed=seed, choice=choice)
    searched = Sizes(known.count(), n_documents, sizes.dimension)
    log_plan(settings, searched, cells, job="calibrate")
    request = make_request(settings, sizes.dimension, read_router(tables, cells, settings))
    wrong = wrong_pairs(known, queries, pages, settings, sizes.dimension, seed)
    pairs = tables.stage(SCRATCH, join_pairs(known, wrong))
    candidates = find_candidates(queries, documents.unionByName(pages), request)
    forward = merge_candidates(candidates, request.search.k)
    asked = in_use.unionByName(queries.join(in_use.select("id"), on="id", how="left_anti"))
    backward = find_backward(pairs, asked, pages, request)
    return score_pairs(add_cosines(pairs, queries, pages, sizes.dimension), forward, backward)


def wrong_pairs(
    known: DataFrame,
    queries: DataFrame,
    pages: DataFrame,
    settings: Neighbours,
    dimension: int,
    seed: int,
) -> DataFrame:
    """`PAIR` of each query with a wrong English page, chosen as ``neighbours.wrong_pairs`` says.

    ``queries`` and ``pages`` are the vectors of the known pairs' ends.
    """
    if settings.wrong_pairs == "random":
        return choose_random(known, seed)
    request = SearchRequest(Search(_BEST_TWO, dimension), settings.shards, exclude=EXCLUDED)
    of_language = as_queries(documents_of(known), pages)
    found = find_candidates(queries, of_language, request, within="lang")
    return choose_nearest(known, merge_candidates(found, request.search.k))
