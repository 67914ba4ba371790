"""The stored state of each language's last search: its settings, vectors and row counts.

A language's row of ``searches`` is a checkpoint. It is removed before the tables of neighbours are
changed, and written after them. A run that dies in between leaves no row, and the next run searches
that language from scratch.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pyspark.sql import DataFrame, Row

from crossic_etl.config.crawl import Neighbours
from crossic_etl.kernels.encoding.spec import EncoderChoice
from crossic_etl.kernels.search.plan import ROUTED
from crossic_etl.schemas import NEIGHBOURS, SEARCHES, Table
from crossic_etl.tables import Tables
from crossic_etl.tables.checkpoint import Checkpoint
from crossic_etl.transforms.changes import GONE, NEW, select_gone, select_new

log = logging.getLogger(__name__)

# Columns to exclude on: a query gets no document with its own address or its own text.
EXCLUDED = ("url", "text_hash")


def search_settings(
    settings: Neighbours, queries: str, choice: EncoderChoice, quantizer: str | None
) -> str:
    """The settings that determine which neighbours are found, as JSON.

    ``queries`` is ``retrieved.queries``; ``quantizer`` is the quantizer's digest, if there is one.
    Thresholds and uses are left out, since they determine which neighbours are accepted. Shards
    are left out, since they change only the results of an approximate index.
    """
    values: dict[str, object] = {
        "method": settings.method,
        "index": settings.index,
        "k": settings.k,
        "queries": queries,
        "span_rule": choice.rule.name,
        "half": choice.half,
        "excluded": EXCLUDED,
    }
    if settings.method == ROUTED:
        values |= {"quantizer": quantizer, "nprobe": settings.nprobe}
    return json.dumps(values, sort_keys=True)


@dataclass(frozen=True)
class SearchState:
    """The rows of ``searches`` of one encoder when a run begins.

    Attributes:
        scope: the run's languages and encoder, in all tables of neighbours.
        settings: this run's `search_settings`.
        rows: the encoder's rows, including other languages.
        covered: the generation up to which each language is searched; languages that must be
            searched from scratch are left out.
    """

    tables: Tables
    scope: Mapping[str, Sequence[str]]
    settings: str
    rows: Sequence[Row]
    covered: Mapping[str, int]

    def generation(self, newest: int, any_new: bool) -> int:
        """The generation of this run's new vectors: above every language's generation.

        ``newest`` is the highest generation of the known vectors.
        """
        known: list[int] = [row.generation for row in self.rows]
        return max([newest, *known]) + any_new

    def publish(
        self, neighbours: DataFrame, others: Sequence[tuple[Table, DataFrame]], generation: int
    ) -> tuple[int, int]:
        """Writes the results of `mark_changes` to their tables, and the rows of ``searches``.

        Returns the numbers of rows of ``neighbours`` written and removed. Without changed rows and
        without ``others``, no table of neighbours is changed.
        """
        counted = neighbours.groupBy("target_lang", "change").count().collect()
        counts = {(row.target_lang, row.change): row["count"] for row in counted}
        written, removed = (_total(counts, change) for change in (NEW, GONE))
        held = sorted(tuple(row) for row in self.rows if self._is_ours(row))
        checkpoint = Checkpoint(self.tables, SEARCHES, self.scope, invalidates=bool(held))
        is_changed = bool(written or removed or others)
        if is_changed:
            checkpoint.begin()
            for table, marked in ((NEIGHBOURS, neighbours), *others):
                new, gone = select_new(marked, table), select_gone(marked, table)
                n_changes = written + removed if table is NEIGHBOURS else None
                self.tables.merge(table, new, gone, n_changes=n_changes)
        made = sorted(self._rows_after(counts, generation))
        if is_changed or made != held:
            checkpoint.finish(self.tables.spark.createDataFrame(made, SEARCHES.schema))
        return written, removed

    def _rows_after(
        self, counts: Mapping[tuple[str, str], int], generation: int
    ) -> list[tuple[object, ...]]:
        (model,), (revision,) = self.scope["model"], self.scope["revision"]
        left = {
            lang: sum(n for (of, change), n in counts.items() if of == lang and change != GONE)
            for lang in self.scope["target_lang"]
        }
        return [(lang, model, revision, self.settings, generation, n) for lang, n in left.items()]

    def _is_ours(self, row: Row) -> bool:
        return row.target_lang in self.scope["target_lang"]


def covered_languages(
    rows: Sequence[Row], counts: Mapping[str, int], languages: Sequence[str], settings: str
) -> dict[str, int]:
    """The generation up to which each of the languages is searched.

    ``rows`` are rows of ``searches``; ``counts`` are the numbers of rows in ``neighbours`` by
    language. A language is left out if it was searched with other settings, or if ``neighbours``
    doesn't have the number of rows that the search stored.
    """
    covered = {}
    for row in rows:
        if row.target_lang not in languages:
            continue
        if (row.settings, row.n_neighbours) == (settings, counts.get(row.target_lang, 0)):
            covered[row.target_lang] = row.generation
        else:
            log.info(
                "neighbours: %s is searched from scratch: its neighbours were found with other "
                "settings, or aren't those that were left",
                row.target_lang,
            )
    return covered


def read_search_state(
    tables: Tables, scope: Mapping[str, Sequence[str]], settings: str, neighbours: DataFrame
) -> SearchState:
    """The state of a scope's languages and encoder; ``neighbours`` are the scope's rows."""
    encoder = {"model": scope["model"], "revision": scope["revision"]}
    rows = tables.select_if_there(SEARCHES, encoder).select(SEARCHES.columns).collect()
    found = neighbours.groupBy("target_lang").count().collect() if rows else []
    counts = {row.target_lang: row["count"] for row in found}
    covered = covered_languages(rows, counts, scope["target_lang"], settings)
    return SearchState(tables, scope, settings, rows, covered)


def _total(counts: Mapping[tuple[str, str], int], change: str) -> int:
    return sum(n for (_, of), n in counts.items() if of == change)
