"""Names of Wikipedia's dump files, in the layout of the public mirrors. Imports no Spark."""

from __future__ import annotations

from crossic_etl.config import Config

# The forms in which a wiki's pages are published, best first; the first that is there is read.
PAGE_FILES = (
    r"pages-articles-multistream\.xml\.bz2",
    r"pages-articles-multistream\d+\.xml-p\d+p\d+\.bz2",
    r"pages-articles\.xml(\.bz2|\.gz)?",
    r"pages-articles\d+\.xml-p\d+p\d+(\.bz2|\.gz)?",
)


def dump_folder(config: Config, lang: str) -> str:
    """Where the public mirror's layout puts one wiki's dump."""
    wiki = lang.replace("-", "_") + "wiki"
    return f"{config.wikipedia.dumps.rstrip('/')}/{wiki}/{config.wikipedia.date_of(lang)}"
