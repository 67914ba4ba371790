"""SQL dumps and the pages' Wikidata items to the table ``links``."""

import sys

from pyspark.sql import SparkSession

from crossic_etl.cli import run_job
from crossic_etl.config import Config
from crossic_etl.kernels.links import LINK_REJECTED
from crossic_etl.runs import recorded
from crossic_etl.schemas import LINKS, PAGES, REJECTS
from crossic_etl.sources import find_wikis
from crossic_etl.staging import read_sites, stage_links
from crossic_etl.tables import Tables
from crossic_etl.transforms.links import select_links
from crossic_etl.transforms.outcomes import count_outcomes, select_rejects

READS, WRITES = (PAGES,), (LINKS, REJECTS)


def run(spark: SparkSession, config: Config) -> None:
    """Replaces the edges and rejects of the configured wikis."""
    tables, scope = Tables(spark, config.root), {"lang": config.wikis}
    with recorded(tables, config, "links", READS) as record:
        wikis = find_wikis(spark, config)
        sites = read_sites(spark, wikis)
        staged = stage_links(tables, wikis, sites, tables.select(PAGES, scope), config)
        record.settle(count_outcomes(staged), used=("langlink", "qid"))
        tables.replace(LINKS, select_links(staged), scope)
        record.publish(tables.select(LINKS, scope).count())
        tables.replace_rejects(
            "links", select_rejects(staged, "links", LINK_REJECTED), config.wikis
        )
        tables.unstage("links")


if __name__ == "__main__":
    sys.exit(run_job(run, __doc__))
