"""Files of web crawls to the table ``documents``; only those that are new are read."""

from __future__ import annotations

from pyspark.sql import SparkSession

from crossic_etl.config import Config
from crossic_etl.inputs.run_inputs import RunInputs
from crossic_etl.kernels.crawl.documents import DOCUMENT
from crossic_etl.pipeline.crawl.batches import open_ledger
from crossic_etl.pipeline.crawl.near_duplicates import add_near_copies, add_texts
from crossic_etl.pipeline.crawl.publish import publish_documents, publish_rejects, unstage_all
from crossic_etl.pipeline.crawl.rules import deciding_settings, load_rules
from crossic_etl.pipeline.crawl.staging import stage_documents
from crossic_etl.runs import recorded
from crossic_etl.runs.job import Job, needs_crawl
from crossic_etl.runs.ledger import inputs_of, is_finished
from crossic_etl.runs.record import Run
from crossic_etl.schemas import CRAWL_FILES, CRAWL_TEXTS, DOCUMENTS, NEAR_COPY_LINKS, REJECTS
from crossic_etl.tables import Tables
from crossic_etl.transforms.documents import (
    choose_copies,
    count_documents,
    count_files,
    settle_documents,
)

RULES = ("language", "min_language_score", "min_chars", "max_chars", "quality", "quality_rules")


def run(
    spark: SparkSession, config: Config, rebuild: bool = False, inputs: RunInputs | None = None
) -> Run:
    """Brings the documents of the configured wikis' languages, and the rejects, up to date.

    ``runs`` counts the records that this run read; without news there is no such row. Those out are
    texts that no earlier run had and that stay, if in the place of an older near copy; the others
    are duplicates, near duplicates or broken. In the metrics are the files, documents and pairs of
    near copies that there are now, and the rows of ``documents`` that were written and removed.
    """
    tables, scope = Tables(spark, config.root), {"lang": config.wikis}
    with recorded(tables, config, JOB) as record:
        inputs = inputs or RunInputs(spark, config)
        rules = load_rules(config, inputs)
        record.inputs = inputs_of(config, JOB, JOB.fingerprint(inputs))
        ledger = open_ledger(tables, inputs.sources, deciding_settings(config, rules))
        held, plan = tables.select_or_create(DOCUMENTS, scope), ledger.plan
        record.metrics = {"files": len(ledger.files), "files_read": len(plan.unread)}
        if not plan.unread and held.count() == plan.n_documents:
            record.metrics["documents"] = plan.n_documents
            record.nothing_new = is_finished(tables, config, JOB, JOB.fingerprint(inputs))
            return record
        staged = stage_documents(tables, ledger.unread(), rules)
        ledger.begin()
        texts = add_texts(tables, staged, plan, config)
        members, n_links = add_near_copies(tables, texts, plan, config)
        settled = settle_documents(texts, choose_copies(texts, members), held, plan.batch)
        record.resolve_outcomes(count_documents(staged, settled), used=(DOCUMENT,))
        written, removed = publish_documents(tables, texts, settled, held)
        publish_rejects(tables, staged, plan, record.dropped)
        n_documents = tables.select(DOCUMENTS, scope).count()
        record.metrics |= {"documents": n_documents, "written": written, "removed": removed}
        record.metrics["near_copy_links"] = n_links
        ledger.finish(count_files(staged), n_documents)
        unstage_all(tables)
    return record


JOB = Job(
    name="documents",
    run=run,
    writes=(CRAWL_FILES, CRAWL_TEXTS, NEAR_COPY_LINKS, DOCUMENTS, REJECTS),
    settings=(*(f"crawl.{name}" for name in (*RULES, "near_duplicates")), "seed"),
    inputs=("languages", "crawl.sources", "crawl.blocked_urls", "crawl.evaluation"),
    needs=needs_crawl("documents"),
    fingerprint=lambda inputs: inputs.crawl_fingerprint,
    scratch=(
        "documents",
        "documents_changes",
        "documents_members",
        "documents_edges_0",
        "documents_edges_1",
    ),
)
