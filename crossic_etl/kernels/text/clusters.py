"""Where a cut would part what a reader sees as one character."""

from __future__ import annotations

import unicodedata

# Unicode's Indic_Conjunct_Break=Linker, first plane: join the consonants on both sides.
_LINKERS = "\u094d\u09cd\u0acd\u0b4d\u0c4d\u0d4d\u1039\u17d2\u1a60\u1b44\u1bab\ua9c0\uaaf6"


def splits_a_cluster(text: str, at: int) -> bool:
    """Whether a cut at the position parts a letter from its marks, vowels or joined letters and
    emoji.

    A short form of Unicode's grapheme clusters (UAX 29), with Thai's and Lao's vowels, which are
    written around their consonant.
    """
    if not 0 < at < len(text):
        return False
    before, after = text[at - 1], text[at]
    if unicodedata.category(after).startswith("M") or "\u200d" in (before, after):
        return True
    if (before in _LINKERS and after.isalpha()) or "\U000e0020" <= after <= "\U000e007f":
        return True
    if "\U0001f3fb" <= after <= "\U0001f3ff" or after in "ะาำๅະາຳ":
        return True
    if before in "เแโใไເແໂໃໄ" or "\u1160" <= after <= "\u11ff":
        return True
    return all("\U0001f1e6" <= character <= "\U0001f1ff" for character in (before, after))
