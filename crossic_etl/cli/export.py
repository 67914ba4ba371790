"""The command ``export``: windows of one arrangement to a folder."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from crossic_etl.cli.actions import checked_config
from crossic_etl.cli.options import Choice, Command, configuration
from crossic_etl.cli.registry import OTHERS
from crossic_etl.cli.stopping import start_session

if TYPE_CHECKING:
    from crossic_etl.config import Config


def layouts() -> Sequence[str]:
    """The layouts that an export may have."""
    from crossic_etl.export.manifest import LAYOUTS

    return LAYOUTS


@click.command("export", cls=Command, help=OTHERS["export"])
@configuration()
@click.option("--to", required=True, metavar="FOLDER", help="Folder or URL of the export.")
@click.option("--arrangement", metavar="NAME", help="Which windows, where there are several.")
@click.option(
    "--layout",
    type=Choice("LAYOUT", layouts),
    default="parquet",
    show_default=True,
    help="Parquet, mds or another of docs/export.md.",
)
@click.option("--tokens", type=int, help="Stop at so many new training tokens.")
@click.option("--file-windows", type=int, help="Windows in a file, about.")
@click.option("--generation", type=int, help="Windows of this generation alone.")
@click.option("--overwrite", is_flag=True, help="Replace an export there.")
def command(
    path: str,
    overrides: tuple[str, ...],
    to: str,
    arrangement: str | None,
    layout: str,
    tokens: int | None,
    file_windows: int | None,
    generation: int | None,
    overwrite: bool,
) -> None:
    """Exports what is asked for."""
    from crossic_etl.export import job
    from crossic_etl.export.plan import ExportRequest

    config = checked_config(path, overrides)
    request = ExportRequest(
        to,
        arrangement_of(config, arrangement),
        layout,
        tokens,
        file_windows,
        overwrite,
        generation,
    )
    job.run(start_session(), config, request)


def arrangement_of(config: Config, given: str | None) -> str:
    """The arrangement to export: the one that was asked for, or the only one that is made.

    Raises:
        ConfigError: none was asked for, and there are several.
    """
    from crossic_etl.config.errors import ConfigError, one_of
    from crossic_etl.transforms.mixture import MIXTURE

    made = (*config.arrangements, *([MIXTURE] if config.mixture else []))
    if given is None and len(made) > 1:
        raise ConfigError("--arrangement", None, one_of(made))
    return given or made[0]
