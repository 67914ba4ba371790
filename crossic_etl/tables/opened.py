"""The tables under a root, for who looks at them: an attribute or item for each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from crossic_etl.config.roots import absolute_root
from crossic_etl.schemas import TABLES
from crossic_etl.tables.delta import Tables

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


class OpenTables:
    """``tables.pairs`` and ``tables["pairs"]`` are the table ``pairs`` as a DataFrame.

    Iterating gives the names of the tables that exist.
    """

    def __init__(self, spark: SparkSession, root: str) -> None:
        self._tables = Tables(spark, root)

    @property
    def root(self) -> str:
        """The root as an absolute path, a URL or ``catalog.schema``."""
        return absolute_root(self._tables.root)

    def __getitem__(self, name: str) -> DataFrame:
        """The rows of a table.

        Raises:
            KeyError: there is no table of this name, or it isn't there yet; names those that are.
            TableError: its columns aren't those that this version reads.
        """
        frame = self._tables.find(TABLES[name]) if name in TABLES else None
        if frame is None:
            raise KeyError(self._absence(name))
        return frame

    def __getattr__(self, name: str) -> DataFrame:
        """Like an item.

        Raises:
            AttributeError: as KeyError there.
        """
        if name.startswith("_"):
            raise AttributeError(name)
        try:
            return self[name]
        except KeyError as error:
            raise AttributeError(error.args[0]) from None

    def __iter__(self) -> Iterator[str]:
        return (name for name, table in TABLES.items() if self._tables.is_there(table))

    def __contains__(self, name: object) -> bool:
        return name in list(self)

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self]

    def __repr__(self) -> str:
        return f"tables under {self.root}: {', '.join(self) or 'none'}"

    def _absence(self, name: str) -> str:
        found = ", ".join(self) or "none"
        if name not in TABLES:
            return f"there is no table {name!r}, expected one of those under {self.root}: {found}"
        return f"table {name!r} isn't there yet under {self.root}: run its job; there are: {found}"
