"""Sides to staged samples, unit by unit where they are many."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce

from pyspark.sql import DataFrame

from crossic_etl.config import Config
from crossic_etl.sample_sources import Source
from crossic_etl.tables import Tables, Unit
from crossic_etl.transforms.samples import SampleSettings
from crossic_etl.units import cut, stage_units

JOB = "samples"
# Ours, sides in an arrangement: some minutes of two cores.
LEAST_SIDES = 100_000


def count_sides(sources: Sequence[Source]) -> dict[str, int]:
    """Sides of each origin and language, once for each arrangement that they are to be in."""
    found = {}
    for source in sources:
        for row in source.rows.groupBy("target_lang").count().collect():
            name = _part(source, row.target_lang)
            found[name] = row["count"] * len(source.arrangements)
    return dict(sorted(found.items()))


def stage_samples(
    tables: Tables,
    sources: Sequence[Source],
    sides: Mapping[str, int],
    contaminated: DataFrame | None,
    config: Config,
    made_of: Sequence[object],
    held: DataFrame | None = None,
) -> DataFrame:
    """Stages the samples of all sources; see `make_samples` for ``held``.

    Units are of whole languages of an origin each: a part of a language would have all texts of the
    language read once more. ``sides`` are `count_sides`; ``made_of`` is all that decides the
    samples, besides the units and the code.
    """
    settings = SampleSettings(
        config.tokenizer, config.split_token, config.max_tokens, config.segment.separator
    )

    def stage(parts: Sequence[str], unit: Unit | None) -> DataFrame:
        made = []
        for source in sources:
            of_unit = [lang for lang in config.languages if _part(source, lang) in parts]
            if languages := of_unit if parts else config.languages:
                made.append(source.make(languages, contaminated, settings, config, held))
        return tables.stage(JOB, reduce(DataFrame.unionByName, made), unit)

    return stage_units(tables, JOB, made_of, cut(sides, LEAST_SIDES), stage)


def _part(source: Source, language: str) -> str:
    return f"{source.origin} {language}"
