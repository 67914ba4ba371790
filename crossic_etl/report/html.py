"""The report as one HTML file; it loads nothing and runs only its own script."""

from __future__ import annotations

import base64
import hashlib
from importlib.resources import files
from urllib.parse import urlsplit

from jinja2 import Environment, StrictUndefined

from crossic_etl.report.content import ReportData

# Languages whose Wikipedia is written from right to left.
RIGHT_TO_LEFT = frozenset(
    {
        "ar", "arc", "ary", "arz", "azb", "bqi", "ckb", "dv", "fa", "glk", "ha-arab", "he", "khw",
        "ks", "lrc", "mzn", "nqo", "pnb", "ps", "sd", "skr", "ug", "ur", "yi",
    }
)  # fmt: skip


def render(report: ReportData) -> str:
    """The page. All text of the data is escaped; its links are http or https."""
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"direction": direction, "web": web_address}
    folder = files("crossic_etl.report") / "page"
    style, script = ((folder / name).read_text("utf-8") for name in ("report.css", "report.js"))
    template = environment.from_string((folder / "report.html").read_text("utf-8"))
    return template.render(
        report=report,
        style=style,
        script=script,
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        languages=sorted({sample.target_lang for sample in report.samples}),
        arrangements=sorted({sample.arrangement for sample in report.samples}),
    )


def direction(lang: str) -> str:
    """The HTML ``dir`` of a language's text.

    ``auto`` alone would take a text that begins with a Latin word for left-to-right.
    """
    return "rtl" if lang in RIGHT_TO_LEFT else "auto"


def web_address(url: str) -> str:
    """The URL if it is http or https and may be a link, else an empty text."""
    try:
        return url if urlsplit(url).scheme in ("http", "https") else ""
    except ValueError:
        return ""
