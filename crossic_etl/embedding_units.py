"""Texts to staged vectors, unit by unit where they are many."""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from crossic_etl.encoder_choice import EncoderChoice
from crossic_etl.tables import Tables, Unit
from crossic_etl.transforms.embeddings import embed_texts, number_units, task_number
from crossic_etl.units import MOST, stage_units

JOB, TEXTS = "embeddings", "embeddings_texts"
# Ours: some minutes of two cores.
LEAST_TEXTS = 100_000


def stage_vectors(
    tables: Tables, texts: DataFrame, n_texts: int, choice: EncoderChoice, made_of: Sequence[object]
) -> DataFrame:
    """Stages the vectors of `select_texts`'s rows; ``made_of`` is what decides these.

    For units the texts are staged too, each unit's in a partition: they would be looked for in the
    whole tables of pages and documents once for each otherwise.
    """
    n_units = max(1, min(MOST, n_texts // LEAST_TEXTS))
    n_tasks = task_number(-(-n_texts // n_units))
    if n_units > 1:
        texts = tables.stage(TEXTS, number_units(texts, n_units), partition_by="unit")

    def stage(number: int, unit: Unit | None) -> DataFrame:
        part = texts if unit is None else texts.where(F.col("unit") == number).drop("unit")
        return tables.stage(JOB, embed_texts(part, choice, n_tasks), unit)

    staged = stage_units(tables, JOB, [choice.scope, *made_of], range(n_units), stage)
    if n_units > 1:
        tables.unstage(TEXTS)
    return staged
