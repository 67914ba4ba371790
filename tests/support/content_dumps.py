"""Turns dumps of the older service into those of the content service."""

from __future__ import annotations

import re
from hashlib import sha256
from pathlib import Path

from crossic_etl.inputs.dump_names import CHECKSUMS, content_date, content_path


def move_to_content(dumps: Path, wiki: str, date: str) -> list[Path]:
    """Moves a wiki's page files, of bzip2, to the content service's folder; returns their paths."""
    folder = dumps / content_path(wiki, date)
    folder.mkdir(parents=True)
    moved, lines = [], []
    for number, path in enumerate(sorted((dumps / wiki / date).glob("*-pages-*.bz2")), 1):
        found = re.search(r"p\d+p\d+", path.name)
        part = found[0] if found else f"p{number}p{number}"
        to = folder / f"{wiki}-{content_date(date)}-{part}.xml.bz2"
        moved.append(path.rename(to))
        lines.append(f"{sha256(to.read_bytes()).hexdigest()}  {to.name}\n")
    (folder / CHECKSUMS).write_text("".join(lines))
    return moved
