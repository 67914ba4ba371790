"""Job ``pages``: Wikipedia dumps to the tables ``pages`` and ``redirects``."""

from __future__ import annotations

import logging

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from crossic_etl.config import Config
from crossic_etl.inputs.dumps import WikiFiles
from crossic_etl.inputs.run_inputs import RunInputs
from crossic_etl.kernels.language_support import describe_gaps
from crossic_etl.kernels.wiki.pages import REJECTED
from crossic_etl.pipeline.dumps import stage_pages
from crossic_etl.runs import recorded
from crossic_etl.runs.job import DUMPS, Job
from crossic_etl.runs.ledger import inputs_of, settings_fingerprint
from crossic_etl.runs.record import Run
from crossic_etl.schemas import PAGES, REDIRECTS, REJECTS
from crossic_etl.tables import ROWS, Tables
from crossic_etl.transforms.changes import select_gone, select_new
from crossic_etl.transforms.outcomes import count_outcomes, has_any, select_rejects
from crossic_etl.transforms.pages import (
    MOST_BROADCAST,
    UNCHANGED,
    collect_props,
    select_known,
    select_page_changes,
    select_pages,
    select_redirects,
)

log = logging.getLogger(__name__)


def run(
    spark: SparkSession, config: Config, rebuild: bool = False, inputs: RunInputs | None = None
) -> Run:
    """Replaces pages, redirects and rejects of the configured wikis by those of their dumps.

    A page whose revision is stored is not extracted again, and keeps its ``dump_date``. It is
    extracted again with ``rebuild``, or if other code or settings made the wiki's pages.
    """
    inputs = inputs or RunInputs(spark, config)
    tables, scope = inputs.tables, {"lang": config.wikis}
    if gaps := describe_gaps(config.wikis, config.encoder.backend):
        log.info("pages: %s", gaps)
    with recorded(tables, config, JOB) as record:
        wikis = inputs.wikis
        record.inputs = inputs_of(config, JOB, JOB.fingerprint(inputs))
        fingerprint = settings_fingerprint(config, JOB.settings)
        made = {} if rebuild else tables.settings_fingerprints(PAGES)
        held = [lang for lang in config.wikis if made.get(lang) == fingerprint]
        anew = [lang for lang in config.wikis if lang not in held]
        known = known_pages(tables, wikis, held) if held else None
        values = [fingerprint, rebuild, held, tables.find_version(PAGES) if held else None]
        staged = stage_pages(tables, wikis, inputs.sites, config.wikipedia, values, known)
        used = ("page", UNCHANGED, "redirect")
        counts = record.resolve_outcomes(count_outcomes(staged), used)
        props = collect_props(staged)
        n_pages = 0
        if anew:
            pages = select_pages(staged.where(F.col("lang").isin(anew)), props)
            made_anew = dict.fromkeys(anew, fingerprint)
            n_pages += tables.replace(PAGES, pages, {"lang": anew}, made_anew)
        if held:
            before = tables.select(PAGES, {"lang": held})
            of_held = staged.where(F.col("lang").isin(held))
            changed = select_page_changes(of_held, props, before)
            changes, n_changes = tables.stage_counted("page_changes", changed)
            new, gone = select_new(changes, PAGES), select_gone(changes, PAGES)
            tables.merge(PAGES, new, gone, dict.fromkeys(held, fingerprint), n_changes[ROWS])
            tables.unstage("page_changes")
            n_pages += tables.select(PAGES, {"lang": held}).count()
        redirects = select_redirects(staged)
        n_redirects = tables.update(REDIRECTS, redirects, scope, ignored=["dump_date"])
        record.reconcile_output_rows(n_pages + n_redirects)
        rejects, is_broken = select_rejects(staged, "pages", REJECTED), has_any(counts, REJECTED)
        tables.replace_rejects("pages", rejects, config.wikis, is_broken)
        tables.unstage("pages")
    return record


def known_pages(tables: Tables, wikis: list[WikiFiles], held: list[str]) -> DataFrame:
    """The revisions that need not be extracted again; they are broadcast if there are few."""
    dates = {files.lang: files.date for files in wikis if files.lang in held}
    known = select_known(tables.select(PAGES, {"lang": held}), dates)
    return F.broadcast(known) if known.count() <= MOST_BROADCAST else known


JOB = Job(
    name="pages",
    run=run,
    writes=(PAGES, REDIRECTS, REJECTS),
    settings=(
        "wikipedia.max_page_bytes",
        "wikipedia.math",
        "wikipedia.code",
        "wikipedia.lists",
    ),
    inputs=("languages", *DUMPS),
    fingerprint=lambda inputs: inputs.dumps_fingerprint,
    can_rebuild=True,
    scratch=("pages", "page_changes", "changes_of_redirects", "changes_of_rejects"),
)
