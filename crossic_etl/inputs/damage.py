"""Damaged input: found when Spark fails on it, then read in Python as far as it can be."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from urllib.parse import unquote

from pyspark.sql import DataFrame

from crossic_etl.inputs.errors import InputError
from crossic_etl.inputs.files import plain_path
from crossic_etl.tables import Chunk, Tables

log = logging.getLogger(__name__)

# Of local files, of HDFS, and of object stores.
DENIED = re.compile(r"Permission denied|AccessControlException|AccessDenied|Forbidden")
Build = Callable[[frozenset[str]], DataFrame]


def stage_readable(
    tables: Tables, job: str, build: Build, on_damage: str, chunk: Chunk | None = None
) -> DataFrame:
    """Stages ``build(damaged)``; each file that Spark can't read is added to ``damaged``.

    Spark's own codecs read a dump as far as they can. A file that they fail on is read again in
    whole streams: damage costs the records that it covers, and one more pass.

    Raises:
        InputError: a file is damaged and ``on_damage`` is ``fail``, or it can't be salvaged.
    """
    damaged: frozenset[str] = frozenset()
    while True:
        try:
            return tables.stage(job, build(damaged), chunk)
        except Exception as error:
            path = unreadable_file(error)
            if path is None:
                raise
            if on_damage == "fail" or path in damaged:
                raise InputError(
                    f"{path} is damaged or cut short ({_cause(error)}): fetch it again, "
                    "or set wikipedia.on_damage to salvage"
                ) from None
            log.info("%s: %s is damaged; reading what can be read of it", job, path)
            damaged |= {path}


def unreadable_file(error: BaseException) -> str | None:
    """The path, as `list_files` has it, of the file that Spark could not read; else None.

    Also None for a file that this process has no permission to read: it isn't damaged.
    """
    if DENIED.search(str(error)):
        return None
    found = re.search(
        r"FAILED_READ_FILE[.\w]*\][^\n]*?reading file ([^\n]+?)\.?\s*"
        r"(?:Could not read footer|Data type mismatches|File does not exist|SQLSTATE|\n|$)",
        str(error),
    )
    return plain_path(unquote(found[1])) if found else None


def _cause(error: BaseException) -> str:
    causes: list[str] = re.findall(r"(?:Caused by: )[\w.$]*?(\w+): ?([^\n]*)", str(error))
    return ": ".join(causes[-1]) if causes else type(error).__name__
