"""What a month costs: a twentieth of pages changed and documents new, beside a run from nothing.

    python -m bench.months [--pages 1500] [--documents 8000] [shared data folder]

Two worlds, the second twice as large. In each the pipeline runs over the first month, and then over
the second, which brings the same to both: revisions of a twentieth of the smaller world's pages,
and a twentieth of its documents new. All runs are in one session; what is timed is the jobs alone.
A third world, of a few pages, says what any run takes whatever the data, of Spark's plans and
Delta's transactions. What is beyond that is compared too.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from bench.repeated import FIRST, SECOND, bring_news, write_months
from crossic_etl.cli.__main__ import main as command
from crossic_etl.session import get_session

FEW = (40, 200)


def main(argv: Sequence[str] | None = None) -> None:
    """Prints seconds of each run, and two ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=int, default=1500, help="articles of each of two wikis")
    parser.add_argument("--documents", type=int, default=8000)
    given, _ = parser.parse_known_args(argv)
    spark = get_session("bench")
    with tempfile.TemporaryDirectory() as scratch:
        # Classes are loaded, workers are up, and the encoder is read once.
        World(Path(scratch) / "warm", *FEW, 1).both_months()
        start = World(Path(scratch) / "few", *FEW, 1).both_months()
        once, twice = (
            World(Path(scratch) / str(scale), given.pages, given.documents, scale).both_months()
            for scale in (1, 2)
        )
    spark.stop()
    print(f"\n{'seconds':<34}{'from nothing':>14}{'next month':>12}{'share':>8}")
    size = given.pages, given.documents
    doubled = 2 * given.pages, 2 * given.documents
    for (pages, documents), (full, next_one) in ((FEW, start), (size, once), (doubled, twice)):
        what = f"{pages} pages, {documents} documents"
        print(f"{what:<34}{full:>14.1f}{next_one:>12.1f}{next_one / full:>8.2f}")
    beyond = (once[1] - start[1]) / (once[0] - start[0])
    print(f"a twentieth of news takes {once[1] / once[0]:.2f} of a run from nothing")
    print(f"beyond what a run of a few pages takes, {beyond:.2f} (goal 0.20)")
    print(f"tables twice as large make it {twice[1] / once[1]:.2f} times as long (goal 1.2)")


class World:
    """The input of two months, and the tables that the pipeline makes of it."""

    def __init__(self, folder: Path, n_pages: int, n_documents: int, scale: int) -> None:
        self.folder = folder
        settings = 'neighbours: {shards: 4, thresholds: {"*": 0.0}}'
        self.config = write_months(folder, n_pages, n_documents, settings, scale)

    def both_months(self) -> tuple[float, float]:
        """Seconds of the run from nothing, and of the next month's."""
        from_nothing = self.run(FIRST)
        bring_news(self.folder)
        return from_nothing, self.run(SECOND)

    def run(self, month: str) -> float:
        """Seconds of all jobs over a month."""
        started = time.perf_counter()
        assert command("run", ["--config", self.config, f"--set=wikipedia.date={month}"]) == 0
        return time.perf_counter() - started


if __name__ == "__main__":
    main()
