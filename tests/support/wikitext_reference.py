"""What an article says, by a stripper that is slow and obvious and shares nothing with the kernel.

It reads wikitext only as far as it is sure: whatever a template, formula or unclear tag would have
put in the text becomes a BREAK, and nothing is claimed about the words that touch it.
"""

from __future__ import annotations

import html
import re
import sys
import unicodedata
from dataclasses import dataclass, field

BREAK = "\x00"


def _letters() -> str:
    """Build a character class of letters, marks and digits: ``\\w`` lacks the marks."""
    ranges: list[list[int]] = []
    for code in range(min(sys.maxunicode, 0x32000)):
        if unicodedata.category(chr(code))[0] in "LMN":
            if ranges and ranges[-1][1] == code - 1:
                ranges[-1][1] = code
            else:
                ranges.append([code, code])
    return "[" + "".join(f"{re.escape(chr(a))}-{re.escape(chr(b))}" for a, b in ranges) + "]"


LETTERS = _letters()
TOUCHING = re.compile(rf"{LETTERS}*(?:{BREAK}[^\s{BREAK}]?{LETTERS}*)+")

FILE_NAMES = {
    "file", "image", "media", "datei", "bild",
    "ملف", "صورة", "وسائط",
    "archivo", "imagen", "medio",
    "ファイル", "画像", "メディア",
    "파일", "그림", "미디어",
    "ficheiro", "imagem", "arquivo", "multimédia", "média",
    "ไฟล์", "ภาพ", "สื่อ",
}  # fmt: skip
CATEGORY_NAMES = {
    "category", "تصنيف", "categoría", "カテゴリ", "분류", "categoria", "หมวดหมู่", "kategorie",
}  # fmt: skip

# Sections that close an article, as each wiki usually calls them: their text must not stay.
END_SECTIONS = {
    "en": {
        "references", "external links", "see also", "further reading", "notes", "bibliography",
    },
    "ar": {
        "مراجع", "المراجع", "وصلات خارجية", "روابط خارجية", "انظر أيضا", "انظر أيضًا", "طالع أيضا",
        "اقرأ أيضا", "ملاحظات", "هوامش", "مصادر", "المصادر", "قراءات إضافية",
    },
    "es": {
        "referencias", "enlaces externos", "véase también", "bibliografía", "notas",
        "notas y referencias", "lecturas adicionales",
    },
    "ja": {
        "脚注", "外部リンク", "関連項目", "参考文献", "出典", "注釈", "関連文献", "脚註", "註釈",
    },
    "ko": {"각주", "외부 링크", "같이 보기", "참고 문헌", "참고 자료", "주석", "더 읽기"},
    "pt": {
        "referências", "ligações externas", "ver também", "bibliografia", "notas",
        "notas e referências", "leitura adicional",
    },
    "th": {
        "อ้างอิง", "แหล่งข้อมูลอื่น", "ดูเพิ่ม", "หมายเหตุ", "เชิงอรรถ", "บรรณานุกรม", "อ่านเพิ่มเติม",
    },
}  # fmt: skip
# Sections of the same kind that a cleaner may keep or cut: nothing is asked of their text.
OPEN_SECTIONS = re.compile(
    r"footnote|citation|source|reference|notes\b|bibliograph|works cited|external|reading"
    r"|gallery|see also|notas|fuentes|obras|galer[ií]a|fontes|refer|enlaces|liga[cç]"
    r"|関連書籍|معرض|مراجع|مصادر|وصلات|出典|脚注|参考|文献|外部|ギャラリー|注|갤러리|출처|참고|각주|อ้างอิง|แหล่ง",
    re.I,
)

DROPPED_TAGS = (
    "math", "gallery", "timeline", "code", "syntaxhighlight", "source", "score", "graph", "chem",
    "imagemap", "hiero", "pre", "nowiki", "ce", "templatestyles", "mapframe", "maplink", "sub",
    "sup", "includeonly", "poem", "section", "references", "inputbox", "categorytree", "table",
)  # fmt: skip
BLOCK_TAGS = "div|p|center|blockquote|ul|ol|li|dl|dt|dd|h[1-6]|hr|section"
LANGUAGE_LINK = re.compile(r"(?!mw:)[a-z]{2,3}(-[a-z-]+)?:|simple:")
INNER_LINK = re.compile(r"\[\[((?:(?!\[\[|\]\]).)*)\]\]", re.S)
OUTER_LINK = re.compile(r"\[(?:https?:|ftp:|mailto:)?//[^\s\[\]<>\"]*([^\[\]\n]*)\]")
HEADING = re.compile(r"^(={1,6})\s*(.*?)\s*\1\s*$")


@dataclass
class Reference:
    """The parts of one article, as strings in which BREAK stands for what is not claimed.

    ``prose`` holds paragraphs, ``items`` list items, ``headings`` (level, title) before the end
    sections; ``cut`` what must not be in a cleaned text; ``open`` what may be or not; ``literal``
    what looks like markup and is meant to be seen.
    """

    prose: list[str] = field(default_factory=list)
    items: list[str] = field(default_factory=list)
    headings: list[tuple[int, str]] = field(default_factory=list)
    cut: list[str] = field(default_factory=list)
    open: list[str] = field(default_factory=list)
    literal: list[str] = field(default_factory=list)


def _cut(pattern: str, text: str, leave: str, cut: list[str]) -> str:
    """Replace every match by ``leave``, noting what it held."""

    def note(match: re.Match[str]) -> str:
        cut.append(match[0])
        return leave

    return re.sub(pattern, note, text, flags=re.S | re.I)


def _without_tags_that_drop(text: str, cut: list[str]) -> str:
    text = re.sub(r"<!--.*?(-->|\Z)", "", text, flags=re.S)
    text = re.sub(r"<(ref|references)\b[^<>]*/>", "", text, flags=re.I)
    text = _cut(r"<ref\b[^<>]*>.*?</ref\s*>", text, "", cut)
    text = re.sub(r"<r[tp]\b[^<>]*>.*?</r[tp]\s*>", "", text, flags=re.S | re.I)
    for tag in DROPPED_TAGS:
        text = re.sub(rf"<{tag}\b[^<>]*/>", BREAK, text, flags=re.I)
        text = re.sub(rf"<{tag}\b[^<>]*>.*?</{tag}\s*>", BREAK, text, flags=re.S | re.I)
    return text


def _without_templates(text: str, cut: list[str]) -> str:
    """Take templates out from the inside; one of several lines is a box, whose words must go."""

    def note(match: re.Match[str]) -> str:
        if match[0].count("\n|") > 2:
            cut.append(match[0])
        return BREAK

    for _ in range(60):
        text, changed = re.subn(r"\{\{((?!\{\{|\}\}).)*\}\}", note, text, flags=re.S)
        if not changed:
            break
    return text


def _without_tables(text: str, cut: list[str]) -> str:
    """Walk the lines with the depth of tables that are open."""
    kept, depth = [], 0
    for line in text.split("\n"):
        start = line.lstrip(" \t:*#;")
        if start.startswith("{|"):
            depth += 1
        if not depth:
            kept.append(line)
            continue
        cut.append(line)
        if start.startswith("|}"):
            depth -= 1
            if not depth:
                kept.append(BREAK + start[2:])
    return "\n".join(kept)


def _shown(inside: str, cut: list[str]) -> str:
    """The words that one innermost link shows."""
    target, pipe, label = inside.partition("|")
    name = target.strip().partition(":")[0].strip().casefold() if ":" in target else ""
    if name in FILE_NAMES:
        cut.append(label)
        return ""
    if name in CATEGORY_NAMES or LANGUAGE_LINK.match(target.strip()):
        return ""
    if "\n" in target:
        return BREAK
    return (label if pipe else target.lstrip(": ")) or BREAK


def _without_links(text: str, cut: list[str]) -> str:
    text = OUTER_LINK.sub(lambda match: match[1] if match[1].strip() else BREAK, text)
    for _ in range(20):
        text, changed = INNER_LINK.subn(lambda match: _shown(match[1], cut), text)
        if not changed:
            break
    return re.sub(r"(https?|ftp)://\S+", BREAK, text)


def _plain(text: str) -> str:
    """Drop what is left of formatting and decode entities once, as a browser does."""
    text = re.sub(r"<br\s*/?\s*>", " ", text, flags=re.I)
    text = re.sub(rf"</?({BLOCK_TAGS})\b[^<>]*>", "\n", text, flags=re.I)
    text = re.sub(r"</?[a-z][a-z0-9]*(\s[^<>]*)?/?>", "", text, flags=re.I)
    text = re.sub(r"__\w+?__", "", text)
    return re.sub(r"&#?\w+;", lambda match: html.unescape(match[0]), text)


def _touching_breaks_dropped(text: str) -> str:
    """A word glued to a BREAK may go on in what is not claimed, so it is not claimed either."""
    return TOUCHING.sub(f" {BREAK} ", text) if BREAK in text else text


def reference(wikitext: str, lang: str) -> Reference:
    """Read one article."""
    found = Reference()
    found.literal = re.findall(r"<nowiki>(.*?)</nowiki>", wikitext, flags=re.S)
    for body in re.findall(r"<math\b[^<>]*>(.*?)</math\s*>", wikitext, flags=re.S | re.I):
        found.literal += [" ".join(body.split()), *map(str.strip, body.split("\n"))]
    found.literal += [f"&{name};" for name in re.findall(r"&amp;(#?\w+);", wikitext)]
    found.literal += re.findall(r"\[\[:(\w+:[^|\]]*)\]\]", wikitext)
    text = _without_tags_that_drop(wikitext, found.cut)
    text = _without_templates(text, found.cut)
    text = _without_tables(text, found.cut)
    text = re.sub(r"'{2,}", "", text)
    text = _plain(_without_links(text, found.cut))
    spaced = lang not in ("ja", "th")
    ending, open_level = 0, 0
    for line in text.split("\n"):
        heading = HEADING.match(line)
        if heading:
            level, title = len(heading[1]), heading[2]
            name = title.replace(BREAK, "").strip().casefold()
            if not ending or level <= ending:
                ending = level if name in END_SECTIONS.get(lang, ()) else 0
            if not open_level or level <= open_level:
                open_level = level if OPEN_SECTIONS.search(name) else 0
            if not ending and not open_level and BREAK not in title:
                found.headings.append((level, title))
            continue
        said = _touching_breaks_dropped(line) if spaced else line
        if ending:
            found.cut.append(said)
        elif open_level:
            found.open.append(said)
        elif line[:1] in ("*", "#", ":", ";"):
            found.items.append(said.lstrip("*#:; "))
        elif line[:1] not in ("|", "!"):
            found.prose.append(said)
    return found
