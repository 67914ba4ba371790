"""Training on an export, handed to this machine, Slurm, Kubernetes or Databricks."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Sequence

from crossic_etl.arguments import parser
from crossic_etl.config_errors import ConfigError
from crossic_etl.submit.follow import follow
from crossic_etl.submit.job import SubmitError
from crossic_etl.submit.plan import load, place, plan, read_exports
from crossic_etl.submit.settings import PLATFORMS
from crossic_etl.training.manifest import ManifestError

READS, WRITES = (), ()


def main(argv: Sequence[str] | None = None) -> int:
    """Submits a job; the exit status is 0, that of the job if it is followed, or 1 after a line."""
    given = _parser().parse_args(argv)
    try:
        return run(given)
    except (ConfigError, ManifestError, SubmitError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


def run(given: argparse.Namespace) -> int:
    """Checks everything that can be checked, then submits, prints or follows.

    Raises:
        ConfigError, ManifestError, SubmitError: before anything is submitted, where that can be.
    """
    overrides = list(given.overrides)
    if given.platform:
        overrides.append(f"submit.platform={given.platform}")
    config, tree = load(given.config, overrides)
    job, notes = plan(config, tree, read_exports(config, given.manifest))
    for note in notes:
        print(note, file=sys.stderr)
    platform = place(job, given.wait)
    if given.dry_run:
        print(platform.render(), end="")
        return 0
    platform.check()
    # Ends the waiting as Ctrl-C does, so that a local run doesn't outlive it.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    job_id = platform.submit()
    print(f"submitted {job.name}", file=sys.stderr)
    print(job_id, flush=True)
    if not given.wait:
        return 0
    return follow(platform, job_id, given.interval, lambda line: print(line, file=sys.stderr))


def _parser() -> argparse.ArgumentParser:
    arguments = parser(__doc__ or "", "submit.nodes=2")
    arguments.add_argument("--platform", choices=PLATFORMS, help="instead of submit.platform")
    arguments.add_argument(
        "--manifest", action="append", default=[], metavar="FOLDER",
        help="where an export, or a copy of its manifest.json, lies on this machine, if not where"
        " the job sees it; once for each export",
    )  # fmt: skip
    arguments.add_argument("--dry-run", action="store_true", help="print what would be submitted")
    arguments.add_argument(
        "--wait", action="store_true", help="follow the job and return its exit status"
    )
    arguments.add_argument(
        "--interval", type=float, default=10, metavar="SECONDS", help="between two looks at a job"
    )
    return arguments


if __name__ == "__main__":
    sys.exit(main())
