"""The command ``download``: dumps from a mirror, and crawl files from lists, to folders."""

from __future__ import annotations

import re
from typing import Any

import click

from crossic_etl.cli.actions import open_config
from crossic_etl.cli.options import Command, configuration
from crossic_etl.cli.registry import OTHERS


class Shard(click.ParamType):  # type: ignore[type-arg]
    """``2/10`` as (2, 10)."""

    name = "I/N"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The number of the shard and of all.

        Raises:
            click.BadParameter: it isn't one of so many.
        """
        return value if isinstance(value, tuple) else shard(value)


def shard(text: str) -> tuple[int, int]:
    """``2/10`` as (2, 10).

    Raises:
        click.BadParameter: it isn't one of so many.
    """
    match = re.fullmatch(r"(\d+)/(\d+)", text)
    number, of = map(int, match.groups()) if match else (0, 0)
    if not 1 <= number <= of:
        raise click.BadParameter(f"{text!r} given, expected 1/N to N/N", param_hint="--shards")
    return number, of


@click.command("download", cls=Command, help=OTHERS["download"])
@configuration()
@click.option("--only", type=click.Choice(("dumps", "crawl")), help="One of the two.")
@click.option(
    "--shards",
    type=Shard(),
    default="1/1",
    metavar="I/N",
    help="Of each list of crawl files every N-th, from the I-th on.",
)
@click.option("--dry-run", is_flag=True, help="Print what would be fetched.")
def command(
    path: str,
    overrides: tuple[str, ...],
    only: str | None,
    shards: tuple[int, int],
    dry_run: bool,
) -> None:
    """Fetches what is wanted, where the packages are installed."""
    from crossic_etl.config.errors import UnfitSettingError

    config = open_config(path, overrides)
    try:
        from crossic_etl.download.run import DownloadRequest, download
    except ImportError as error:
        message = f"package {error.name} is missing: pip install 'crossic-etl[download]'"
        raise UnfitSettingError(message) from None
    dumps, crawl = only != "crawl", only != "dumps"
    for line in download(config, DownloadRequest(dumps, crawl, shards, dry_run)):
        click.echo(line)
