"""Sources of samples: Wikipedia's pairs, and web documents found for a target-language text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import reduce

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from crossic_etl.kernels.encoding.encoders import known_languages
from crossic_etl.kernels.samples.names import BY_ENCODER
from crossic_etl.kernels.text.contamination import NgramIndex
from crossic_etl.schemas import DOCUMENTS, NEIGHBOURS, PAGES, PAIRS
from crossic_etl.tables import Scope, Tables
from crossic_etl.transforms.contamination import find_contaminated
from crossic_etl.transforms.samples import (
    SampleSettings,
    choose_fitting,
    count_to_embed,
    describe_text_pairs,
)
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

TEXT_PAIRS = "text_pairs"


@dataclass(frozen=True)
class SampleSource:
    """Text pairs of one origin, with their texts and the arrangements to make.

    Attributes:
        origin: ``wikipedia`` or ``crawl``.
        rows: a frame with one row for each of ``text_pairs``, which is cheaper to count.
        text_pairs: see `transforms.text_pairs`.
        english: English texts, see `transforms.text_pairs.page_texts`.
        target: texts of the target languages.
        arrangements: names of the arrangements to make.
    """

    origin: str
    rows: DataFrame
    text_pairs: DataFrame
    english: DataFrame
    target: DataFrame
    arrangements: tuple[str, ...]

    def part_of(self, language: str) -> str:
        """The name of a language's samples of this origin, as a part of the table."""
        return f"{self.origin} {language}"


@dataclass(frozen=True)
class SampleRules:
    """The rules for making samples from given texts.

    Attributes:
        languages: target languages.
        settings: how texts are joined and cut.
        min_chars: shorter texts make no sample.
        seed: for every order and permutation.
    """

    languages: tuple[str, ...]
    settings: SampleSettings
    min_chars: int
    seed: int


@dataclass(frozen=True)
class NeighbourQueries:
    """The queries whose neighbours make samples of the arrangement `retrieved`.

    Attributes:
        model, revision: the encoder that found them.
        are_pages: true if the queries are pages, false if they are web documents.
    """

    model: str
    revision: str
    are_pages: bool

    def scope(self, languages: Sequence[str]) -> Scope:
        """The scope of their rows in ``neighbours``."""
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
    """The sources of the arrangements; each arrangement has one source.

    ``retrieved`` is set if the arrangement of that name is among them.
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
    """Stages the pages of these sources that overlap an evaluation text; each page is checked once.

    None without evaluation texts. The job ``documents`` has already checked web documents.
    """
    if evaluation is None:
        return None
    pages = page_texts(tables.select(PAGES, {"lang": wikis}))
    texts = select_paired_texts(pages, [source.text_pairs for source in sources])
    return tables.stage("contaminated", find_contaminated(texts, evaluation))


def count_text_pairs(sources: Sequence[SampleSource]) -> dict[str, int]:
    """The number of text pairs of each origin and language, counted once for each arrangement."""
    found = {}
    for source in sources:
        for row in source.rows.groupBy("target_lang").count().collect():
            found[source.part_of(row.target_lang)] = row["count"] * len(source.arrangements)
    return dict(sorted(found.items()))


def stage_text_pairs(
    tables: Tables,
    sources: Sequence[SampleSource],
    rules: SampleRules,
    contaminated: DataFrame | None = None,
) -> DataFrame:
    """Stages the text pairs of all sources with their arrangements, without their texts.

    All that is asked of them later, once for each chunk, is read from there.
    """
    described = [describe_source(source, rules, contaminated) for source in sources]
    return tables.stage(TEXT_PAIRS, reduce(DataFrame.unionByName, described))


def describe_source(
    source: SampleSource, rules: SampleRules, contaminated: DataFrame | None = None
) -> DataFrame:
    """A source's text pairs, in the columns of `describe_text_pairs`."""
    arranged = arrange_source(source, rules, contaminated)
    return describe_text_pairs(arranged, source.english, source.target, rules.settings)


def arrange_source(
    source: SampleSource, rules: SampleRules, contaminated: DataFrame | None
) -> DataFrame:
    """All text pairs of a source with their reasons and arrangements."""
    filtered = filter_text_pairs(
        source.text_pairs, source.english, source.target, rules.min_chars, contaminated
    )
    if RETRIEVED in source.arrangements:
        return arrange_retrieved(filtered, rules.seed)
    return arrange_pairs(filtered, source.arrangements, rules.seed)


def plan_embedding(
    text_pairs: DataFrame, rules: SampleRules, held: DataFrame | None = None
) -> Iterator[str]:
    """Lines on what the encoder will do; none where it has nothing to do.

    ``text_pairs`` are those of `describe_source`, of one source or of all.
    """
    settings = rules.settings
    if settings.encoder is None:
        return
    known = known_languages(settings.encoder.spec)
    if unknown := [lang for lang in rules.languages if known is not None and lang not in known]:
        how = "cut by anchors" if settings.align == BY_ENCODER else "not compared"
        yield (
            f"samples: {settings.encoder.model} doesn't know {', '.join(unknown)}: "
            f"their text pairs are {how}"
        )
    # A text of fewer characters than the budget's tokens needs no cut.
    compares_all = settings.similarity == "all"
    least_chars = 0 if compares_all else settings.max_tokens
    fitting, _ = choose_fitting(text_pairs, held)
    if known is not None:
        fitting = fitting.where(F.col("target_lang").isin(sorted(known)))
    pairs, texts, characters = count_to_embed(fitting, least_chars, compares_all).head(1)[0]
    if pairs:
        purpose = "compare" if compares_all else "cut"
        yield (
            f"samples: up to {characters:,} characters of {texts:,} texts are embedded by "
            f"{settings.encoder.model} to {purpose} {pairs:,} text pairs"
        )
