"""Tables of web crawls: documents, their vectors, and their neighbours."""

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

# Limits the addresses in a row, since some texts have very many copies.
MAX_URLS = 100

# The files that documents was made from, so that only new files are read. A batch is the files of
# one run. Its rows in these tables are ignored until its files are done.
CRAWL_FILES = Table(
    "crawl_files",
    columns(
        path=STRING,
        bytes=LONG,
        modified=LONG,  # milliseconds since 1970
        readings=STRING,  # JSON: format, fields and dump of each source that has the file
        settings=STRING,  # hash of the settings that determine which documents are kept
        batch=LONG,
        is_done=BOOLEAN,  # false while its batch is being written
        n_documents=LONG,  # rows of documents when its batch was done
        counts=COUNTS,  # its records by outcome, before copies are merged
    ),
    key=("path",),
    partition_by=("batch",),
)

CRAWL_TEXTS = Table(
    "crawl_texts",
    columns(
        doc_id=STRING,
        batch=LONG,
        is_first=BOOLEAN,  # no earlier batch has this text
        text=STRING,  # this and the other columns of documents are those of the kept copy
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
        signature=nullable(T.BinaryType()),  # uint32, little-endian; null unless is_first
        bands=nullable(T.ArrayType(LONG, containsNull=False)),  # its buckets; null unless is_first
    ),
    key=("doc_id", "batch"),
    partition_by=("batch",),
)

NEAR_DUPLICATE_LINKS = Table(
    "near_duplicate_links",
    columns(
        batch=LONG,  # has the links of all texts so far; the newest completed batch is valid
        band=LONG,  # the bucket that both are in
        a=STRING,
        b=STRING,
    ),
    key=("batch", "band", "a", "b"),
    partition_by=("batch",),
)

DOCUMENTS = Table(
    "documents",
    columns(
        doc_id=STRING,  # hash of the normalized text: exact copies have the same id
        text=STRING,
        text_hash=STRING,  # SHA-256 of the UTF-8 text
        n_chars=INT,
        lang=STRING,  # language code of its Wikipedia
        lang_score=DOUBLE,
        crawl_lang=nullable(STRING),  # the crawl's own label and score, unchanged
        crawl_lang_score=nullable(DOUBLE),
        url=nullable(STRING),
        source_id=nullable(STRING),
        dump=nullable(STRING),
        file=nullable(STRING),
        date=nullable(STRING),
        n_copies=LONG,  # records with this text, including this one
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
        vector=nullable(T.ArrayType(T.FloatType(), containsNull=False)),  # unit length
        half_vector=nullable(T.BinaryType()),  # float16, little-endian; one of the two is null
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
        is_fitted=BOOLEAN,  # n_cells was fitted to the corpus, not configured
        train_rows=LONG,
        seed=LONG,
        n_trained=LONG,  # vectors in the training sample
        quantizer=T.BinaryType(),
    ),
    key=("model", "revision", "span_rule", "n_cells", "is_fitted", "train_rows", "seed"),
)

POINT = columns(threshold=DOUBLE, precision=DOUBLE, recall=DOUBLE, f1=DOUBLE)

THRESHOLDS = Table(
    "thresholds",
    columns(
        target_lang=STRING,  # or *, for the pairs of all languages
        model=STRING,
        revision=STRING,
        span_rule=STRING,
        k=INT,  # neighbours of each page in the margin's mean
        wrong_pairs=STRING,  # searched | nearest | random
        wanted_precision=nullable(DOUBLE),  # null for the best F1, or wanted_false_accept
        threshold=nullable(DOUBLE),  # least margin; null if none has what is wanted
        precision=nullable(DOUBLE),  # at the threshold, with as many right as wrong pairs
        recall=nullable(DOUBLE),
        f1=nullable(DOUBLE),
        n_right=LONG,
        n_wrong=LONG,
        pooled=BOOLEAN,  # the language has too few pairs, so its threshold is that of *
        points=T.ArrayType(POINT, containsNull=False),  # of this language's pairs, all margins
        wanted_false_accept=nullable(DOUBLE),  # null where a precision or the best F1 is wanted
        false_accept=nullable(DOUBLE),  # share of wrong pairs that the threshold would accept
        highest_false_accept=nullable(DOUBLE),  # with that few pairs; upper bound of 95 %
        n_searched=nullable(LONG),  # English texts that the pairs' pages were compared with
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
        accepted=BOOLEAN,  # the margin reaches the threshold, and the document's uses allow it
    ),
    key=("query_id", "doc_id", "model", "revision"),
    partition_by=("target_lang",),
)

REVERSE_NEIGHBOURS = Table(
    "reverse_neighbours",
    columns(
        doc_id=STRING,  # each document in neighbours
        target_lang=STRING,
        model=STRING,
        revision=STRING,
        queries=T.ArrayType(  # its nearest queries of the language, best first
            columns(query_id=STRING, cosine=T.FloatType()), containsNull=False
        ),
    ),
    key=("doc_id", "target_lang", "model", "revision"),
    partition_by=("target_lang",),
)

# The vectors that neighbours and reverse_neighbours were made from; only new ones are searched.
SEARCHED_VECTORS = Table(
    "searched_vectors",
    columns(
        id=STRING,
        lang=STRING,
        model=STRING,
        revision=STRING,
        fingerprint=LONG,  # of everything that a search reads of the vector
        generation=LONG,  # of the run that first searched it
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
        settings=STRING,  # JSON of the settings that determine which neighbours are found
        generation=LONG,  # vectors up to this generation have been compared
        n_neighbours=LONG,  # rows in neighbours after the search
    ),
    key=("target_lang", "model", "revision"),
)
