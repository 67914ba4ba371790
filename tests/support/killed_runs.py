"""Runs that die before a chunk of a pass is staged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from crossic_etl.pipeline import dumps as staging
from crossic_etl.pipeline import embeddings as embedding_chunks
from crossic_etl.pipeline import sample_chunks
from crossic_etl.pipeline.crawl import staging as crawl_staging
from crossic_etl.tables import Chunk, Tables

if TYPE_CHECKING:
    import pytest


class Killed(BaseException):
    """What ends a run without being an error that it could answer."""


def make_chunks_small(patched: pytest.MonkeyPatch) -> None:
    """Every file is a chunk, every few texts, and every language of each origin."""
    for module in (staging, crawl_staging):
        patched.setattr(module, "LEAST_BYTES", 1)
    patched.setattr(embedding_chunks, "LEAST_TEXTS", 4)
    patched.setattr(sample_chunks, "LEAST_TEXT_PAIRS", 1)
    patched.setattr(sample_chunks, "LEAST_EMBEDDED", 40)


def note_chunks(
    patched: pytest.MonkeyPatch, dies_at: int | None = None, of: str | None = None
) -> list[int]:
    """The numbers of the chunks that runs stage, as they do; they die before one, of any job or of
    that one.
    """
    numbers: list[int] = []
    stage = Tables.stage

    def noting(
        self: Tables, job: str, frame: Any, chunk: Chunk | None = None, partition_by: Any = None
    ) -> Any:
        if chunk is not None:
            if chunk.number == dies_at and of in (None, job):
                raise Killed
            numbers.append(chunk.number)
        return stage(self, job, frame, chunk, partition_by)

    patched.setattr(Tables, "stage", noting)
    return numbers
