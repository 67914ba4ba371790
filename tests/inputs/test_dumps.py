from __future__ import annotations

import gzip
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from pyspark.sql import functions as F

from crossic_etl.config import Config, ConfigError
from crossic_etl.config.etl import Wikipedia
from crossic_etl.inputs.dump_names import dump_folder
from crossic_etl.inputs.dumps import (
    WikiFiles,
    find_local_wikis,
    find_wikis,
    read_plain_text,
    read_records,
    read_sql,
)
from crossic_etl.inputs.errors import InputError
from crossic_etl.inputs.files import list_files, read_bytes
from crossic_etl.inputs.sites import read_sites
from crossic_etl.kernels.wiki.sql_dump import parse_insert
from crossic_etl.kernels.wikis import Wiki
from crossic_etl.sample.build import write_wiki
from crossic_etl.sample.source import SourcePage, SourceWiki

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

DATE = "20260101"
# Each wiki comes in another of the forms in which dumps are published.
FORMS: dict[str, dict[str, object]] = {
    "en": {"compression": "multistream", "pages_per_stream": 1},
    "ar": {"compression": "bz2", "parts": 2},
    "es": {"compression": "bz2"},
    "ja": {"compression": "gz"},
    "ko": {"compression": "multistream", "parts": 2},
    "th": {"compression": "none", "bom": True},
    "zh-yue": {"compression": "none", "parts": 2, "schema": "0.3"},
}
TITLES = {
    "en": ("Tea", "Ice & snow"),
    "ar": ("شاي", "ثلج"),
    "es": ("Té", "Hielo"),
    "ja": ("茶", "氷"),
    "ko": ("차", "얼음"),
    "th": ("น้ำชา", "น้ำแข็ง"),
    "zh-yue": ("茶", "冰"),
}


def wiki_of(lang: str) -> SourceWiki:
    first, second = TITLES[lang]
    pages = (
        SourcePage(1, first, "text", qid="Q1", langlinks=(("en", "Tea"),)),
        SourcePage(2, second, "text", langlinks=(("en", "Ice"), ("th", "น้ำ'แข็ง"))),
    )
    return SourceWiki(lang, pages, namespaces={10: f"Form {lang}"}, first_letter=lang != "th")


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Config:
    """A mirror with every form, in a folder with a space; Thai has its own date and plain SQL."""
    dumps = tmp_path_factory.mktemp("the mirror ไทย")
    dates = {lang: "20260120" if lang == "th" else DATE for lang in FORMS}
    for lang, form in FORMS.items():
        write_wiki(wiki_of(lang), dumps, dates[lang], **form)  # type: ignore[arg-type]
    write_wiki(wiki_of("en"), dumps, DATE, compression="bz2")
    thai = dumps / "thwiki/20260120"
    packed = thai / "thwiki-20260120-langlinks.sql.gz"
    packed.with_suffix("").write_bytes(gzip.decompress(packed.read_bytes()))
    packed.unlink()
    (thai / "thwiki-20260120-page_props.sql.gz").unlink()
    (thai / "thwiki-20260101-pages-articles-multistream.xml.bz2").write_bytes(b"not to be read")
    (thai / "xthwiki-20260120-pages-articles-multistream.xml.bz2").write_bytes(b"not to be read")
    languages = tuple(lang for lang in FORMS if lang != "en")
    return Config("unused", languages, Wikipedia(str(dumps), dates))


@pytest.fixture(scope="module")
def wikis(spark: SparkSession, config: Config) -> dict[str, WikiFiles]:
    return {files.lang: files for files in find_wikis(spark, config.wikipedia, config.wikis)}


def test_the_same_files_are_found_without_spark(
    config: Config, wikis: dict[str, WikiFiles]
) -> None:
    found = find_local_wikis(config.wikipedia, config.wikis)
    assert [names(*files.pages, files.langlinks, files.page_props) for files in found] == [
        names(*files.pages, files.langlinks, files.page_props) for files in wikis.values()
    ]
    assert [sorted(files.stamps.values()) for files in found] == [
        sorted(files.stamps.values()) for files in wikis.values()
    ]
    with pytest.raises(InputError, match="no pages-articles dump of en in /nowhere/enwiki/2026"):
        find_local_wikis(Wikipedia("/nowhere", DATE), ("en", "th"))
    for elsewhere in ("s3a://a", "file:/nowhere", "hdfs:///nowhere"):
        assert find_local_wikis(Wikipedia(elsewhere, DATE), ("en", "th")) == []


def names(*paths: str | None) -> list[str | None]:
    return [path and path.rpartition("/")[2] for path in paths]


def test_wikis_come_in_the_order_of_the_configuration(wikis: dict[str, WikiFiles]) -> None:
    assert list(wikis) == list(FORMS)
    assert {lang: files.date for lang, files in wikis.items()} == {
        lang: "20260120" if lang == "th" else DATE for lang in FORMS
    }


@pytest.mark.parametrize(
    ("lang", "expected"),
    [
        ("en", ["enwiki-20260101-pages-articles-multistream.xml.bz2"]),
        (
            "ar",
            [
                "arwiki-20260101-pages-articles1.xml-p1p1.bz2",
                "arwiki-20260101-pages-articles2.xml-p2p2.bz2",
            ],
        ),
        ("es", ["eswiki-20260101-pages-articles.xml.bz2"]),
        ("ja", ["jawiki-20260101-pages-articles.xml.gz"]),
        (
            "ko",
            [
                "kowiki-20260101-pages-articles-multistream1.xml-p1p1.bz2",
                "kowiki-20260101-pages-articles-multistream2.xml-p2p2.bz2",
            ],
        ),
        ("th", ["thwiki-20260120-pages-articles.xml"]),
        (
            "zh-yue",
            [
                "zh_yuewiki-20260101-pages-articles1.xml-p1p1",
                "zh_yuewiki-20260101-pages-articles2.xml-p2p2",
            ],
        ),
    ],
)
def test_each_form_of_a_dump_is_found(
    wikis: dict[str, WikiFiles], lang: str, expected: list[str]
) -> None:
    assert names(*wikis[lang].pages) == expected


def test_sql_dumps_are_found_packed_and_plain_or_are_none(wikis: dict[str, WikiFiles]) -> None:
    assert names(wikis["ja"].langlinks, wikis["ja"].page_props) == [
        "jawiki-20260101-langlinks.sql.gz",
        "jawiki-20260101-page_props.sql.gz",
    ]
    assert names(wikis["th"].langlinks, wikis["th"].page_props) == [
        "thwiki-20260120-langlinks.sql",
        None,
    ]


def test_each_form_of_a_dump_is_read_page_by_page(
    spark: SparkSession, wikis: dict[str, WikiFiles]
) -> None:
    records = read_records(spark, wikis.values())
    assert [(field.name, field.dataType.simpleString()) for field in records.schema] == [
        ("lang", "string"),
        ("dump_date", "string"),
        ("value", "binary"),
    ]
    title = F.regexp_extract(F.col("value").cast("string"), "<title>(.*)</title>", 1)
    found = records.select("lang", "dump_date", title.alias("title")).where("title != ''").collect()
    assert sorted((row.lang, row.dump_date, row.title) for row in found) == sorted(
        (lang, wikis[lang].date, title.replace("&", "&amp;"))
        for lang, titles in TITLES.items()
        for title in titles
    )


def test_a_wiki_says_what_it_calls_things(spark: SparkSession, wikis: dict[str, WikiFiles]) -> None:
    site = read_sites(spark, [wikis["th"]])["th"]
    assert (site.lang, site.first_letter, site.namespaces["form th"]) == ("th", False, 10)


def test_a_wiki_without_dump_is_what_our_tables_know(spark: SparkSession) -> None:
    assert read_sites(spark, [WikiFiles("ar", "", (), None, None)]) == {"ar": Wiki.of("ar")}


def sql_rows(spark: SparkSession, path: Path | str) -> list[tuple[str | None, ...]]:
    wanted = ("ll_from", "ll_lang", "ll_title")
    inserts, columns = read_sql(spark, str(path), wanted)
    read = [parse_insert(bytes(row.value), columns, wanted) for row in inserts.collect()]
    assert [error for insert in read for error in insert.errors] == []
    return sorted(row for insert in read for row in insert.rows)


def test_an_sql_dump_is_read_with_its_columns(
    spark: SparkSession, wikis: dict[str, WikiFiles]
) -> None:
    path = str(wikis["th"].langlinks)
    assert read_sql(spark, path, ["ll_from"])[1] == ("ll_from", "ll_lang", "ll_title")
    assert sql_rows(spark, path) == [
        ("1", "en", "Tea"),
        ("2", "en", "Ice"),
        ("2", "th", "น้ำ'แข็ง"),
    ]


SQL_HEAD = """\
-- a dump
CREATE TABLE `langlinks` (
  `ll_from` int(8),
  `ll_lang` varbinary(35),
  `ll_title` varbinary(255)
) ENGINE=InnoDB;
/*!40000 ALTER TABLE `langlinks` DISABLE KEYS */;
"""
SQL_TAIL = "/*!40000 ALTER TABLE `langlinks` ENABLE KEYS */;\nUNLOCK TABLES;\n-- Dump completed\n"
INSERT = "INSERT INTO `langlinks` VALUES"
SQL_ROWS = [(str(i), "en", f"Tea {i};\n(1,'x','y'),\nTea") for i in range(60)]


def statements(between: str, after_header: str, n_rows: int) -> str:
    """INSERTs of ``n_rows`` each, with their rows parted by a comma and ``between``."""
    values = [
        f"({i},'{lang}','{title.replace(chr(39), chr(92) + chr(39))}')"
        for i, lang, title in SQL_ROWS
    ]
    parts = [values[i : i + n_rows] for i in range(0, len(values), n_rows)]
    return "".join(f"{INSERT}{after_header}{(',' + between).join(part)};\n" for part in parts)


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
@pytest.mark.parametrize(
    ("between", "after_header", "n_rows"),
    [("", " ", 20), ("\n", "\n", 20), ("\n", " ", 60), ("", "\n", 1), ("\n  ", "\n  ", 7)],
    ids=["one line each", "a row a line", "mixed", "an INSERT for each row", "indented"],
)
def test_an_sql_dump_is_the_same_in_any_layout_and_any_split(
    spark: SparkSession, tmp_path: Path, between: str, after_header: str, n_rows: int, line_end: str
) -> None:
    path = tmp_path / "thwiki-langlinks.sql"
    content = SQL_HEAD + statements(between, after_header, n_rows) + SQL_TAIL
    path.write_bytes(content.replace("\n", line_end).encode())
    key = "spark.sql.files.maxPartitionBytes"
    before = spark.conf.get(key)
    assert before is not None
    spark.conf.set(key, "997")
    try:
        found = sql_rows(spark, path)
    finally:
        spark.conf.set(key, before)
    assert found == sorted((i, lang, title.replace("\n", line_end)) for i, lang, title in SQL_ROWS)


@pytest.mark.parametrize("inserts", ["", f"{INSERT}\n", "LOCK TABLES `langlinks` WRITE;\n"])
def test_an_sql_dump_without_rows_says_so(
    spark: SparkSession, tmp_path: Path, caplog: pytest.LogCaptureFixture, inserts: str
) -> None:
    path = tmp_path / "thwiki-langlinks.sql"
    path.write_text(SQL_HEAD + inserts + SQL_TAIL)
    assert sql_rows(spark, path) == []
    assert caplog.messages == [
        f"{path} has the columns of a table and no row: nothing is read of it"
    ]


def test_an_sql_dump_with_a_row_says_nothing(
    spark: SparkSession, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "thwiki-langlinks.sql"
    path.write_text(f"{SQL_HEAD}{INSERT}\n(1,'en','Tea');\n{SQL_TAIL}")
    assert sql_rows(spark, path) == [("1", "en", "Tea")]
    assert caplog.messages == []


def test_an_sql_dump_without_its_table_is_refused(spark: SparkSession, tmp_path: Path) -> None:
    path = tmp_path / "thwiki-langlinks.sql"
    path.write_text("-- a dump\nINSERT INTO `langlinks` VALUES (1,'en','Tea');\n")
    with pytest.raises(
        InputError, match=r"thwiki-langlinks\.sql: its columns are unknown: no CREATE"
    ):
        read_sql(spark, str(path), ["ll_from"])


def test_an_sql_dump_of_another_table_is_refused(
    spark: SparkSession, wikis: dict[str, WikiFiles]
) -> None:
    with pytest.raises(
        InputError, match="it has no column pp_page, but ll_from, ll_lang, ll_title"
    ):
        read_sql(spark, str(wikis["th"].langlinks), ["pp_page", "ll_from"])


def test_an_empty_dump_is_refused(spark: SparkSession, tmp_path: Path) -> None:
    paths = write_wiki(wiki_of("en"), tmp_path, DATE)
    paths[0].write_bytes(b"")
    config = Config("unused", ("th",), Wikipedia(str(tmp_path), DATE))
    with pytest.raises(InputError, match="enwiki/20260101"):
        find_wikis(spark, config.wikipedia, config.wikis)


@pytest.mark.parametrize(
    ("languages", "lang"), [(("ja", "de"), "de"), (("zh-min-nan",), "zh-min-nan")]
)
def test_a_wiki_that_is_not_there_is_refused_with_where_it_should_be(
    spark: SparkSession, config: Config, languages: tuple[str, ...], lang: str
) -> None:
    dumps = config.wikipedia.dumps
    with pytest.raises(InputError) as refused:
        find_wikis(spark, Wikipedia(dumps, DATE), ("en", *languages))
    assert str(refused.value) == (
        f"no pages-articles dump of {lang} in {dumps}/{lang.replace('-', '_')}wiki/{DATE}, "
        "or an empty one: "
        "check wikipedia.dumps and wikipedia.date, or give wikipedia.plain_text; "
        f"dates of {lang} that are there: none; "
        "other languages: ar, en, es, ja, ko, th (20260120), zh-yue"
    )


def test_a_missing_dump_names_the_dates_that_are_there(spark: SparkSession, config: Config) -> None:
    dumps = config.wikipedia.dumps
    expected = "dates of th that are there: 20260120; other languages: ar, en, es, ja, ko, zh-yue"
    with pytest.raises(InputError, match=expected):
        find_wikis(spark, Wikipedia(dumps, DATE), ("th",))
    with pytest.raises(InputError, match=expected):
        find_local_wikis(Wikipedia(dumps, DATE), ("th",))
    with pytest.raises(InputError, match="; /nowhere has no dump of any wiki"):
        find_local_wikis(Wikipedia("/nowhere", DATE), ("th",))


@pytest.mark.parametrize("code", ["yue", "zh_yue", "zh-yue"])
def test_a_dump_is_found_by_any_form_of_its_code(config: Config, code: str) -> None:
    (files,) = find_local_wikis(config.wikipedia, (code,))
    assert len(files.pages) == 2


def test_a_wiki_without_date_is_refused(spark: SparkSession, config: Config) -> None:
    wikipedia = Wikipedia(config.wikipedia.dumps, {"en": DATE})
    with pytest.raises(ConfigError, match=r"wikipedia\.date: .* expected a date YYYYMMDD for th"):
        find_wikis(spark, wikipedia, ("en", "th"))


def test_a_wiki_may_be_plain_text_beside_dumps(spark: SparkSession, config: Config) -> None:
    wikipedia = Wikipedia(config.wikipedia.dumps, DATE, {"de": "/data/de"})
    english, german = find_wikis(spark, wikipedia, ("en", "de"))
    assert len(english.pages) == 1
    assert german == WikiFiles("de", DATE, (), None, None)


def test_plain_text_is_read_instead_of_the_dump(spark: SparkSession, config: Config) -> None:
    wikipedia = Wikipedia(config.wikipedia.dumps, config.wikipedia.date, {"th": "/data/th"})
    _, thai = find_wikis(spark, wikipedia, ("en", "th"))
    assert (thai.pages, bool(thai.langlinks)) == ((), True)


def test_plain_text_without_its_columns_is_refused(spark: SparkSession, tmp_path: Path) -> None:
    path = str(tmp_path / "plain")
    spark.createDataFrame([(1, "t")], "id int, title string").write.parquet(path)
    with pytest.raises(InputError, match=r"plain has no column text, url"):
        read_plain_text(spark, path)
    with pytest.raises(InputError, match=r"none can't be read as Parquet"):
        read_plain_text(spark, str(tmp_path / "none"))


def test_without_dumps_all_wikis_are_plain_text(spark: SparkSession) -> None:
    wikipedia = Wikipedia(plain_text={"en": "/data/en", "th": "/data/th"})
    found = find_wikis(spark, wikipedia, ("en", "th"))
    assert found == [WikiFiles(lang, "", (), None, None) for lang in ("en", "th")]


def test_a_folder_that_is_not_there_or_empty_has_no_files(
    spark: SparkSession, tmp_path: Path
) -> None:
    assert list_files(spark, str(tmp_path / "none")) == {}
    assert list_files(spark, str(tmp_path)) == {}


def test_a_file_is_one_file_whatever_its_name(spark: SparkSession, tmp_path: Path) -> None:
    folder = tmp_path / "1[2]"
    folder.mkdir()
    (folder / "empty").touch()
    for name in ("a[b]{c}*?.bin", "ab", "a%20ไทย"):
        (folder / name).write_bytes(name.encode())
    paths = list_files(spark, str(folder))
    assert len(paths) == 3
    read = [row for path in paths for row in read_bytes(spark, path).collect()]
    assert sorted(bytes(row.content).decode() for row in read) == ["a%20ไทย", "a[b]{c}*?.bin", "ab"]


def test_the_folder_of_a_wiki_is_the_mirrors() -> None:
    wikipedia = Wikipedia("s3a://bucket/dumps/", DATE)
    assert dump_folder(wikipedia, "zh-yue") == "s3a://bucket/dumps/zh_yuewiki/20260101"
    assert dump_folder(wikipedia, "be-tarask") == "s3a://bucket/dumps/be_x_oldwiki/20260101"


def test_damaged_files_are_left_out() -> None:
    files = WikiFiles("th", DATE, ("a", "b", "c"), "links", "props")
    assert files.without({"b", "links"}) == WikiFiles("th", DATE, ("a", "c"), "links", "props")
