"""Local text files that are written whole or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def is_place(path: Path) -> bool:
    """Whether a file may be written there, as far as that shows before there is one."""
    return path.parent.is_dir() and not path.is_dir()


def write_whole(path: Path, text: str) -> None:
    """Writes UTF-8 over an older file, a lone surrogate as a question mark."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", errors="replace") as file:
            file.write(text)
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink()
        raise
