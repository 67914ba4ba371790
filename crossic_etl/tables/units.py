"""Long passes, staged unit by unit: a run that dies costs the unit that it was in, not all of them.

Each unit is one transaction of the pass's scratch table, which says what the pass is made of, and
which unit this is. The next run that would make the same of the same things finds the last one
there, and goes on after it.
"""

from __future__ import annotations

import hashlib
import json
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from typing import TypeVar

from pyspark.sql import DataFrame

from crossic_etl.tables import Tables, Unit

# Ours: of a pass of ten hours a unit is ten minutes, and what each costs besides stays small.
MOST = 64

Part = TypeVar("Part")


def cut(sizes: Mapping[str, int], least: int, most: int = MOST) -> list[list[str]]:
    """Names of things with their sizes, in their order, as units of ``least`` or more each.

    There are at most ``most`` of them, and one more: where there is much, units are larger. The
    last may be smaller. Without a thing there is one unit, which is empty.
    """
    wanted = max(least, -(-sum(sizes.values()) // most))
    units: list[list[str]] = [[]]
    filled = 0
    for name, size in sizes.items():
        if filled >= wanted:
            units.append([])
            filled = 0
        units[-1].append(name)
        filled += size
    return units


def stage_units(
    tables: Tables,
    job: str,
    made_of: Sequence[object],
    parts: Sequence[Part],
    stage: Callable[[Part, Unit | None], DataFrame],
) -> DataFrame:
    """Stages each part by ``stage(part, unit)``, but for those that a run which died has left.

    ``made_of`` is all that decides what they give besides themselves and the code, like them in
    plain types: what was made of other things is written over. A single part is staged as if there
    were no units.
    """
    if len(parts) == 1:
        return stage(parts[0], None)
    things = json.dumps([*made_of, list(parts), version("crossic-etl")], sort_keys=True)
    digest = hashlib.sha256(things.encode()).hexdigest()[:16]
    last = tables.last_unit(job)
    if last is None or last.made_of != digest:
        last = Unit(uuid.uuid4().hex, digest, -1)
    else:
        there = f"{last.number + 1} of {len(parts)} units"
        print(f"{job}: {there} are there, staged by a run that died", flush=True)
    for number in range(last.number + 1, len(parts)):
        started = time.monotonic()
        stage(parts[number], last._replace(number=number))
        seconds = time.monotonic() - started
        print(f"{job}: unit {number + 1} of {len(parts)} staged, {seconds:.1f} s", flush=True)
    return tables.staged(job)
