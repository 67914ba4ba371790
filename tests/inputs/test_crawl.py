from __future__ import annotations

import gzip
import json
import logging
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from crossic_etl.config import ConfigError
from crossic_etl.config.crawl import CrawlSource
from crossic_etl.inputs.crawl import find_files, find_sources, read_rows
from crossic_etl.inputs.damage import unreadable_file
from crossic_etl.inputs.errors import InputError
from crossic_etl.inputs.files import plain_path
from crossic_etl.kernels.crawl.documents import DocumentRules
from crossic_etl.pipeline.crawl import staging as crawl_staging
from crossic_etl.pipeline.crawl.staging import stage_documents
from crossic_etl.tables import Tables

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

RULES = DocumentRules(frozenset({"en"}), trusts_labels=True, min_chars=1, quality=None)
PLAIN = {"text": "text", "lang": "lang"}


@pytest.fixture
def tables(spark: SparkSession, tmp_path: Path) -> Tables:
    return Tables(spark, str(tmp_path / "tables"))


def staged(tables: Tables, *sources: CrawlSource, whole_bytes: int = 2**28) -> DataFrame:
    return stage_documents(tables, find_sources(tables.spark, sources), RULES, whole_bytes)


def counts(frame: DataFrame) -> dict[str, int]:
    rows = frame.groupBy("outcome").sum("n").collect()
    return {row.outcome: row["sum(n)"] for row in rows if row["sum(n)"]}


def texts(frame: DataFrame) -> list[tuple[str, str]]:
    """Text and the name of the file it is from."""
    rows = frame.where("outcome = 'document'").collect()
    return sorted((row.text, row.file.rpartition("/")[2]) for row in rows)


def write_rows(path: Path, columns: Mapping[str, list[Any]]) -> str:
    pq.write_table(pa.table(dict(columns)), path)
    return str(path)


def write_lines(path: Path, *found: str) -> str:
    data = "".join(json.dumps({"text": text, "lang": "en"}) + "\n" for text in found).encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return str(path)


def test_rows_have_our_fields_wherever_they_are(spark: SparkSession, tmp_path: Path) -> None:
    path = write_rows(
        tmp_path / "a b+%20[1].parquet",
        {
            "content": ["one", None],
            "id": [7, 8],
            "created": [datetime(2024, 5, 1), None],
            "metadata": [{"url": "u1", "lang": {"code": "th", "score": "0.5"}}, None],
        },
    )
    fields = {
        "text": "content", "url": "metadata.url|id", "source_id": "id", "date": "created",
        "lang": "metadata.lang.code", "lang_score": "metadata.lang.score", "dump": "missing.key",
    }  # fmt: skip
    first, second = read_rows(spark, [path], fields).orderBy("number").collect()
    assert first.asDict() == {
        "file": plain_path("file:" + path), "number": 0, "text": b"one", "url": "u1",
        "source_id": "7", "date": "2024-05-01 00:00:00", "lang": "th", "lang_score": "0.5",
        "dump": None, "named_file": None,
    }  # fmt: skip
    assert (second.number, second.text, second.url, second.lang) == (1, None, "8", None)


def test_rows_without_text_column_are_refused(spark: SparkSession, tmp_path: Path) -> None:
    path = write_rows(tmp_path / "a.parquet", {"content": ["one"], "id": ["1"]})
    with pytest.raises(InputError, match=r"a\.parquet has no column text, but content, id: set"):
        read_rows(spark, [path], PLAIN)


def test_a_row_that_is_not_utf8_is_a_reject(tables: Tables, tmp_path: Path) -> None:
    bad = pa.array([b"caf\xe9", b"tea"]).view(pa.string())
    path = write_rows(tmp_path / "a.parquet", {"text": bad, "url": bad})  # type: ignore[dict-item]
    fields = {"text": "text", "url": "url"}
    frame = staged(tables, CrawlSource(path, "parquet", fields | {"lang": "url"}))
    assert counts(frame) == {"read": 2, "not_utf8": 1, "other_language": 1}


@pytest.mark.parametrize("name", ["0 first.parquet", "9 last.parquet"])
def test_a_parquet_file_that_cannot_be_read_is_one_reject(
    tables: Tables, tmp_path: Path, name: str
) -> None:
    write_rows(tmp_path / "5.parquet", {"text": ["one", "two"], "lang": ["en", "en"]})
    whole = (tmp_path / "5.parquet").read_bytes()
    (tmp_path / name).write_bytes(whole[: len(whole) // 2])
    frame = staged(tables, CrawlSource(str(tmp_path), "parquet", PLAIN))
    assert counts(frame) == {"read": 3, "document": 2, "damaged_file": 1}
    (broken,) = frame.where("outcome = 'damaged_file'").collect()
    assert (broken.key, broken.lang) == (plain_path(f"file:{tmp_path}/{name}"), "und")
    assert "can't be read as Parquet" in broken.detail


@pytest.mark.parametrize("least_bytes", [2**31, 1], ids=["one unit", "units"])
def test_a_file_of_other_types_is_one_reject_whatever_the_units(
    tables: Tables, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, least_bytes: int
) -> None:
    monkeypatch.setattr(crawl_staging, "LEAST_BYTES", least_bytes)
    for name, langs in (("0", ["en", "en"]), ("1", [7]), ("2", ["en"])):
        columns = {"text": ["one", "two"][: len(langs)], "lang": langs}
        write_rows(tmp_path / f"{name}.parquet", columns)
    frame = staged(tables, CrawlSource(str(tmp_path), "parquet", PLAIN))
    assert counts(frame) == {"read": 4, "document": 3, "damaged_file": 1}
    (broken,) = frame.where("outcome = 'damaged_file'").collect()
    assert broken.key == plain_path(f"file:{tmp_path}/1.parquet")


def test_a_crawl_of_nothing_but_damaged_parquet_is_all_rejects(
    tables: Tables, tmp_path: Path
) -> None:
    (tmp_path / "a.parquet").write_bytes(b"PAR1 and no more")
    frame = staged(tables, CrawlSource(str(tmp_path / "*.parquet"), "parquet", PLAIN))
    assert counts(frame) == {"read": 1, "damaged_file": 1}


@pytest.mark.parametrize("whole_bytes", [2**28, 0], ids=["whole", "by lines"])
def test_files_are_read_whatever_they_are_called(
    tables: Tables, tmp_path: Path, whole_bytes: int
) -> None:
    for folder, name in (("", "a b+%20{1}.jsonl"), ("below", "ไทย*?[x].jsonl.gz")):
        (tmp_path / "crawl" / folder).mkdir(parents=True, exist_ok=True)
        write_lines(tmp_path / "crawl" / folder / name, "one", "two")
    source = CrawlSource(str(tmp_path / "crawl"), "jsonl", PLAIN)
    frame = staged(tables, source, whole_bytes=whole_bytes)
    assert texts(frame) == [
        ("one", "a b+%20{1}.jsonl"),
        ("one", "ไทย*?[x].jsonl.gz"),
        ("two", "a b+%20{1}.jsonl"),
        ("two", "ไทย*?[x].jsonl.gz"),
    ]
    assert counts(frame) == {"read": 4, "document": 4}


def test_large_lines_of_a_damaged_file_are_read_whole(tables: Tables, tmp_path: Path) -> None:
    write_lines(tmp_path / "a.jsonl", *map(str, range(500)))
    packed = Path(write_lines(tmp_path / "b.jsonl.gz", *map(str, range(1000, 3000))))
    packed.write_bytes(packed.read_bytes()[:-500])
    source = CrawlSource(str(tmp_path / "*.jsonl*"), "jsonl", PLAIN)
    found = counts(staged(tables, source, whole_bytes=0))
    assert found == counts(staged(tables, source, whole_bytes=2**28))
    assert (found["damaged"], found["read"]) == (1, found["document"] + 1)
    assert found["document"] > 1500


def test_a_file_that_two_sources_read_alike_is_read_once(
    spark: SparkSession, tmp_path: Path
) -> None:
    path = write_lines(tmp_path / "a.jsonl", "one")
    every, alike = CrawlSource(str(tmp_path), "jsonl", PLAIN), CrawlSource(path, "jsonl", PLAIN)
    other = CrawlSource(path, "jsonl", PLAIN, dump="another name")
    found = find_sources(spark, (every, alike, other))
    assert [len(files.sizes) for files in found] == [1, 0, 1]


def test_a_folder_of_empty_files_is_no_error(
    tables: Tables, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="crossic_etl")
    (tmp_path / "empty.jsonl").touch()
    assert counts(staged(tables, CrawlSource(str(tmp_path / "*.jsonl"), "jsonl", PLAIN))) == {}
    assert "documents: no files, or only empty ones, at" in caplog.text


def test_a_source_that_is_not_there_is_an_error(spark: SparkSession, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"crawl\.sources: \S*none isn't there"):
        find_files(spark, CrawlSource(str(tmp_path / "none")))


def test_a_file_too_large_to_be_read_whole_is_refused(
    tables: Tables, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(crawl_staging, "MOST_BYTES", 10)
    (tmp_path / "a.warc.wet").write_bytes(b"WARC/1.0\r\n\r\n")
    with pytest.raises(InputError, match=r"a\.warc\.wet has 12 bytes, and can only be read whole"):
        staged(tables, CrawlSource(str(tmp_path / "a.warc.wet"), "wet"))


def test_without_sources_there_is_nothing_to_do(tables: Tables) -> None:
    with pytest.raises(
        ConfigError, match=r"crawl\.sources: \(\) given, expected at least one source"
    ):
        staged(tables)


@pytest.mark.parametrize("rest", [
    " SQLSTATE: KD001", " Could not read footer. Please ensure that it is. SQLSTATE: KD001",
    " Data type mismatches when reading Parquet column a. Expected", "",
])  # fmt: skip
def test_the_file_that_spark_cannot_read_is_named(rest: str) -> None:
    message = (
        f"[FAILED_READ_FILE.NO_HINT] Encountered error while reading file file:///a%20b.c.{rest}"
    )
    assert unreadable_file(RuntimeError(message)) == "file:/a b.c"
