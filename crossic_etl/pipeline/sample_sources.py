"""What samples are made of: pairs of Wikipedia, and web documents found for a target text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from crossic_etl.kernels.text.contamination import NgramIndex
from crossic_etl.schemas import DOCUMENTS, NEIGHBOURS, PAGES, PAIRS
from crossic_etl.tables import Chunk, Scope, Tables
from crossic_etl.tables.chunks import make_chunks, stage_chunks
from crossic_etl.transforms.contamination import find_contaminated
from crossic_etl.transforms.samples import SampleSettings, make_samples
from crossic_etl.transforms.text_pairs import (
    CRAWL,
    RETRIEVED,
    WIKIPEDIA,
    arrange_pairs,
    arrange_retrieved,
    document_texts,
    filter_text_pairs,
    page_texts,
    retrieved_text_pairs,
    select_paired_texts,
    wikipedia_text_pairs,
)

NAME = "samples"
# Ours, pairs of texts in an arrangement: some minutes of two cores.
LEAST_TEXT_PAIRS = 100_000


@dataclass(frozen=True)
class SampleSource:
    """Pairs of texts of one origin, with their texts, and the arrangements to make of them.

    Attributes:
        origin: ``wikipedia`` or ``crawl``.
        rows: has one row for each of ``text_pairs``, and is cheaper to count.
        text_pairs: see `transforms.text_pairs`.
        english: texts, see `transforms.text_pairs.page_texts`.
        target: texts of the target languages.
        arrangements: to make.
    """

    origin: str
    rows: DataFrame
    text_pairs: DataFrame
    english: DataFrame
    target: DataFrame
    arrangements: tuple[str, ...]

    def part_of(self, language: str) -> str:
        """The name of a language's samples of this origin."""
        return f"{self.origin} {language}"


@dataclass(frozen=True)
class SampleRules:
    """What decides the samples of given texts.

    Attributes:
        languages: target languages.
        settings: how texts are joined and cut.
        min_chars: shorter texts make no sample.
        seed: of every order and permutation.
    """

    languages: tuple[str, ...]
    settings: SampleSettings
    min_chars: int
    seed: int


@dataclass(frozen=True)
class NeighbourQueries:
    """Whose neighbours make samples of the arrangement `retrieved`.

    Attributes:
        model, revision: of the encoder that found them.
        are_pages: whether pages are the queries, or else web documents.
    """

    model: str
    revision: str
    are_pages: bool

    def scope(self, languages: Sequence[str]) -> Scope:
        """Their rows of ``neighbours``."""
        return {
            "target_lang": languages,
            "model": [self.model],
            "revision": [self.revision],
            "query_kind": ["page" if self.are_pages else "document"],
        }


def load_sources(
    tables: Tables,
    languages: Sequence[str],
    arrangements: Sequence[str],
    *,
    validation_share: float,
    seed: int,
    retrieved: NeighbourQueries | None = None,
) -> list[SampleSource]:
    """The sources of the arrangements, each of which belongs to one of them.

    ``retrieved`` is given where the arrangement of that name is among them.
    """
    pairs = tables.select(PAIRS, {"target_lang": languages})
    text_pairs = wikipedia_text_pairs(pairs, validation_share, seed)
    english = page_texts(tables.select(PAGES, {"lang": ["en"]}))
    target = page_texts(tables.select(PAGES, {"lang": languages}))
    sources = []
    if of_pairs := tuple(name for name in arrangements if name != RETRIEVED):
        sources.append(SampleSource(WIKIPEDIA, pairs, text_pairs, english, target, of_pairs))
    if retrieved is not None:
        accepted = tables.select(NEIGHBOURS, retrieved.scope(languages)).where("accepted")
        found = retrieved_text_pairs(accepted, text_pairs, validation_share, seed)
        of_web = document_texts(tables.select(DOCUMENTS, {"lang": ["en"]}))
        if not retrieved.are_pages:
            target = document_texts(tables.select(DOCUMENTS, {"lang": languages}))
        sources.append(SampleSource(CRAWL, accepted, found, of_web, target, (RETRIEVED,)))
    return sources


def stage_contaminated(
    tables: Tables,
    wikis: Sequence[str],
    evaluation: NgramIndex | None,
    sources: Sequence[SampleSource],
) -> DataFrame | None:
    """Stages the pages of these sources that overlap an evaluation text; each is compared once.

    None without evaluation texts. Web documents were compared by the job ``documents``.
    """
    if evaluation is None:
        return None
    pages = page_texts(tables.select(PAGES, {"lang": wikis}))
    texts = select_paired_texts(pages, [source.text_pairs for source in sources])
    return tables.stage("contaminated", find_contaminated(texts, evaluation))


def count_text_pairs(sources: Sequence[SampleSource]) -> dict[str, int]:
    """Pairs of texts of each origin and language, once for each arrangement that they are for."""
    found = {}
    for source in sources:
        for row in source.rows.groupBy("target_lang").count().collect():
            found[source.part_of(row.target_lang)] = row["count"] * len(source.arrangements)
    return dict(sorted(found.items()))


def stage_samples(
    tables: Tables,
    sources: Sequence[SampleSource],
    n_text_pairs: Mapping[str, int],
    rules: SampleRules,
    input_values: Sequence[object],
    *,
    contaminated: DataFrame | None = None,
    held: DataFrame | None = None,
) -> DataFrame:
    """Stages the samples of all sources.

    Chunks are of whole languages of an origin each: a part of a language would read all texts of
    the language once more.

    Args:
        tables: where they are staged.
        sources: of the texts.
        n_text_pairs: what `count_text_pairs` gives.
        rules: see there.
        input_values: all that decides the samples, besides the chunks and the code.
        contaminated: what `stage_contaminated` gives.
        held: groups of samples that there are, see `make_samples`.
    """

    def stage(parts: Sequence[str], chunk: Chunk | None) -> DataFrame:
        made = []
        for source in sources:
            of_chunk = [lang for lang in rules.languages if source.part_of(lang) in parts]
            if languages := of_chunk if parts else rules.languages:
                made.append(make_source(source, languages, rules, contaminated, held))
        return tables.stage(NAME, reduce(DataFrame.unionByName, made), chunk)

    chunks = make_chunks(n_text_pairs, LEAST_TEXT_PAIRS)
    return stage_chunks(tables, NAME, input_values, chunks, stage)


def make_source(
    source: SampleSource,
    languages: Sequence[str],
    rules: SampleRules,
    contaminated: DataFrame | None = None,
    held: DataFrame | None = None,
) -> DataFrame:
    """The staged samples of some target languages of a source; see `make_samples` for ``held``.

    They are what they would be if the samples of all languages were made at once.
    """
    filtered = filter_text_pairs(
        source.text_pairs, source.english, source.target, rules.min_chars, contaminated
    )
    arranged = (
        arrange_retrieved(filtered, rules.seed)
        if RETRIEVED in source.arrangements
        else arrange_pairs(filtered, source.arrangements, rules.seed)
    )
    chosen = arranged.where(F.col("target_lang").isin(list(languages)))
    return make_samples(chosen, source.english, source.target, rules.settings, held)
