from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossic_etl.kernels.wiki.sql_dump import (
    Insert,
    SqlError,
    columns_of,
    find_insert,
    has_rows,
    parse_insert,
)
from crossic_etl.sample.sql import sql_literal
from tests.support.cpu_limit import no_hang

LANGLINKS = ("ll_from", "ll_lang", "ll_title")


def rows_of(
    line: str | bytes, columns: tuple[str, ...] = LANGLINKS
) -> list[tuple[str | None, ...]]:
    raw = line.encode() if isinstance(line, str) else line
    result = parse_insert(raw, columns, columns)
    assert result.errors == []
    return result.rows


@pytest.mark.parametrize(
    ("literal", "expected"),
    [
        (r"'Watt\'s'", "Watt's"),
        ("'Watt''s'", "Watt's"),
        (r"'a\\b'", "a\\b"),
        (r"'a\\'", "a\\"),
        (r"'\"q\"'", '"q"'),
        (r"'a\nb\rc\td\0e\Zf'", "a\nb\rc\td\0e\x1af"),
        (r"'100\% \_'", r"100\% \_"),
        ("''", ""),
        ("'NULL'", "NULL"),
        ("NULL", None),
        ("-5", "-5"),
        ("0.25", "0.25"),
        ("1e-05", "1e-05"),
        ("0x616263", "abc"),
        ("X'616263'", "abc"),
        ("0x", ""),
        ("_binary 'abc'", "abc"),
        ("_utf8mb4'أ,(ب)'", "أ,(ب)"),
        ("'東京; (a,b),'", "東京; (a,b),"),
        ("'น้ำผึ้ง'", "น้ำผึ้ง"),
    ],
)
def test_a_value(literal: str, expected: str | None) -> None:
    line = f"INSERT INTO `t` VALUES (1,{literal}),(2,{literal});"
    assert rows_of(line, ("id", "v")) == [("1", expected), ("2", expected)]


def test_strings_numbers_and_nulls_mix_in_one_column() -> None:
    line = "INSERT INTO `t` VALUES (1),('a'),(NULL),(-2.5),('');"
    assert rows_of(line, ("v",)) == [("1",), ("a",), (None,), ("-2.5",), ("",)]


def test_wanted_columns_come_in_the_order_asked_for() -> None:
    line = b"INSERT INTO `page` VALUES (1,0,'A','x'),(2,1,'B',NULL);"
    columns = ("page_id", "page_namespace", "page_title", "extra")
    result = parse_insert(line, columns, ("page_title", "page_id"))
    assert result == Insert([("A", "1"), ("B", "2")], [])


def test_a_column_list_goes_before_the_tables_order() -> None:
    line = b"INSERT INTO `langlinks` (`ll_title`, `ll_from`, ll_lang) VALUES ('Pan',7,'es');"
    assert parse_insert(line, LANGLINKS, LANGLINKS).rows == [("7", "es", "Pan")]


def test_several_inserts_on_a_line() -> None:
    line = (
        "INSERT INTO `t` VALUES (1,'a','x');INSERT INTO `t` VALUES (2,'b','y'); "
        "INSERT IGNORE INTO t (ll_lang,ll_from,ll_title) VALUES ('c',3,'z');"
    )
    assert rows_of(line) == [("1", "a", "x"), ("2", "b", "y"), ("3", "c", "z")]


def test_one_insert_over_several_lines() -> None:
    lines = ["INSERT INTO `t` VALUES", "(1,'a','x'),", "(2,'b','y'),", "(3,'c','z');"]
    expected = [("1", "a", "x"), ("2", "b", "y"), ("3", "c", "z")]
    assert [row for line in lines for row in rows_of(line)] == expected
    assert rows_of("\n".join(lines)) == expected


def test_spaces_between_values() -> None:
    assert rows_of("insert into t values ( 1 , 'a' , 'x' ) , (2,'b','y') ;") == [
        ("1", "a", "x"),
        ("2", "b", "y"),
    ]


@pytest.mark.parametrize(
    "line",
    ["", "-- comment", "/*!40101 SET NAMES utf8 */;", "CREATE TABLE `t` (", "  `a` int,", ") X;",
     "  PRIMARY KEY (`a`)", "UNLOCK TABLES;", "/*M!999999\\- enable the sandbox mode */"],
)  # fmt: skip
def test_lines_without_rows(line: str) -> None:
    assert rows_of(line) == []


@pytest.mark.parametrize(
    "tail", ["(3", "(3,", "(3,'c", "(3,'c','", r"(3,'c','\\", "(3,'c','z'", "("]
)
def test_a_cut_keeps_the_whole_rows_before_it(tail: str) -> None:
    line = f"INSERT INTO `t` VALUES (1,'a','x'),(2,'b','y'),{tail}"
    result = parse_insert(line.encode(), LANGLINKS, LANGLINKS)
    assert result == Insert([("1", "a", "x"), ("2", "b", "y")], [SqlError("cut", tail)])


def test_a_cut_inside_a_character() -> None:
    line = "INSERT INTO `t` VALUES (1,'ar','أ'),(2,'ar','بب".encode()[:-1]
    result = parse_insert(line, LANGLINKS, LANGLINKS)
    assert result.rows == [("1", "ar", "أ")]
    assert [error.reason for error in result.errors] == ["cut"]


def test_a_row_of_another_width_ends_the_line() -> None:
    result = parse_insert(b"INSERT INTO `t` VALUES (1,'a','x'),(2,'b');", LANGLINKS, LANGLINKS)
    assert result.rows == [("1", "a", "x")]
    assert [error.reason for error in result.errors] == ["columns"]


def test_what_is_no_row_ends_the_line() -> None:
    result = parse_insert(b"INSERT INTO `t` VALUES (1,'a','x'),(2,b,'y');", LANGLINKS, LANGLINKS)
    assert result.rows == [("1", "a", "x")]
    assert [error.reason for error in result.errors] == ["syntax"]


def test_invalid_utf8_costs_its_row_only() -> None:
    line = "INSERT INTO `t` VALUES (1,'ar','أ'),(2,'es','?'),(3,'th','ก\\'');".encode()
    result = parse_insert(line.replace(b"?", b"\xff\xfe"), LANGLINKS, LANGLINKS)
    assert result.rows == [("1", "ar", "أ"), ("3", "th", "ก'")]
    assert [error.reason for error in result.errors] == ["utf8"]


def test_invalid_utf8_in_hex_costs_its_row_only() -> None:
    result = parse_insert(b"INSERT INTO t VALUES (1,0xff),(2,0x61);", ("a", "b"), ("a", "b"))
    assert result.rows == [("2", "a")]
    assert [error.reason for error in result.errors] == ["utf8"]


def test_an_unknown_column_is_named_with_those_present() -> None:
    with pytest.raises(ValueError, match="no column ll_name among ll_from, ll_lang, ll_title"):
        parse_insert(b"", LANGLINKS, ("ll_name",))


def test_columns_of_a_real_table() -> None:
    text = """-- dump
DROP TABLE IF EXISTS `redirect`;
CREATE TABLE `redirect` (
  `rd_from` int(8) unsigned NOT NULL DEFAULT 0,
  `rd_kind` enum('a','b)','it''s') NOT NULL COMMENT 'x, y (z',
  rd_title varbinary(255) NOT NULL DEFAULT '',
  `key` decimal(3,1) DEFAULT NULL,
  PRIMARY KEY (`rd_from`),
  UNIQUE KEY `t` (`rd_title`,`rd_from`),
  CONSTRAINT `c` CHECK (`rd_from` > (1))
) ENGINE=InnoDB;
INSERT INTO `redirect` VALUES (1,'a','b',1.0);"""
    assert columns_of(text) == ("rd_from", "rd_kind", "rd_title", "key")


@pytest.mark.parametrize(
    "text", ["", "INSERT INTO t VALUES (1)", "CREATE TABLE `t` (\n `a` int,\n"]
)
def test_no_whole_create_table(text: str) -> None:
    with pytest.raises(ValueError, match="CREATE TABLE"):
        columns_of(text)


_VALUES = st.none() | st.text()


@given(st.lists(st.tuples(st.integers(), _VALUES, _VALUES), min_size=1))
def test_what_is_written_is_read(rows: list[tuple[int, str | None, str | None]]) -> None:
    values = ",".join("(" + ",".join(map(sql_literal, row)) + ")" for row in rows)
    expected = [(str(number), *rest) for number, *rest in rows]
    assert rows_of(f"INSERT INTO `t` VALUES {values};") == expected


@given(
    st.lists(st.tuples(st.integers(), st.text(st.characters(codec="utf-8")))),
    st.data(),
)
def test_rows_are_the_same_in_any_layout(rows: list[tuple[int, str]], data: st.DataObject) -> None:
    """Line ends between rows, after the header and in values; INSERTs end after any row."""
    text = ["-- head\n"]
    for number, value in rows:
        if len(text) == 1 or data.draw(st.booleans()):
            end = data.draw(st.sampled_from([";\n", ";\n\n-- more\n/*!4 */;\n"]))
            text[-1] += end if len(text) > 1 else ""
            text.append("INSERT INTO `t` VALUES" + data.draw(st.sampled_from([" ", "\n"])))
        else:
            text.append("," + data.draw(st.sampled_from(["", "\n", "\r\n", "\n  "])))
        raw = data.draw(st.booleans())
        literal = "'" + value.replace("'", "''").replace("\\", "\\\\") + "'"
        text[-1] += f"({number},{literal if raw else sql_literal(value)})"
    dump = "".join(text) + ";\nUNLOCK TABLES;\n"
    assert rows_of(dump, ("n", "v")) == [(str(number), value) for number, value in rows]


@pytest.mark.parametrize(
    ("head", "insert", "rows"),
    [
        ("-- a\nINSERT INTO `t` VALUES (1);", "INSERT INTO `t`", True),
        ("INSERT INTO `t` VALUES\n(1),", "INSERT INTO `t`", True),
        ("REPLACE INTO t (a) VALUES (1);", "REPLACE INTO t", True),
        ("INSERT INTO `t` VALUES\n", "INSERT INTO `t`", False),
        ("-- INSERT INTO `t` VALUES (1);\nUNLOCK TABLES;", "", False),
        ("", "", False),
    ],
)
def test_the_head_shows_how_an_insert_begins_and_if_it_has_rows(
    head: str, insert: str, rows: bool
) -> None:
    assert (find_insert(head), has_rows(head)) == (insert, rows)


@given(st.binary() | st.text("(),;'\\ 1aNULL0x_").map(str.encode))
def test_no_bytes_raise(junk: bytes) -> None:
    for line in (junk, b"INSERT INTO t VALUES " + junk, b"INSERT INTO t VALUES (1,'" + junk):
        parse_insert(line, ("a", "b"), ("b",))


@pytest.mark.parametrize(
    "junk",
    ["('" * 100_000, "(1,'\\'" * 60_000, "(1,''" * 60_000, "(1,(" * 60_000, "(" + "1," * 100_000,
     "(1,'" + "\\'" * 100_000, "(1,'" + "''" * 100_000, "(1,2);" * 50_000 + "INSERT INTO x VALUE"],
)  # fmt: skip
def test_junk_of_any_length_comes_to_an_end(junk: str) -> None:
    with no_hang():
        parse_insert(b"INSERT INTO t VALUES " + junk.encode(), ("a", "b"), ("a", "b"))


def dump_rows(path: Path) -> tuple[int, list[SqlError]]:
    data = gzip.decompress(path.read_bytes())
    columns = columns_of(data.decode("utf-8", "replace"))
    results = [parse_insert(line, columns, columns) for line in data.split(b"\n")]
    return sum(len(r.rows) for r in results), [error for r in results for error in r.errors]


@pytest.mark.parametrize("lang", ["en", "ar", "es", "ja", "ko", "pt", "th"])
def test_real_dumps_have_the_known_rows(shared_data: Path, lang: str) -> None:
    expected = json.loads((shared_data / "EXPECTED.json").read_text("utf-8"))["wikis"][lang]["rows"]
    folder = shared_data / f"wiki/{lang}wiki/20220720"
    for table, n_rows in expected.items():
        path = folder / f"{lang}wiki-20220720-{table}.sql.gz"
        assert dump_rows(path) == (n_rows, []), table


def test_a_dump_cut_inside_an_insert(shared_data: Path) -> None:
    n_rows, errors = dump_rows(shared_data / "hostile/cut-mid-insert-langlinks.sql.gz")
    assert n_rows == 853
    assert [error.reason for error in errors] == ["cut"]
