"""Section on the two sides of samples: how many fit each other, in each arrangement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from crossic_etl.kernels.samples.shares import COUNTS, LOPSIDED, SampleShares, add_up
from crossic_etl.report.content import Cell, Grid, Section
from crossic_etl.report.flow import newest
from crossic_etl.report.source import ReportSource, collect
from crossic_etl.schemas import SAMPLES
from crossic_etl.transforms.mixture import MIXTURE
from crossic_etl.transforms.sample_shares import measure_shares

ALL = "all"
COLUMNS = ("samples", "similarity", "one-sided", "lopsided")
FORMATS = (",d", ".3f", ".1%", ".1%")

TEXT = (
    "Similarity is the mean cosine of the two sides, where the samples have one. One-sided is the "
    "share of samples with an empty side, in arrangements of two sides. Lopsided is the share, of "
    f"the samples with two sides, of those with a side of more than {LOPSIDED} times the other's "
    "tokens. An arrangement is a fair control of another if it differs from it in one of them only."
)


def sides_section(source: ReportSource) -> Section | None:
    """Similarity, one-sided and lopsided share of each arrangement, language, and the mixture."""
    samples = source.find(SAMPLES)
    if samples is None:
        return None
    by = ["arrangement", "target_lang"]
    rows = collect(measure_shares(samples, by), by)
    if not rows:
        return None
    grids = [_arrangements(rows), *_mixture(source)]
    return Section("sides", "The two sides of samples", TEXT, grids=grids)


def _arrangements(rows: Sequence[Mapping[str, str | int]]) -> Grid:
    lines = []
    for name in sorted({str(row["arrangement"]) for row in rows}):
        of_name = [row for row in rows if row["arrangement"] == name]
        lines.append((name, ALL, *_cells(add_up(of_name))))
        lines += [(name, row["target_lang"], *_cells(add_up([row]))) for row in of_name]
    return Grid(
        "Sides by arrangement and language",
        ("arrangement", "language", *COLUMNS),
        ("", "", *FORMATS),
        tuple(lines),
    )


def _mixture(source: ReportSource) -> list[Grid]:
    """A table of what the newest run of ``windows`` mixed; none without a mixture."""
    metrics: dict[str, int] = next(
        (run["metrics"] for run in newest(source) if run["job"] == "windows"), {}
    )
    lines = []
    for key in sorted(metrics):
        counts = {name: metrics[f"{key}_{name}"] for name in COUNTS if f"{key}_{name}" in metrics}
        if counts.keys() == set(COUNTS):
            name = key.removeprefix(f"{MIXTURE}_")
            lines.append((name, metrics[key], *_cells(add_up([counts]))))
    columns = ("arrangement", "tokens", *COLUMNS)
    grid = Grid("Sides in the mixture", columns, ("", ",d", *FORMATS), tuple(lines))
    return [grid] if lines else []


def _cells(shares: SampleShares) -> tuple[Cell, ...]:
    return shares.samples, shares.similarity, shares.one_sided, shares.lopsided
