"""Where the tables are, with the whole path."""

from __future__ import annotations

import re
from pathlib import Path

URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
SCHEMA = re.compile(r"[A-Za-z_]\w*\.[A-Za-z_]\w*")


def absolute_root(root: str) -> str:
    """A folder as an absolute path; a URL or ``catalog.schema`` as it is."""
    if URL.match(root) or SCHEMA.fullmatch(root):
        return root
    return str(Path(root).absolute())
