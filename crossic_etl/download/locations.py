"""Where a file goes, on any file system of fsspec, and the sidecar file with its metadata.

Two files lie beside ``name``, under names that Spark ignores. ``.name.part`` holds its bytes during
the transfer. ``.name.json``, the sidecar, has its URL and, once it is complete, its checksum.
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
class SidecarMetadata:
    """Content of a sidecar; a file whose sidecar has no checksums isn't complete yet."""

    url: str
    size: int | None = None
    etag: str | None = None
    checksums: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Location:
    """A path on a file system; the file need not exist yet."""

    filesystem: Any
    path: str

    @classmethod
    def of(cls, url: str) -> Location:
        """The location of a local path or a URL of fsspec.

        Raises:
            UnfitSettingError: no installed package supports the URL's scheme.
        """
        try:
            filesystem, path = fsspec.core.url_to_fs(url)
        except (ImportError, ValueError) as error:
            raise UnfitSettingError(f"{url}: {' '.join(str(error).split())}") from None
        return cls(filesystem, path)

    @property
    def part(self) -> Location:
        """The location of the part file."""
        return self._beside("part")

    def _beside(self, ending: str) -> Location:
        folder, slash, name = self.path.rpartition("/")
        return Location(self.filesystem, f"{folder}{slash}.{name}.{ending}")

    def size(self) -> int | None:
        """The file's size in bytes; None if it doesn't exist."""
        try:
            return int(self.filesystem.info(self.path)["size"])
        except FileNotFoundError:
            return None

    def checksum(self, algorithm: str) -> Any:
        """The hash object of the file's bytes, which further bytes may be added to."""
        digest = hashlib.new(algorithm)
        with self.filesystem.open(self.path, "rb") as file:
            while chunk := file.read(CHUNK):
                digest.update(chunk)
        return digest

    def open(self, mode: str) -> IO[bytes]:
        """Opens the file for writing, and makes its folder.

        With ``ab`` a file system that can't append raises its own error.
        """
        self.filesystem.makedirs(self.path.rpartition("/")[0], exist_ok=True)
        return cast("IO[bytes]", self.filesystem.open(self.path, mode))

    def remove(self) -> None:
        """Removes the file if it exists."""
        if self.size() is not None:
            self.filesystem.rm(self.path)

    def publish(self) -> None:
        """Renames the part file, if there is one, to the file's name."""
        if self.part.size() is not None:
            self.filesystem.mv(self.part.path, self.path)

    def read_sidecar(self) -> SidecarMetadata | None:
        """The sidecar; None if there is none, or none that can be read."""
        try:
            return SidecarMetadata(
                **json.loads(self.filesystem.cat_file(self._beside("json").path))
            )
        except (FileNotFoundError, ValueError, TypeError):
            return None

    def write_sidecar(self, metadata: SidecarMetadata) -> None:
        """Writes the sidecar."""
        with self._beside("json").open("wb") as file:
            file.write(json.dumps(dataclasses.asdict(metadata), indent=1).encode())
