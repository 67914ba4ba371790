from __future__ import annotations

import gzip
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from crossic_etl.kernels.wikis import Wiki
from crossic_etl.schemas import STAGED_LINKS
from crossic_etl.transforms.links import langlinks_table
from crossic_etl.transforms.sql import parse_sql, salvage_sql

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

Frame = Callable[[str, list[tuple[Any, ...]]], "DataFrame"]
COLUMNS = ("ll_from", "ll_lang", "ll_title")
LANGLINKS = langlinks_table("en", "20260101", {lang: Wiki.of(lang) for lang in ("ar", "ja", "th")})
DUMP = """\
CREATE TABLE `langlinks` (
  `ll_title` varbinary(255),
  `ll_from` int,
  `ll_lang` varbinary(35)
);
INSERT INTO `langlinks` VALUES ('น้ำชา',1,'th'),('茶',2,'ja');
INSERT INTO `langlinks` VALUES ('شاي',3,'ar');
"""


ROWS_ON_LINES = """\
INSERT INTO `langlinks` VALUES
('น้ำชา',1,'th'),
('茶',2,'ja');
INSERT INTO `langlinks` VALUES
('شاي',3,'ar');
"""


def found(staged: DataFrame) -> list[tuple[str, int | None, str | None]]:
    rows = staged.where("outcome != 'read'").collect()
    return sorted((row.outcome, row.page_id, row.target_title) for row in rows)


def test_every_line_is_parsed_by_the_columns_of_its_table(frame: Frame) -> None:
    lines = [
        "INSERT INTO `langlinks` VALUES (1,'th','น้ำชา'),(2,'ja',NULL);",
        "INSERT INTO `langlinks` VALUES (3,'ar','شاي'),(4,'th','cu",
        "-- a comment",
    ]
    frame_of_lines = frame("value binary", [(line.encode(),) for line in lines])
    staged = parse_sql(frame_of_lines, COLUMNS, LANGLINKS)
    assert found(staged) == [
        ("empty_title", None, None),
        ("langlink", 1, "น้ำชา"),
        ("langlink", 3, "شاي"),
        ("sql", None, None),
    ]


def test_no_lines_make_no_rows(frame: Frame) -> None:
    staged = parse_sql(frame("value binary", []), COLUMNS, LANGLINKS)
    assert (staged.schema, staged.collect()) == (STAGED_LINKS, [])


def test_of_a_damaged_dump_the_whole_rows_are_kept_and_the_damage_is_rejected(
    frame: Frame,
) -> None:
    whole = gzip.compress(DUMP.encode(), mtime=0)
    files = [("file:/dumps/x.sql.gz", whole), ("file:/dumps/y.sql.gz", whole[:-4])]
    staged = salvage_sql(frame("path string, content binary", files), LANGLINKS).collect()
    titles = sorted(row.target_title for row in staged if row.outcome == "langlink")
    assert titles == sorted(["น้ำชา", "茶", "شاي"] * 2)
    (damage,) = [row for row in staged if row.outcome == "damaged_file"]
    assert damage.key.startswith("y.sql.gz gzip data is cut at byte ")
    assert sum(row.n for row in staged if row.outcome == "read") == 6 + 1


def test_a_damaged_dump_may_have_one_row_a_line(frame: Frame) -> None:
    dump = DUMP[: DUMP.index("INSERT")] + ROWS_ON_LINES
    files = [("file:/dumps/x.sql.gz", gzip.compress(dump.encode(), mtime=0)[:-4])]
    staged = salvage_sql(frame("path string, content binary", files), LANGLINKS).collect()
    titles = [row.target_title for row in staged if row.outcome == "langlink"]
    assert sorted(titles) == sorted(["น้ำชา", "茶", "شاي"])
    assert [row.outcome for row in staged].count("damaged_file") == 1


def test_a_dump_without_its_head_is_one_damage(frame: Frame) -> None:
    headless = DUMP[DUMP.index("INSERT") :].encode()
    other = DUMP.replace("ll_title", "pl_title").encode()
    files = [("file:/dumps/x.sql", headless), ("file:/dumps/y.sql", other)]
    staged = salvage_sql(frame("path string, content binary", files), LANGLINKS).collect()
    assert sorted((row.outcome, row.n, row.key) for row in staged if row.outcome != "read") == [
        ("damaged_file", 1, "x.sql has lost its CREATE TABLE"),
        ("damaged_file", 1, "y.sql has lost its CREATE TABLE"),
    ]
    assert sum(row.n for row in staged if row.outcome == "read") == 2
