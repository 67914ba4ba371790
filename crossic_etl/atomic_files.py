"""Writes local files atomically: the whole file or nothing."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def is_place(path: Path) -> bool:
    """Whether a file could be written to the path: its folder exists and it isn't a folder."""
    return path.parent.is_dir() and not path.is_dir()


def write_whole(path: Path, text: str) -> None:
    """Writes the text as UTF-8 and replaces an older file; lone surrogates become ``?``."""
    write_bytes(path, text.encode("utf-8", "replace"))


def write_bytes(path: Path, content: bytes) -> None:
    """Writes a file and replaces an older one."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink()
        raise
