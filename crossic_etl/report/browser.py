"""Samples to read: some of each language and arrangement, with both texts."""

from __future__ import annotations

from typing import Any

from pyspark.sql import Column
from pyspark.sql import functions as F

from crossic_etl.report.content import ShownSample, ShownText
from crossic_etl.report.source import ReportSource, collect
from crossic_etl.schemas import SAMPLES
from crossic_etl.transforms.report import sample_groups

# Of a text: enough to read, and few enough that a browser opens the report.
MOST_CHARACTERS = 3_000


def browser_samples(source: ReportSource) -> list[ShownSample]:
    """Up to ``source.most_samples`` samples of each language and arrangement, chosen by a hash."""
    samples = source.find(SAMPLES)
    if samples is None or not source.most_samples:
        return []
    by = ["arrangement", "target_lang"]
    chosen = sample_groups(samples, by, "sample_id", source.most_samples, source.seed, "browser")
    columns = ["sample_id", *by, "split", "segment", "n_segments", "n_tokens", "licence"]
    sides = [column for side in ("en", "target") for column in _columns(side)]
    rows = collect(chosen.select(*columns, *sides), [*by, "en_title", "target_title", "sample_id"])
    return [_shown(row) for row in rows]


def _columns(side: str) -> list[Column]:
    text = F.col(f"{side}_text")
    return [
        *[F.col(name) for name in (f"{side}_title", f"{side}_url", f"n_{side}_tokens")],
        F.substring(text, 1, MOST_CHARACTERS).alias(f"{side}_text"),
        F.length(text).alias(f"{side}_length"),
    ]


def _shown(row: dict[str, Any]) -> ShownSample:
    n_segments: int = row["n_segments"]
    return ShownSample(
        row["sample_id"],
        row["arrangement"],
        row["target_lang"],
        row["split"],
        "whole" if n_segments == 1 else f"part {row['segment'] + 1} of {n_segments}",
        row["n_tokens"],
        row["licence"],
        _side(row, "en", "en"),
        _side(row, "target", row["target_lang"]),
    )


def _side(row: dict[str, Any], side: str, lang: str) -> ShownText | None:
    if not row[f"{side}_length"]:
        return None
    text: str = row[f"{side}_text"]
    url: str = row[f"{side}_url"] or ""
    return ShownText(
        lang,
        row[f"{side}_title"] or url or "–",
        url,
        text,
        row[f"{side}_length"] - len(text),
        row[f"n_{side}_tokens"],
    )
