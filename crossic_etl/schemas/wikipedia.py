"""Tables of Wikipedia: its pages, their redirects and links, and the pairs of them."""

from __future__ import annotations

from crossic_etl.schemas.table import (
    BOOLEAN,
    COUNTS,
    INT,
    LONG,
    NAMES,
    STRING,
    TIMESTAMP,
    Table,
    columns,
    nullable,
)

PAGES = Table(
    "pages",
    columns(
        lang=STRING,
        page_id=LONG,
        title=STRING,
        url=STRING,
        revision_id=nullable(LONG),  # null where the input is plain text
        timestamp=nullable(TIMESTAMP),  # of the revision
        text=STRING,
        text_hash=STRING,  # SHA-256 of the UTF-8 text
        n_chars=INT,
        is_disambiguation=BOOLEAN,
        qid=nullable(STRING),  # Wikidata item, from page_props
        left_out=COUNTS,  # what the extractor left out of the text, by kind
        licence=STRING,  # SPDX identifier
        dump_date=STRING,
    ),
    key=("lang", "page_id"),
    partition_by=("lang",),
)

REDIRECTS = Table(
    "redirects",
    columns(lang=STRING, page_id=LONG, title=STRING, target_title=STRING, dump_date=STRING),
    key=("lang", "title"),
    partition_by=("lang",),
)

LINKS = Table(
    "links",
    columns(
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
    columns(
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
