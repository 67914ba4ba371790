"""Dump to ``pages`` in Spark on all cores beside a plain Python loop over the same kernels.

    python -m bench.pages [--megabytes 200] [shared data folder]

The input is the English dump of the shared data, its pages repeated under new ids as one
multistream bz2 file. The floor is one process that unpacks it with C's bz2 and calls
``extract_page`` for each record, writing nothing. Spark's job reads, extracts, stages, joins and
commits two Delta tables; the session is started before, and the job has run once on the small dump,
so that classes are loaded and workers are up.
"""

from __future__ import annotations

import argparse
import bz2
import os
import re
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from pyspark.sql import SparkSession

from bench.wikitext import shared_folder
from crossic_etl.config import Config
from crossic_etl.config.etl import Wikipedia
from crossic_etl.inputs.dumps import find_wikis
from crossic_etl.inputs.sites import read_sites
from crossic_etl.kernels.wiki.dump_xml import parse_siteinfo
from crossic_etl.kernels.wiki.pages import extract_page
from crossic_etl.pipeline import pages
from crossic_etl.pipeline.dumps import stage_pages
from crossic_etl.schemas import PAGES
from crossic_etl.session import get_session
from crossic_etl.tables import Tables

DATE = "20220720"
NAME = f"enwiki-{DATE}-pages-articles-multistream.xml.bz2"
PAGES_A_STREAM = 100
ID = re.compile(rb"<id>(\d+)</id>")
TITLE = re.compile(rb"<title>([^<]*)</title>")


def main(argv: Sequence[str] | None = None) -> None:
    """Print seconds of both and the ratio of their rates."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=200, help="of XML")
    arguments = parser.parse_args(argv)
    small = shared_folder() / "wiki"
    with tempfile.TemporaryDirectory() as scratch:
        large = Path(scratch) / "dumps"
        size = repeat_dump(
            small / "enwiki" / DATE / NAME, large / "enwiki" / DATE / NAME, arguments.megabytes
        )
        alone, n_pages = plain_loop(large / "enwiki" / DATE / NAME)
        spark = get_session("bench")
        run_job(spark, small, f"{scratch}/warm")
        stage = run_stage(spark, large, f"{scratch}/stage")
        job, n_rows = run_job(spark, large, f"{scratch}/tables")
        spark.stop()
    cores = len(os.sched_getaffinity(0))
    print(f"\ndump to pages: {size / 1e6:.0f} MB of XML, {n_pages} articles")
    print(f"plain loop, one process, C's bz2   {alone:6.1f} s {size / 1e6 / alone:6.1f} MB/s")
    print(f"Spark's job, {cores} cores               {job:6.1f} s {size / 1e6 / job:6.1f} MB/s")
    print(f"of it to staged rows, alone        {stage:6.1f} s {size / 1e6 / stage:6.1f} MB/s")
    print(f"Spark against {cores} times the loop: {alone / cores / job:.2f} (goal 0.75)")
    print(f"its staging pass alone: {alone / cores / stage:.2f}")
    assert n_rows == n_pages, f"{n_rows} rows of {n_pages} articles"


def repeat_dump(source: Path, copy: Path, megabytes: int) -> int:
    """Write pages of a dump again and again, ids and titles made new; the bytes of XML."""
    text = bz2.decompress(source.read_bytes())
    head, rest = text.split(b"<page>", 1)
    records = [b"  <page>" + r for r in rest.removesuffix(b"</mediawiki>\n").split(b"<page>")]
    copy.parent.mkdir(parents=True)
    size = 0
    with copy.open("wb") as file:
        file.write(bz2.compress(head))
        turn = 0
        while size < megabytes * 1_000_000:
            for start in range(0, len(records), PAGES_A_STREAM):
                stream = b"".join(
                    renumbered(record, turn) for record in records[start : start + PAGES_A_STREAM]
                )
                file.write(bz2.compress(stream))
                size += len(stream)
            turn += 1
        file.write(bz2.compress(b"</mediawiki>\n"))
    return size


def renumbered(record: bytes, turn: int) -> bytes:
    """A page under an id and title of its own."""
    record = ID.sub(lambda found: b"<id>%d</id>" % (int(found[1]) + turn * 10**9), record)
    return TITLE.sub(lambda found: b"<title>%s %d</title>" % (found[1], turn), record, count=1)


def plain_loop(path: Path) -> tuple[float, int]:
    """Seconds and articles of one process."""
    started, n_pages = time.perf_counter(), 0
    wiki = None
    for record in records_of(path):
        wiki = wiki or parse_siteinfo(record, "en")
        assert wiki is not None
        n_pages += sum(row["outcome"] == "page" for row in extract_page(record, wiki, DATE, 2**24))
    return time.perf_counter() - started, n_pages


def records_of(path: Path) -> Iterator[bytes]:
    """Records up to each ``</page>``, unpacked as they come."""
    rest = b""
    with bz2.open(path) as file:
        while block := file.read(2**20):
            *whole, rest = (rest + block).split(b"</page>")
            yield from whole
    yield rest


def config_of(dumps: Path, root: str) -> Config:
    """English and, because one target is needed, the small Thai wiki."""
    if not (dumps / "thwiki").exists():
        (dumps / "thwiki").symlink_to(shared_folder() / "wiki" / "thwiki")
    return Config(root, ("th",), Wikipedia(str(dumps), DATE))


def run_stage(spark: SparkSession, dumps: Path, root: str) -> float:
    """Seconds of the expensive pass alone: read, extract, write the staged rows."""
    config = config_of(dumps, root)
    wikis = find_wikis(spark, config.wikipedia, config.wikis)
    sites = read_sites(spark, wikis)
    started = time.perf_counter()
    stage_pages(Tables(spark, root), wikis, sites, config.wikipedia, input_values=[])
    return time.perf_counter() - started


def run_job(spark: SparkSession, dumps: Path, root: str) -> tuple[float, int]:
    """Seconds of the job and the English rows it made."""
    config = config_of(dumps, root)
    started = time.perf_counter()
    pages.run(spark, config)
    seconds = time.perf_counter() - started
    return seconds, Tables(spark, root).select(PAGES, {"lang": ["en"]}).count()


if __name__ == "__main__":
    main()
