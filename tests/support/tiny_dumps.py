"""Dumps of two small wikis, and the configuration of a run over them."""

from __future__ import annotations

from pathlib import Path

from crossic_etl.sample.build import write_wiki
from crossic_etl.sample.source import SourcePage, SourceWiki

DATE = "20260101"


def mirror(out: Path) -> Path:
    """Two wikis: an article that both have, a redirect to it, a circle, and a disambiguation."""
    english = (
        SourcePage(1, "Tea", "'''Tea''' is a hot drink. " * 9, qid="Q1", langlinks=(("th", "ชา"),)),
        SourcePage(
            2, "Bat", "May be two.", props=(("disambiguation", ""),), langlinks=(("th", "ไม้"),)
        ),
        SourcePage(3, "Ice", "Ice is cold water.", qid="Q3"),
        SourcePage(4, "Talk:Tea", "Hello", ns=1),
        SourcePage(5, "Broken", "Long" * 500),
    )
    thai = (
        SourcePage(11, "น้ำชา", "'''น้ำชา''' เป็นเครื่องดื่มร้อน", qid="Q1", langlinks=(("en", "Tea"),)),
        SourcePage(12, "ชา", redirect="น้ำชา"),
        SourcePage(13, "น้ำแข็ง", "น้ำแข็งเย็น", qid="Q3"),
        SourcePage(14, "วน", redirect="เวียน"),
        SourcePage(15, "เวียน", redirect="วน"),
        SourcePage(16, "ไม้", "ไม้มาจากต้นไม้"),
    )
    write_wiki(SourceWiki("en", english, namespaces={1: "Talk"}), out, DATE)
    write_wiki(SourceWiki("th", thai, redirect_word="#เปลี่ยนทาง"), out, DATE)
    return out


def write_config(folder: Path) -> Path:
    """A configuration over a mirror that is made there too; its tables are in ``tables``."""
    path = folder / "my.yaml"
    path.write_text(
        f"root: {folder / 'tables'}\nlanguages: [th]\n"
        f"wikipedia: {{dumps: {mirror(folder / 'dumps')}, date: {DATE}, max_page_bytes: 1500}}\n"
        "arrangements: [en-first, mix]\nwindow: {length: 64}\nshards: 1\n"
    )
    return path
