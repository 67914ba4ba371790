"""The YAML tables of this package, each read once."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

import yaml

# Not a path: on a cluster the package may be imported from an archive.
_DATA = files("crossic_etl.kernels.wikitext") / "data"
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@cache
def load_yaml(name: str) -> dict[str, Any]:
    """The table ``name``, a path below ``data``; one that does not exist is empty."""
    path = _DATA.joinpath(*name.split("/"))
    if not path.is_file():
        return {}
    content = yaml.load(path.read_text(encoding="utf-8"), Loader=_LOADER)
    return content or {}
