"""Training on an export, handed to this machine, Slurm, Kubernetes or Databricks."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Sequence

from crossic_etl.cli.arguments import parser
from crossic_etl.config.errors import ConfigError
from crossic_etl.config.submit import PLATFORMS
from crossic_etl.export.manifest import ManifestError
from crossic_etl.submit.exports import read_exports, verify
from crossic_etl.submit.follow import follow
from crossic_etl.submit.job import SubmitError
from crossic_etl.submit.plan import load, place, plan


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
    manifests = read_exports(config, given.manifest)
    job, notes = plan(config, tree, manifests)
    for note in notes:
        _say(note)
    platform = place(job, given.wait)
    if given.dry_run:
        print(platform.render(), end="")
        return 0
    platform.check()
    if not given.skip_checksums:
        verify(config, manifests, given.manifest, _say)
    _end_as_by_ctrl_c()
    job_id = platform.submit()
    _say(f"submitted {job.name}")
    print(job_id, flush=True)
    return follow(platform, job_id, given.interval, _say) if given.wait else 0


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _end_as_by_ctrl_c() -> None:
    """A local run, which is followed in a session of its own, isn't to outlive this process."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) != signal.SIG_IGN:  # as nohup wants it
            signal.signal(number, signal.default_int_handler)


def _parser() -> argparse.ArgumentParser:
    arguments = parser(__doc__ or "", "submit.nodes=2")
    arguments.add_argument("--platform", choices=PLATFORMS, help="instead of submit.platform")
    arguments.add_argument(
        "--manifest", action="append", default=[], metavar="FOLDER",
        help="where an export, or a copy of its manifest.json, lies on this machine, if not where"
        " the job sees it; once for each export",
    )  # fmt: skip
    arguments.add_argument(
        "--skip-checksums", action="store_true",
        help="don't read the exports' files: training does, before it begins",
    )  # fmt: skip
    arguments.add_argument("--dry-run", action="store_true", help="print what would be submitted")
    arguments.add_argument(
        "--wait", action="store_true", help="follow the job and return its exit status"
    )
    arguments.add_argument(
        "--interval", type=float, default=10, metavar="SECONDS", help="between two looks at a job"
    )
    return arguments
