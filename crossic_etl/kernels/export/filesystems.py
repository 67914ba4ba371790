"""File systems of folders and URLs for files that are no tables, on driver and workers."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pyarrow as pa
from pyarrow import fs

# Hadoop's names for what pyarrow calls otherwise.
_SCHEMES = {"s3a": "s3", "s3n": "s3"}


def open_filesystem(where: str) -> tuple[fs.FileSystem, str]:
    """The file system of a local folder or a URL, and the path on it, without a slash at its end.

    ``s3://`` (or ``s3a://``), ``gs://``, ``hdfs://``, ``abfss://`` are pyarrow's own; others need
    ``fsspec`` and its package for the scheme. Raises ValueError where there is none.
    """
    scheme, separator, rest = where.partition("://")
    if not separator:
        local = where.removeprefix("file:")
        return fs.LocalFileSystem(), str(Path(local).expanduser().absolute())
    url = f"{_SCHEMES.get(scheme, scheme)}://{rest}"
    try:
        filesystem, path = fs.FileSystem.from_uri(url)
    except (pa.ArrowException, OSError, ValueError, ImportError) as error:
        raise ValueError(f"{where}: can't be opened ({' '.join(str(error).split())})") from None
    return filesystem, re.sub(r"/+$", "", path)


def write_file(filesystem: fs.FileSystem, path: str, data: bytes) -> None:
    """Writes a file whole; on a local disk it is synced, so that it survives a power cut."""
    with filesystem.open_output_stream(path) as stream:
        stream.write(data)
    sync(filesystem, path)


def sync(filesystem: fs.FileSystem, path: str) -> None:
    """Waits until a local file or folder (its entries) is on disk."""
    if isinstance(filesystem, fs.LocalFileSystem):
        number = os.open(path, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)
