"""Stages long passes in chunks: a run that dies loses its current chunk only.

Each chunk is one transaction of the pass's scratch table. Its metadata has the chunk's number and
the fingerprint of the pass's input. The next run of the same pass over the same input finds the
last chunk and continues after it.
"""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from typing import TypeVar

from pyspark.sql import DataFrame

from crossic_etl.kernels.fingerprint import fingerprint
from crossic_etl.tables import Chunk, Tables

log = logging.getLogger(__name__)

# Ours: a chunk of a ten-hour pass is ten minutes, and the fixed cost of chunks stays small.
MOST = 64

Part = TypeVar("Part")


def make_chunks(sizes: Mapping[str, int], least: int, most: int = MOST) -> list[list[str]]:
    """Groups names, in the order of ``sizes``, into chunks of at least ``least`` in size.

    There are at most ``most`` + 1 chunks: chunks become larger where there is more. The last one
    may be smaller. No names give one empty chunk.
    """
    wanted = max(least, -(-sum(sizes.values()) // most))
    chunks: list[list[str]] = [[]]
    filled = 0
    for name, size in sizes.items():
        if filled >= wanted:
            chunks.append([])
            filled = 0
        chunks[-1].append(name)
        filled += size
    return chunks


def stage_chunks(
    tables: Tables,
    job: str,
    input_values: Sequence[object],
    parts: Sequence[Part],
    stage: Callable[[Part, Chunk | None], DataFrame],
) -> DataFrame:
    """Stages each part by ``stage(part, chunk)``, except those that a dead run has staged.

    ``input_values``, the parts and the code's version determine the rows; values and parts are
    plain types. A scratch table of other values is overwritten. A single part is staged without a
    chunk.
    """
    if len(parts) == 1:
        return stage(parts[0], None)
    expected = fingerprint([*input_values, list(parts), version("crossic-etl")])
    last = tables.last_chunk(job)
    if last is None or last.input_fingerprint != expected:
        last = Chunk(uuid.uuid4().hex, expected, -1)
    else:
        there = f"{last.number + 1} of {len(parts)} chunks"
        log.info("%s: %s are there, staged by a run that died", job, there)
    for number in range(last.number + 1, len(parts)):
        started = time.monotonic()
        stage(parts[number], last._replace(number=number))
        seconds = time.monotonic() - started
        log.info("%s: chunk %d of %d staged, %.1f s", job, number + 1, len(parts), seconds)
    return tables.staged(job)
