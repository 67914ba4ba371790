"""Job ``documents``: crawl files to the table ``documents``; only new files are read."""

from __future__ import annotations

from pyspark.sql import SparkSession

from crossic_etl.config import Config
from crossic_etl.inputs.run_inputs import RunInputs
from crossic_etl.kernels.crawl.documents import DOCUMENT
from crossic_etl.pipeline.crawl.batches import open_batch
from crossic_etl.pipeline.crawl.near_duplicates import add_near_duplicates, add_texts
from crossic_etl.pipeline.crawl.publish import publish_documents, publish_rejects, unstage_all
from crossic_etl.pipeline.crawl.rules import load_rules, settings_fingerprint
from crossic_etl.pipeline.crawl.staging import stage_documents
from crossic_etl.runs import recorded
from crossic_etl.runs.job import Job, needs_crawl
from crossic_etl.runs.ledger import Ledger, inputs_of
from crossic_etl.runs.record import Run
from crossic_etl.schemas import CRAWL_FILES, CRAWL_TEXTS, DOCUMENTS, NEAR_DUPLICATE_LINKS, REJECTS
from crossic_etl.transforms.documents import (
    choose_copies,
    count_documents,
    count_files,
    resolve_documents,
)

RULES = ("language", "min_language_score", "min_chars", "max_chars", "quality", "quality_rules")


def run(
    spark: SparkSession, config: Config, rebuild: bool = False, inputs: RunInputs | None = None
) -> Run:
    """Updates the documents of the configured wikis' languages, and the rejects.

    The row in ``runs`` counts the records that this run read; without new files there is no row.
    Rows out are the new texts that are kept, including those that replace an older near duplicate.
    All other records are duplicates, near duplicates, dropped or broken. The metrics count all
    files, documents and links after the run, and the rows of ``documents`` written and removed.
    """
    inputs = inputs or RunInputs(spark, config)
    tables, scope = inputs.tables, {"lang": config.wikis}
    crawl, seed = config.crawl, config.seed
    with recorded(tables, config, JOB) as record:
        rules = load_rules(crawl, config.wikis, inputs)
        record.inputs = inputs_of(config, JOB, JOB.fingerprint(inputs))
        settings = settings_fingerprint(rules, crawl.near_duplicates, seed)
        batch = open_batch(tables, inputs.sources, settings)
        held, plan = tables.select_if_there(DOCUMENTS, scope), batch.plan
        record.metrics = {"files": len(batch.files), "files_read": len(plan.unread)}
        if not plan.unread and held.count() == plan.n_documents:
            record.metrics["documents"] = plan.n_documents
            files = JOB.fingerprint(inputs)
            record.nothing_new = Ledger(tables).is_finished(config, JOB, files)
            return record
        staged = stage_documents(tables, batch.unread(), rules)
        batch.begin()
        texts = add_texts(tables, staged, plan, threshold=crawl.near_duplicates, seed=seed)
        members, n_links = add_near_duplicates(tables, texts, plan, threshold=crawl.near_duplicates)
        resolved = resolve_documents(texts, choose_copies(texts, members), held, plan.batch)
        record.resolve_outcomes(count_documents(staged, resolved), used=(DOCUMENT,))
        written, removed = publish_documents(tables, texts, resolved, held)
        publish_rejects(tables, staged, plan, record.dropped)
        n_documents = tables.select(DOCUMENTS, scope).count()
        record.metrics |= {"documents": n_documents, "written": written, "removed": removed}
        record.metrics["near_duplicate_links"] = n_links
        batch.finish(count_files(staged), n_documents)
        unstage_all(tables)
    return record


JOB = Job(
    name="documents",
    run=run,
    writes=(CRAWL_FILES, CRAWL_TEXTS, NEAR_DUPLICATE_LINKS, DOCUMENTS, REJECTS),
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
