"""What a report is made of, in plain values: nothing here knows Spark or HTML."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

Cell = str | int | float | None


@dataclass(frozen=True)
class Grid:
    """A table: its rows' first cells are their headings.

    ``formats`` has for each column how its numbers are written, as of `format`; ``s`` is text that
    stays in one line, ``""`` any other.
    """

    caption: str
    columns: tuple[str, ...]
    formats: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]

    def written(self) -> list[list[str]]:
        """The cells as text; what isn't known is a dash."""
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
class Side:
    """One text of a sample, cut to what the report shows; ``n_cut`` characters are left out."""

    lang: str
    title: str
    url: str
    text: str
    n_cut: int
    n_tokens: int


@dataclass(frozen=True)
class Shown:
    """A sample to read; a side that its arrangement doesn't have is None."""

    sample_id: str
    arrangement: str
    target_lang: str
    split: str
    part: str
    n_tokens: int
    licence: str
    english: Side | None
    target: Side | None

    @property
    def title(self) -> str:
        """The titles of its sides."""
        return " · ".join(side.title for side in (self.english, self.target) if side) or "–"

    @property
    def searched(self) -> str:
        """What the search looks in."""
        return self.title.lower()


@dataclass(frozen=True)
class Report:
    """Everything that a page shows.

    Attributes:
        root: where the tables are.
        made: when it was made, in UTC.
        version: of the program.
        most_samples: of each language and arrangement in the browser.
    """

    root: str
    made: str
    version: str
    most_samples: int
    sections: Sequence[Section]
    samples: Sequence[Shown] = field(default_factory=tuple)
