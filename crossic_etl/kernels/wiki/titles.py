"""Titles in one form, the one that MediaWiki itself stores, so that every join on a title is exact.

Follows ``MediaWikiTitleCodec::splitTitleString`` and ``Language::ucfirst`` of MediaWiki.
"""

from __future__ import annotations

import re
import unicodedata

from crossic_etl.kernels.wiki_facts import canonical_code
from crossic_etl.kernels.wikis import Wiki, language_codes

_DIRECTION_MARKS = re.compile("[\u200e\u200f\u202a-\u202e]")
_WHITESPACE = re.compile("[\\s_\u180e]+")
_NO_CAPITAL = re.compile("[\u10d0-\u10ff\ua7b9\U00016e60-\U00016e7f]")
_DOTTED_I_LANGUAGES = frozenset({"az", "kaa", "tr"})

# Prefixes of other projects that redirects really point to; a title in the wiki can't begin so.
_PROJECTS = (
    "b betawikiversity c commons d foundation incubator m meta mw n phab q s species v voy w "
    "wikibooks wikidata wikimedia wikinews wikiquote wikisource wikispecies wikiversity wikivoyage "
    "wikt wiktionary wmf"
)
_OTHER_PROJECTS = frozenset(_PROJECTS.split())


def canonical_title(title: str, wiki: Wiki) -> str:
    """A title as the wiki stores it, with spaces for underscores and without ``#fragment``.

    Directional marks and a leading colon go, runs of whitespace become one space, the form is NFC,
    and the first letter is upper case where the wiki's rule says so. A namespace prefix stays (see
    ``split_namespace``). The result is empty where nothing is left, and stable: canonical titles
    come back as they are.
    """
    return _with_first_letter(title if _is_clean(title) else _clean(title), wiki)


def split_namespace(title: str, wiki: Wiki) -> tuple[int, str]:
    """Number of the title's namespace and the canonical rest; 0 for a prefix that is no name."""
    cleaned = title if _is_clean(title) else _clean(title)
    prefix, colon, rest = cleaned.partition(":")
    if colon:
        number = wiki.namespaces.get(prefix.rstrip(" ").casefold())
        if number is not None:
            return number, _with_first_letter(rest.lstrip(": "), wiki)
    return 0, _with_first_letter(cleaned, wiki)


def split_interwiki(title: str, wiki: Wiki) -> tuple[str, str]:
    """The lower-case prefix of another wiki and the rest as written; an empty prefix where none is.

    Knows the sister projects and the Wikipedias; a name that the wiki uses for a namespace of its
    own is never taken for another wiki.
    """
    cleaned = title if _is_clean(title) else _clean(title)
    prefix, colon, rest = cleaned.partition(":")
    key = prefix.rstrip(" ").lower()
    if colon and key not in wiki.namespaces and (key in _OTHER_PROJECTS or _is_other(key, wiki)):
        return key, rest.lstrip(" ")
    return "", cleaned


def _is_other(code: str, wiki: Wiki) -> bool:
    return code in language_codes() and canonical_code(code) != canonical_code(wiki.lang)


def _is_clean(title: str) -> bool:
    """Whether ``_clean`` would change nothing; the cheap path of nearly every title."""
    return (
        title.isprintable()  # false for control and format characters, all spaces but U+0020
        and "_" not in title
        and "#" not in title
        and "  " not in title
        and not title.startswith((" ", ":"))
        and not title.endswith(" ")
        and (title.isascii() or unicodedata.is_normalized("NFC", title))
    )


def _clean(title: str) -> str:
    title = unicodedata.normalize("NFC", _DIRECTION_MARKS.sub("", title))
    title = title.partition("#")[0]
    return _WHITESPACE.sub(" ", title).lstrip(": ").rstrip(" ")


def _with_first_letter(title: str, wiki: Wiki) -> str:
    if not title or not wiki.first_letter:
        return title
    first = title[0]
    upper = _upper(first, wiki.lang)
    if upper == first:
        return title
    title = upper + title[1:]
    # a capital may combine with the mark that follows where the small letter did not
    return title if title.isascii() else unicodedata.normalize("NFC", title)


def _upper(letter: str, lang: str) -> str:
    """One letter for one letter, as Wikimedia's table of exceptions has it.

    Left as they are: ß, ŉ and others whose capital is two letters; Georgian, which has no capitals
    in use; and what has a capital without being a small letter (ⅰ, ⓐ, ǅ).
    """
    if letter == "i" and lang in _DOTTED_I_LANGUAGES:
        return "İ"
    if letter.isascii():
        return letter.upper()
    if unicodedata.category(letter) != "Ll" or _NO_CAPITAL.match(letter):
        return letter
    upper = letter.upper()
    if len(upper) == 1:
        return upper
    title_case = letter.title()
    return title_case if len(title_case) == 1 else letter
