"""Two forms of a text: the clean one, which is stored, and the normalized one, to compare."""

from __future__ import annotations

import re
import unicodedata
from hashlib import blake2b

_LINE_ENDS = re.compile("\r\n|[\r\v\f\x85\u2028\u2029]")
# Controls but tab and newline, lone surrogates, byte order marks and the noncharacters of the basic
# plane, which Unicode keeps out of interchange (23.7).
_NO_TEXT = re.compile(
    "[\0-\b\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufdd0-\ufdef\ufeff\ufffe\uffff]+"
)
# What no reader sees: soft hyphens, joiners, marks of direction, variation selectors and the rest
# of Unicode's Default_Ignorable_Code_Point, which NFKC_Casefold leaves out too.
_UNSEEN = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff]+"
)
_ID_BYTES = 16


def clean_text(text: str) -> str:
    """The text as it is kept: NFC, lines end in a newline, nothing that can't be stored or encoded.

    Out go NUL and the other controls, lone surrogates, byte order marks and noncharacters. Nothing
    that a reader sees changes: joiners and marks of direction stay. Idempotent.
    """
    return unicodedata.normalize("NFC", _NO_TEXT.sub("", _LINE_ENDS.sub("\n", text)))


def normalized(text: str) -> str:
    """The form in which texts are compared, never kept: NFKC_Casefold, white space folded.

    NFKC, case folded, without invisible characters, every run of white space one space, none at the
    ends. With NFKC a copy is found though a site has changed full-width letters, half-width kana,
    ligatures or Arabic presentation forms; that x² equals x2 does no harm in a key. Idempotent.
    Source: Unicode 3.13, D146 and D147.
    """
    text = unicodedata.normalize("NFD", clean_text(text))
    # casefolding undoes NFKC, and NFKC brings new letters to fold and new unseen ones
    folded = _UNSEEN.sub("", text).casefold()
    text = unicodedata.normalize("NFKC", folded)
    again = _UNSEEN.sub("", text).casefold()
    if again != text:
        text = unicodedata.normalize("NFKC", again)
    return " ".join(text.split())


def document_id(text: str) -> str:
    """The key of a distinct text: 32 hex digits of a hash of its `normalized` form."""
    return blake2b(normalized(text).encode(), digest_size=_ID_BYTES).hexdigest()
