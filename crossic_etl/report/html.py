"""The report as one HTML file, which needs no network and runs no script but its own."""

from __future__ import annotations

import base64
import hashlib
from importlib.resources import files
from urllib.parse import urlsplit

from jinja2 import Environment, StrictUndefined

from crossic_etl.report.content import Report

# Wikipedias of scripts that are written from right to left.
RIGHT_TO_LEFT = frozenset(
    {
        *("ar", "arc", "ary", "arz", "azb", "bqi", "ckb", "dv"),
        *("fa", "glk", "ha-arab", "he", "khw", "ks", "lrc", "mzn"),
        *("nqo", "pnb", "ps", "sd", "skr", "ug", "ur", "yi"),
    }
)


def render(report: Report) -> str:
    """The page: everything that comes from the data is escaped, and links lead to the web alone."""
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
    """Which way a language's text runs: a first word in Latin letters doesn't decide it."""
    return "rtl" if lang in RIGHT_TO_LEFT else "auto"


def web_address(url: str) -> str:
    """An address that may be a link; empty for any other."""
    try:
        return url if urlsplit(url).scheme in ("http", "https") else ""
    except ValueError:
        return ""
