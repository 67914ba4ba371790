"""Texts about the tables of the bundled sample, printed after its run."""

from __future__ import annotations

import shutil

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from crossic_etl.sample.build_web import load_web_sample
from crossic_etl.sample.side_by_side import side_by_side
from crossic_etl.schemas import DOCUMENTS, NEIGHBOURS, PAIRS, RUNS
from crossic_etl.tables import Tables
from crossic_etl.transforms.source_ids import page_source_id

SHOWN_LINES = 24


def show_recall(tables: Tables) -> str:
    """Recall of the neighbours, measured twice: against an exact search, and against the sample's
    own list of web documents and the articles on the same subject.
    """
    measured = tables.read(RUNS).where("metrics['recall_expected'] > 0")  # runs that searched all
    (run,) = measured.orderBy(F.desc("started")).head(1)
    found, there = run.metrics["recall_found"], run.metrics["recall_expected"]
    subjects = {web.url: web.subject for web in load_web_sample() if web.subject}
    nearest = tables.read(NEIGHBOURS).where("rank = 1").select("query_id", "doc_id")
    urls = tables.read(DOCUMENTS).select("doc_id", "url")
    articles = tables.read(PAIRS).select(
        page_source_id(F.col("target_lang"), "target_page_id").alias("query_id"), "en_title"
    )
    rows = articles.join(nearest, on="query_id", how="left").join(urls, on="doc_id", how="left")
    right = [subjects.get(row.url) == row.en_title for row in rows.collect()]
    return (
        f"\nretrieval: {found:,} of the {there:,} documents that an exact search finds "
        f"(recall {found / there:.3f});\n"
        f"for {sum(right)} of {len(right)} articles the nearest is known to be on its subject"
    )


def show_sample(samples: DataFrame, arrangement: str, language: str = "es") -> str:
    """The start of a language's shortest whole sample, English left, target right.

    Of a pair with the fewest segments the first one, if no pair is whole.
    """
    held = (F.col("arrangement") == arrangement) & (F.col("target_lang") == language)
    order = ("n_segments", "segment", "n_tokens", "sample_id")
    sample = samples.where(held).orderBy(*order).head(1)[0]
    n_segments = sample.n_segments
    part = f"segment {sample.segment + 1} of {n_segments}, " if n_segments > 1 else ""
    width = min(shutil.get_terminal_size((110, 0)).columns, 140)
    lines = side_by_side(sample.en_text, sample.target_text, width).splitlines()
    more = len(lines) - SHOWN_LINES
    return (
        f"\none sample of {sample.n_tokens:,} tokens, arrangement {arrangement}: "
        f"{sample.en_title or sample.en_url} | {sample.target_title}, "
        f"{part}closed by {sample.split_token}\n\n"
        + "\n".join(lines[:SHOWN_LINES])
        + (f"\n… and {more} lines more" if more > 0 else "")
    )
