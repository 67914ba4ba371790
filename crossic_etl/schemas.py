"""Every table's StructType, in flow order, with its key and its partition columns."""

from __future__ import annotations

from dataclasses import dataclass

from pyspark.sql import types as T

STRING, INT, LONG, BOOLEAN = T.StringType(), T.IntegerType(), T.LongType(), T.BooleanType()
DOUBLE, TIMESTAMP = T.DoubleType(), T.TimestampType()
TOKENS = T.ArrayType(INT, containsNull=False)
NAMES = T.ArrayType(STRING, containsNull=False)
COUNTS = T.MapType(STRING, LONG, valueContainsNull=False)


def _columns(**types: T.DataType | tuple[T.DataType]) -> T.StructType:
    """Columns that are never null; a type in a tuple may be."""
    return T.StructType(
        [
            T.StructField(name, kind[0], True)
            if isinstance(kind, tuple)
            else T.StructField(name, kind, False)
            for name, kind in types.items()
        ]
    )


@dataclass(frozen=True)
class Table:
    """Contract of one table: its columns, the key that is unique, and its partition columns."""

    name: str
    schema: T.StructType
    key: tuple[str, ...]
    partition_by: tuple[str, ...] = ()

    @property
    def columns(self) -> list[str]:
        """Names of the columns in order."""
        return self.schema.fieldNames()


PAGES = Table(
    "pages",
    _columns(
        lang=STRING,
        page_id=LONG,
        title=STRING,
        url=STRING,
        revision_id=(LONG,),  # null where the input is plain text
        timestamp=(TIMESTAMP,),  # of the revision
        text=STRING,
        text_hash=STRING,  # SHA-256 of the UTF-8 text
        n_chars=INT,
        is_disambiguation=BOOLEAN,
        qid=(STRING,),  # Wikidata item, from page_props
        left_out=COUNTS,  # what the extractor left out of the text, by kind
        licence=STRING,  # SPDX identifier
        dump_date=STRING,
    ),
    key=("lang", "page_id"),
    partition_by=("lang",),
)

REDIRECTS = Table(
    "redirects",
    _columns(lang=STRING, page_id=LONG, title=STRING, target_title=STRING, dump_date=STRING),
    key=("lang", "title"),
    partition_by=("lang",),
)

LINKS = Table(
    "links",
    _columns(
        lang=STRING,
        page_id=LONG,
        target_lang=STRING,
        evidence=STRING,  # langlink | qid
        target_title=STRING,  # canonical form, redirects not yet followed
        dump_date=STRING,
    ),
    key=("lang", "page_id", "target_lang", "evidence"),
    partition_by=("lang",),
)

PAIRS = Table(
    "pairs",
    _columns(
        pair_id=STRING,
        target_lang=STRING,
        en_page_id=LONG,
        en_title=STRING,
        target_page_id=LONG,
        target_title=STRING,
        evidence=NAMES,  # sorted set of en->xx, xx->en, qid
        both_directions=BOOLEAN,
        n_links=INT,  # rows of links that say so
    ),
    key=("pair_id",),
    partition_by=("target_lang",),
)

# The copies of a much repeated text would make one row without a bound.
MAX_URLS = 100

# What documents was made of, so that only new files are read. A batch is the files of one run, and
# counts for nothing in any of these tables until its files are done.
CRAWL_FILES = Table(
    "crawl_files",
    _columns(
        path=STRING,
        bytes=LONG,
        modified=LONG,  # milliseconds since 1970
        readings=STRING,  # JSON: format, fields and dump of each source that has it
        settings=STRING,  # hash of those that decide what is kept
        batch=LONG,
        is_done=BOOLEAN,  # false while its batch is being written
        n_documents=LONG,  # rows of documents when its batch was done
        counts=COUNTS,  # its records by outcome, before copies are looked for
    ),
    key=("path",),
    partition_by=("batch",),
)

CRAWL_TEXTS = Table(
    "crawl_texts",
    _columns(
        doc_id=STRING,
        batch=LONG,
        is_first=BOOLEAN,  # no earlier batch has it
        text=STRING,  # this and the other columns of documents: of one copy
        text_hash=STRING,
        n_chars=INT,
        lang=STRING,
        lang_score=DOUBLE,
        crawl_lang=(STRING,),
        crawl_lang_score=(DOUBLE,),
        url=(STRING,),
        source_id=(STRING,),
        dump=(STRING,),
        file=(STRING,),
        date=(STRING,),
        licence=STRING,
        n_copies=LONG,  # in this batch
        urls=NAMES,  # of the copies in this batch, sorted, MAX_URLS at most
        signature=(T.BinaryType(),),  # uint32, little-endian; null where it isn't the first
        bands=(T.ArrayType(LONG, containsNull=False),),  # buckets of near duplicates; null likewise
    ),
    key=("doc_id", "batch"),
    partition_by=("batch",),
)

NEAR_DUPLICATE_LINKS = Table(
    "near_duplicate_links",
    _columns(
        batch=LONG,  # each has the links of all texts until then; the newest that is done counts
        band=LONG,  # the bucket in which both are
        a=STRING,
        b=STRING,
    ),
    key=("batch", "band", "a", "b"),
    partition_by=("batch",),
)

DOCUMENTS = Table(
    "documents",
    _columns(
        doc_id=STRING,  # of the normalized text: exact copies have one id
        text=STRING,
        text_hash=STRING,  # SHA-256 of the UTF-8 text
        n_chars=INT,
        lang=STRING,  # code of its Wikipedia
        lang_score=DOUBLE,
        crawl_lang=(STRING,),  # the crawl's own label and score, as they are
        crawl_lang_score=(DOUBLE,),
        url=(STRING,),
        source_id=(STRING,),
        dump=(STRING,),
        file=(STRING,),
        date=(STRING,),
        n_copies=LONG,  # rows with this text, this one included
        urls=NAMES,  # of all copies, sorted, MAX_URLS at most
        n_near_copies=LONG,  # documents of its cluster that were dropped for it
        licence=STRING,
    ),
    key=("doc_id",),
    partition_by=("lang",),
)

EMBEDDINGS = Table(
    "embeddings",
    _columns(
        id=STRING,  # lang:page_id, or doc_id
        kind=STRING,  # page | document
        lang=STRING,
        model=STRING,
        revision=STRING,
        span_rule=STRING,
        spans=T.ArrayType(T.ArrayType(INT, containsNull=False), containsNull=False),
        text_hash=STRING,
        vector=(T.ArrayType(T.FloatType(), containsNull=False),),  # unit length; or
        half_vector=(T.BinaryType(),),  # the same as float16, little-endian
    ),
    key=("id", "model", "revision", "span_rule"),
    partition_by=("model", "kind", "lang"),
)

QUANTIZERS = Table(
    "quantizers",
    _columns(
        model=STRING,
        revision=STRING,
        span_rule=STRING,
        n_cells=INT,
        is_fitted=BOOLEAN,  # to the corpus of its day, not configured
        train_rows=LONG,
        seed=LONG,
        n_trained=LONG,  # vectors that it was trained on
        quantizer=T.BinaryType(),
    ),
    key=("model", "revision", "span_rule", "n_cells", "is_fitted", "train_rows", "seed"),
)

POINT = _columns(threshold=DOUBLE, precision=DOUBLE, recall=DOUBLE, f1=DOUBLE)

THRESHOLDS = Table(
    "thresholds",
    _columns(
        target_lang=STRING,  # or *, all languages' pairs together
        model=STRING,
        revision=STRING,
        span_rule=STRING,
        k=INT,  # neighbours of each end that the margin is set against
        wrong_pairs=STRING,  # nearest | random
        wanted_precision=(DOUBLE,),  # null for the best F1
        threshold=(DOUBLE,),  # least margin; null where none has the wanted precision
        precision=(DOUBLE,),  # of right and wrong pairs at the threshold, one wrong for each right
        recall=(DOUBLE,),
        f1=(DOUBLE,),
        n_right=LONG,
        n_wrong=LONG,
        pooled=BOOLEAN,  # too few pairs: the threshold is that of all languages
        points=T.ArrayType(POINT, containsNull=False),  # this language's own, over all margins
    ),
    key=("target_lang", "model", "revision", "span_rule", "k", "wrong_pairs"),
)

NEIGHBOURS = Table(
    "neighbours",
    _columns(
        query_id=STRING,
        doc_id=STRING,
        target_lang=STRING,
        query_kind=STRING,  # page | document
        model=STRING,
        revision=STRING,
        rank=INT,  # from 1, by cosine, then doc_id
        cosine=T.FloatType(),
        margin=(T.FloatType(),),  # ratio over k neighbours of both directions
        mutual=BOOLEAN,
        accepted=BOOLEAN,  # margin reaches the language's threshold, within the document's uses
    ),
    key=("query_id", "doc_id", "model", "revision"),
    partition_by=("target_lang",),
)

REVERSE_NEIGHBOURS = Table(
    "reverse_neighbours",
    _columns(
        doc_id=STRING,  # every document in neighbours
        target_lang=STRING,
        model=STRING,
        revision=STRING,
        queries=T.ArrayType(  # its nearest of the language, best first
            _columns(query_id=STRING, cosine=T.FloatType()), containsNull=False
        ),
    ),
    key=("doc_id", "target_lang", "model", "revision"),
    partition_by=("target_lang",),
)

# What neighbours and reverse_neighbours were made of, so that only what is new is searched.
SEARCHED_VECTORS = Table(
    "searched_vectors",
    _columns(
        id=STRING,
        lang=STRING,
        model=STRING,
        revision=STRING,
        fingerprint=LONG,  # of all that a search reads of it
        generation=LONG,  # of the run that met it first
    ),
    key=("id", "model", "revision"),
    partition_by=("lang",),
)

SEARCHES = Table(
    "searches",
    _columns(
        target_lang=STRING,
        model=STRING,
        revision=STRING,
        settings=STRING,  # JSON of those that decide what is found
        generation=LONG,  # vectors up to this one have been compared
        n_neighbours=LONG,  # rows that the search left in neighbours
    ),
    key=("target_lang", "model", "revision"),
)

SAMPLES = Table(
    "samples",
    _columns(
        sample_id=STRING,
        arrangement=STRING,
        target_lang=STRING,
        split=STRING,  # train | validation; a document is on one side, whatever it is part of
        origin=STRING,  # wikipedia, or crawl: its English text is a web document
        pair_id=STRING,
        made_of=LONG,  # hash of both texts, what is said of them, and the settings
        en_source_id=(STRING,),  # lang:page_id or doc_id; null on samples of one side
        target_source_id=(STRING,),
        segment=INT,  # 0 .. n_segments - 1
        n_segments=INT,
        en_text=STRING,
        target_text=STRING,
        input_ids=TOKENS,  # the whole sample, separator and [SPLIT] included
        n_en_tokens=INT,
        n_target_tokens=INT,
        n_tokens=INT,
        tokenizer=STRING,
        split_token=STRING,
        licence=STRING,
        en_title=(STRING,),  # null for web documents, as is the revision
        en_url=(STRING,),
        en_revision_id=(LONG,),
        target_title=(STRING,),
        target_url=(STRING,),
        target_revision_id=(LONG,),
    ),
    key=("sample_id",),
    partition_by=("arrangement", "target_lang"),
)

WINDOWS = Table(
    "windows",
    _columns(
        arrangement=STRING,  # of its samples, or mixture
        tokenizer=STRING,
        window_length=INT,
        policy=STRING,
        split=STRING,  # train | validation: a window never holds samples of both
        generation=INT,  # 0, and one more for each run that had new samples
        shard=INT,
        position=INT,  # within generation and shard; a window that is removed leaves its number
        input_ids=TOKENS,  # at most window_length; the trainer pads
        sample_starts=TOKENS,  # offset of each sample in input_ids
        sample_ids=NAMES,  # a sample cut by the window's end is the last one
        sample_langs=NAMES,  # the target language of each of them
        n_whole=INT,  # samples seen whole: the first n_whole of sample_ids
        n_new=INT,
        n_repeated=INT,  # always the first tokens of the window
        n_padding=INT,
    ),
    key=(
        *("arrangement", "tokenizer", "window_length", "policy", "split"),
        *("generation", "shard", "position"),
    ),
    partition_by=("arrangement", "split"),
)

REJECTS = Table(
    "rejects",
    _columns(
        table=STRING,
        lang=STRING,  # of the wiki that was read, or the target language
        key=STRING,
        reason=STRING,
        detail=STRING,  # enough of the raw input to see why, 500 characters at most
    ),
    key=("table", "lang", "key", "reason"),
    partition_by=("table",),
)

RUNS = Table(
    "runs",
    _columns(
        run_id=STRING,
        job=STRING,
        state=STRING,  # done | failed
        started=TIMESTAMP,
        seconds=DOUBLE,
        config_hash=STRING,
        code_version=STRING,
        input_versions=COUNTS,  # Delta version of each table read
        settings=(STRING,),  # JSON of those that decide what the job's rows are
        inputs=(STRING,),  # JSON of what it was to read besides tables
        output_versions=(COUNTS,),  # Delta version of each table written; null if it failed
        rows_in=LONG,
        rows_used=LONG,  # rows in = rows used + rows dropped
        rows_out=LONG,
        dropped=COUNTS,  # by reason
        metrics=COUNTS,
        error=(STRING,),
    ),
    key=("run_id",),
)

TABLES = {
    table.name: table
    for table in (
        *(PAGES, REDIRECTS, LINKS, PAIRS),
        *(CRAWL_FILES, CRAWL_TEXTS, NEAR_DUPLICATE_LINKS),
        *(DOCUMENTS, EMBEDDINGS, QUANTIZERS, THRESHOLDS, NEIGHBOURS),
        *(REVERSE_NEIGHBOURS, SEARCHED_VECTORS, SEARCHES),
        *(SAMPLES, WINDOWS, REJECTS, RUNS),
    )
}


def _staged(*extra: tuple[str, T.DataType], of: Table) -> T.StructType:
    """A table's columns, all nullable, behind the outcome of the row that was read."""
    columns = [("outcome", STRING), *[(f.name, f.dataType) for f in of.schema], *extra]
    return T.StructType([T.StructField(name, kind, True) for name, kind in columns])


# One expensive pass gives rows for several tables: it is staged once, with an outcome for each row.
# ``key`` and ``detail`` are what ``rejects`` needs; ``n`` is how many input rows a row stands for.
# Readers add rows with the outcome ``read``, counted before anything is parsed: the other side of
# the balance. (``DataFrame.observe`` loses its counts in a write through Delta's catalog.)
STAGED_PAGES = _staged(
    *(("target_title", STRING), ("n", LONG), ("key", STRING), ("detail", STRING)), of=PAGES
)
STAGED_LINKS = _staged(("n", LONG), ("key", STRING), ("detail", STRING), of=LINKS)
STAGED_SAMPLES = _staged(("n", LONG), ("key", STRING), ("detail", STRING), of=SAMPLES)
# ``read_from``: the file that was read, where ``file`` is the one that a record names.
STAGED_DOCUMENTS = _staged(
    *(("n", LONG), ("key", STRING), ("detail", STRING), ("read_from", STRING)), of=DOCUMENTS
)
# ``stale``: ``embeddings`` holds a row with this id that is of another text.
STAGED_EMBEDDINGS = _staged(
    *(("n", LONG), ("key", STRING), ("detail", STRING), ("stale", BOOLEAN)), of=EMBEDDINGS
)

# What a worker says of each file of an export that it wrote.
EXPORTED_FILES = _columns(
    split=STRING,  # empty for the attribution
    path=STRING,  # in the export
    part=STRING,  # its name until then
    bytes=LONG,
    sha256=STRING,
    windows=LONG,
    tokens=LONG,
    repeated_tokens=LONG,
    token_sum=LONG,
    lowest_id=LONG,
    highest_id=LONG,
)
