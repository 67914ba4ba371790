"""What every job's command line has in common: arguments, and errors in one line."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from pyspark.sql import SparkSession

from crossic_etl.cli.arguments import parser
from crossic_etl.config import Config, ConfigError, load_config
from crossic_etl.config.checks import (
    check_dumps,
    check_encoder,
    check_tokenizer,
    choose_quality_rules,
)
from crossic_etl.export.manifest import ExportError
from crossic_etl.inputs.errors import InputError
from crossic_etl.runs.job import Job
from crossic_etl.runs.ledger import refuse_other_settings
from crossic_etl.runs.record import UnbalancedError
from crossic_etl.session import get_session
from crossic_etl.spark_errors import explain, is_from_spark
from crossic_etl.tables import TableError, Tables
from crossic_etl.tables.lock import writing

# What is wrong with the input, the configuration or the tables, as opposed to with the program.
EXPECTED_ERRORS = (ConfigError, InputError, TableError, UnbalancedError, ExportError)


def run_job(job: Job, description: str | None, argv: Sequence[str] | None = None) -> int:
    """Runs one job from its command line; the exit status is 0, or 1 after one line of error."""
    given = with_writing(parser(description or "")).parse_args(argv)

    def action() -> None:
        config = checked_config(given)
        spark = get_session()
        with only_writer(spark, config, given, [job]):
            job.run(spark, config)

    return guarded(action)


def with_writing(arguments: argparse.ArgumentParser) -> argparse.ArgumentParser:
    """Adds what every command takes that changes tables."""
    arguments.add_argument(
        "--reconfigure", action="store_true",
        help="replace what was made with other settings, instead of refusing to",
    )  # fmt: skip
    return with_waiting(arguments)


def with_waiting(arguments: argparse.ArgumentParser) -> argparse.ArgumentParser:
    """Adds what to do where another run writes."""
    arguments.add_argument(
        "--no-wait", action="store_true", help="stop where another run writes under the same root"
    )
    return arguments


@contextmanager
def only_writer(
    spark: SparkSession, config: Config, given: argparse.Namespace, jobs: Sequence[Job]
) -> Iterator[None]:
    """Inside, nobody else writes under the root, and the jobs may with their settings.

    Raises:
        LockedError: somebody does, and waiting wasn't wanted.
        ConfigError: what is there was made with other settings.
    """
    with writing(spark, config.root, wait=not given.no_wait):
        if not given.reconfigure:
            refuse_other_settings(Tables(spark, config.root), config, jobs)
        yield


def checked_config(given: argparse.Namespace) -> Config:
    """The configuration that the command line names, checked as far as that needs no Spark.

    Raises:
        ConfigError: it can't be run.
    """
    config = load_config(given.config, given.overrides)
    check_dumps(config)
    check_tokenizer(config)
    check_encoder(config)
    choose_quality_rules(config.crawl)
    return config


def guarded(action: Callable[[], None]) -> int:
    """Runs an action and turns what a user can mend into one line on standard error."""
    try:
        action()
    except (*EXPECTED_ERRORS, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except Exception as error:
        if not is_from_spark(error):
            raise
        print(f"error: {explain(error)}", file=sys.stderr)
        return 1
    return 0
