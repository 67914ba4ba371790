"""What commands have in common: the checked configuration, the one writer, errors in one line.

Imports no Spark before it is needed.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from crossic_etl.cli.output import drop_output, is_closed_output
from crossic_etl.cli.stopping import LINE, end_session, stopping

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from crossic_etl.config import Config
    from crossic_etl.config.yaml_file import YamlFile
    from crossic_etl.runs.job import Job

log = logging.getLogger(__name__)

# What is wrong with the input, the configuration or the tables, as opposed to with the program.
# Where a module wasn't imported, nobody has raised its error.
EXPECTED_ERRORS = {
    "crossic_etl.config.errors": "ConfigError",
    "crossic_etl.inputs.errors": "InputError",
    "crossic_etl.tables.columns": "TableError",
    "crossic_etl.runs.record": "UnbalancedError",
    "crossic_etl.export.manifest": "ExportError",
    "crossic_etl.training.errors": "TrainingError",
    "crossic_etl.submit.job": "SubmitError",
}


@contextmanager
def only_writer(
    spark: SparkSession, config: Config, jobs: Sequence[Job], wait: bool, reconfigure: bool
) -> Iterator[None]:
    """Inside, nobody else writes under the root, and the jobs may with their settings.

    Raises:
        LockedError: somebody does, and waiting wasn't wanted.
        ConfigError: what is there was made with other settings.
    """
    from crossic_etl.runs.ledger import Ledger
    from crossic_etl.tables import Tables
    from crossic_etl.tables.lock import writing

    with writing(spark, config.root, wait=wait):
        if not reconfigure:
            Ledger(Tables(spark, config.root)).refuse_other_settings(config, jobs)
        yield


def open_config(path: str, overrides: Sequence[str]) -> Config:
    """The configuration that the command line names; its root is the first message.

    Raises:
        ConfigError: it isn't one.
    """
    return _open(path, overrides)[0]


def checked_config(path: str, overrides: Sequence[str]) -> Config:
    """Like `open_config`, and checked as far as that needs no Spark.

    Raises:
        ConfigError: it can't be run.
    """
    from crossic_etl.config.checks import check_all

    config, file = _open(path, overrides)
    with file.locating():
        check_all(config)
    return config


def _open(path: str, overrides: Sequence[str]) -> tuple[Config, YamlFile]:
    """A configuration and its file, which is read once: it may be a pipe."""
    from crossic_etl.config import Config
    from crossic_etl.config.loading import load
    from crossic_etl.config.secrets import ANYWHERE
    from crossic_etl.config.yaml_file import read_yaml

    file = read_yaml(path, overrides)
    config, _ = load(Config, file, ANYWHERE)
    show_root(config)
    return config, file


def show_root(config: Config) -> None:
    """Says where the tables are, with the whole path."""
    from crossic_etl.config.roots import absolute_root

    log.info("root: %s", absolute_root(config.root))


def guarded(action: Callable[[], Any], own_signals: bool = False) -> int:
    """Runs an action and turns what a user can mend into one line on standard error.

    The exit status is the action's own, 0 where that is None, 1 after an error, and 130 or 143
    after Ctrl-C or SIGTERM. With ``own_signals`` the action handles these itself.
    """
    if own_signals:
        try:
            return _attempt(action)
        except KeyboardInterrupt:
            log.critical(LINE)
            return 130
    with stopping() as stop:
        try:
            return _attempt(action, lambda error: stop.number and not _lost_its_lock(error))
        except _Stop:
            end_session()
            log.critical(LINE)
            return stop.status


class _Stop(Exception):
    """A signal ended the action, whatever it raised."""


def _attempt(
    action: Callable[[], Any], is_stop: Callable[[BaseException], object] = lambda error: False
) -> int:
    try:
        return int(action() or 0)
    except BaseException as error:
        if is_stop(error):
            raise _Stop from None
        if isinstance(error, (click.ClickException, click.exceptions.Exit, click.Abort)):
            raise
        if (message := _message(error)) is None:
            raise
        if is_closed_output(error):
            drop_output()
            return 1
        log.error("%s", message)
        return 1


def _message(error: BaseException) -> str | None:
    """What an error that isn't the program's says, in one line; None for any other."""
    if isinstance(error, (*expected_errors(), OSError)):
        return str(error)
    if isinstance(error, Exception) and "pyspark" in sys.modules:
        from crossic_etl.spark_errors import explain, is_from_spark

        if is_from_spark(error):
            return explain(error)
    return None


def expected_errors() -> tuple[type[BaseException], ...]:
    """The classes of `EXPECTED_ERRORS` whose modules were imported."""
    loaded = {sys.modules.get(module): name for module, name in EXPECTED_ERRORS.items()}
    return tuple(getattr(module, name) for module, name in loaded.items() if module is not None)


def _lost_its_lock(error: BaseException) -> bool:
    """Whether the signal was that of the lock, which says itself what happened."""
    lock = sys.modules.get("crossic_etl.tables.lock")
    return lock is not None and isinstance(error, lock.LockedError)
