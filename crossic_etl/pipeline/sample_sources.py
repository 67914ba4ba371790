"""What samples are made of: pairs of Wikipedia, and web documents found for a target text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from crossic_etl.config import Config
from crossic_etl.config.encoder import choose_encoder
from crossic_etl.kernels.text.contamination import NgramIndex
from crossic_etl.schemas import DOCUMENTS, NEIGHBOURS, PAGES, PAIRS
from crossic_etl.tables import Chunk, Tables
from crossic_etl.tables.chunks import make_chunks, stage_chunks
from crossic_etl.transforms.contamination import find_contaminated
from crossic_etl.transforms.samples import SampleSettings, make_samples
from crossic_etl.transforms.sides import (
    CRAWL,
    RETRIEVED,
    WIKIPEDIA,
    arrange_pairs,
    arrange_retrieved,
    document_texts,
    judge_sides,
    page_texts,
    pair_sides,
    retrieved_sides,
    select_texts,
)


@dataclass(frozen=True)
class Source:
    """Sides of one origin, the texts of each side, and the arrangements to make of them.

    ``rows`` has a row for each side: it is counted without what makes them sides.
    """

    origin: str
    rows: DataFrame
    sides: DataFrame
    english: DataFrame
    target: DataFrame
    arrangements: tuple[str, ...]

    def make(
        self,
        languages: Sequence[str],
        contaminated: DataFrame | None,
        settings: SampleSettings,
        config: Config,
        held: DataFrame | None,
    ) -> DataFrame:
        """The staged samples of some target languages; see `make_samples` for ``held``.

        They are what they would be of these languages if all of them were made at once.
        """
        min_chars, seed = config.segment.min_chars, config.seed
        judged = judge_sides(self.sides, self.english, self.target, min_chars, contaminated)
        arranged = (
            arrange_retrieved(judged, seed)
            if RETRIEVED in self.arrangements
            else arrange_pairs(judged, self.arrangements, seed)
        )
        chosen = arranged.where(F.col("target_lang").isin(list(languages)))
        return make_samples(chosen, self.english, self.target, settings, held)


def load_sources(tables: Tables, config: Config) -> list[Source]:
    """The sources of the configured arrangements, each of which belongs to one of them."""
    pairs = tables.select(PAIRS, {"target_lang": config.languages})
    sides = pair_sides(pairs, config.validation_share, config.seed)
    english = page_texts(tables.select(PAGES, {"lang": ["en"]}))
    target = page_texts(tables.select(PAGES, {"lang": config.languages}))
    sources = []
    if of_pairs := tuple(name for name in config.arrangements if name != RETRIEVED):
        sources.append(Source(WIKIPEDIA, pairs, sides, english, target, of_pairs))
    if RETRIEVED in config.arrangements:
        sources.append(_retrieved(tables, config, sides, target))
    return sources


def _retrieved(tables: Tables, config: Config, pairs: DataFrame, pages: DataFrame) -> Source:
    choice, of_pages = choose_encoder(config.encoder), config.retrieved.queries == "pages"
    scope = {
        "target_lang": config.languages,
        "model": [choice.model],
        "revision": [choice.revision],
        "query_kind": ["page" if of_pages else "document"],
    }
    accepted = tables.select(NEIGHBOURS, scope).where("accepted")
    english = document_texts(tables.select(DOCUMENTS, {"lang": ["en"]}))
    documents = document_texts(tables.select(DOCUMENTS, {"lang": config.languages}))
    return Source(
        CRAWL,
        accepted,
        retrieved_sides(accepted, pairs, config.validation_share, config.seed),
        english,
        pages if of_pages else documents,
        (RETRIEVED,),
    )


def stage_contaminated(
    tables: Tables, wikis: Sequence[str], evaluation: NgramIndex | None, sources: Sequence[Source]
) -> DataFrame | None:
    """The pages of these sources that overlap an evaluation text, each looked at once.

    None where no evaluation texts are given. Web documents were compared before they came in.
    """
    if evaluation is None:
        return None
    pages = page_texts(tables.select(PAGES, {"lang": wikis}))
    texts = select_texts(pages, [source.sides for source in sources])
    return tables.stage("contaminated", find_contaminated(texts, evaluation))


NAME = "samples"
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

    Chunks are of whole languages of an origin each: a part of a language would read all texts of
    the language once more. ``sides`` are `count_sides`; ``made_of`` is all that decides the
    samples, besides the chunks and the code.
    """
    settings = SampleSettings(
        config.tokenizer, config.split_token, config.max_tokens, config.segment.separator
    )

    def stage(parts: Sequence[str], chunk: Chunk | None) -> DataFrame:
        made = []
        for source in sources:
            of_chunk = [lang for lang in config.languages if _part(source, lang) in parts]
            if languages := of_chunk if parts else config.languages:
                made.append(source.make(languages, contaminated, settings, config, held))
        return tables.stage(NAME, reduce(DataFrame.unionByName, made), chunk)

    return stage_chunks(tables, NAME, made_of, make_chunks(sides, LEAST_SIDES), stage)


def _part(source: Source, language: str) -> str:
    return f"{source.origin} {language}"
