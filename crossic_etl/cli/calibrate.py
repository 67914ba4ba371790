"""The command ``calibrate``: the job, and a plot of what it found."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from crossic_etl.cli.arguments import parser
from crossic_etl.cli.run import checked_config, guarded, only_writer, with_writing
from crossic_etl.kernels.search.calibration import Calibration
from crossic_etl.pipeline.calibrate import JOB, find_thresholds
from crossic_etl.pipeline.retrieval.plot import check_plot, missing_packages, write_plot
from crossic_etl.session import get_session


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the job from its command line; the exit status is 0, or 1 after one line of error."""
    arguments = with_writing(parser(__doc__ or ""))
    arguments.add_argument(
        "--plot", type=Path, metavar="FILE", help="draw precision and recall there, .html or .svg"
    )
    given = arguments.parse_args(argv)

    def action() -> None:
        config = checked_config(given)
        if given.plot:
            check_plot(given.plot)
        spark = get_session()
        with only_writer(spark, config, given, [JOB]):
            _, found = find_thresholds(spark, config)
        if given.plot:
            draw(found, config.neighbours.wrong_pairs, given.plot)

    return guarded(action)


def draw(found: dict[str, Calibration], wrong_pairs: str, path: Path) -> None:
    """Writes the plot, or says what it lacks."""
    if missing := missing_packages():
        names = " and ".join(missing)
        print(f"calibrate: no plot without {names}: pip install 'crossic-etl[plots]'")
    elif not any(one.table for one in found.values()):
        print("calibrate: no plot without pairs")
    else:
        title = f"Right pairs against {wrong_pairs} wrong ones, by least margin"
        write_plot(found, title, path)
        print(f"calibrate: plot in {path}")
