"""Each wiki's site info: its namespaces and its rules for titles, from the head of its dump."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pyspark.sql import SparkSession

from crossic_etl.inputs.damage import unreadable_file
from crossic_etl.inputs.dumps import WikiFiles, read_head
from crossic_etl.inputs.files import read_bytes
from crossic_etl.kernels.wiki.dump_xml import parse_siteinfo
from crossic_etl.kernels.wikis import Wiki
from crossic_etl.transforms.pages import salvage_heads

Sites = Mapping[str, Wiki]


def read_sites(spark: SparkSession, wikis: Sequence[WikiFiles]) -> Sites:
    """Each wiki's site info by language: from the head of its dump, else from our tables."""
    return {files.lang: _read_site(spark, files) for files in wikis}


def _read_site(spark: SparkSession, files: WikiFiles) -> Wiki:
    if not files.pages:
        return Wiki.of(files.lang)
    path = files.pages[0]
    try:
        head = read_head(spark, path)
    except Exception as error:
        if unreadable_file(error) is None:
            raise
        heads = salvage_heads(read_bytes(spark, path)).head(1)
        head = bytes(heads[0].head) if heads else b""
    return parse_siteinfo(head, files.lang) or Wiki.of(files.lang)
