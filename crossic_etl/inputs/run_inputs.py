"""The files of one run: each folder is listed once, each small file is read once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from pyspark.sql import SparkSession

from crossic_etl.config import Config
from crossic_etl.inputs.crawl import CrawlFiles, find_sources
from crossic_etl.inputs.dumps import WikiFiles, find_wikis, fingerprint_of
from crossic_etl.inputs.evaluation import (
    Contents,
    block_list,
    fingerprint_contents,
    index_evaluation,
    read_whole,
)
from crossic_etl.inputs.sites import Sites, read_sites
from crossic_etl.kernels.crawl.url_blocks import UrlBlockList
from crossic_etl.kernels.fingerprint import fingerprint
from crossic_etl.kernels.text.contamination import NgramIndex
from crossic_etl.tables import Tables


@dataclass(frozen=True)
class RunInputs:
    """The inputs that the configuration names; each is read when it is first asked for.

    The jobs of one run share one object, so that they see the same files. A new run creates a new
    one, so that it sees changes. Each property raises `InputError` if files are missing or can't be
    read.
    """

    spark: SparkSession
    config: Config

    @cached_property
    def wikis(self) -> list[WikiFiles]:
        """The dump files of each wiki, English first."""
        return find_wikis(self.spark, self.config.wikipedia, self.config.wikis)

    @cached_property
    def sites(self) -> Sites:
        """The site info of each wiki, by language."""
        return read_sites(self.spark, self.wikis)

    @cached_property
    def tables(self) -> Tables:
        """The tables under the run's root, which nobody else writes."""
        return Tables(self.spark, self.config.root, is_only_writer=True)

    @cached_property
    def dumps_fingerprint(self) -> str:
        """Fingerprint of the names, sizes and times of all dump files."""
        return fingerprint_of(self.wikis)

    @cached_property
    def sources(self) -> list[CrawlFiles]:
        """The files of each crawl source."""
        return find_sources(self.spark, self.config.crawl.sources)

    @cached_property
    def crawl_fingerprint(self) -> str:
        """Fingerprint of the crawl files (names, sizes, times), their readings and rule files."""
        files = [
            [source.reading, path, size, source.times[path]]
            for source in self.sources
            for path, size in sorted(source.sizes.items())
        ]
        blocked = fingerprint_contents(self._blocked_files)
        return fingerprint(files, blocked, self.evaluation_fingerprint)

    @cached_property
    def blocked(self) -> UrlBlockList:
        """The block list of addresses."""
        return block_list(self._blocked_files)

    @cached_property
    def evaluation(self) -> NgramIndex | None:
        """The index of all evaluation texts; None where none are configured."""
        return index_evaluation(self._evaluation_files)

    @cached_property
    def evaluation_fingerprint(self) -> str:
        """Fingerprint of the evaluation files' content; empty if none are configured."""
        return fingerprint_contents(self._evaluation_files)

    @cached_property
    def _blocked_files(self) -> Contents:
        path = self.config.crawl.blocked_urls
        return read_whole(self.spark, "crawl.blocked_urls", path) if path else []

    @cached_property
    def _evaluation_files(self) -> Contents:
        return [
            file
            for path in self.config.crawl.evaluation
            for file in read_whole(self.spark, "crawl.evaluation", path)
        ]
