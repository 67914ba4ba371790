"""The command ``export``: windows of one arrangement to a folder."""

from __future__ import annotations

from collections.abc import Sequence

from crossic_etl.cli.arguments import parser
from crossic_etl.cli.run import checked_config, guarded
from crossic_etl.config import Config
from crossic_etl.config.errors import ConfigError, one_of
from crossic_etl.export.job import run
from crossic_etl.export.manifest import LAYOUTS
from crossic_etl.export.plan import ExportRequest
from crossic_etl.session import get_session
from crossic_etl.transforms.mixture import MIXTURE


def main(argv: Sequence[str] | None = None) -> int:
    """Exports what the command line asks for; the exit status is 0, or 1 after an error."""
    arguments = parser(__doc__ or "")
    arguments.add_argument("--to", required=True, help="folder or URL of the export")
    arguments.add_argument("--arrangement", help="which windows, where there are several")
    arguments.add_argument("--layout", choices=LAYOUTS, default="parquet")
    arguments.add_argument("--tokens", type=int, help="stop at so many new training tokens")
    arguments.add_argument("--file-windows", type=int, help="windows in a file, about")
    arguments.add_argument("--generation", type=int, help="windows of this generation alone")
    arguments.add_argument("--overwrite", action="store_true", help="replace an export there")
    given = arguments.parse_args(argv)

    def action() -> None:
        config = checked_config(given)
        request = ExportRequest(
            given.to, arrangement_of(config, given.arrangement), given.layout, given.tokens,
            given.file_windows, given.overwrite, given.generation,
        )  # fmt: skip
        run(get_session(), config, request)

    return guarded(action)


def arrangement_of(config: Config, given: str | None) -> str:
    """The arrangement to export: the one that was asked for, or the only one that is made.

    Raises:
        ConfigError: none was asked for, and there are several.
    """
    made = (*config.arrangements, *([MIXTURE] if config.mixture else []))
    if given is None and len(made) > 1:
        raise ConfigError("--arrangement", None, one_of(made))
    return given or made[0]
