"""Finds finished work in the rows of ``runs``, so that it isn't done again.

A run with other settings than the last one would replace its rows, so it is refused until the user
asks for it. Other inputs are not refused, since each month brings new ones.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Sequence
from functools import cached_property
from importlib.metadata import version
from typing import Any

from pyspark.sql import Row, Window
from pyspark.sql import functions as F

from crossic_etl.config import Config
from crossic_etl.config.errors import UnfitSettingError
from crossic_etl.kernels.fingerprint import fingerprint
from crossic_etl.runs.job import Job
from crossic_etl.schemas import QUANTIZERS, REJECTS, RUNS, Table
from crossic_etl.tables import Tables

# Tables that several jobs write.
SHARED = (REJECTS, QUANTIZERS)
# Number of newest runs of a job to search for the one that wrote the present rows.
RECENT = 20
CODE = "code"
# Keys that the recorded inputs of older runs lack, with the value that makes the same rows.
LATER_INPUTS = {"wikipedia.service": "auto"}


def values_of(config: Config, keys: Sequence[str]) -> dict[str, Any]:
    """The values of dotted keys, as plain types."""
    tree = dataclasses.asdict(config)
    found = {}
    for key in keys:
        value: Any = tree
        for part in key.split("."):
            value = value[part]
        found[key] = value
    return found


def settings_of(config: Config, keys: Sequence[str]) -> str:
    """The values of dotted keys and the code's version, as JSON."""
    values = {CODE: version("crossic-etl"), **values_of(config, keys)}
    return json.dumps(values, sort_keys=True, ensure_ascii=False)


def settings_fingerprint(config: Config, keys: Sequence[str]) -> str:
    """The fingerprint of the settings that determine a job's rows, and of the code's version."""
    return fingerprint(settings_of(config, keys))


def inputs_of(config: Config, job: Job, files: str = "") -> str:
    """The inputs of a job besides tables, as JSON; ``files`` is its files' fingerprint."""
    values = values_of(config, job.inputs) | {"files": files}
    values = {key: value for key, value in values.items() if LATER_INPUTS.get(key) != value}
    return json.dumps(values, sort_keys=True, ensure_ascii=False)


def versions_read(tables: Tables, named: Sequence[Table]) -> dict[str, int]:
    """The Delta version of each table.

    Raises:
        TableError: one doesn't exist yet.
    """
    return {table.name: tables.version(table) for table in named}


def versions_written(tables: Tables, named: Sequence[Table]) -> dict[str, int]:
    """The Delta version of each existing table, without tables that several jobs write."""
    found = {table.name: tables.find_version(table) for table in named if table not in SHARED}
    return {name: version for name, version in found.items() if version is not None}


class Ledger:
    """The newest finished runs of each job; asked once, so a new run needs a new object.

    An ``earlier`` object is asked instead if ``runs`` hasn't changed since.
    """

    def __init__(self, tables: Tables, earlier: Ledger | None = None) -> None:
        self._tables, self._earlier = tables, earlier

    @cached_property
    def _version(self) -> int | None:
        return self._tables.find_version(RUNS)

    @cached_property
    def _runs(self) -> list[Row]:
        """At most `RECENT` runs of each job, newest first."""
        if self._earlier is not None and self._earlier._version == self._version:
            return self._earlier._runs
        if (runs := self._tables.find(RUNS)) is None:
            return []
        newest_first = Window.partitionBy("job").orderBy(F.desc("started"), "run_id")
        number = F.row_number().over(newest_first)
        done = runs.where((F.col("state") == "done") & F.col("settings").isNotNull())
        recent = done.withColumn("number", number).where(F.col("number") <= RECENT)
        names = ("job", "settings", "inputs", "input_versions", "output_versions")
        return recent.orderBy("job", "number").select(*names).collect()

    def is_finished(self, config: Config, job: Job, files: str = "") -> bool:
        """Whether a job's tables are up to date, so that running it would not change them.

        They are if one of its last runs read the present versions, files and settings, and wrote
        the present versions.
        """
        tables, reads = self._tables, job.reads(config)
        if not all(tables.is_there(table) for table in reads):
            return False
        wanted = job.name, settings_of(config, job.settings), inputs_of(config, job, files)
        same = [run for run in self._runs if (run.job, run.settings, run.inputs) == wanted]
        if not same:
            return False
        now = (versions_read(tables, reads), versions_written(tables, job.writes))
        return any((run.input_versions, run.output_versions) == now for run in same)

    def refuse_other_settings(self, config: Config, jobs: Iterable[Job]) -> None:
        """Refuses settings that differ from those of a job's last finished run.

        Raises:
            UnfitSettingError: names the job, the key, the old and the new value.
        """
        last_settings = {run.job: json.loads(run.settings) for run in reversed(self._runs)}
        for job in jobs:
            before = last_settings.get(job.name, {})
            for key, value in json.loads(settings_of(config, job.settings)).items():
                if key != CODE and before.get(key, value) != value:
                    held = json.dumps(before[key], ensure_ascii=False)
                    raise UnfitSettingError(
                        f"{key}: {value!r} given, but {job.name} under {self._tables.root} was "
                        f"made with {held}; --reconfigure replaces what is there"
                    )
