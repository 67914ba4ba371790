"""Which work is finished, by the rows of ``runs``: the same work is not done twice.

A run with other settings than the last one would replace what is there, so it is refused until the
user asks for it. Other inputs are no reason to refuse: each month brings some.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Sequence
from importlib.metadata import version
from typing import Any

from pyspark.sql import functions as F

from crossic_etl.config import Config
from crossic_etl.config.errors import UnfitSettingError
from crossic_etl.kernels.fingerprint import fingerprint
from crossic_etl.runs.job import Job
from crossic_etl.schemas import QUANTIZERS, REJECTS, RUNS, Table
from crossic_etl.tables import Tables

# What several jobs write.
SHARED = (REJECTS, QUANTIZERS)
# The newest runs, one of which may have made what is there.
RECENT = 20
CODE = "code"


def values_of(config: Config, keys: Sequence[str]) -> dict[str, Any]:
    """The values of dotted keys, in plain types."""
    tree = dataclasses.asdict(config)
    found = {}
    for key in keys:
        value: Any = tree
        for part in key.split("."):
            value = value[part]
        found[key] = value
    return found


def settings_of(config: Config, keys: Sequence[str]) -> str:
    """The values of dotted keys, and the version of the code, as JSON."""
    values = {CODE: version("crossic-etl"), **values_of(config, keys)}
    return json.dumps(values, sort_keys=True, ensure_ascii=False)


def settings_fingerprint(config: Config, keys: Sequence[str]) -> str:
    """The fingerprint of the settings that decide a job's rows, and of the code's version."""
    return fingerprint(settings_of(config, keys))


def inputs_of(config: Config, job: Job, files: str = "") -> str:
    """What a job reads besides tables, as JSON; ``files`` is the fingerprint of its files."""
    values = values_of(config, job.inputs) | {"files": files}
    return json.dumps(values, sort_keys=True, ensure_ascii=False)


def versions_read(tables: Tables, named: Sequence[Table]) -> dict[str, int]:
    """The Delta version of each table.

    Raises:
        TableError: one isn't there yet.
    """
    return {table.name: tables.version(table) for table in named}


def versions_written(tables: Tables, named: Sequence[Table]) -> dict[str, int]:
    """The Delta version of each table that is there, without tables that other jobs write too."""
    found = {table.name: tables.find_version(table) for table in named if table not in SHARED}
    return {name: version for name, version in found.items() if version is not None}


def is_finished(tables: Tables, config: Config, job: Job, files: str = "") -> bool:
    """Whether a job would leave the tables that it writes as they are.

    It would where one of its last runs read the same versions, files and settings, and wrote the
    versions that there are now.
    """
    runs, reads = tables.find(RUNS), job.reads(config)
    if runs is None or not all(tables.is_there(table) for table in reads):
        return False
    same = {
        "job": job.name,
        "state": "done",
        "settings": settings_of(config, job.settings),
        "inputs": inputs_of(config, job, files),
    }
    for column, value in same.items():
        runs = runs.where(F.col(column) == F.lit(value))
    recent = runs.orderBy(F.desc("started")).select("input_versions", "output_versions")
    now = (versions_read(tables, reads), versions_written(tables, job.writes))
    return any((row.input_versions, row.output_versions) == now for row in recent.head(RECENT))


def refuse_other_settings(tables: Tables, config: Config, jobs: Iterable[Job]) -> None:
    """Refuses settings that differ from those of a job's last finished run.

    Raises:
        UnfitSettingError: names the job, the key, what it was and what it is.
    """
    runs = tables.find(RUNS)
    if runs is None:
        return
    done = runs.where((F.col("state") == "done") & F.col("settings").isNotNull())
    last = done.groupBy("job").agg(F.max_by("settings", "started").alias("settings")).collect()
    last_settings = {row.job: json.loads(row.settings) for row in last}
    for job in jobs:
        before = last_settings.get(job.name, {})
        for key, value in json.loads(settings_of(config, job.settings)).items():
            if key != CODE and before.get(key, value) != value:
                held = json.dumps(before[key], ensure_ascii=False)
                raise UnfitSettingError(
                    f"{key}: {value!r} given, but {job.name} under {tables.root} was made with "
                    f"{held}; --reconfigure replaces what is there"
                )
