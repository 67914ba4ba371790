"""Names of Wikipedia's dump files, in the layout of the public mirrors. Imports no Spark."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable

from crossic_etl.config.etl import Wikipedia
from crossic_etl.kernels.wiki_facts import canonical_code, database_of

# The forms in which a wiki's pages are published, best first; the first that exists is read.
PAGE_FILES = (
    r"pages-articles-multistream\.xml\.bz2",
    r"pages-articles-multistream\d+\.xml-p\d+p\d+\.bz2",
    r"pages-articles\.xml(\.bz2|\.gz)?",
    r"pages-articles\d+\.xml-p\d+p\d+(\.bz2|\.gz)?",
)

# Below the folder of all dumps, the page files of all wikis at all dates.
ALL_PAGE_FILES = "*/*/*-pages-articles*.xml*"
_PAGE_FILE = re.compile(r"/([a-z0-9_]+wiki)/([0-9]{8})/\1-\2-pages-articles[^/]*$")


def dump_folder(wikipedia: Wikipedia, lang: str) -> str:
    """The folder of one wiki's dump in the public mirror's layout."""
    return f"{wikipedia.dumps.rstrip('/')}/{database_of(lang)}/{wikipedia.date_of(lang)}"


def describe_others(wikipedia: Wikipedia, lang: str, paths: Iterable[str]) -> str:
    """What there is where a wiki was not found: its other dates, and the languages.

    ``paths`` are those of page files, of any wiki at any date.
    """
    dates: dict[str, set[str]] = defaultdict(set)
    for path in paths:
        if found := _PAGE_FILE.search(path):
            dates[found[1]].add(found[2])
    if not dates:
        return f"{wikipedia.dumps} has no dump of any wiki"
    own = dates.pop(database_of(lang), set())
    date = wikipedia.date_of(lang)
    listed = [
        canonical_code(database) + ("" if date in there else f" ({', '.join(sorted(there))})")
        for database, there in dates.items()
    ]
    return (
        f"dates of {lang} that are there: {', '.join(sorted(own)) or 'none'}; "
        f"other languages: {', '.join(sorted(listed)) or 'none'}"
    )
