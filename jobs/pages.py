"""Wikipedia dumps to the tables ``pages`` and ``redirects``."""

import sys

from pyspark.sql import SparkSession

from crossic_etl.cli import run_job
from crossic_etl.config import Config
from crossic_etl.kernels.pages import REJECTED
from crossic_etl.runs import recorded
from crossic_etl.schemas import PAGES, REDIRECTS, REJECTS
from crossic_etl.sources import find_wikis
from crossic_etl.staging import read_sites, stage_pages
from crossic_etl.tables import Tables
from crossic_etl.transforms.outcomes import count_outcomes, select_rejects
from crossic_etl.transforms.pages import collect_props, select_pages, select_redirects

READS, WRITES = (), (PAGES, REDIRECTS, REJECTS)


def run(spark: SparkSession, config: Config) -> None:
    """Replaces the pages, redirects and rejects of the configured wikis."""
    tables, scope = Tables(spark, config.root), {"lang": config.wikis}
    with recorded(tables, config, "pages") as record:
        wikis = find_wikis(spark, config)
        sites = read_sites(spark, wikis)
        staged = stage_pages(tables, wikis, sites, config)
        record.settle(count_outcomes(staged), used=("page", "redirect"))
        pages, redirects = select_pages(staged, collect_props(staged)), select_redirects(staged)
        tables.replace(PAGES, pages, scope)
        tables.replace(REDIRECTS, redirects, scope)
        record.publish(sum(tables.select(table, scope).count() for table in (PAGES, REDIRECTS)))
        tables.replace_rejects("pages", select_rejects(staged, "pages", REJECTED), config.wikis)
        tables.unstage("pages")


if __name__ == "__main__":
    sys.exit(run_job(run, __doc__))
