"""The download job: lists the files, fetches those that are missing, says what to configure."""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import dataclass

from crossic_etl.config import Config, ConfigError
from crossic_etl.config.errors import UnfitSettingError
from crossic_etl.download.batch import fetch_all, say
from crossic_etl.download.http import Client
from crossic_etl.download.listings import list_files, take_shard
from crossic_etl.download.mirror import Mirror
from crossic_etl.download.transfer import RemoteFile

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class DownloadRequest:
    """What the command line asks for.

    Attributes:
        dumps: fetch the dumps.
        crawl: fetch the crawl files.
        shard: every N-th file of each list of crawl files, from the I-th (from 1) on: (I, N).
        dry_run: list the files, but fetch none.
    """

    dumps: bool = True
    crawl: bool = True
    shard: tuple[int, int] = (1, 1)
    dry_run: bool = False


def download(config: Config, request: DownloadRequest) -> list[str]:
    """Fetches the files that are missing.

    Returns:
        Lines for the user: in a dry run the files, then the settings under which the other jobs
        find them.

    Raises:
        ConfigError: there is nothing to fetch, or ``download.contact`` is empty.
        InputError: a file, list or date isn't available.
    """
    client, files, settings = Client(config.download, say), list[RemoteFile](), list[str]()
    if request.dumps and (config.wikipedia.dumps or not config.download.crawl):
        date, files = Mirror(client, config.wikipedia, config.wikis).choose()
        settings.append(f"wikipedia.date: {date}")
    if request.crawl:
        for listing in config.download.crawl:
            files += take_shard(list_files(client, listing), *request.shard)
            settings.append(f"crawl.sources: a source with path {listing.to}")
    _check(files)
    listed = [f"{file.origin} -> {file.path}{_size(file)}" for file in files]
    if not request.dry_run:
        outcome = fetch_all(client, files)
        log.info("download: %d files fetched, %d were there", outcome.fetched, outcome.kept)
    to_configure = ["to configure:", *(f"  {setting}" for setting in settings)]
    return [*(listed if request.dry_run else []), *to_configure]


def _check(files: list[RemoteFile]) -> None:
    if not files:
        raise ConfigError("download.crawl", (), "a list of files")
    path, times = Counter(file.path for file in files).most_common(1)[0]
    if times > 1:
        raise UnfitSettingError(f"download.crawl: {times} files would go to {path}")


def _size(file: RemoteFile) -> str:
    return "" if file.size is None else f" ({file.size:,} bytes)"
