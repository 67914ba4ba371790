"""Long passes, staged chunk by chunk: a run that dies loses the chunk that it was in, not all.

Each chunk is one transaction of the pass's scratch table. It says which chunk it is, and holds the
fingerprint of what the pass reads. The next run of the same pass over the same input finds the last
chunk there, and goes on after it.
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

# Ours: of a pass of ten hours a chunk is ten minutes, and the fixed cost of each stays small.
MOST = 64

Part = TypeVar("Part")


def make_chunks(sizes: Mapping[str, int], least: int, most: int = MOST) -> list[list[str]]:
    """Groups names, in the order of ``sizes``, into chunks of at least ``least`` in size.

    There are at most ``most`` chunks and one more: where there is much, chunks are larger. The last
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
    """Stages each part by ``stage(part, chunk)``, except those that a run that died has staged.

    ``input_values`` decide the rows, together with the parts and the version of the code; they are
    in plain types, like the parts. A scratch table that was made of other values is written over. A
    single part is staged without a chunk.
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
