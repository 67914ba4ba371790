"""Plots precision and recall by threshold, in one file that needs no network."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from crossic_etl.atomic_files import is_place, write_whole
from crossic_etl.config.errors import ConfigError
from crossic_etl.kernels.search.calibration import ALL_LANGUAGES, Calibration

FORMATS = (".html", ".svg")
PACKAGES = {"altair": "altair", "vl_convert": "vl-convert-python"}
COLUMNS = 3


def check_plot(path: Path) -> None:
    """Checks that a plot could be written to the path.

    Raises:
        ConfigError: it can't.
    """
    if path.suffix not in FORMATS or not is_place(path):
        raise ConfigError("--plot", str(path), "a file .html or .svg in a folder that exists")


def missing_packages() -> list[str]:
    """The packages of the extra ``plots`` that aren't installed."""
    return [package for module, package in PACKAGES.items() if find_spec(module) is None]


def write_plot(found: Mapping[str, Calibration], title: str, path: Path) -> None:
    """Writes `draw_margins` atomically: HTML with its scripts inside, or SVG."""
    content = io.StringIO()
    is_page = path.suffix == ".html"
    options = {"inline": True, "json_kwds": {"cls": _ForScripts}} if is_page else {}
    draw_margins(found, title).save(content, format=path.suffix[1:], **options)
    write_whole(path, content.getvalue())


class _ForScripts(json.JSONEncoder):
    """Encodes JSON that can't end the script around it; altair writes texts unescaped."""

    def encode(self, o: Any) -> str:
        """Encodes as usual, but escapes ``<``, which occurs in JSON only within strings."""
        return super().encode(o).replace("<", "\\u003c")


def draw_margins(found: Mapping[str, Calibration], title: str) -> Any:
    """An altair chart with a panel for each language that has pairs.

    A panel shows precision and recall of the language's own pairs over the least margin, and a line
    at its threshold.
    """
    import altair as alt

    panels = [_panel(one) for one in found.values() if one.table]
    return alt.concat(*panels, columns=COLUMNS, title=title)


def _panel(one: Calibration) -> Any:
    import altair as alt

    rows = [
        {"margin": point.threshold, "share": getattr(point, name), "measure": name}
        for point in one.table
        for name in ("precision", "recall")
    ]
    x = alt.X("margin:Q").scale(zero=False).title("least margin")
    share = alt.Y("share:Q").scale(domain=[0, 1]).title(None)
    color = alt.Color("measure:N").title(None)
    tips = [
        alt.Tooltip("margin:Q", format=".3f"),
        "measure:N",
        alt.Tooltip("share:Q", format=".3f"),
    ]
    curves = alt.Chart({"values": rows}).mark_line(point=True)
    layers = [curves.encode(x=x, y=share, color=color, tooltip=tips)]
    if one.point is not None:
        at = {"values": [{"margin": one.point.threshold}]}
        layers.append(alt.Chart(at).mark_rule(strokeDash=[4, 4]).encode(x="margin:Q"))
    return alt.layer(*layers).properties(title=_title(one), width=260, height=180)


def _title(one: Calibration) -> str:
    if one.point is None:
        chosen = "no threshold"
    else:
        chosen = f"threshold {one.point.threshold:.3f}{' of all' if one.pooled else ''}"
    name = "all languages" if one.lang == ALL_LANGUAGES else one.lang
    return f"{name}: {chosen}, {one.n_right:,} pairs"
