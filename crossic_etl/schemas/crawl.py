"""Tables of web crawls: documents, their vectors, and what a search found of them."""

from __future__ import annotations

from pyspark.sql import types as T

from crossic_etl.schemas.table import (
    BOOLEAN,
    COUNTS,
    DOUBLE,
    INT,
    LONG,
    NAMES,
    STRING,
    Table,
    columns,
    nullable,
)

# The copies of a much repeated text would make one row without a bound.
MAX_URLS = 100

# What documents was made of, so that only new files are read. A batch is the files of one run, and
# counts for nothing in any of these tables until its files are done.
CRAWL_FILES = Table(
    "crawl_files",
    columns(
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
    columns(
        doc_id=STRING,
        batch=LONG,
        is_first=BOOLEAN,  # no earlier batch has it
        text=STRING,  # this and the other columns of documents: of one copy
        text_hash=STRING,
        n_chars=INT,
        lang=STRING,
        lang_score=DOUBLE,
        crawl_lang=nullable(STRING),
        crawl_lang_score=nullable(DOUBLE),
        url=nullable(STRING),
        source_id=nullable(STRING),
        dump=nullable(STRING),
        file=nullable(STRING),
        date=nullable(STRING),
        licence=STRING,
        n_copies=LONG,  # in this batch
        urls=NAMES,  # of the copies in this batch, sorted, MAX_URLS at most
        signature=nullable(T.BinaryType()),  # uint32, little-endian; null where it isn't the first
        bands=nullable(T.ArrayType(LONG, containsNull=False)),  # its buckets; null likewise
    ),
    key=("doc_id", "batch"),
    partition_by=("batch",),
)

NEAR_DUPLICATE_LINKS = Table(
    "near_duplicate_links",
    columns(
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
    columns(
        doc_id=STRING,  # of the normalized text: exact copies have one id
        text=STRING,
        text_hash=STRING,  # SHA-256 of the UTF-8 text
        n_chars=INT,
        lang=STRING,  # code of its Wikipedia
        lang_score=DOUBLE,
        crawl_lang=nullable(STRING),  # the crawl's own label and score, as they are
        crawl_lang_score=nullable(DOUBLE),
        url=nullable(STRING),
        source_id=nullable(STRING),
        dump=nullable(STRING),
        file=nullable(STRING),
        date=nullable(STRING),
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
    columns(
        id=STRING,  # lang:page_id, or doc_id
        kind=STRING,  # page | document
        lang=STRING,
        model=STRING,
        revision=STRING,
        span_rule=STRING,
        spans=T.ArrayType(T.ArrayType(INT, containsNull=False), containsNull=False),
        text_hash=STRING,
        vector=nullable(T.ArrayType(T.FloatType(), containsNull=False)),  # unit length; or
        half_vector=nullable(T.BinaryType()),  # the same as float16, little-endian
    ),
    key=("id", "model", "revision", "span_rule"),
    partition_by=("model", "kind", "lang"),
)

QUANTIZERS = Table(
    "quantizers",
    columns(
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

POINT = columns(threshold=DOUBLE, precision=DOUBLE, recall=DOUBLE, f1=DOUBLE)

THRESHOLDS = Table(
    "thresholds",
    columns(
        target_lang=STRING,  # or *, all languages' pairs together
        model=STRING,
        revision=STRING,
        span_rule=STRING,
        k=INT,  # neighbours of each end that the margin is set against
        wrong_pairs=STRING,  # nearest | random
        wanted_precision=nullable(DOUBLE),  # null for the best F1
        threshold=nullable(DOUBLE),  # least margin; null where none has the wanted precision
        precision=nullable(DOUBLE),  # at the threshold, of as many right as wrong pairs
        recall=nullable(DOUBLE),
        f1=nullable(DOUBLE),
        n_right=LONG,
        n_wrong=LONG,
        pooled=BOOLEAN,  # too few pairs: the threshold is that of all languages
        points=T.ArrayType(POINT, containsNull=False),  # this language's own, over all margins
    ),
    key=("target_lang", "model", "revision", "span_rule", "k", "wrong_pairs"),
)

NEIGHBOURS = Table(
    "neighbours",
    columns(
        query_id=STRING,
        doc_id=STRING,
        target_lang=STRING,
        query_kind=STRING,  # page | document
        model=STRING,
        revision=STRING,
        rank=INT,  # from 1, by cosine, then doc_id
        cosine=T.FloatType(),
        margin=nullable(T.FloatType()),  # ratio over k neighbours of both directions
        mutual=BOOLEAN,
        accepted=BOOLEAN,  # margin reaches the language's threshold, within the document's uses
    ),
    key=("query_id", "doc_id", "model", "revision"),
    partition_by=("target_lang",),
)

REVERSE_NEIGHBOURS = Table(
    "reverse_neighbours",
    columns(
        doc_id=STRING,  # every document in neighbours
        target_lang=STRING,
        model=STRING,
        revision=STRING,
        queries=T.ArrayType(  # its nearest of the language, best first
            columns(query_id=STRING, cosine=T.FloatType()), containsNull=False
        ),
    ),
    key=("doc_id", "target_lang", "model", "revision"),
    partition_by=("target_lang",),
)

# What neighbours and reverse_neighbours were made of, so that only what is new is searched.
SEARCHED_VECTORS = Table(
    "searched_vectors",
    columns(
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
    columns(
        target_lang=STRING,
        model=STRING,
        revision=STRING,
        settings=STRING,  # JSON of those that decide what is found
        generation=LONG,  # vectors up to this one have been compared
        n_neighbours=LONG,  # rows that the search left in neighbours
    ),
    key=("target_lang", "model", "revision"),
)
