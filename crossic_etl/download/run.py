"""The download job: lists what is wanted, fetches what isn't there, says what to configure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from crossic_etl.config import Config, ConfigError
from crossic_etl.config.errors import UnfitSettingError
from crossic_etl.download.batch import fetch_all, say
from crossic_etl.download.http import Client
from crossic_etl.download.listings import list_files, take_shard
from crossic_etl.download.mirror import Mirror
from crossic_etl.download.transfer import Wanted


@dataclass(frozen=True)
class Order:
    """What the command line asks for.

    Attributes:
        dumps, crawl: which of the two.
        shard: every N-th file of each list of crawl files, from the I-th (from 1) on: (I, N).
        dry_run: list only.
    """

    dumps: bool = True
    crawl: bool = True
    shard: tuple[int, int] = (1, 1)
    dry_run: bool = False


def download(config: Config, order: Order) -> None:
    """Fetches the files, and prints the settings under which the other jobs find them.

    Raises:
        ConfigError: there is nothing to fetch, or nobody is named for the User-Agent.
        InputError: a file, list or date can't be had.
    """
    client, wanted, settings = Client(config.download, say), list[Wanted](), list[str]()
    if order.dumps and (config.wikipedia.dumps or not config.download.crawl):
        date, wanted = Mirror(client, config).choose()
        settings.append(f"wikipedia.date: {date}")
    if order.crawl:
        for listing in config.download.crawl:
            wanted += take_shard(list_files(client, listing), *order.shard)
            settings.append(f"crawl.sources: a source with path {listing.to}")
    _check(wanted)
    if order.dry_run:
        print("\n".join(f"{file.origin} -> {file.path}{_size(file)}" for file in wanted))
    else:
        outcome = fetch_all(client, wanted)
        print(f"download: {outcome.fetched} files fetched, {outcome.kept} were there")
    print("to configure:", *settings, sep="\n  ", flush=True)


def _check(wanted: list[Wanted]) -> None:
    if not wanted:
        raise ConfigError("download.crawl", (), "a list of files")
    path, times = Counter(file.path for file in wanted).most_common(1)[0]
    if times > 1:
        raise UnfitSettingError(f"download.crawl: {times} files would go to {path}")


def _size(file: Wanted) -> str:
    return "" if file.size is None else f" ({file.size:,} bytes)"
