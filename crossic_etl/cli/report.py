"""All tables under a root as one HTML file: counts, distributions, and samples to read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from crossic_etl.cli.arguments import parser
from crossic_etl.cli.run import guarded
from crossic_etl.config import Config, load_config
from crossic_etl.config.errors import UnfitSettingError, require
from crossic_etl.session import get_session


def main(argv: Sequence[str] | None = None) -> int:
    """Writes the report; the exit status is 0, or 1 after an error."""
    arguments = parser(__doc__ or "")
    arguments.add_argument("--out", default="report.html", type=Path, help="the HTML file")
    arguments.add_argument(
        "--samples", default=10, type=int, help="to read, of each language and arrangement"
    )
    given = arguments.parse_args(argv)

    def action() -> None:
        config = load_config(given.config, given.overrides)
        run(config, given.out, given.samples)

    return guarded(action)


def run(config: Config, out: Path, most_samples: int) -> None:
    """Asks the tables and writes the file, whole or not at all."""
    try:
        from crossic_etl.report.make import MOST_SAMPLES, check_file, make_report, write_report
    except ImportError as error:
        message = f"package {error.name} is missing: pip install 'crossic-etl[report]'"
        raise UnfitSettingError(message) from None
    fits = 0 <= most_samples <= MOST_SAMPLES
    require(fits, "--samples", most_samples, f"0 to {MOST_SAMPLES}")
    check_file(out)
    report = make_report(get_session(), config, most_samples)
    write_report(report, out)
    print(f"report: {len(report.sections)} sections, {len(report.samples)} samples, {out}")
