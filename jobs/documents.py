"""Files of web crawls to the table ``documents``."""

import sys

from pyspark.sql import SparkSession

from crossic_etl.cli import run_job
from crossic_etl.config import Config
from crossic_etl.crawl_sources import stage_documents
from crossic_etl.document_rules import load_rules
from crossic_etl.kernels.documents import DOCUMENT, REJECTED
from crossic_etl.kernels.language_id import UNKNOWN
from crossic_etl.ledger import JobSpec
from crossic_etl.near_copies import stage_distinct, stage_near_copies, unstage_all
from crossic_etl.runs import recorded
from crossic_etl.schemas import DOCUMENTS, REJECTS
from crossic_etl.tables import Tables
from crossic_etl.transforms.documents import choose_copies, count_documents, select_documents
from crossic_etl.transforms.outcomes import select_rejects

READS, WRITES = (), (DOCUMENTS, REJECTS)
RULES = ("language", "min_language_score", "min_chars", "max_chars", "quality", "quality_rules")
SPEC = JobSpec(
    *("documents", READS, WRITES),
    settings=(*(f"crawl.{name}" for name in (*RULES, "near_duplicates")), "seed"),
    inputs=("languages", "crawl.sources", "crawl.blocked_urls", "crawl.evaluation"),
)


def run(spark: SparkSession, config: Config) -> None:
    """Replaces the documents of the configured wikis' languages, and the rejects."""
    tables, scope = Tables(spark, config.root), {"lang": config.wikis}
    with recorded(tables, config, SPEC) as record:
        staged = stage_documents(tables, config, load_rules(spark, config))
        distinct = stage_distinct(tables, staged, config)
        members, n_links = stage_near_copies(tables, distinct, config)
        record.metrics = {"near_copy_links": n_links}
        copies = choose_copies(distinct, members)
        record.settle(count_documents(staged, distinct, copies), used=(DOCUMENT,))
        tables.replace(DOCUMENTS, select_documents(distinct, copies), scope)
        record.publish(tables.select(DOCUMENTS, scope).count())
        broken = select_rejects(staged, "documents", REJECTED)
        tables.replace_rejects("documents", broken, [UNKNOWN])
        unstage_all(tables)


if __name__ == "__main__":
    sys.exit(run_job(run, SPEC, __doc__))
