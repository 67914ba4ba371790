"""Configuration of the crawl branch: documents, embeddings, neighbours, retrieved samples.

None of it is published for CrossIC-PT: encoder, k and thresholds are ours, or the named papers'.
"""

from __future__ import annotations

from dataclasses import field
from typing import Annotated, Any

from pydantic import WithJsonSchema, model_validator
from pydantic_core import ArgsKwargs

from crossic_etl.config.errors import one_of, require
from crossic_etl.config.fields import (
    Flag,
    Items,
    Language,
    Number,
    OneOf,
    PathText,
    Text,
    Whole,
    settings,
)
from crossic_etl.kernels.crawl.names import FIELDS, FORMATS, PRESETS
from crossic_etl.kernels.encoding.names import BACKENDS, DTYPES, SENTENCE_TRANSFORMERS, SPANS
from crossic_etl.kernels.search.indexes import INDEXES, METHODS

_PRESET = WithJsonSchema({"enum": list(PRESETS)})
LANGUAGE_SOURCES = ("identify", "trust")
QUERIES = ("pages", "documents")
SEARCHED = "searched"
WRONG_PAIRS = (SEARCHED, "nearest", "random")
# Ours; the default of ``precision`` before ``max_false_accept`` was there.
_PRECISION = 0.95


@settings("crawl.sources")
class CrawlSource:
    """Some files of a crawl.

    Attributes:
        path: file, folder or glob on any Hadoop file system.
        format: ``parquet``, ``jsonl`` (plain, .gz, .zst) or ``wet`` (.warc.wet.gz).
        fields: where the text is and what is known of it: the name of a preset, or our fields
            (text, url, source_id, date, lang, lang_score, dump, file) to theirs.
        dump: the name of the dump, for records that don't name it.
    """

    path: PathText
    format: Annotated[Text, OneOf(FORMATS)] = "parquet"
    fields: Annotated[Text, _PRESET] | dict[Text, Text] = "fineweb"
    dump: Text = ""

    def __post_init__(self) -> None:
        require(self.path.strip(), "crawl.sources.path", self.path, "a path")
        fits = isinstance(self.fields, dict) or self.fields in PRESETS
        require(fits, "crawl.sources.fields", self.fields, f"{one_of(PRESETS)}, or a mapping")
        named = not isinstance(self.fields, dict) or "text" in self.fields
        require(named, "crawl.sources.fields", self.fields, "a mapping with the key text")
        known = FIELDS["fineweb"]
        for name in self.fields if isinstance(self.fields, dict) else ():
            expected = f"{one_of(tuple(known))}, to the name that the source has for it"
            require(name in known, "crawl.sources.fields", name, expected)


@settings("crawl")
class Crawl:
    """Which web documents are read and kept.

    Attributes:
        sources: the files.
        language: ``identify``, or ``trust`` the crawl's own label where there is one.
        min_language_score: documents with a lower score of their language are dropped, 0 to 1
            (FineWeb: 0.65).
        min_chars: shorter documents are dropped.
        max_chars: longer documents are dropped.
        quality: the published rules (Gopher, C4, FineWeb), on or off.
        quality_rules: other thresholds for some of them, by name
            (`crossic_etl.kernels.crawl.quality.QualityRules`).
        blocked_urls: a text file with a host or the beginning of an address on each line.
        near_duplicates: from this Jaccard similarity of 5-grams on one document of a cluster is
            kept; 0 keeps all.
        evaluation: files (.jsonl, .json or text) whose texts no document and no page of a pair may
            share a long run of characters with.
    """

    sources: Items[CrawlSource] = ()
    language: Annotated[Text, OneOf(LANGUAGE_SOURCES)] = "identify"
    min_language_score: Number = 0.65
    min_chars: Whole = 200
    max_chars: Whole = 200_000
    quality: Flag = True
    quality_rules: dict[Text, Number] = field(default_factory=dict)
    blocked_urls: PathText = ""
    near_duplicates: Number = 0.8
    evaluation: Items[PathText] = ()

    def __post_init__(self) -> None:
        for key, fits, expected in (
            ("min_language_score", 0 <= self.min_language_score <= 1, "0 to 1"),
            ("min_chars", self.min_chars >= 1, "characters >= 1"),
            ("max_chars", self.max_chars >= self.min_chars, "at least crawl.min_chars"),
            ("near_duplicates", 0 <= self.near_duplicates <= 1, "0 to 1"),
        ):
            require(fits, f"crawl.{key}", getattr(self, key), expected)


@settings("encoder")
class Encoder:
    """Which encoder embeds, and what it sees of a text.

    Attributes:
        backend: ``use-multilingual`` (embedded) or ``sentence-transformers``.
        model: name or folder of a sentence-transformers model.
        revision: its commit or tag; needed for a name, since a branch may move.
        query_prefix: what the model wants before each query; null for its own.
        passage_prefix: what the model wants before each passage; null for its own.
        dtype: ``float32``, ``float16`` or ``bfloat16``, of weights and arithmetic.
        batch_tokens: most tokens in one forward pass, padding counted.
        trust_remote_code: run the Python code that comes with a model.
        span: ``lead``, the beginning of a text, or ``mean`` of several pieces of it.
        span_chars: the length of a piece in characters.
        n_spans: pieces of ``mean``.
        half: store vectors in half precision.
    """

    backend: Annotated[Text, OneOf(BACKENDS)] = "use-multilingual"
    model: PathText = ""
    revision: Text | None = None
    query_prefix: Text | None = None
    passage_prefix: Text | None = None
    dtype: Annotated[Text, OneOf(DTYPES)] = "float32"
    batch_tokens: Whole = 16384
    trust_remote_code: Flag = False
    span: Annotated[Text, OneOf(SPANS)] = "lead"
    span_chars: Whole = 1000
    n_spans: Whole = 4
    half: Flag = False

    def __post_init__(self) -> None:
        named = bool(self.model) == (self.backend == SENTENCE_TRANSFORMERS)
        for key, fits, expected in (
            ("model", named, "a name or folder with sentence-transformers, none without"),
            ("span_chars", 16 <= self.span_chars <= 20_000, "16 to 20000 characters"),
            ("n_spans", 2 <= self.n_spans <= 64, "2 to 64"),
            ("batch_tokens", self.batch_tokens > 0, "tokens > 0"),
        ):
            require(fits, f"encoder.{key}", getattr(self, key), expected)


@settings("neighbours")
class Neighbours:
    """How English documents are found.

    Attributes:
        method: ``exact``, or ``routed`` to the nearest cells of a coarse quantizer.
        index: how a task holds a shard: ``Flat``, ``SQfp16``, ``SQ8``, ``HNSW32`` or ``IVF,PQ``.
        k: neighbours for each query, and of the margin's neighbourhood.
        shards: parts of the corpus; one task holds one.
        cells: number of cells of the quantizer, for ``routed``; null for about four
            times the root of the corpus.
        nprobe: cells that a query goes to.
        train_rows: vectors that the quantizer is trained on.
        task_memory_mb: what a task may take; a plan that needs more is refused.
        thresholds: language to the least margin of an accepted neighbour, ``"*"`` for all others.
        calibrate: find thresholds on Wikipedia's pairs, for languages that have none configured.
        max_false_accept: most queries, as a share, that would accept a document where their
            counterpart isn't among the documents; of thresholds with it, the least is taken. Null
            where ``precision`` chooses.
        precision: least precision at a threshold that is found; null for the best F1, if
            ``max_false_accept`` is null too. Given alone, it stands in place of that.
        wrong_pairs: which pairs calibration takes for wrong ones: the page with the best of all
            documents that are ``searched``, copies of its counterpart left out; with its
            ``nearest`` other English page of a pair, or with a ``random`` one. The last two say
            nothing about the documents, and go with ``precision``.
        max_uses: most queries of a language that one document may serve.
        recall_queries: queries that are also searched exactly, to measure recall.
    """

    method: Annotated[Text, OneOf(METHODS)] = "exact"
    index: Annotated[Text, OneOf(tuple(INDEXES))] = "Flat"
    k: Whole = 10
    shards: Whole = 16
    cells: Whole | None = None
    nprobe: Whole = 16
    train_rows: Whole = 100_000
    task_memory_mb: Whole = 2048
    thresholds: dict[Language, Number] = field(default_factory=dict)
    calibrate: Flag = False
    max_false_accept: Number | None = 0.02
    precision: Number | None = None
    wrong_pairs: Annotated[Text, OneOf(WRONG_PAIRS)] = SEARCHED
    max_uses: Whole = 3
    recall_queries: Whole = 200

    @model_validator(mode="before")
    @classmethod
    def _keep_older_settings(cls, given: Any) -> Any:
        """Where only ``precision`` or ``wrong_pairs`` is given, they mean what they always did."""
        values = given.kwargs if isinstance(given, ArgsKwargs) else given
        if not isinstance(values, dict) or "max_false_accept" in values:
            return given
        easy = values.get("wrong_pairs", SEARCHED) != SEARCHED
        if "precision" in values or easy:
            values = {"precision": _PRECISION, **values, "max_false_accept": None}
        return ArgsKwargs(given.args, values) if isinstance(given, ArgsKwargs) else values

    def __post_init__(self) -> None:
        is_share = self.precision is None or 0 < self.precision <= 1
        accepts = self.max_false_accept
        for key, fits, expected in (
            ("k", self.k >= 1, "a whole number >= 1"),
            ("shards", self.shards >= 1, "a whole number >= 1"),
            ("cells", self.cells is None or self.cells >= 1, "a whole number >= 1, or null"),
            ("nprobe", self.nprobe >= 1, "a whole number >= 1"),
            ("train_rows", self.train_rows >= 1, "a whole number >= 1"),
            ("task_memory_mb", self.task_memory_mb >= 64, "megabytes >= 64"),
            ("max_false_accept", accepts is None or 0 < accepts < 1, "between 0 and 1, or null"),
            ("precision", is_share, "above 0, at most 1, or null"),
            ("max_uses", self.max_uses >= 1, "a whole number >= 1"),
            ("recall_queries", self.recall_queries >= 0, "a whole number >= 0"),
        ):
            require(fits, f"neighbours.{key}", getattr(self, key), expected)
        if accepts is not None:
            alone = "null where neighbours.max_false_accept is given (or set that to null)"
            require(self.precision is None, "neighbours.precision", self.precision, alone)
            fitting = f"{SEARCHED} where neighbours.max_false_accept is given"
            require(
                self.wrong_pairs == SEARCHED, "neighbours.wrong_pairs", self.wrong_pairs, fitting
            )


@settings("retrieved")
class Retrieved:
    """What English web documents are searched for.

    Attributes:
        queries: ``pages`` or ``documents`` of the target languages.
    """

    queries: Annotated[Text, OneOf(QUERIES)] = "pages"
