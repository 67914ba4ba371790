"""Both directions of a search, each brought up to date: old lists kept, what is new searched."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from crossic_etl.config import Config
from crossic_etl.kernels.encoding.spec import EncoderChoice
from crossic_etl.kernels.search.routing import Router
from crossic_etl.pipeline.retrieval.plan import (
    Cells,
    Sizes,
    choose_quantizer,
    make_search,
    plan_of,
    print_plan,
    read_router,
    sizes_of_plan,
)
from crossic_etl.pipeline.retrieval.progress import (
    EXCLUDED,
    Progress,
    deciding_settings,
    read_progress,
)
from crossic_etl.schemas import (
    DOCUMENTS,
    EMBEDDINGS,
    NEIGHBOURS,
    REVERSE_NEIGHBOURS,
    SEARCHED_VECTORS,
    Table,
)
from crossic_etl.tables import Tables
from crossic_etl.transforms.changes import mark_changes
from crossic_etl.transforms.frames import union
from crossic_etl.transforms.increments import (
    choose_seekers,
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
    FOUND,
    LIST,
    as_seekers,
    documents_of,
    find_candidates,
    merge_candidates,
    merge_neighbours,
)

PLAN, FORWARD, BACKWARD = "neighbours_plan", "forward", "backward"


class Lists(NamedTuple):
    """Lists of one direction, up to date.

    Attributes:
        found: their entries, with the columns `FOUND`.
        n_in_all: lists that were searched for among all targets.
        n_in_new: lists that were searched for among new targets.
    """

    found: DataFrame
    n_in_all: int = 0
    n_in_new: int = 0

    def counts(self, of: str) -> dict[str, int]:
        """For `runs`."""
        return {f"{of}_in_all": self.n_in_all, f"{of}_in_new": self.n_in_new}


class _Direction(NamedTuple):
    name: str
    seekers: DataFrame
    targets: DataFrame
    n_targets: int
    within: str | None = None


@dataclass(frozen=True)
class ListSearch:
    """A search, ready to begin.

    Attributes:
        queries, corpus: ``id, lang, vector`` and the columns to exclude on.
        plan: what `plan_vectors` gave.
        neighbours, reverse: what these tables hold of the run's languages and encoder.
    """

    tables: Tables
    config: Config
    choice: EncoderChoice
    queries: DataFrame
    corpus: DataFrame
    sizes: Sizes
    cells: Cells | None
    plan: DataFrame
    progress: Progress
    neighbours: DataFrame
    reverse: DataFrame

    @property
    def is_current(self) -> bool:
        """Whether all lists are as they should be: no vector is new or gone for any language."""
        covered = self.progress.covered
        return not (self.sizes.n_new or self.sizes.n_gone) and all(
            covered.get(lang, -1) >= self.sizes.newest for lang in self.config.languages
        )

    @property
    def generation(self) -> int:
        """Of the vectors that are new."""
        return self.progress.generation(self.sizes.newest, self.sizes.n_new > 0)

    @cached_property
    def _router(self) -> Router | None:
        return read_router(self.tables, self.cells, self.config.neighbours)

    def forward(self) -> Lists:
        """The documents of each query."""
        if self.is_current:
            print("neighbours: nothing new to search", flush=True)
            return Lists(self.neighbours.select(*FOUND))
        wanted = queries_of(self.plan)
        held = select_covered(wanted, self.plan, self.progress.covered)
        direction = _Direction(FORWARD, self.queries, self.corpus, self.sizes.n_documents)
        return self._update(direction, self.neighbours, wanted, held)

    def backward(self, forward: DataFrame) -> Lists:
        """The queries of each document that ``forward`` found, in each language."""
        stored = unpack_lists(self.reverse)
        if self.is_current:
            return Lists(stored)
        wanted = documents_of(forward)
        lists = self.reverse.select(F.col("doc_id").alias("query_id"), "target_lang")
        held = select_covered(lists, self.plan, self.progress.covered)
        direction = _Direction(BACKWARD, self.corpus, self.queries, self.sizes.n_queries, "lang")
        return self._update(
            direction, stored.join(wanted, on=list(LIST), how="left_semi"), wanted, held
        )

    def changes(self, forward: DataFrame, backward: DataFrame) -> list[tuple[Table, DataFrame]]:
        """What must be written besides ``neighbours``, as `Progress.publish` takes it."""
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
    ) -> Lists:
        k, covered = self.config.neighbours.k, self.progress.covered
        entries = flag_entries(stored, self.plan, covered, k)
        seekers = choose_seekers(wanted, held, entries)
        counts = {row.in_all: row["count"] for row in seekers.groupBy("in_all").count().collect()}
        n_in_all, n_held, n_new = counts.get(True, 0), counts.get(False, 0), 0
        searches = []
        if n_in_all:
            self._say(direction, n_in_all, direction.n_targets)
            searches.append(self._search(direction, seekers.where("in_all"), direction.targets))
        if n_held:
            ids = select_fresh(self.plan, covered, english=direction.name == FORWARD)
            if n_new := ids.count():
                self._say(direction, n_held, n_new, "new ")
                new = direction.targets.join(ids, on="id", how="left_semi")
                searches.append(self._search(direction, seekers.where("NOT in_all"), new))
        kept = select_kept(entries)
        fresh = kept.limit(0)
        if searches:
            fresh = merge_candidates(union(searches), k)
        found = self.tables.stage(direction.name, merge_neighbours(kept, fresh, k))
        return Lists(found, n_in_all, n_held if n_new else 0)

    def _search(self, direction: _Direction, lists: DataFrame, targets: DataFrame) -> DataFrame:
        return find_candidates(
            as_seekers(lists, direction.seekers),
            targets,
            make_search(self.config.neighbours, self.sizes.dimension),
            self.config.neighbours.shards,
            self._router,
            within=direction.within,
            exclude=EXCLUDED,
        )

    def _say(self, direction: _Direction, n_seekers: int, n_targets: int, new: str = "") -> None:
        """Prints what a search will take; raises where it can't fit."""
        sizes = Sizes(n_seekers, n_targets, self.sizes.dimension)
        if direction.within:
            print(
                f"neighbours: backward: {n_seekers:,} documents, once for each language that found "
                f"them, in its part of {n_targets:,} {new}queries",
                flush=True,
            )
            plan_of(self.config.neighbours, sizes, self.cells.n if self.cells else 1)
        else:
            print_plan(self.config.neighbours, sizes, self.cells)


def start_search(tables: Tables, config: Config, choice: EncoderChoice) -> ListSearch:
    """Reads vectors and what was searched of them; chooses the quantizer, if one routes.

    Raises:
        TableError: there is nothing to search for, or in.
        UnfitSettingError: a search with a new quantizer can't fit.
    """
    held = tables.select(EMBEDDINGS, {**choice.scope, "lang": config.wikis})
    vectors = add_urls(select_vectors(held, choice.half), tables.read(DOCUMENTS))
    queries, corpus = select_queries(vectors, config.retrieved.queries), select_corpus(vectors)
    encoder = {"model": [choice.model], "revision": [choice.revision]}
    searched = tables.select_or_create(SEARCHED_VECTORS, encoder)
    planned = plan_vectors(queries.unionByName(corpus), searched, config.wikis)
    plan = tables.stage(PLAN, planned)
    sizes = sizes_of_plan(plan, corpus, choice.half)
    cells = choose_quantizer(tables, corpus, sizes, config, choice)
    deciding = deciding_settings(config, choice, cells.digest if cells else None)
    scope: Mapping[str, Sequence[str]] = {"target_lang": config.languages, **encoder}
    neighbours = tables.select_or_create(NEIGHBOURS, scope)
    progress = read_progress(tables, scope, deciding, neighbours)
    reverse = tables.select_or_create(REVERSE_NEIGHBOURS, scope)
    return ListSearch(
        *(tables, config, choice, queries, corpus, sizes, cells),
        *(plan, progress, neighbours, reverse),
    )
