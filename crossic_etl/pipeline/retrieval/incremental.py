"""Incremental search in both directions: keeps complete neighbour lists and searches the rest."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from crossic_etl.config.crawl import Neighbours
from crossic_etl.kernels.encoding.spec import EncoderChoice
from crossic_etl.pipeline.retrieval.plan import (
    Cells,
    Sizes,
    choose_quantizer,
    log_plan,
    make_request,
    plan_of,
    read_router,
    sizes_of_plan,
)
from crossic_etl.pipeline.retrieval.state import SearchState, read_search_state, search_settings
from crossic_etl.schemas import (
    DOCUMENTS,
    EMBEDDINGS,
    NEIGHBOURS,
    REVERSE_NEIGHBOURS,
    SEARCHED_VECTORS,
    Table,
)
from crossic_etl.tables import Tables
from crossic_etl.transforms.candidates import SearchRequest, find_candidates, merge_candidates
from crossic_etl.transforms.changes import mark_changes
from crossic_etl.transforms.frames import union
from crossic_etl.transforms.increments import (
    choose_queries,
    flag_entries,
    pack_lists,
    plan_vectors,
    queries_of,
    select_covered,
    select_fresh,
    select_kept,
    select_searched,
    unpack_lists,
)
from crossic_etl.transforms.matches import add_urls, select_corpus, select_queries, select_vectors
from crossic_etl.transforms.neighbours import (
    LIST_KEY,
    NEIGHBOUR_COLUMNS,
    as_queries,
    documents_of,
    merge_neighbours,
)

log = logging.getLogger(__name__)

PLAN, FORWARD, BACKWARD = "neighbours_plan", "forward", "backward"


class NeighbourLists(NamedTuple):
    """The updated neighbour lists of one direction.

    Attributes:
        found: their entries, with the columns `NEIGHBOUR_COLUMNS`.
        n_in_all: number of lists compared with all targets.
        n_in_new: number of lists compared with new targets.
    """

    found: DataFrame
    n_in_all: int = 0
    n_in_new: int = 0

    def counts(self, of: str) -> dict[str, int]:
        """The metrics for `Run`; ``of`` names the queries of this direction."""
        return {f"{of}_in_all": self.n_in_all, f"{of}_in_new": self.n_in_new}


class _Direction(NamedTuple):
    """One direction of the search.

    Attributes:
        name: `FORWARD` or `BACKWARD`, also the name of its scratch table.
        queries: vectors to search for.
        targets: vectors to search in; ``n_targets`` is their number.
        within: a query is compared with targets of the same value in this column; None for all.
    """

    name: str
    queries: DataFrame
    targets: DataFrame
    n_targets: int
    within: str | None = None


@dataclass(frozen=True)
class IncrementalSearch:
    """A prepared search.

    Attributes:
        tables: the root to read from and to stage in.
        settings: the section ``neighbours``.
        languages: target languages.
        choice: the encoder of all vectors.
        queries, corpus: ``id, lang, vector`` and the columns to exclude on.
        sizes: of queries and corpus.
        cells: the quantizer; None for an exact search.
        plan: the result of `plan_vectors`.
        state: the state that the last search stored.
        neighbours, reverse: stored rows of these languages and this encoder.
    """

    tables: Tables
    settings: Neighbours
    languages: Sequence[str]
    choice: EncoderChoice
    queries: DataFrame
    corpus: DataFrame
    sizes: Sizes
    cells: Cells | None
    plan: DataFrame
    state: SearchState
    neighbours: DataFrame
    reverse: DataFrame

    @property
    def is_current(self) -> bool:
        """Whether no vector is new or gone for any language, so that all lists are unchanged."""
        covered = self.state.covered
        return not (self.sizes.n_new or self.sizes.n_gone) and all(
            covered.get(lang, -1) >= self.sizes.newest for lang in self.languages
        )

    @property
    def generation(self) -> int:
        """The generation of this run's new vectors."""
        return self.state.generation(self.sizes.newest, self.sizes.n_new > 0)

    @cached_property
    def _request(self) -> SearchRequest:
        router = read_router(self.tables, self.cells, self.settings)
        return make_request(self.settings, self.sizes.dimension, router)

    def forward(self) -> NeighbourLists:
        """The documents of each query."""
        if self.is_current:
            log.info("neighbours: nothing new to search")
            return NeighbourLists(self.neighbours.select(*NEIGHBOUR_COLUMNS))
        wanted = queries_of(self.plan)
        held = select_covered(wanted, self.plan, self.state.covered)
        direction = _Direction(
            name=FORWARD,
            queries=self.queries,
            targets=self.corpus,
            n_targets=self.sizes.n_documents,
        )
        return self._update(direction, self.neighbours, wanted, held)

    def backward(self, forward: DataFrame) -> NeighbourLists:
        """The queries of each document in ``forward``, for each language."""
        stored = unpack_lists(self.reverse)
        if self.is_current:
            return NeighbourLists(stored)
        wanted = documents_of(forward)
        lists = self.reverse.select(F.col("doc_id").alias("query_id"), "target_lang")
        held = select_covered(lists, self.plan, self.state.covered)
        direction = _Direction(
            name=BACKWARD,
            queries=self.corpus,
            targets=self.queries,
            n_targets=self.sizes.n_queries,
            within="lang",
        )
        kept = stored.join(wanted, on=list(LIST_KEY), how="left_semi")
        return self._update(direction, kept, wanted, held)

    def changes(self, forward: DataFrame, backward: DataFrame) -> list[tuple[Table, DataFrame]]:
        """The changes of tables other than ``neighbours``, as `SearchState.publish` takes them."""
        if self.is_current:
            return []
        model, revision = self.choice.model, self.choice.revision
        packed = pack_lists(backward, documents_of(forward), model, revision)
        marked = mark_changes(packed, self.reverse, REVERSE_NEIGHBOURS)
        return [
            (REVERSE_NEIGHBOURS, self.tables.stage(REVERSE_NEIGHBOURS.name, marked)),
            (SEARCHED_VECTORS, select_searched(self.plan, model, revision, self.generation)),
        ]

    def unstage(self) -> None:
        """Empties the scratch tables."""
        lists = () if self.is_current else (FORWARD, BACKWARD, REVERSE_NEIGHBOURS.name)
        for name in (PLAN, *lists):
            self.tables.unstage(name)

    def _update(
        self, direction: _Direction, stored: DataFrame, wanted: DataFrame, held: DataFrame
    ) -> NeighbourLists:
        """Searches for the ``wanted`` lists; complete ``held`` lists only among new targets."""
        k, covered = self.settings.k, self.state.covered
        entries = flag_entries(stored, self.plan, covered, k)
        lists = choose_queries(wanted, held, entries)
        counts = {row.in_all: row["count"] for row in lists.groupBy("in_all").count().collect()}
        n_in_all, n_held, n_new = counts.get(True, 0), counts.get(False, 0), 0
        searches = []
        if n_in_all:
            self._log_size(direction, n_in_all, direction.n_targets)
            searches.append(self._search(direction, lists.where("in_all"), direction.targets))
        if n_held:
            ids = select_fresh(self.plan, covered, english=direction.name == FORWARD)
            if n_new := ids.count():
                self._log_size(direction, n_held, n_new, "new ")
                new = direction.targets.join(ids, on="id", how="left_semi")
                searches.append(self._search(direction, lists.where("NOT in_all"), new))
        kept = select_kept(entries)
        fresh = kept.limit(0)
        if searches:
            fresh = merge_candidates(union(searches), k)
        found = self.tables.stage(direction.name, merge_neighbours(kept, fresh, k))
        return NeighbourLists(found, n_in_all, n_held if n_new else 0)

    def _search(self, direction: _Direction, lists: DataFrame, targets: DataFrame) -> DataFrame:
        queries = as_queries(lists, direction.queries)
        return find_candidates(queries, targets, self._request, within=direction.within)

    def _log_size(
        self, direction: _Direction, n_queries: int, n_targets: int, new: str = ""
    ) -> None:
        """Logs the cost of a search; raises if it can't fit."""
        sizes = Sizes(n_queries, n_targets, self.sizes.dimension)
        if direction.within:
            log.info(
                "neighbours: backward: %s documents, once for each language that found them, in "
                "its part of %s %squeries",
                f"{n_queries:,}",
                f"{n_targets:,}",
                new,
            )
            plan_of(self.settings, sizes, self.cells.n if self.cells else 1)
        else:
            log_plan(self.settings, sizes, self.cells)


def start_search(
    tables: Tables,
    *,
    settings: Neighbours,
    languages: Sequence[str],
    query_kind: str,
    seed: int,
    choice: EncoderChoice,
) -> IncrementalSearch:
    """Reads the vectors and the last search's state; chooses the quantizer of a routed search.

    ``query_kind`` is ``retrieved.queries``.

    Raises:
        TableError: there are no queries or no documents.
        UnfitSettingError: a search with a new quantizer can't fit.
    """
    langs = ("en", *languages)
    held = tables.select(EMBEDDINGS, {**choice.scope, "lang": langs})
    vectors = add_urls(select_vectors(held, choice.half), tables.read(DOCUMENTS))
    queries, corpus = select_queries(vectors, query_kind), select_corpus(vectors)
    encoder = {"model": [choice.model], "revision": [choice.revision]}
    searched = tables.select_if_there(SEARCHED_VECTORS, encoder)
    plan = tables.stage(PLAN, plan_vectors(queries.unionByName(corpus), searched, langs))
    sizes = sizes_of_plan(plan, corpus, choice.half)
    cells = choose_quantizer(tables, corpus, sizes, settings=settings, seed=seed, choice=choice)
    digest = cells.digest if cells else None
    scope: Mapping[str, Sequence[str]] = {"target_lang": languages, **encoder}
    neighbours = tables.select_if_there(NEIGHBOURS, scope)
    decisive = search_settings(settings, query_kind, choice, digest)
    return IncrementalSearch(
        tables=tables,
        settings=settings,
        languages=languages,
        choice=choice,
        queries=queries,
        corpus=corpus,
        sizes=sizes,
        cells=cells,
        plan=plan,
        state=read_search_state(tables, scope, decisive, neighbours),
        neighbours=neighbours,
        reverse=tables.select_if_there(REVERSE_NEIGHBOURS, scope),
    )
