"""Job ``pairs``: edges between pages to the table ``pairs``, one to one."""

from __future__ import annotations

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from crossic_etl.config import Config
from crossic_etl.inputs.run_inputs import RunInputs
from crossic_etl.runs import recorded
from crossic_etl.runs.job import Job, always
from crossic_etl.runs.record import Run
from crossic_etl.schemas import LINKS, PAGES, PAIRS, REDIRECTS, REJECTS
from crossic_etl.transforms.outcomes import count_outcomes, select_rejects
from crossic_etl.transforms.pairs import (
    CANDIDATE,
    find_candidates,
    merged_links,
    pair_metrics,
    resolve_candidates,
    rounds_for,
    select_cycles,
    select_pairs,
)
from crossic_etl.transforms.redirects import resolve_redirects

CYCLES = "cycles"


def run(
    spark: SparkSession, config: Config, rebuild: bool = False, inputs: RunInputs | None = None
) -> Run:
    """Replaces the pairs of the configured target languages; each page is in at most one pair."""
    inputs = inputs or RunInputs(spark, config)
    tables, scope = inputs.tables, {"target_lang": config.languages}
    with recorded(tables, config, JOB) as record:
        of_wikis = {"lang": config.wikis}
        pages, redirects = tables.select(PAGES, of_wikis), tables.select(REDIRECTS, of_wikis)
        links = tables.select(LINKS, of_wikis)
        record.rows_in = links.count()
        n_cycles = {CYCLES: F.count_if(F.col("final_title").isNull())}
        followed = resolve_redirects(redirects)
        ends, of_ends = tables.stage_counted("redirect_ends", followed, n_cycles)
        found = find_candidates(links, pages, ends)
        n_open = {CANDIDATE: F.count_if(F.col("outcome") == CANDIDATE)}
        candidates, counts = tables.stage_counted("candidates", found, n_open)
        rounds = rounds_for(counts[CANDIDATE])
        resolved = tables.stage("pairs", resolve_candidates(candidates, rounds))
        record.resolve_outcomes(count_outcomes(merged_links(resolved)), used=("pair",))
        record.metrics = pair_metrics(resolved).head(1)[0].asDict()
        tables.update(PAIRS, select_pairs(resolved), scope)
        cycles = select_rejects(select_cycles(ends), "pairs", ("redirect_cycle",))
        tables.replace_rejects("pairs", cycles, config.wikis, has_rows=of_ends[CYCLES] > 0)
        tables.unstage("redirect_ends", "candidates", "pairs")
    return record


JOB = Job(
    name="pairs",
    run=run,
    writes=(PAIRS, REJECTS),
    reads=always(PAGES, REDIRECTS, LINKS),
    scratch=("redirect_ends", "candidates", "pairs", "changes_of_pairs", "changes_of_rejects"),
)
