"""Names of Wikipedia's dump files, in the layout of the public mirrors. Imports no Spark.

There are two services. The older one, ``dumps``, has ``{wiki}/{YYYYMMDD}/{wiki}-{YYYYMMDD}-…`` with
pages and SQL. ``content`` has pages alone, in a folder of its own, with dates as ``YYYY-MM-DD``.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence

from crossic_etl.config.etl import Wikipedia
from crossic_etl.inputs.errors import InputError
from crossic_etl.kernels.wiki_facts import canonical_code, database_of

# The forms in which a wiki's pages are published, best first; the first that exists is read. Those
# after the articles have all namespaces, and a history all revisions, of which the newest counts.
PAGE_FILES = (
    r"pages-articles-multistream\.xml\.bz2",
    r"pages-articles-multistream\d+\.xml-p\d+p\d+\.bz2",
    r"pages-articles\.xml(\.bz2|\.gz)?",
    r"pages-articles\d+\.xml-p\d+p\d+(\.bz2|\.gz)?",
    r"pages-meta-current\.xml(\.bz2|\.gz)?",
    r"pages-meta-current\d+\.xml-p\d+p\d+(\.bz2|\.gz)?",
    r"pages-meta-history\.xml(\.bz2|\.gz)?",
    r"pages-meta-history\d+\.xml-p\d+p\d+(\.bz2|\.gz)?",
)
# Endings of packed files that Spark doesn't read, and the commands that unpack them.
UNREADABLE = {"7z": "7z x -so", "zst": "zstd -dc", "xz": "xz -dc", "zip": "unzip -p"}

CONTENT = "other/mediawiki_content_current"
"""The folder of the content service on a mirror, and below the folder of all dumps."""
CHECKSUMS = "SHA256SUMS"
"""The file that completes a dump of the content service."""

# Below the folder of all dumps, the page files of all wikis at all dates.
ALL_PAGE_FILES = ("*/*/*-pages-*.xml*", f"{CONTENT}/*/*/xml/bzip2/*.xml.bz2")
_OLD_FILE = re.compile(r"/([a-z0-9_]+wiki)/([0-9]{8})/\1-\2-pages-(articles|meta)[^/]*$")
_CONTENT_FILE = re.compile(
    r"/([a-z0-9_]+wiki)/([0-9]{4}-[0-9]{2}-[0-9]{2})/xml/bzip2/\1-\2-p\d+p\d+\.xml\.bz2$"
)
_CONTENT_NAME = re.compile(r"wiki-\d{4}-\d\d-\d\d-p\d+p\d+\.xml\.bz2$")
# A line of sha256sum: the digest, a space, a space or a star, and the name.
_CHECKSUM = re.compile(r"([0-9a-fA-F]{64}) [ *]?(?:\./)?(\S+)")
# The services whose pages are read for each value of ``wikipedia.service``: the first that has any.
SERVICES_IN_ORDER = {
    "auto": ("dumps", "content"),
    "dumps": ("dumps",),
    "content": ("content",),
}


def dump_folder(wikipedia: Wikipedia, lang: str) -> str:
    """The folder of one wiki's dump in the public mirror's layout."""
    below = dump_path(database_of(lang), wikipedia.date_of(lang))
    return f"{wikipedia.dumps.rstrip('/')}/{below}"


def dump_path(wiki: str, date: str) -> str:
    """The folder of a dump of the older service, below a mirror's or that of all dumps."""
    return f"{wiki}/{date}"


def content_folder(wikipedia: Wikipedia, lang: str) -> str:
    """The folder of one wiki's dump of the content service, below that of all dumps."""
    below = content_path(database_of(lang), wikipedia.date_of(lang))
    return f"{wikipedia.dumps.rstrip('/')}/{below}"


def content_path(wiki: str, date: str) -> str:
    """The folder of a dump of the content service, below a mirror's or that of all dumps."""
    return f"{CONTENT}/{wiki}/{content_date(date)}/xml/bzip2"


def content_date(date: str) -> str:
    """``20260101`` as the content service writes it, ``2026-01-01``."""
    return f"{date[:4]}-{date[4:6]}-{date[6:]}"


def content_file(wiki: str, date: str) -> re.Pattern[str]:
    """The names of the page files of a dump of the content service."""
    return re.compile(rf"{re.escape(wiki)}-{content_date(date)}-p\d+p\d+\.xml\.bz2")


def read_checksums(content: bytes) -> dict[str, str]:
    """Name to SHA-256, in lower case, of each file in a list such as ``SHA256SUMS``."""
    lines = content.decode("utf-8", "replace").splitlines()
    matches = [found for line in lines if (found := _CHECKSUM.fullmatch(line.strip()))]
    return {found[2]: found[1].lower() for found in matches}


def choose_page_files(wikipedia: Wikipedia, lang: str, paths: Iterable[str]) -> tuple[str, ...]:
    """The files to read a wiki's pages from, of those in its folders; empty if there are none."""
    named = {path.rpartition("/")[2]: path for path in paths}
    for form in _forms(wikipedia, lang):
        if found := sorted(path for name, path in named.items() if form.fullmatch(name)):
            return tuple(found)
    return ()


def _forms(wikipedia: Wikipedia, lang: str) -> list[re.Pattern[str]]:
    """The names of page files of the services that may be read, best first."""
    wiki, date = database_of(lang), wikipedia.date_of(lang)
    prefix = re.escape(f"{wiki}-{date}-")
    old = [re.compile(prefix + name) for name in PAGE_FILES]
    forms = {"dumps": old, "content": [content_file(wiki, date)]}
    return [form for service in SERVICES_IN_ORDER[wikipedia.service] for form in forms[service]]


def refuse_unreadable(
    wikipedia: Wikipedia, lang: str, paths: Iterable[str], chosen: Sequence[str]
) -> None:
    """Refuses page files in packings that Spark doesn't read, unless they are there otherwise too.

    Of the files in other forms than the chosen ones' none is wanted.

    Raises:
        InputError: names the first such file, and how to pack it anew.
    """
    names = [path.rpartition("/")[2] for path in chosen]
    forms = [form for form in _forms(wikipedia, lang) if not names or form.fullmatch(names[0])]
    readable = {re.sub(r"\.(bz2|gz)$", "", name) for name in names}
    for path in sorted(paths):
        stem, _, ending = path.rpartition("/")[2].rpartition(".")
        is_page_file = any(form.fullmatch(f"{stem}.bz2") for form in forms)
        if ending in UNREADABLE and is_page_file and stem not in readable:
            raise InputError(
                f"{path}: dumps are read as .bz2, .gz or plain XML, and not as .{ending}: fetch "
                f"the .bz2, or pack it anew with {UNREADABLE[ending]} {stem}.{ending} | bzip2 > "
                f"{stem}.bz2"
            )


def is_content(path: str) -> bool:
    """Whether a page file is one of the content service."""
    return _CONTENT_NAME.search(path) is not None


def choose_sql_file(
    wiki: str, date: str, table: str, paths: Iterable[str], any_date: bool = False
) -> str | None:
    """The SQL dump of a table at a date, or with ``any_date`` at the nearest; None without one."""
    form = re.compile(rf"{re.escape(wiki)}-([0-9]{{8}})-{table}\.sql(\.gz)?")
    found = [
        (days_between(date, match[1]), path)
        for path in paths
        if (match := form.fullmatch(path.rpartition("/")[2])) and (any_date or match[1] == date)
    ]
    return min(found, default=(0, None))[1]


def days_between(date: str, other: str) -> int:
    """About how many days lie between two dates ``YYYYMMDD``, which need not be in a calendar."""
    ordinals = [372 * int(d[:4]) + 31 * int(d[4:6]) + int(d[6:]) for d in (date, other)]
    return abs(ordinals[0] - ordinals[1])


def describe_others(wikipedia: Wikipedia, lang: str, paths: Iterable[str]) -> str:
    """What there is where a wiki was not found: its other dates, and the languages.

    ``paths`` are those of page files, of any wiki at any date.
    """
    dates: dict[str, set[str]] = defaultdict(set)
    for path in paths:
        if found := _OLD_FILE.search(path) or _CONTENT_FILE.search(path):
            dates[found[1]].add(found[2].replace("-", ""))
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
