"""The passes in their order."""

from __future__ import annotations

import re

from crossic_etl.kernels.wiki_facts import canonical_code
from crossic_etl.kernels.wikis import Wiki
from crossic_etl.kernels.wikitext.braces import render_templates
from crossic_etl.kernels.wikitext.characters import clean_source, decode_entities, finish
from crossic_etl.kernels.wikitext.code import drop_empty_code, show_code
from crossic_etl.kernels.wikitext.grids import cut_tables
from crossic_etl.kernels.wikitext.html import strip_tags
from crossic_etl.kernels.wikitext.lines import lay_out_lines, part_terms, strip_quotes
from crossic_etl.kernels.wikitext.links import show_links
from crossic_etl.kernels.wikitext.page import (
    BREAK,
    EDGE,
    Extraction,
    Options,
    Page,
    show_kept,
)
from crossic_etl.kernels.wikitext.sections import cut_end_sections, drop_empty_headings
from crossic_etl.kernels.wikitext.switches import drop_switches
from crossic_etl.kernels.wikitext.tags import strip_extensions
from crossic_etl.kernels.wikitext.tidy import drop_empty_items, tidy_holes
from crossic_etl.kernels.wikitext.variants import choose_variants

_GLUED_ADDRESS = re.compile(r"(\[(?:https?:)?//[^\s\[\]<>]*)(?=<)")

DEFAULTS = Options()


def to_text(
    source: str, lang: str, wiki: Wiki | None = None, title: str = "", options: Options = DEFAULTS
) -> Extraction:
    """The prose of a page of the wiki of ``lang``, and the counts of what it was left without.

    Blocks (headings, paragraphs, lists) are parted by a blank line, list items by a line's end; a
    heading is ``##`` and its text, as many ``#`` as it had ``=``; one without text below it goes.
    ``wiki`` gives the names of namespaces, by default those of our own table; ``title`` is what
    ``{{PAGENAME}}`` shows.
    """
    page = Page(canonical_code(lang), wiki or Wiki.of(lang), title, options)
    text = f"\n{clean_source(source)}\n"
    text = strip_extensions(text, page)
    text = choose_variants(text, page.lang)
    if not options.end_sections:
        text = cut_end_sections(text, page)
    text = render_templates(text, page)
    text = cut_tables(text, page)
    text = part_terms(text)
    text = _fence(text)
    text = strip_tags(text, page)
    text = show_links(text, page)
    text = drop_switches(text, page.lang)
    text = lay_out_lines(text, page)
    text = strip_quotes(text).replace(EDGE, "")
    if BREAK in text:
        text = text.replace("\n" + BREAK, BREAK).replace(BREAK, "\n")
    text = tidy_holes(drop_empty_code(text) if page.has_code else text)
    if page.has_item_marks:
        text = drop_empty_items(text)
    text = decode_entities(page.restore(text))
    if page.has_code:
        text = show_code(text)
    text = drop_empty_headings(finish(text, lang), page)
    return Extraction(show_kept(text), dict(page.left_out))


def _fence(text: str) -> str:
    """``text`` where apostrophes and addresses end at the border of a tag or link, as they should.

    The next passes take tags and links away; what stood on both sides of one must not join.
    """
    if "''" in text:
        text = text.replace("'<", f"'{EDGE}<").replace("'[[", f"'{EDGE}[[")
        text = text.replace("]]'", f"]]{EDGE}'")
    return _GLUED_ADDRESS.sub(r"\1 ", text) if "//" in text else text
