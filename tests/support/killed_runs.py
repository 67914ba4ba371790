"""Runs that die before a unit of a pass is staged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from crossic_etl.pipeline import dumps as staging
from crossic_etl.pipeline import embeddings as embedding_units
from crossic_etl.pipeline import sample_sources as sample_units
from crossic_etl.pipeline.crawl import staging as crawl_staging
from crossic_etl.tables import Tables, Unit

if TYPE_CHECKING:
    import pytest


class Killed(BaseException):
    """What ends a run without being an error that it could answer."""


def make_units_small(patched: pytest.MonkeyPatch) -> None:
    """Every file is a unit, every few texts, and every language of each origin."""
    for module in (staging, crawl_staging):
        patched.setattr(module, "LEAST_BYTES", 1)
    patched.setattr(embedding_units, "LEAST_TEXTS", 4)
    patched.setattr(sample_units, "LEAST_SIDES", 1)


def note_units(
    patched: pytest.MonkeyPatch, dies_at: int | None = None, of: str | None = None
) -> list[int]:
    """The numbers of the units that runs stage, as they do; they die before one, of any job or of
    that one.
    """
    numbers: list[int] = []
    stage = Tables.stage

    def noting(
        self: Tables, job: str, frame: Any, unit: Unit | None = None, partition_by: Any = None
    ) -> Any:
        if unit is not None:
            if unit.number == dies_at and of in (None, job):
                raise Killed
            numbers.append(unit.number)
        return stage(self, job, frame, unit, partition_by)

    patched.setattr(Tables, "stage", noting)
    return numbers
