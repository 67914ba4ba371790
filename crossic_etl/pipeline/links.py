"""Job ``links``: SQL dumps and the pages' Wikidata items to the table ``links``."""

from __future__ import annotations

from pyspark.sql import SparkSession

from crossic_etl.config import Config
from crossic_etl.inputs.run_inputs import RunInputs
from crossic_etl.kernels.wiki.links import LINK_REJECTED
from crossic_etl.pipeline.dumps import stage_links
from crossic_etl.runs import recorded
from crossic_etl.runs.job import DUMPS, Job, always
from crossic_etl.runs.ledger import inputs_of
from crossic_etl.runs.record import Run
from crossic_etl.schemas import LINKS, PAGES, REJECTS
from crossic_etl.transforms.links import select_links
from crossic_etl.transforms.outcomes import count_outcomes, has_any, select_rejects


def run(
    spark: SparkSession, config: Config, rebuild: bool = False, inputs: RunInputs | None = None
) -> Run:
    """Replaces the edges and rejects of the configured wikis by those of their dumps."""
    inputs = inputs or RunInputs(spark, config)
    tables, scope = inputs.tables, {"lang": config.wikis}
    with recorded(tables, config, JOB) as record:
        wikis = inputs.wikis
        record.inputs = inputs_of(config, JOB, JOB.fingerprint(inputs))
        pages, on_damage = tables.select(PAGES, scope), config.wikipedia.on_damage
        staged = stage_links(tables, wikis, inputs.sites, pages, on_damage)
        counts = record.resolve_outcomes(count_outcomes(staged), used=("langlink", "qid"))
        n_links = tables.update(LINKS, select_links(staged), scope, ignored=["dump_date"])
        record.reconcile_output_rows(n_links)
        rejects = select_rejects(staged, "links", LINK_REJECTED)
        is_broken = has_any(counts, LINK_REJECTED)
        tables.replace_rejects("links", rejects, config.wikis, is_broken)
        tables.unstage("links")
    return record


JOB = Job(
    name="links",
    run=run,
    writes=(LINKS, REJECTS),
    reads=always(PAGES),
    inputs=("languages", *DUMPS),
    fingerprint=lambda inputs: inputs.dumps_fingerprint,
    scratch=("links", "changes_of_links", "changes_of_rejects"),
)
