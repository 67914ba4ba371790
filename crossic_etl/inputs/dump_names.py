"""Names of Wikipedia's dump files, in the layout of the public mirrors. Imports no Spark."""

from __future__ import annotations

from crossic_etl.config.etl import Wikipedia

# The forms in which a wiki's pages are published, best first; the first that is there is read.
PAGE_FILES = (
    r"pages-articles-multistream\.xml\.bz2",
    r"pages-articles-multistream\d+\.xml-p\d+p\d+\.bz2",
    r"pages-articles\.xml(\.bz2|\.gz)?",
    r"pages-articles\d+\.xml-p\d+p\d+(\.bz2|\.gz)?",
)


def dump_folder(wikipedia: Wikipedia, lang: str) -> str:
    """Where the public mirror's layout puts one wiki's dump."""
    wiki = lang.replace("-", "_") + "wiki"
    return f"{wikipedia.dumps.rstrip('/')}/{wiki}/{wikipedia.date_of(lang)}"
