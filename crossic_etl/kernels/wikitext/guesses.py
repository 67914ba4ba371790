"""What a template shows that nobody names, on wikis that have no table of their own.

Measured in words on the calls in paragraphs that no table named, on 92 pages with Parsoid's HTML in
nine languages. Without the tables of French, German and Spanish, which the common rules then read
alone, 283 words so shown are right and 38 wrong; in English 127 and 12; in the other five none is
shown. With their tables, what stays unnamed gives 15 right and 20 wrong: a wiki that has a table
shows nothing of the kind. All unnamed arguments of all calls would give 30 right and 9,462 wrong.
"""

from __future__ import annotations

import re

_LEAST_WORDS, _MOST_WORDS, _MOST_CHARACTERS = 2, 8, 200
# Another argument, its name, an address, a tag or a block.
_NO_PHRASE = re.compile(r"[|=:<>\n]")
_WORD = re.compile(r"[^\W\d_]{2}")
_NOTES = re.compile(
    "(?:efn|refn|sfn|harv|ref|note|nota|cite|citation|citar|cita|cn|fact|rp?|main|see|ipa|api|flag"
    "|bandera|bandeira|icon|coord|commons|wikt|portal|stub|audio|isbn|doi)(?:[ -].*|[a-z]{0,3})?"
)


def guess(name: str, rest: str) -> str:
    """The text of the call's only argument if it looks like a part of a sentence, else nothing.

    ``name`` is in lower case; ``rest`` is what stands behind the first pipe.
    """
    text = rest.strip() if len(rest) <= _MOST_CHARACTERS else ""
    if not _LEAST_WORDS <= len(text.split()) <= _MOST_WORDS or text.endswith("."):
        return ""
    if _NO_PHRASE.search(text) or not _WORD.search(text) or _NOTES.fullmatch(name):
        return ""
    return text
