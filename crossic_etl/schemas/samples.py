"""Tables of training data: samples and windows."""

from __future__ import annotations

from crossic_etl.schemas.table import (
    DOUBLE,
    INT,
    LONG,
    NAMES,
    STRING,
    TOKENS,
    Table,
    columns,
    nullable,
)

SAMPLES = Table(
    "samples",
    columns(
        sample_id=STRING,
        arrangement=STRING,
        target_lang=STRING,
        split=STRING,  # train | validation; the same for all samples of a document
        origin=STRING,  # wikipedia, or crawl: its English text is a web document
        pair_id=STRING,
        made_of=LONG,  # input fingerprint: hash of both texts, their attribution and the settings
        en_source_id=nullable(STRING),  # lang:page_id or doc_id; null on samples of one text
        target_source_id=nullable(STRING),
        segment=INT,  # 0 .. n_segments - 1
        n_segments=INT,
        en_text=STRING,
        target_text=STRING,
        input_ids=TOKENS,  # the whole sample, separator and [SPLIT] included
        n_en_tokens=INT,
        n_target_tokens=INT,
        n_tokens=INT,
        cut=nullable(STRING),  # encoder | anchors | position; null where its texts weren't cut
        similarity=nullable(DOUBLE),  # cosine of the sides' vectors; null where not known
        n_unmatched=nullable(INT),  # segments of its pair that were dropped; null for none
        tokenizer=STRING,
        split_token=STRING,
        licence=STRING,
        en_title=nullable(STRING),  # null for web documents, as is the revision
        en_url=nullable(STRING),
        en_revision_id=nullable(LONG),
        target_title=nullable(STRING),
        target_url=nullable(STRING),
        target_revision_id=nullable(LONG),
    ),
    key=("sample_id",),
    partition_by=("arrangement", "target_lang"),
)

WINDOWS = Table(
    "windows",
    columns(
        arrangement=STRING,  # of its samples, or mixture
        tokenizer=STRING,
        window_length=INT,
        policy=STRING,
        split=STRING,  # train | validation: a window never holds samples of both
        generation=INT,  # 0, and one more for each run with new samples
        shard=INT,  # its stream: of the arrangement and split; of each language, if separate
        position=INT,  # within generation and shard; numbers of removed windows aren't reused
        input_ids=TOKENS,  # at most window_length; the trainer adds padding
        sample_starts=TOKENS,  # offset of each sample in input_ids
        sample_ids=NAMES,  # a sample cut by the window's end is the last one
        sample_langs=NAMES,  # the target language of each of them
        n_whole=INT,  # samples that are whole: the first n_whole of sample_ids
        n_new=INT,
        n_repeated=INT,  # always the first tokens of the window
        n_padding=INT,
    ),
    key=(
        "arrangement",
        "tokenizer",
        "window_length",
        "policy",
        "split",
        "generation",
        "shard",
        "position",
    ),
    partition_by=("arrangement", "split"),
)
