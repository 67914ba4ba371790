"""Configuration of the crawl branch: documents, embeddings, neighbours, retrieved samples.

None of it is published for CrossIC-PT: encoder, k and thresholds are ours, or the named papers'.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from crossic_etl.config.errors import one_of, require
from crossic_etl.kernels.search.indexes import INDEXES

FORMATS = ("parquet", "jsonl", "wet")
PRESETS = ("fineweb", "dolma", "c4")
LANGUAGE_SOURCES = ("identify", "trust")
METHODS = ("exact", "routed")
BACKENDS = ("use-multilingual", "sentence-transformers")
SPANS = ("lead", "mean")
QUERIES = ("pages", "documents")
WRONG_PAIRS = ("nearest", "random")


@dataclass(frozen=True)
class CrawlSource:
    """Some files of a crawl.

    Attributes:
        path: file, folder or glob on any Hadoop file system.
        format: ``parquet``, ``jsonl`` (plain, .gz, .zst) or ``wet`` (.warc.wet.gz).
        fields: where the text is and what is known of it: the name of a preset, or our fields
            (text, url, source_id, date, lang, lang_score, dump, file) to theirs.
        dump: the name of the dump, for records that don't name it.
    """

    path: str
    format: str = "parquet"
    fields: str | dict[str, str] = "fineweb"
    dump: str = ""

    def __post_init__(self) -> None:
        require(self.path.strip(), "crawl.sources.path", self.path, "a path")
        require(self.format in FORMATS, "crawl.sources.format", self.format, one_of(FORMATS))
        fits = isinstance(self.fields, dict) or self.fields in PRESETS
        require(fits, "crawl.sources.fields", self.fields, f"{one_of(PRESETS)}, or a mapping")
        named = not isinstance(self.fields, dict) or "text" in self.fields
        require(named, "crawl.sources.fields", self.fields, "a mapping with the key text")


@dataclass(frozen=True)
class Crawl:
    """Which web documents are read and kept.

    Attributes:
        sources: the files.
        language: ``identify``, or ``trust`` the crawl's own label where there is one.
        min_language_score: the identifier's, 0 to 1 (FineWeb: 0.65).
        min_chars, max_chars: shorter and longer documents are dropped.
        quality: the published rules (Gopher, C4, FineWeb), on or off.
        quality_rules: other thresholds for some of them, by name (`kernels.quality`).
        blocked_urls: a text file with a host or the beginning of an address on each line.
        near_duplicates: from this Jaccard similarity of 5-grams on one document of a cluster is
            kept; 0 keeps all.
        evaluation: files (.jsonl, .json or text) whose texts no document and no page of a pair may
            share a long run of characters with.
    """

    sources: tuple[CrawlSource, ...] = ()
    language: str = "identify"
    min_language_score: float = 0.65
    min_chars: int = 200
    max_chars: int = 200_000
    quality: bool = True
    quality_rules: dict[str, float] = field(default_factory=dict)
    blocked_urls: str = ""
    near_duplicates: float = 0.8
    evaluation: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for key, fits, expected in (
            ("language", self.language in LANGUAGE_SOURCES, one_of(LANGUAGE_SOURCES)),
            ("min_language_score", 0 <= self.min_language_score <= 1, "0 to 1"),
            ("min_chars", self.min_chars >= 1, "characters >= 1"),
            ("max_chars", self.max_chars >= self.min_chars, "at least crawl.min_chars"),
            ("near_duplicates", 0 <= self.near_duplicates <= 1, "0 to 1"),
        ):
            require(fits, f"crawl.{key}", getattr(self, key), expected)


@dataclass(frozen=True)
class Encoder:
    """Which encoder embeds, and what it sees of a text.

    Attributes:
        backend: ``use-multilingual`` (embedded) or ``sentence-transformers``.
        model: name or folder of a sentence-transformers model.
        revision: its commit or tag; needed for a name, since a branch may move.
        query_prefix, passage_prefix: what the model wants before each text; null for its own.
        dtype: ``float32``, ``float16`` or ``bfloat16``, of weights and arithmetic.
        batch_tokens: most tokens in one forward pass, padding counted.
        trust_remote_code: run the Python code that comes with a model.
        span: ``lead``, the beginning of a text, or ``mean`` of several pieces of it.
        span_chars: the length of a piece in characters.
        n_spans: pieces of ``mean``.
        half: store vectors in half precision.
    """

    backend: str = "use-multilingual"
    model: str = ""
    revision: str | None = None
    query_prefix: str | None = None
    passage_prefix: str | None = None
    dtype: str = "float32"
    batch_tokens: int = 16384
    trust_remote_code: bool = False
    span: str = "lead"
    span_chars: int = 1000
    n_spans: int = 4
    half: bool = False

    def __post_init__(self) -> None:
        named = bool(self.model) == (self.backend == "sentence-transformers")
        for key, fits, expected in (
            ("backend", self.backend in BACKENDS, one_of(BACKENDS)),
            ("model", named, "a name or folder with sentence-transformers, none without"),
            ("span", self.span in SPANS, one_of(SPANS)),
            ("span_chars", 16 <= self.span_chars <= 20_000, "16 to 20000 characters"),
            ("n_spans", 2 <= self.n_spans <= 64, "2 to 64"),
            ("batch_tokens", self.batch_tokens > 0, "tokens > 0"),
        ):
            require(fits, f"encoder.{key}", getattr(self, key), expected)


@dataclass(frozen=True)
class Neighbours:
    """How English documents are found.

    Attributes:
        method: ``exact``, or ``routed`` to the nearest cells of a coarse quantizer.
        index: how a task holds a shard: ``Flat``, ``SQfp16``, ``SQ8``, ``HNSW32`` or ``IVF,PQ``.
        k: neighbours for each query, and of the margin's neighbourhood.
        shards: parts of the corpus; one task holds one.
        cells: of the quantizer, for ``routed``; null for about four times the root of the corpus.
        nprobe: cells that a query goes to.
        train_rows: vectors that the quantizer is trained on.
        task_memory_mb: what a task may take; a plan that needs more is refused.
        thresholds: language to the least margin of an accepted neighbour; ``"*"`` for all others.
        calibrate: find thresholds on Wikipedia's pairs, for languages that have none configured.
        precision: of pairs at a threshold that is found; null for the best F1.
        wrong_pairs: what right pairs are told from: the ``nearest`` other English page of a pair,
            or a ``random`` one, which is told apart so easily that it says little.
        max_uses: most queries of a language that one document may serve.
        recall_queries: queries that are also searched exactly, to measure recall.
    """

    method: str = "exact"
    index: str = "Flat"
    k: int = 10
    shards: int = 16
    cells: int | None = None
    nprobe: int = 16
    train_rows: int = 100_000
    task_memory_mb: int = 2048
    thresholds: dict[str, float] = field(default_factory=dict)
    calibrate: bool = False
    precision: float | None = 0.95
    wrong_pairs: str = "nearest"
    max_uses: int = 3
    recall_queries: int = 200

    def __post_init__(self) -> None:
        is_share = self.precision is None or 0 < self.precision <= 1
        for key, fits, expected in (
            ("method", self.method in METHODS, one_of(METHODS)),
            ("index", self.index in INDEXES, one_of(tuple(INDEXES))),
            ("k", self.k >= 1, "a whole number >= 1"),
            ("shards", self.shards >= 1, "a whole number >= 1"),
            ("cells", self.cells is None or self.cells >= 1, "a whole number >= 1, or null"),
            ("nprobe", self.nprobe >= 1, "a whole number >= 1"),
            ("train_rows", self.train_rows >= 1, "a whole number >= 1"),
            ("task_memory_mb", self.task_memory_mb >= 64, "megabytes >= 64"),
            ("precision", is_share, "above 0, at most 1, or null"),
            ("wrong_pairs", self.wrong_pairs in WRONG_PAIRS, one_of(WRONG_PAIRS)),
            ("max_uses", self.max_uses >= 1, "a whole number >= 1"),
            ("recall_queries", self.recall_queries >= 0, "a whole number >= 0"),
        ):
            require(fits, f"neighbours.{key}", getattr(self, key), expected)


@dataclass(frozen=True)
class Retrieved:
    """What English web documents are searched for.

    Attributes:
        queries: ``pages`` or ``documents`` of the target languages.
    """

    queries: str = "pages"

    def __post_init__(self) -> None:
        require(self.queries in QUERIES, "retrieved.queries", self.queries, one_of(QUERIES))
