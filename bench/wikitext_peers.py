"""Other cleaners of wikitext, each as a function of text and language."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from tests.support.wikitext_reference import CATEGORY_NAMES, FILE_NAMES

Cleaner = Callable[[str, str], str]

SWITCH = re.compile("__[A-Z]*__")
FILE = re.compile(f"(?:{'|'.join(sorted(FILE_NAMES))}):", re.I)
CATEGORY = re.compile(f"(?:{'|'.join(sorted(CATEGORY_NAMES))}):", re.I)


def ours() -> Cleaner:
    """Return this project's kernel."""
    from crossic_etl.kernels.wikitext import Options, to_text

    options = Options(empty_headings=True)  # the metric asks for every heading
    return lambda wikitext, lang: to_text(wikitext, lang, options=options).text


def mwparserfromhell_hf() -> Cleaner:
    """Return mwparserfromhell used as the script of Hugging Face's Wikipedia data set uses it.

    Section by section: file links, references and tables removed, categories as their names,
    then ``strip_code``.
    """
    import mwparserfromhell

    def remove(section: Any, nodes: list[Any]) -> None:
        for node in nodes:
            try:
                section.remove(node)
            except ValueError:
                continue  # went with the node that held it

    def clean(wikitext: str, lang: str) -> str:
        texts = []
        code = mwparserfromhell.parse(wikitext)
        for section in code.get_sections(flat=True, include_lead=True, include_headings=True):
            remove(section, section.filter_wikilinks(matches=lambda n: FILE.match(str(n.title))))
            for link in section.filter_wikilinks(matches=lambda n: CATEGORY.match(str(n.title))):
                link.text = CATEGORY.sub("", str(link.text or link.title))
            remove(section, section.filter_tags(matches=lambda n: str(n.tag) in {"ref", "table"}))
            texts.append(SWITCH.sub("", section.strip_code().strip()))
        return "\n\n".join(texts)

    return clean


def wikitextparser() -> Cleaner:
    """Return wikitextparser's ``plain_text``."""
    import wikitextparser

    return lambda wikitext, lang: wikitextparser.parse(wikitext).plain_text()


def wikiextractor() -> Cleaner:
    """Return WikiExtractor's ``clean`` and ``compact``, templates not expanded."""
    from wikiextractor import extract

    def clean(wikitext: str, lang: str) -> str:
        page = extract.Extractor(1, 1, "", "Title", [])
        text = extract.clean(page, wikitext, expand_templates=False, html_safe=False)
        return "\n".join(extract.compact(text, mark_headers=True, extractor=page))

    return clean


def gensim() -> Cleaner:
    """Return gensim's ``filter_wiki``."""
    from gensim.corpora.wikicorpus import filter_wiki

    def clean(wikitext: str, lang: str) -> str:
        text: str = filter_wiki(wikitext)
        return text

    return clean


PEERS: dict[str, Callable[[], Cleaner]] = {
    "mwparserfromhell (HF way)": mwparserfromhell_hf,
    "wikitextparser": wikitextparser,
    "WikiExtractor clean": wikiextractor,
    "gensim filter_wiki": gensim,
}
