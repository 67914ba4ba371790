"""Dumps from a mirror, and crawl files from lists, to the folders that the other jobs read."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence

from crossic_etl.cli.arguments import parser
from crossic_etl.cli.run import guarded
from crossic_etl.config import load_config
from crossic_etl.config.errors import UnfitSettingError


def main(argv: Sequence[str] | None = None) -> int:
    """Fetches what the command line asks for; the exit status is 0, or 1 after an error."""
    arguments = parser(__doc__ or "")
    arguments.add_argument("--only", choices=("dumps", "crawl"), help="one of the two")
    arguments.add_argument(
        "--shards", type=shard, default=(1, 1), metavar="I/N",
        help="of each list of crawl files every N-th, from the I-th on",
    )  # fmt: skip
    arguments.add_argument("--dry-run", action="store_true", help="print what would be fetched")
    given = arguments.parse_args(argv)
    try:
        return guarded(lambda: run(given))
    except KeyboardInterrupt:
        print("stopped; run again to go on", file=sys.stderr)
        return 130


def run(given: argparse.Namespace) -> None:
    """Runs the job, where its packages are installed."""
    config = load_config(given.config, given.overrides)
    try:
        from crossic_etl.download.run import DownloadRequest, download
    except ImportError as error:
        message = f"package {error.name} is missing: pip install 'crossic-etl[download]'"
        raise UnfitSettingError(message) from None
    dumps, crawl = given.only != "crawl", given.only != "dumps"
    request = DownloadRequest(dumps, crawl, given.shards, given.dry_run)
    print(*download(config, request), sep="\n", flush=True)


def shard(text: str) -> tuple[int, int]:
    """``2/10`` as (2, 10).

    Raises:
        argparse.ArgumentTypeError: it isn't one of so many.
    """
    match = re.fullmatch(r"(\d+)/(\d+)", text)
    number, of = map(int, match.groups()) if match else (0, 0)
    if not 1 <= number <= of:
        raise argparse.ArgumentTypeError(f"{text!r} given, expected 1/N to N/N")
    return number, of
