"""Stages samples in chunks: whole languages, or some English texts with all languages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from crossic_etl.pipeline.sample_sources import SampleRules, SampleSource
from crossic_etl.tables import Chunk, Tables
from crossic_etl.tables.chunks import MOST, make_chunks, stage_chunks
from crossic_etl.transforms.samples import make_samples

NAME = "samples"
# Ours, text pairs of an arrangement in a chunk: some minutes on two cores.
LEAST_TEXT_PAIRS = 100_000
# The same where long texts are embedded.
LEAST_EMBEDDED = 10_000

# Names of `SampleSource.part_of`, and which of how many parts by English text.
Part = tuple[Sequence[str], int, int]


def stage_samples(
    tables: Tables,
    sources: Sequence[SampleSource],
    text_pairs: DataFrame,
    n_text_pairs: Mapping[str, int],
    rules: SampleRules,
    input_values: Sequence[object],
    *,
    held: DataFrame | None = None,
) -> DataFrame:
    """Stages the samples of all sources.

    A chunk has whole languages of an origin, since each part of a language would read all texts of
    the language again. Where texts are embedded, reading is the lesser cost: a chunk then has some
    English texts with their pairs in all languages, so that each is embedded once.

    Args:
        tables: where they are staged.
        sources: of the texts.
        text_pairs: the result of `stage_text_pairs`.
        n_text_pairs: the result of `count_text_pairs`.
        rules: for making samples.
        input_values: everything that determines the samples, besides the chunks and the code.
        held: groups of stored samples, see `make_samples`.
    """

    def stage(part: Part, chunk: Chunk | None) -> DataFrame:
        names, number, of = part
        made = []
        for source in sources:
            of_chunk = [lang for lang in rules.languages if source.part_of(lang) in names]
            if languages := of_chunk if names else rules.languages:
                n = sum(n_text_pairs.get(source.part_of(lang), 0) for lang in languages) // of
                share = (number, of)
                of_source = text_pairs.where(F.col("origin") == source.origin)
                made.append(make_source(source, of_source, languages, rules, held, n, share))
        return tables.stage(NAME, reduce(DataFrame.unionByName, made), chunk)

    parts = make_parts(n_text_pairs, rules.settings.encoder is not None)
    return stage_chunks(tables, NAME, input_values, parts, stage)


def make_parts(n_text_pairs: Mapping[str, int], embeds: bool) -> list[Part]:
    """The parts of the samples that are staged one by one, see `stage_samples`."""
    if not embeds:
        return [(names, 0, 1) for names in make_chunks(n_text_pairs, LEAST_TEXT_PAIRS)]
    n_chunks = max(1, min(MOST, sum(n_text_pairs.values()) // LEAST_EMBEDDED))
    return [(list(n_text_pairs), number, n_chunks) for number in range(n_chunks)]


def make_source(
    source: SampleSource,
    text_pairs: DataFrame,
    languages: Sequence[str],
    rules: SampleRules,
    held: DataFrame | None = None,
    n_text_pairs: int = 0,
    share: tuple[int, int] = (0, 1),
) -> DataFrame:
    """The staged samples of some target languages of a source.

    The result is the same as if all samples were made at once. ``text_pairs`` are those of
    `describe_source`; see `make_samples` for ``held`` and ``n_text_pairs``. With ``share`` (i, n),
    the samples of the i-th n-th of all English texts.
    """
    chosen = text_pairs.where(F.col("target_lang").isin(list(languages)) & _is_in(share, "en_"))
    english = source.english.where(_is_in(share))
    return make_samples(chosen, english, source.target, rules.settings, held, n_text_pairs)


def _is_in(share: tuple[int, int], prefix: str = "") -> Column:
    number, of = share
    hashed = F.xxhash64(F.lit(NAME), F.col(f"{prefix}source_id"))
    return F.lit(True) if of == 1 else F.pmod(hashed, F.lit(of)) == number
