"""Sections on the texts: pairs, their lengths, samples and windows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from crossic_etl.report.charts import histograms, stacked_bars, with_ends
from crossic_etl.report.content import Figure, Grid, Section
from crossic_etl.report.source import ReportSource, collect
from crossic_etl.schemas import DOCUMENTS, PAGES, PAIRS, SAMPLES, WINDOWS
from crossic_etl.transforms.report import (
    EVIDENCE,
    count_evidence,
    describe,
    histogram,
    histogram_octaves,
    measure_windows,
)

DESCRIBED = ("rows", "mean", "10 %", "median", "90 %", "longest")
WHOLE = (",d", ",.0f", ",.0f", ",.0f", ",.0f", ",.0f")
BINS = 20


def pairs_section(source: ReportSource) -> Section | None:
    """Pairs of each language by their evidence."""
    pairs = source.find(PAIRS)
    if pairs is None:
        return None
    rows = collect(count_evidence(pairs), ["target_lang", "evidence"])
    if not rows:
        return Section("pairs", "Pairs", "There is no pair.")
    counts = {(row["target_lang"], row["evidence"]): row["rows"] for row in rows}
    grid = Grid(
        "Pairs by language and evidence",
        ("language", "pairs", *EVIDENCE),
        ("", *[",d"] * (1 + len(EVIDENCE))),
        tuple(
            (
                lang,
                sum(n for (other, _), n in counts.items() if other == lang),
                *[counts.get((lang, kind), 0) for kind in EVIDENCE],
            )
            for lang in sorted({row["target_lang"] for row in rows})
        ),
    )
    chart = stacked_bars(rows, "target_lang", "rows", "evidence", EVIDENCE, "pairs")
    text = (
        "An article and its English counterpart, joined by interlanguage links of one side or of "
        "both, or by a shared Wikidata item."
    )
    return Section("pairs", "Pairs", text, [Figure("Pairs by language and evidence", chart, grid)])


def lengths_section(source: ReportSource) -> Section | None:
    """Distributions of the lengths of pages, documents and samples."""
    figures = []
    for table, what in ((PAGES, "Articles"), (DOCUMENTS, "Web documents")):
        if (frame := source.find(table)) is not None:
            figures += _lengths(frame, "lang", f"{what}: characters", "characters", octaves=True)
    if (samples := source.find(SAMPLES)) is not None:
        named = samples.withColumn("n_chars", F.col("n_tokens"))
        figures += _lengths(named, "arrangement", "Samples: tokens", "tokens", octaves=False)
    if not figures:
        return None
    text = "Articles and documents over a logarithmic axis, samples over a linear one."
    return Section("lengths", "Lengths", text, figures)


def _lengths(frame: DataFrame, by: str, title: str, unit: str, *, octaves: bool) -> list[Figure]:
    described = collect(describe(frame, [by], F.col("n_chars")), [by])
    if not described:
        return []
    if octaves:
        counted = collect(histogram_octaves(frame, [by], F.col("n_chars")), [by, "bin"])
        bins = with_ends(counted, 1 / 2, log=True)
    else:
        step = max(1.0, max(row["most"] for row in described) / BINS)
        counted = collect(histogram(frame, [by], F.col("n_chars"), step), [by, "bin"])
        bins = with_ends(counted, step)
    return [
        Figure(title, histograms(bins, by, unit, log=octaves), described_grid(title, by, described))
    ]


def described_grid(
    caption: str, by: str, rows: Sequence[dict[str, Any]], forms: tuple[str, ...] = WHOLE
) -> Grid:
    """The rows of `describe` as a table."""
    names = {"lang": "language", "target_lang": "language"}
    keys = ("rows", "mean", "p10", "p50", "p90", "most")
    return Grid(
        caption,
        (names.get(by, by), *DESCRIBED),
        ("", *forms),
        tuple((row[by], *[row[key] for key in keys]) for row in rows),
    )


def windows_section(source: ReportSource) -> Section | None:
    """Counts of windows, and the share of their tokens that are new."""
    windows = source.find(WINDOWS)
    if windows is None:
        return None
    rows = collect(measure_windows(windows), ["arrangement", "split", "policy", "window_length"])
    if not rows:
        return Section("windows", "Windows", "There is no window.")
    filled = windows.select("arrangement", (F.col("n_new") / F.col("window_length")).alias("new"))
    # Keeps a window of new tokens only in the last bin.
    inside = F.least(F.col("new"), F.lit(0.9999))
    counted = collect(histogram(filled, ["arrangement"], inside, 1 / BINS), ["arrangement", "bin"])
    bins = with_ends(counted, 1 / BINS)
    grid = Grid(
        "Windows and their tokens",
        (
            "arrangement", "split", "policy", "length", "windows", "whole samples", "new tokens",
            "utilisation", "repeated", "padding",
        ),
        ("", "", "", ",d", ",d", ",d", ",d", ".1%", ".1%", ".1%"),
        tuple(_window_row(row) for row in rows),
    )  # fmt: skip
    text = (
        "Utilisation is the share of a window's places with a token that no window before had; the "
        "rest is repeated, so that each sample is seen whole, or padding."
    )
    chart = histograms(bins, "arrangement", "share of a window that is new")
    return Section("windows", "Windows", text, [Figure("New tokens of each window", chart, grid)])


def _window_row(row: dict[str, Any]) -> tuple[Any, ...]:
    places = row["rows"] * row["window_length"]
    return (
        *(row[key] for key in ("arrangement", "split", "policy", "window_length", "rows")),
        row["samples"],
        row["new"],
        row["new"] / places,
        row["repeated"] / places,
        row["padding"] / places,
    )
