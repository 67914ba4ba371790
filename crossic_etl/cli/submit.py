"""The command ``submit``: training on an export, on this machine or a cluster."""

from __future__ import annotations

import logging
import signal
from collections.abc import Sequence

import click

from crossic_etl.cli.options import Choice, Command, configuration
from crossic_etl.cli.registry import OTHERS

log = logging.getLogger(__name__)


def platforms() -> Sequence[str]:
    """The platforms that training can be submitted to."""
    from crossic_etl.config.submit import PLATFORMS

    return PLATFORMS


@click.command("submit", cls=Command, help=OTHERS["submit"], to_stderr=True, own_signals=True)
@configuration("submit.nodes=2")
@click.option("--platform", type=Choice("PLATFORM", platforms), help="Instead of submit.platform.")
@click.option(
    "--manifest",
    multiple=True,
    metavar="FOLDER",
    help="Where an export, or a copy of its manifest.json, lies on this machine, if not where the"
    " job sees it; once for each export.",
)
@click.option(
    "--skip-checksums",
    is_flag=True,
    help="Don't read the exports' files: training does, before it begins.",
)
@click.option("--dry-run", is_flag=True, help="Print what would be submitted.")
@click.option("--wait", is_flag=True, help="Follow the job and return its exit status.")
@click.option(
    "--interval",
    type=float,
    default=10,
    show_default=True,
    metavar="SECONDS",
    help="Between two looks at a job.",
)
def command(
    path: str,
    overrides: tuple[str, ...],
    platform: str | None,
    manifest: tuple[str, ...],
    skip_checksums: bool,
    dry_run: bool,
    wait: bool,
    interval: float,
) -> int:
    """Checks everything that can be checked, then submits, prints or follows.

    The exit status is 0, or that of the job if it is followed.
    """
    from crossic_etl.submit.exports import read_exports, verify
    from crossic_etl.submit.follow import follow
    from crossic_etl.submit.plan import load, place, plan

    own = [f"submit.platform={platform}"] if platform else []
    config, tree = load(path, [*overrides, *own])
    manifests = read_exports(config, manifest)
    job, notes = plan(config, tree, manifests)
    for note in notes:
        log.info("%s", note)
    placed = place(job, wait)
    if dry_run:
        click.echo(placed.render(), nl=False)
        return 0
    placed.check()
    if not skip_checksums:
        verify(config, manifests, manifest, log.info)
    _end_as_by_ctrl_c()
    job_id = placed.submit()
    log.info("submitted %s", job.name)
    click.echo(job_id)
    return follow(placed, job_id, interval, log.info) if wait else 0


def _end_as_by_ctrl_c() -> None:
    """A local run, which is followed in a session of its own, isn't to outlive this process."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) != signal.SIG_IGN:  # as nohup wants it
            signal.signal(number, signal.default_int_handler)
