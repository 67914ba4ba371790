"""Files of web crawls to the table ``documents``; only those that are new are read."""

from pyspark.sql import SparkSession

from crossic_etl.config import Config
from crossic_etl.inputs.crawl import find_sources
from crossic_etl.kernels.crawl.documents import DOCUMENT
from crossic_etl.pipeline.crawl.batches import open_ledger
from crossic_etl.pipeline.crawl.near_duplicates import add_near_copies, add_texts
from crossic_etl.pipeline.crawl.publish import publish_documents, publish_rejects, unstage_all
from crossic_etl.pipeline.crawl.rules import deciding_settings, load_rules
from crossic_etl.pipeline.crawl.staging import stage_documents
from crossic_etl.runs import recorded
from crossic_etl.runs.ledger import JobSpec, is_finished
from crossic_etl.schemas import CRAWL_FILES, CRAWL_TEXTS, DOCUMENTS, NEAR_COPY_LINKS, REJECTS
from crossic_etl.tables import Tables
from crossic_etl.transforms.documents import (
    choose_copies,
    count_documents,
    count_files,
    settle_documents,
)

READS, WRITES = (), (CRAWL_FILES, CRAWL_TEXTS, NEAR_COPY_LINKS, DOCUMENTS, REJECTS)
RULES = ("language", "min_language_score", "min_chars", "max_chars", "quality", "quality_rules")
SPEC = JobSpec(
    *("documents", READS, WRITES),
    settings=(*(f"crawl.{name}" for name in (*RULES, "near_duplicates")), "seed"),
    inputs=("languages", "crawl.sources", "crawl.blocked_urls", "crawl.evaluation"),
)


def run(spark: SparkSession, config: Config) -> None:
    """Brings the documents of the configured wikis' languages, and the rejects, up to date.

    ``runs`` counts the records that this run read; without news there is no such row. Those out are
    texts that no earlier run had and that stay, if in the place of an older near copy; the others
    are duplicates, near duplicates or broken. In the metrics are the files, documents and pairs of
    near copies that there are now, and the rows of ``documents`` that were written and removed.
    """
    tables, scope = Tables(spark, config.root), {"lang": config.wikis}
    with recorded(tables, config, SPEC) as record:
        rules = load_rules(spark, config)
        sources = find_sources(spark, config)
        ledger = open_ledger(tables, sources, deciding_settings(config, rules))
        held, plan = tables.select_or_create(DOCUMENTS, scope), ledger.plan
        record.metrics = {"files": len(ledger.files), "files_read": len(plan.unread)}
        if not plan.unread and held.count() == plan.n_documents:
            record.metrics["documents"] = plan.n_documents
            record.nothing_new = is_finished(tables, config, SPEC, READS)
            return
        staged = stage_documents(tables, ledger.unread(), rules)
        ledger.begin()
        texts = add_texts(tables, staged, plan, config)
        members, n_links = add_near_copies(tables, texts, plan, config)
        settled = settle_documents(texts, choose_copies(texts, members), held, plan.batch)
        record.settle(count_documents(staged, settled), used=(DOCUMENT,))
        written, removed = publish_documents(tables, texts, settled, held)
        publish_rejects(tables, staged, plan, record.dropped)
        n_documents = tables.select(DOCUMENTS, scope).count()
        record.metrics |= {"documents": n_documents, "written": written, "removed": removed}
        record.metrics["near_copy_links"] = n_links
        ledger.finish(count_files(staged), n_documents)
        unstage_all(tables)
