"""What is there for each language, and what a run in it goes without."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from crossic_etl.kernels.encoding.names import EMBEDDED, EMBEDDED_LANGUAGES
from crossic_etl.kernels.text.language_id import identified_languages
from crossic_etl.kernels.text.phrases import WORDS
from crossic_etl.kernels.text.sentences import SPACED_BY_PHRASE
from crossic_etl.kernels.wikitext.tables import load_yaml
from crossic_etl.kernels.wikitext.templates import own_names

_ENGLISH_TOO = {"simple": "en"}


@dataclass(frozen=True)
class LanguageSupport:
    """What the tables and models have for one language, by its wiki's code.

    ``sections``, ``templates`` and ``disambiguation`` count names of the wiki's own. ``borders``
    says how sentences are parted: at "marks", or in a script without them at "spaces", which one in
    three times are a sentence's end, and at "words" beside them where the words are known.
    """

    lang: str
    sections: int
    templates: int
    disambiguation: int
    dates: bool
    labels: int
    encoder: bool
    identifier: bool
    borders: str

    def gaps(self) -> list[str]:
        """What the language goes without, in words."""
        lacking = {
            "end sections": self.sections,
            "value templates": self.templates,
            "dates in words": self.dates,
            "disambiguation templates": self.disambiguation,
            "sentence borders": self.borders != "spaces",
            "language identifier": self.identifier,
        }
        return [name for name, there in lacking.items() if not there]


@cache
def support_of(lang: str) -> LanguageSupport:
    """What is there for the wiki of ``lang``."""
    tables = _ENGLISH_TOO.get(lang, lang)
    borders = ("words" if lang in WORDS else "spaces") if lang in SPACED_BY_PHRASE else "marks"
    return LanguageSupport(
        lang=lang,
        sections=len(load_yaml("sections.yaml").get(lang, ())),
        templates=own_names(lang),
        disambiguation=len(load_yaml("disambiguation.yaml").get(tables, ())),
        dates=tables in load_yaml("dates.yaml"),
        labels=max(len(load_yaml("languages.yaml").get(lang, ())) - 1, 0),
        encoder=lang in EMBEDDED_LANGUAGES,
        identifier=lang in identified_languages() or lang == "simple",
        borders=borders,
    )


def supported_languages() -> list[str]:
    """The languages for which a table of the wikitext kernel or the encoder has anything."""
    names = ("sections", "disambiguation", "dates", "languages")
    found = {str(code) for name in names for code in load_yaml(f"{name}.yaml")}
    return sorted((found | EMBEDDED_LANGUAGES) - {"default"})


def describe_gaps(langs: Sequence[str], encoder: str = EMBEDDED) -> str:
    """One line on what is not there for ``langs``: ``no end sections for gl, eu; …``.

    ``encoder`` is the configured backend; only of the embedded one it is known what it lacks. The
    line is empty where nothing lacks.
    """
    lacking: dict[str, list[str]] = {}
    for lang in langs:
        gaps = support_of(lang).gaps()
        if encoder == EMBEDDED and lang not in EMBEDDED_LANGUAGES:
            gaps.append("embedded encoder")
        for gap in gaps:
            lacking.setdefault(gap, []).append(lang)
    parts = [f"no {gap} for {', '.join(each)}" for gap, each in lacking.items()]
    return "; ".join(parts) + ". CONTRIBUTING.md says how to add them" if parts else ""
