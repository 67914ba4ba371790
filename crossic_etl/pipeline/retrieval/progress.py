"""What the last search left of each language: its settings, its vectors, its rows.

A language's row of ``searches`` is removed before its tables are changed, and written after them: a
run that dies in between leaves none, and the next one searches that language from scratch.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pyspark.sql import DataFrame, Row

from crossic_etl.config import Config
from crossic_etl.kernels.encoding.spec import EncoderChoice
from crossic_etl.kernels.search.plan import ROUTED
from crossic_etl.schemas import NEIGHBOURS, SEARCHES, Table
from crossic_etl.tables import Tables
from crossic_etl.transforms.changes import GONE, NEW, select_gone, select_new

# A query finds no document of its own address or with its very text.
EXCLUDED = ("url", "text_hash")


def deciding_settings(config: Config, choice: EncoderChoice, quantizer: str | None) -> str:
    """What decides which neighbours are found, as JSON; ``quantizer`` is its digest.

    Thresholds and uses are not among it: they decide which of them are accepted. Nor are shards,
    which only an approximate index is sensitive to.
    """
    settings = config.neighbours
    values: dict[str, object] = {
        "method": settings.method,
        "index": settings.index,
        "k": settings.k,
        "queries": config.retrieved.queries,
        "span_rule": choice.rule.name,
        "half": choice.half,
        "excluded": EXCLUDED,
    }
    if settings.method == ROUTED:
        values |= {"quantizer": quantizer, "nprobe": settings.nprobe}
    return json.dumps(values, sort_keys=True)


@dataclass(frozen=True)
class Progress:
    """The rows of ``searches`` of one encoder, as a run finds them.

    Attributes:
        scope: of the run's languages and encoder, in all tables of neighbours.
        settings: what `deciding_settings` gave for this run.
        states: the rows of the encoder, of other languages too.
        covered: the generation up to which each of the languages is searched; without those to
            search from scratch.
    """

    tables: Tables
    scope: Mapping[str, Sequence[str]]
    settings: str
    states: Sequence[Row]
    covered: Mapping[str, int]

    def generation(self, newest: int, any_new: bool) -> int:
        """Of this run's vectors; ``newest`` is the last one's of those that were known before.

        New vectors get one that no language was told of before.
        """
        told: list[int] = [state.generation for state in self.states]
        return max([newest, *told]) + any_new

    def publish(
        self, neighbours: DataFrame, others: Sequence[tuple[Table, DataFrame]], generation: int
    ) -> tuple[int, int]:
        """Writes what `mark_changes` gave for each table, and the languages' rows of ``searches``.

        Returns how many rows of ``neighbours`` were written and removed. Without any, and without
        others, no table is touched.
        """
        rows = neighbours.groupBy("target_lang", "change").count().collect()
        counts = {(row.target_lang, row.change): row["count"] for row in rows}
        written, removed = (_total(counts, change) for change in (NEW, GONE))
        held = sorted(tuple(state) for state in self.states if self._is_ours(state))
        if written or removed or others:
            if held:
                self._write([])
                held = []
            for table, marked in ((NEIGHBOURS, neighbours), *others):
                self.tables.merge(table, select_new(marked, table), select_gone(marked, table))
        left = {
            lang: sum(n for (of, change), n in counts.items() if of == lang and change != GONE)
            for lang in self.scope["target_lang"]
        }
        (model,), (revision,) = self.scope["model"], self.scope["revision"]
        made = [(lang, model, revision, self.settings, generation, n) for lang, n in left.items()]
        if sorted(made) != held:
            self._write(made)
        return written, removed

    def _is_ours(self, state: Row) -> bool:
        return state.target_lang in self.scope["target_lang"]

    def _write(self, rows: Sequence[tuple[object, ...]]) -> None:
        frame = self.tables.spark.createDataFrame(list(rows), SEARCHES.schema)
        self.tables.replace(SEARCHES, frame, self.scope)


def read_progress(
    tables: Tables, scope: Mapping[str, Sequence[str]], settings: str, neighbours: DataFrame
) -> Progress:
    """The progress in a scope, of which ``neighbours`` are the rows.

    A language counts as searched if it was with the same settings, and if the table has as many
    rows as that search left.
    """
    encoder = {"model": scope["model"], "revision": scope["revision"]}
    states = tables.select_or_create(SEARCHES, encoder).select(SEARCHES.columns).collect()
    found = neighbours.groupBy("target_lang").count().collect() if states else []
    counts = {row.target_lang: row["count"] for row in found}
    covered = {}
    for state in states:
        if state.target_lang not in scope["target_lang"]:
            continue
        if (state.settings, state.n_neighbours) == (settings, counts.get(state.target_lang, 0)):
            covered[state.target_lang] = state.generation
        else:
            print(
                f"neighbours: {state.target_lang} is searched from scratch: its neighbours were "
                "found with other settings, or aren't those that were left",
                flush=True,
            )
    return Progress(tables, scope, settings, states, covered)


def _total(counts: Mapping[tuple[str, str], int], change: str) -> int:
    return sum(n for (_, of), n in counts.items() if of == change)
