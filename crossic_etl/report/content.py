"""The content of a report in plain values, without Spark or HTML."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

Cell = str | int | float | None


@dataclass(frozen=True)
class Grid:
    """A table; the first cell of each row is the row's heading.

    ``formats`` has a format specification for each column's numbers. ``s`` marks a column of texts
    that aren't wrapped, ``""`` any other column of texts.
    """

    caption: str
    columns: tuple[str, ...]
    formats: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]

    def written(self) -> list[list[str]]:
        """The cells as text; None becomes a dash."""
        return [
            [_write(cell, form) for cell, form in zip(row, self.formats, strict=True)]
            for row in self.rows
        ]


def _write(cell: Cell, form: str) -> str:
    if cell is None:
        return "–"
    return str(cell) if isinstance(cell, str) else format(cell, form)


@dataclass(frozen=True)
class Figure:
    """A chart (SVG) with the table of its numbers."""

    title: str
    svg: str
    grid: Grid


@dataclass(frozen=True)
class Section:
    """A part of the report, under a heading."""

    key: str
    title: str
    text: str
    figures: Sequence[Figure] = ()
    grids: Sequence[Grid] = ()


@dataclass(frozen=True)
class ShownText:
    """One text of a sample, shortened for the report by ``n_cut`` characters."""

    lang: str
    title: str
    url: str
    text: str
    n_cut: int
    n_tokens: int


@dataclass(frozen=True)
class ShownSample:
    """A sample to read; a text that its arrangement lacks is None."""

    sample_id: str
    arrangement: str
    target_lang: str
    split: str
    part: str
    n_tokens: int
    licence: str
    english: ShownText | None
    target: ShownText | None

    @property
    def title(self) -> str:
        """The titles of its texts."""
        return " · ".join(side.title for side in (self.english, self.target) if side) or "–"

    @property
    def searched(self) -> str:
        """The text that the page's search looks in."""
        return self.title.lower()


@dataclass(frozen=True)
class ReportData:
    """Everything that a page shows.

    Attributes:
        root: of the tables.
        made: time of the report, in UTC.
        version: of this package.
        most_samples: limit of samples to read, of each language and arrangement.
    """

    root: str
    made: str
    version: str
    most_samples: int
    sections: Sequence[Section]
    samples: Sequence[ShownSample] = field(default_factory=tuple)
