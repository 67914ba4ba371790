"""Margins of calibration pairs, searched for among as many vectors as neighbours are."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import NamedTuple

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from crossic_etl.config.crawl import SEARCHED, Neighbours
from crossic_etl.kernels.encoding.spec import EncoderChoice
from crossic_etl.kernels.search.settings import Search
from crossic_etl.pipeline.retrieval.plan import (
    Cells,
    Sizes,
    choose_quantizer,
    log_plan,
    make_request,
    plan_of,
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
    PAIR,
    add_cosines,
    add_right,
    choose_nearest,
    choose_random,
    find_copies,
    join_pairs,
    leave_out_copies,
    score_absent,
    score_pairs,
    select_ends,
)

log = logging.getLogger(__name__)

SCRATCH = "pairs_to_score"
FORWARD, BACKWARD = "calibration_forward", "calibration_backward"
# The two nearest English pages of a query: one of them isn't its own.
_BEST_TWO = 2
# Ours: copies of a page that may take places among a query's nearest. ``documents`` has removed
# near duplicates, so that a page has few copies.
_COPIES = 5


class CalibrationScores(NamedTuple):
    """Margins of calibration pairs.

    Attributes:
        margins: ``target_lang, query_id, is_right, margin``.
        n_searched: English texts that the queries were compared with.
    """

    margins: DataFrame
    n_searched: int


@dataclass(frozen=True)
class _Prepared:
    """Vectors and settings of a calibration.

    Attributes:
        known: `PAIR` of the known pairs.
        queries, pages: vectors of their two ends.
        documents: vectors of the corpus.
        asked: vectors of target-language texts, which documents are compared with.
        settings, request, cells, dimension: of the search.
        n_asked: rows of ``asked`` at most.
    """

    known: DataFrame
    queries: DataFrame
    pages: DataFrame
    documents: DataFrame
    asked: DataFrame
    settings: Neighbours
    request: SearchRequest
    cells: Cells | None
    dimension: int
    n_asked: int


def score_calibration_pairs(
    tables: Tables,
    filtered: DataFrame,
    vectors: DataFrame,
    *,
    settings: Neighbours,
    query_kind: str,
    seed: int,
    choice: EncoderChoice,
) -> CalibrationScores:
    """Margins of the known pairs of ``filtered`` and of a wrong one for each.

    ``filtered`` is the result of `filter_pairs`; ``query_kind`` is ``retrieved.queries``. Forward,
    a query is compared with the corpus; where the wrong pairs are pages, also with all of the
    pairs' English pages. Backward, an English text is compared with its language's queries of the
    job ``neighbours`` and the pairs' own.

    Raises:
        TableError: the job ``neighbours`` has no queries or no documents.
        UnfitSettingError: the search can't fit; names the setting to change.
    """
    in_use, documents = select_queries(vectors, query_kind), select_corpus(vectors)
    sizes = sizes_of(in_use, documents, choice.half)
    known = filtered.where(F.col("outcome") == KNOWN)
    queries, pages = select_ends(known, vectors)
    is_easy = settings.wrong_pairs != SEARCHED
    n_known, n_searched = known.count(), sizes.n_documents + (pages.count() if is_easy else 0)
    cells = choose_quantizer(tables, documents, sizes, settings=settings, seed=seed, choice=choice)
    log_plan(settings, Sizes(n_known, n_searched, sizes.dimension), cells, job="calibrate")
    others = queries.join(in_use.select("id"), on="id", how="left_anti")
    prepared = _Prepared(
        known=known,
        queries=queries,
        pages=pages,
        documents=documents,
        asked=in_use.unionByName(others),
        settings=settings,
        request=make_request(settings, sizes.dimension, read_router(tables, cells, settings)),
        cells=cells,
        dimension=sizes.dimension,
        n_asked=sizes.n_queries + n_known,
    )
    margins = (
        _score_against_pages(tables, prepared, seed)
        if is_easy
        else _score_against_documents(tables, prepared)
    )
    return CalibrationScores(margins, n_searched)


def _score_against_documents(tables: Tables, prepared: _Prepared) -> DataFrame:
    """The wrong document of a query is the best of all documents, copies of its page left out."""
    known, k, dimension = prepared.known, prepared.request.search.k, prepared.dimension
    documents, pages = prepared.documents, prepared.pages
    found = tables.stage(FORWARD, _search_forward(prepared, documents, k + _COPIES))
    copies = find_copies(known, found, documents.unionByName(pages), dimension)
    without = tables.stage(SCRATCH, leave_out_copies(copies, found, k))
    ends = known.select(*PAIR).unionByName(without.select(*PAIR))
    _log_backward(prepared, documents_of(ends).count())
    searched = documents.unionByName(pages)
    made = find_backward(ends, prepared.asked, searched, prepared.request)
    backward = tables.stage(BACKWARD, made)
    pairs = known.select(*PAIR, F.lit(True).alias("is_right"))
    right = add_cosines(pairs, prepared.queries, pages, dimension)
    of_right = score_pairs(right, add_right(right, without, k), backward)
    return of_right.unionByName(score_absent(without, backward))


def _score_against_pages(tables: Tables, prepared: _Prepared, seed: int) -> DataFrame:
    """The wrong document of a query is another pair's English page."""
    settings, dimension = prepared.settings, prepared.dimension
    ends = prepared.queries, prepared.pages
    wrong = wrong_pairs(prepared.known, *ends, settings, dimension, seed)
    pairs = tables.stage(SCRATCH, join_pairs(prepared.known, wrong))
    searched = prepared.documents.unionByName(prepared.pages)
    forward = _search_forward(prepared, searched, prepared.request.search.k)
    backward = find_backward(pairs, prepared.asked, prepared.pages, prepared.request)
    return score_pairs(add_cosines(pairs, *ends, dimension), forward, backward)


def _search_forward(prepared: _Prepared, searched: DataFrame, k: int) -> DataFrame:
    """The best k of each query among ``searched``."""
    request = replace(prepared.request, search=replace(prepared.request.search, k=k))
    return merge_candidates(find_candidates(prepared.queries, searched, request), k)


def _log_backward(prepared: _Prepared, n_documents: int) -> None:
    """Logs the size of the backward search; raises if it can't fit."""
    log.info(
        "calibrate: backward: %s English texts, once for each language that found them, in its "
        "part of %s queries",
        f"{n_documents:,}",
        f"{prepared.n_asked:,}",
    )
    sizes = Sizes(n_documents, prepared.n_asked, prepared.dimension)
    plan_of(prepared.settings, sizes, prepared.cells.n if prepared.cells else 1)


def wrong_pairs(
    known: DataFrame,
    queries: DataFrame,
    pages: DataFrame,
    settings: Neighbours,
    dimension: int,
    seed: int,
) -> DataFrame:
    """`PAIR` of each query with a wrong English page, chosen as ``neighbours.wrong_pairs`` says.

    ``queries`` and ``pages`` are the vectors of the known pairs.
    """
    if settings.wrong_pairs == "random":
        return choose_random(known, seed)
    request = SearchRequest(Search(_BEST_TWO, dimension), settings.shards, exclude=EXCLUDED)
    of_language = as_queries(documents_of(known), pages)
    found = find_candidates(queries, of_language, request, within="lang")
    return choose_nearest(known, merge_candidates(found, request.search.k))
