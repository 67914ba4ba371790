"""SQL dumps and the pages' Wikidata items to the table ``links``."""

from pyspark.sql import SparkSession

from crossic_etl.config import Config
from crossic_etl.inputs.dumps import find_wikis, fingerprint_of
from crossic_etl.kernels.wiki.links import LINK_REJECTED
from crossic_etl.pipeline.dumps import read_sites, stage_links
from crossic_etl.runs import recorded
from crossic_etl.runs.ledger import DUMPS, JobSpec, inputs_of
from crossic_etl.schemas import LINKS, PAGES, REJECTS
from crossic_etl.tables import Tables
from crossic_etl.transforms.links import select_links
from crossic_etl.transforms.outcomes import count_outcomes, select_rejects

READS, WRITES = (PAGES,), (LINKS, REJECTS)
SPEC = JobSpec("links", READS, WRITES, (), ("languages", *DUMPS))


def run(spark: SparkSession, config: Config) -> None:
    """Makes edges and rejects of the configured wikis those of their dumps."""
    tables, scope = Tables(spark, config.root), {"lang": config.wikis}
    with recorded(tables, config, SPEC) as record:
        wikis = find_wikis(spark, config)
        record.inputs = inputs_of(config, SPEC, fingerprint_of(wikis))
        sites = read_sites(spark, wikis)
        staged = stage_links(tables, wikis, sites, tables.select(PAGES, scope), config)
        record.settle(count_outcomes(staged), used=("langlink", "qid"))
        tables.update(LINKS, select_links(staged), scope, ignored=["dump_date"])
        record.publish(tables.select(LINKS, scope).count())
        tables.replace_rejects(
            "links", select_rejects(staged, "links", LINK_REJECTED), config.wikis
        )
        tables.unstage("links")
