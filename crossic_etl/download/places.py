"""Where a file goes, on any file system of fsspec, and what is noted beside it.

Beside ``name`` lie, under names that Spark doesn't list, ``.name.part`` while it is on its way and
``.name.json``, the note: where it comes from, and its checksum once it is complete.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from dataclasses import dataclass, field
from typing import IO, Any, cast

import fsspec

from crossic_etl.config.errors import UnfitSettingError

CHUNK = 2**20  # bytes


@dataclass(frozen=True)
class Note:
    """What is known of a file beside its bytes; without checksums it isn't complete yet."""

    url: str
    size: int | None = None
    etag: str | None = None
    checksums: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Place:
    """A path on a file system, which need not be there yet."""

    filesystem: Any
    path: str

    @classmethod
    def of(cls, url: str) -> Place:
        """The place that a local path or a URL of fsspec names.

        Raises:
            UnfitSettingError: no installed package knows its scheme.
        """
        try:
            filesystem, path = fsspec.core.url_to_fs(url)
        except (ImportError, ValueError) as error:
            raise UnfitSettingError(f"{url}: {' '.join(str(error).split())}") from None
        return cls(filesystem, path)

    @property
    def part(self) -> Place:
        """Where the file lies while it is on its way."""
        return self._beside("part")

    def _beside(self, ending: str) -> Place:
        folder, slash, name = self.path.rpartition("/")
        return Place(self.filesystem, f"{folder}{slash}.{name}.{ending}")

    def size(self) -> int | None:
        """Its bytes; None where it isn't there."""
        try:
            return int(self.filesystem.info(self.path)["size"])
        except FileNotFoundError:
            return None

    def checksum(self, algorithm: str) -> Any:
        """The hash of its bytes, to go on with."""
        digest = hashlib.new(algorithm)
        with self.filesystem.open(self.path, "rb") as file:
            while chunk := file.read(CHUNK):
                digest.update(chunk)
        return digest

    def open(self, mode: str) -> IO[bytes]:
        """Opens it to write; ``ab`` raises what the file system raises that can't append."""
        self.filesystem.makedirs(self.path.rpartition("/")[0], exist_ok=True)
        return cast("IO[bytes]", self.filesystem.open(self.path, mode))

    def remove(self) -> None:
        """Removes it where it is there."""
        if self.size() is not None:
            self.filesystem.rm(self.path)

    def publish(self) -> None:
        """Moves what is complete from its part to its name."""
        if self.part.size() is not None:
            self.filesystem.mv(self.part.path, self.path)

    def read_note(self) -> Note | None:
        """The note beside it; None where there is none that can be read."""
        try:
            return Note(**json.loads(self.filesystem.cat_file(self._beside("json").path)))
        except (FileNotFoundError, ValueError, TypeError):
            return None

    def write_note(self, note: Note) -> None:
        """Writes the note beside it."""
        with self._beside("json").open("wb") as file:
            file.write(json.dumps(dataclasses.asdict(note), indent=1).encode())
