"""An archive of the Java classes that a session loads (class data sharing), which saves seconds.

The first session has Java write it as it ends, for some seconds, in the background. Later ones map
it into memory. Java itself checks that an archive is of its own build and of the same JARs, and
else goes without.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

from crossic_etl.kernels.fingerprint import fingerprint

# Whoever gives Java options of their own may have given it an agent, with which it can't archive.
JAVA_VARIABLES = ("JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS", "SPARK_SUBMIT_OPTS")
# An archive has 200 MB.
LEAST_FREE = 2**31  # bytes
# Seconds.
UNUSED = 30 * 86400
UNWRITTEN = 3600
# Java warns of each class that it doesn't archive.
ERRORS_ONLY = "-Xlog:disable -Xlog:all=error:stderr"


def archive_options(folder: Path, java: Path, jars: Iterable[Path]) -> str:
    """Options of Java to use the archive in a folder, or to write it; empty where neither fits.

    Args:
        folder: of archives; it is made.
        java: the program.
        jars: what stands on the class path, and folders of it.
    """
    if any(os.environ.get(name) for name in JAVA_VARIABLES):
        return ""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # Java can be updated in its place, and its archive would be of no use for ever.
        parts = [(str(path), path.stat().st_mtime_ns) for path in (java.resolve(), *jars)]
        archive = folder / f"classes-{fingerprint(parts)}.jsa"
        option = _option(archive)
    except OSError:  # no room, or not ours to write: an archive only saves time
        return ""
    return f'"{option}" {ERRORS_ONLY}' if option else ""


def _option(archive: Path) -> str:
    for new in _unfinished(archive):
        if is_complete(new):
            new.replace(archive)
    if archive.is_file():
        os.utime(archive)
        return f"-XX:SharedArchiveFile={archive}"
    _sweep(archive.parent)
    # One that is left is of a session that runs. Where two start at once each writes its own.
    if _unfinished(archive) or shutil.disk_usage(archive.parent).free < LEAST_FREE:
        return ""
    new = archive.with_suffix(f".{uuid4().hex}.new")
    new.touch()
    return f"-XX:ArchiveClassesAtExit={new}"


def _unfinished(archive: Path) -> list[Path]:
    return list(archive.parent.glob(f"{archive.stem}.*.new"))


def is_complete(archive: Path) -> bool:
    """Whether Java has ended its writing: the four bytes that it begins with come last."""
    try:
        with archive.open("rb") as file:
            return any(file.read(4))
    except FileNotFoundError:
        return False


def _sweep(folder: Path) -> None:
    """Removes archives that nobody uses, and what a session that was killed has left."""
    for pattern, age in (("classes-*.jsa", UNUSED), ("classes-*.new", UNWRITTEN)):
        for path in folder.glob(pattern):
            with suppress(FileNotFoundError):
                if time.time() - path.stat().st_mtime > age:
                    path.unlink()
