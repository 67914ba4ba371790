from __future__ import annotations

import bz2
import gzip
from pathlib import Path

import pytest

from crossic_etl.kernels.wiki.dump_records import Page, Redirect, Reject
from crossic_etl.kernels.wiki.dump_xml import parse_record, parse_siteinfo
from crossic_etl.kernels.wiki.sql_dump import columns_of, parse_insert
from crossic_etl.kernels.wiki.titles import canonical_title
from crossic_etl.kernels.wikis import Wiki
from crossic_etl.sample.build import SAMPLE_LANGUAGES, build_sample, load_sample, write_wiki
from crossic_etl.sample.source import SourcePage, SourceWiki

SMALL = SourceWiki(
    "es",
    (
        SourcePage(
            2, 'Aceite "de" oliva & más', "Texto <ref>x</ref>", qid="Q1", langlinks=(("en", "Oil"),)
        ),
        SourcePage(1, "Pan", "", props=(("disambiguation", ""),)),
        SourcePage(5, "Óleo", redirect='Aceite "de" oliva & más#Uso\'s'),
        SourcePage(9, "Plantilla:Pan", "{{x}}", ns=10),
    ),
    namespaces={10: "Plantilla"},
    redirect_word="#REDIRECCIÓN",
    stray_langlinks=((99, "en", "Watt's \\ engine"),),
)
SUBJECTS = {
    "Q39715": ("Lighthouse", "منارة", "Faro", "灯台", "등대", "Farol", "ประภาคาร"),
    "Q7802": ("Bread", "خبز", "Pan", "パン", "빵", "Pão", "ขนมปัง"),
    "Q12280": ("Bridge", "جسر", "Puente", "橋", "다리 (교통)", "Ponte", "สะพาน"),
    "Q11442": ("Bicycle", "دراجة هوائية", "Bicicleta", "自転車", "자전거", "Bicicleta", "จักรยาน"),
    "Q7925": ("Rain", "مطر", "Lluvia", "雨", "비 (날씨)", "Chuva", "ฝน"),
    "Q10987": ("Honey", "عسل", "Miel", "蜂蜜", "꿀", "Mel", "น้ำผึ้ง"),
    "Q34735": ("Compass", "بوصلة", "Brújula", "方位磁針", "나침반", "Bússola", "เข็มทิศ"),
    "Q11472": ("Paper", "ورق", "Papel", "紙", "종이", "Papel", "กระดาษ"),
    "Q376": ("Clock", "ساعة (أداة)", "Reloj", "時計", "시계", "Relógio", "นาฬิกา"),
    "Q6097": ("Tea", "شاي", "Té", "茶", "차 (음료)", "Chá", "ชา"),
    "Q8072": ("Volcano", "بركان", "Volcán", "火山", "화산", "Vulcão", "ภูเขาไฟ"),
    "Q7075": ("Library", "مكتبة", "Biblioteca", "図書館", "도서관", "Biblioteca", "ห้องสมุด"),
    "Q405": ("Moon", "القمر", "Luna", "月", "달", "Lua", "ดวงจันทร์"),
    "Q37681": ("Silk", "حرير", "Seda", "絹", "비단", "Seda", "ไหม"),
}
# langlinks to pages that are not there, put in on purpose (see the sample's README)
DANGLING = {
    ("en", 1004, "ja", "凧"),
    ("ja", 4009, "en", "Mercury (disambiguation)"),
}


def unpack(path: Path) -> bytes:
    data = path.read_bytes()
    if path.suffix == ".bz2":
        return bz2.decompress(data)
    return gzip.decompress(data) if path.suffix == ".gz" else data


def table(folder: Path, name: str) -> list[tuple[str | None, ...]]:
    (path,) = folder.glob(f"*-{name}.sql.gz")
    data = unpack(path)
    columns = columns_of(data.decode())
    results = [parse_insert(line, columns, columns) for line in data.split(b"\n")]
    assert [error for result in results for error in result.errors] == []
    return [row for result in results for row in result.rows]


def outcomes(xml: bytes, lang: str) -> list[object]:
    records = xml.split(b"</page>")
    wiki = parse_siteinfo(records[0], lang)
    assert wiki is not None
    return [outcome for outcome in (parse_record(r, wiki) for r in records) if outcome is not None]


def test_a_multistream_dump_has_a_stream_for_head_pages_and_tail(tmp_path: Path) -> None:
    paths = write_wiki(SMALL, tmp_path, "20260101", pages_per_stream=3)
    folder = tmp_path / "eswiki/20260101"
    assert [path.name for path in paths] == [
        "eswiki-20260101-pages-articles-multistream.xml.bz2",
        "eswiki-20260101-pages-articles-multistream-index.txt.bz2",
        "eswiki-20260101-langlinks.sql.gz",
        "eswiki-20260101-page_props.sql.gz",
        "eswiki-20260101-redirect.sql.gz",
        "eswiki-20260101-page.sql.gz",
    ]
    assert {path.parent for path in paths} == {folder}
    data, streams = paths[0].read_bytes(), []
    while data:
        unpacker = bz2.BZ2Decompressor()
        streams.append(unpacker.decompress(data))
        data = unpacker.unused_data
    assert [stream.count(b"<page>") for stream in streams] == [0, 3, 1, 0]
    assert streams[-1] == b"</mediawiki>\n"


def test_the_index_points_at_the_streams(tmp_path: Path) -> None:
    paths = write_wiki(SMALL, tmp_path, "20260101", pages_per_stream=3)
    lines = [line.split(":", 2) for line in unpack(paths[1]).decode().splitlines()]
    assert [line[1] for line in lines] == ["1", "2", "5", "9"]
    assert lines[1][2] == "Aceite &quot;de&quot; oliva &amp; más"
    for offset, page_id, _ in lines:
        stream = bz2.BZ2Decompressor().decompress(paths[0].read_bytes()[int(offset) :])
        assert f"<id>{page_id}</id>".encode() in stream


@pytest.mark.parametrize("schema", ["0.3", "0.5", "0.6", "0.8", "0.10", "0.11"])
@pytest.mark.parametrize("compression", ["multistream", "bz2", "gz", "none"])
def test_what_is_written_is_read(tmp_path: Path, compression: str, schema: str) -> None:
    paths = write_wiki(
        SMALL, tmp_path, "20260101", compression=compression, schema=schema, bom=compression == "gz"
    )
    pan, oil, redirect, dropped = outcomes(unpack(paths[0]), "es")
    assert isinstance(pan, Page) and (pan.page_id, pan.wikitext) == (1, "")
    assert isinstance(oil, Page) and oil.title == 'Aceite "de" oliva & más'
    assert (oil.wikitext, oil.revision_id) == ("Texto <ref>x</ref>", 10_000_002)
    assert redirect == Redirect(5, "Óleo", 'Aceite "de" oliva & más', 0, "")
    assert getattr(dropped, "reason", "") == "namespace"


def test_parts_are_named_for_their_pages(tmp_path: Path) -> None:
    paths = write_wiki(SMALL, tmp_path, "20260101", compression="bz2", parts=2)
    assert [path.name for path in paths[:2]] == [
        "eswiki-20260101-pages-articles1.xml-p1p2.bz2",
        "eswiki-20260101-pages-articles2.xml-p5p9.bz2",
    ]
    assert [len(outcomes(unpack(path), "es")) for path in paths[:2]] == [2, 2]


def test_the_tables_hold_what_the_pages_say(tmp_path: Path) -> None:
    folder = write_wiki(SMALL, tmp_path, "20260101")[0].parent
    assert table(folder, "langlinks") == [("2", "en", "Oil"), ("99", "en", "Watt's \\ engine")]
    assert table(folder, "page_props") == [
        ("1", "disambiguation", "", None),
        ("2", "wikibase_item", "Q1", None),
    ]
    assert table(folder, "redirect") == [("5", "0", 'Aceite_"de"_oliva_&_más', "", "Uso's")]
    assert [row[:4] for row in table(folder, "page")] == [
        ("1", "0", "Pan", "0"),
        ("2", "0", 'Aceite_"de"_oliva_&_más', "0"),
        ("5", "0", "Óleo", "1"),
        ("9", "10", "Pan", "0"),
    ]


def test_a_database_name_has_no_hyphens(tmp_path: Path) -> None:
    (path, *_) = write_wiki(SourceWiki("zh-yue", ()), tmp_path, "20260101")
    assert path.parent == tmp_path / "zh_yuewiki/20260101"


def test_an_unknown_compression_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="'zip' is none of multistream, bz2, gz, none"):
        write_wiki(SMALL, tmp_path, "20260101", compression="zip")


def test_the_sample_is_built_the_same_twice(tmp_path: Path) -> None:
    first, second = build_sample(tmp_path / "a"), build_sample(tmp_path / "b")
    assert len(first) == 6 * len(SAMPLE_LANGUAGES)
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]


@pytest.mark.parametrize("lang", SAMPLE_LANGUAGES)
def test_a_sample_dump_holds_every_page(tmp_path: Path, lang: str) -> None:
    wiki = load_sample(lang)
    paths = write_wiki(wiki, tmp_path, "20260101")
    found = outcomes(unpack(paths[0]), lang)
    assert len(found) == len(wiki.pages)
    assert [outcome for outcome in found if isinstance(outcome, Reject)] == []
    redirects = {outcome.page_id for outcome in found if isinstance(outcome, Redirect)}
    assert redirects == {page.page_id for page in wiki.pages if page.redirect}
    assert len(table(paths[0].parent, "page")) == len(wiki.pages)


@pytest.mark.parametrize("lang", SAMPLE_LANGUAGES)
def test_each_subject_has_an_article_of_some_length(lang: str) -> None:
    titles = {names[SAMPLE_LANGUAGES.index(lang)] for names in SUBJECTS.values()}
    pages = {page.title: page for page in load_sample(lang).pages}
    assert titles <= pages.keys()
    for title in titles:
        text = pages[title].text
        size = len(text) / 3 if lang in ("ja", "th") else len(text.split())
        assert size >= 250, title


@pytest.mark.parametrize("lang", SAMPLE_LANGUAGES)
def test_pages_are_in_order_and_have_text_or_a_target(lang: str) -> None:
    pages = load_sample(lang).pages
    ids = [page.page_id for page in pages]
    first = 1000 * (SAMPLE_LANGUAGES.index(lang) + 1)
    assert ids == list(range(first + 1, first + 1 + len(ids)))
    assert [page.title for page in pages if bool(page.text.strip()) == bool(page.redirect)] == []
    assert len({page.title for page in pages}) == len(pages)


@pytest.mark.parametrize("lang", SAMPLE_LANGUAGES)
def test_each_langlink_ends_somewhere_or_is_a_stated_trap(lang: str) -> None:
    titles = {
        other: {canonical_title(page.title, Wiki(other)) for page in load_sample(other).pages}
        for other in SAMPLE_LANGUAGES
    }
    dangling = {
        (lang, page.page_id, other, title)
        for page in load_sample(lang).pages
        for other, title in page.langlinks
        if other in titles and canonical_title(title, Wiki(other)) not in titles[other]
    }
    assert dangling == {trap for trap in DANGLING if trap[0] == lang}


def test_the_stray_langlink_is_the_stated_one() -> None:
    strays = {lang: load_sample(lang).stray_langlinks for lang in SAMPLE_LANGUAGES}
    assert {lang: rows for lang, rows in strays.items() if rows} == {
        "en": ((99999999, "es", "Luna"),)
    }


@pytest.mark.parametrize("lang", SAMPLE_LANGUAGES)
def test_each_redirect_ends_at_a_page_or_in_the_stated_cycle(lang: str) -> None:
    pages = load_sample(lang).pages
    target = {page.title: page.redirect for page in pages if page.redirect}
    ends = {title for title in target if follow(title, target) is None}
    assert ends == ({"Papalote", "Cometa (juguete)"} if lang == "es" else set())
    assert {follow(title, target) for title in target.keys() - ends} <= {p.title for p in pages}


def follow(title: str, target: dict[str, str]) -> str | None:
    for _ in range(len(target) + 1):
        if title not in target:
            return title
        title = target[title]
    return None
