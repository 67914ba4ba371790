"""The job over small tables: every layout, the balance, and the same bytes for any partitions."""

from __future__ import annotations

import itertools
import json
import logging
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq
import pytest
from pyspark.sql import Row

from crossic_etl.config import Config, ConfigError
from crossic_etl.config.etl import Window
from crossic_etl.export import job as export
from crossic_etl.export.manifest import ExportError, read_manifest
from crossic_etl.export.plan import ExportRequest, check_ids, check_samples
from crossic_etl.kernels.samples.shares import SampleShares
from crossic_etl.kernels.tokens.tokenizers import load_tokenizer
from crossic_etl.schemas import RUNS, SAMPLES, WINDOWS
from crossic_etl.tables import TableError, Tables
from crossic_etl.training.reader import main as verify
from crossic_etl.training.reader import open_export
from crossic_etl.transforms.windows import Streams, make_windows, mark_threads
from tests.support.commands import export as main

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

LENGTH, SPLIT_ID = 16, 151651
LANGS = ("ar", "th", "ja")
N = 240


def sample(i: int) -> tuple[Any, ...]:
    """A sample of 2 to 13 tokens, each made of its number, closed by the split token.

    A fourth is one-sided, a fourth lopsided; half have a similarity.
    """
    ids = [600 * i] * (1 + i * 7 % 12) + [SPLIT_ID]
    values: dict[str, Any] = {
        "sample_id": f"s{i}", "arrangement": "en-first", "target_lang": LANGS[i % 3],
        "split": "validation" if i % 8 == 0 else "train", "origin": "wikipedia",
        "pair_id": f"p{i}", "en_source_id": f"en:{i}", "target_source_id": f"th:{i}", "segment": 0,
        "made_of": i, "n_segments": 1, "en_text": "", "target_text": "", "input_ids": ids,
        "n_en_tokens": i % 4, "n_target_tokens": 6, "n_tokens": len(ids), "tokenizer": "qwen2.5",
        "split_token": "<|quad_end|>", "licence": "CC0-1.0" if i % 5 == 0 else "CC-BY-SA-4.0",
        "en_title": "Tea", "en_url": "https://en/Tea", "en_revision_id": i, "target_title": "ชา",
        "target_url": "https://th/ชา", "target_revision_id": None,
        "similarity": 0.5 if i % 2 else None,
    }  # fmt: skip
    return tuple(values.get(name) for name in SAMPLES.columns)


@pytest.fixture(scope="module")
def config(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Config:
    root = str(tmp_path_factory.mktemp("export"))
    config = Config(root, LANGS, window=Window(LENGTH, "sliding"), shards=3)
    tables = Tables(spark, root)
    samples = spark.createDataFrame([sample(i) for i in range(N)], SAMPLES.schema)
    tables.replace(SAMPLES, samples, {"arrangement": ["en-first"]})
    streams = Streams(config.shards, config.seed)
    windows = make_windows(mark_threads(samples), LENGTH, "sliding", streams)
    tables.replace(WINDOWS, windows, {"arrangement": ["en-first"]})
    return config


@pytest.fixture(scope="module")
def table(spark: SparkSession, config: Config) -> list[Row]:
    rows: list[Row] = Tables(spark, config.root).read(WINDOWS).collect()
    return rows


@pytest.fixture(scope="module")
def whole(spark: SparkSession, config: Config) -> Path:
    """An export of everything, about 30 windows in a file."""
    to = Path(config.root) / "exports" / "whole"
    export.run(spark, config, ExportRequest(str(to), "en-first", file_windows=30))
    return to


def last_run(spark: SparkSession, config: Config) -> Row:
    return Tables(spark, config.root).read(RUNS).orderBy("started").tail(1)[0]


def contents(folder: Path) -> dict[str, bytes]:
    """All files but the manifest."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in paths
        if path.name != "manifest.json"
    }


def test_each_window_of_the_table_is_in_the_export_once(whole: Path, table: list[Row]) -> None:
    for split in ("train", "validation"):
        expected = Counter(
            (*row.input_ids, *row.sample_starts, *row.sample_langs, row.n_repeated)
            for row in table
            if row.split == split
        )
        found = Counter(
            (*w.input_ids.tolist(), *w.sample_starts.tolist(), *w.sample_langs, w.n_repeated)
            for w in open_export(whole, split)
        )
        assert found == expected


def test_the_manifest_says_what_the_table_holds(
    spark: SparkSession, config: Config, whole: Path, table: list[Row]
) -> None:
    manifest = read_manifest(whole)
    for name, split in manifest.splits.items():
        rows = [row for row in table if row.split == name]
        assert split.windows == len(rows)
        assert split.new_tokens == sum(row.n_new for row in rows)
        assert split.repeated_tokens == sum(row.n_repeated for row in rows)
        assert split.samples == len({s for row in rows for s in row.sample_ids})
        assert manifest.token_sum[name] == sum(sum(row.input_ids) for row in rows)
    assert manifest.languages == ("ar", "ja", "th")
    assert manifest.licences == {"CC-BY-SA-4.0": N - N // 5, "CC0-1.0": N // 5}
    assert manifest.tokenizer.vocabulary_size == 151665
    assert manifest.tokenizer.split_ids == (SPLIT_ID,)
    assert not manifest.tokenizer.is_new_token
    shares = SampleShares(N, similarity=0.5, one_sided=0.25, lopsided=0.333333)
    assert manifest.arrangements == {"en-first": shares}
    tables = Tables(spark, config.root)
    versions = {table.name: tables.version(table) for table in (WINDOWS, SAMPLES)}
    assert manifest.tables == versions
    assert manifest.config_hash == config.digest()
    assert len(manifest.splits["train"].files) > 2


def test_a_generation_may_be_exported_alone(
    spark: SparkSession, config: Config, whole: Path, tmp_path: Path
) -> None:
    to = tmp_path / "first"
    export.run(spark, config, ExportRequest(str(to), "en-first", file_windows=30, generation=0))
    assert read_manifest(to).generation == 0
    assert contents(to) == contents(whole)
    with pytest.raises(TableError, match=r"no windows of .*, sliding, 1 in it"):
        export.run(spark, config, ExportRequest(str(tmp_path / "second"), "en-first", generation=1))


def test_the_run_is_recorded_and_balances(
    spark: SparkSession, config: Config, whole: Path, table: list[Row]
) -> None:
    rows = (
        Tables(spark, config.root).read(RUNS).where("job = 'export'").orderBy("started").collect()
    )
    first = rows[0]
    assert (first.state, first.rows_in, first.rows_out) == ("done", len(table), len(table))
    assert first.metrics["samples"] == N


def test_attribution_names_each_sample(whole: Path) -> None:
    rows = pq.read_table(whole / "attribution.parquet").to_pylist()
    assert sorted(row["sample_id"] for row in rows) == sorted(f"s{i}" for i in range(N))
    (one,) = (row for row in rows if row["sample_id"] == "s8")
    assert (one["en_url"], one["en_revision_id"], one["target_title"]) == (
        "https://en/Tea",
        8,
        "ชา",
    )
    assert (one["split"], one["licence"]) == ("validation", "CC-BY-SA-4.0")


def test_the_order_is_no_order_of_the_table(whole: Path, table: list[Row]) -> None:
    where = {tuple(row.input_ids): (row.shard, row.position) for row in table}
    found = [where[tuple(w.input_ids.tolist())] for w in open_export(whole, "train")]
    assert found != sorted(found)
    assert sum(a[0] != b[0] for a, b in itertools.pairwise(found)) > len(found) / 3


def test_partitions_change_no_byte(
    spark: SparkSession, config: Config, whole: Path, tmp_path: Path
) -> None:
    tables = Tables(spark, str(tmp_path / "tables"))
    source = Tables(spark, config.root)
    for t in (SAMPLES, WINDOWS):
        shuffled = source.read(t).repartition(5)
        tables.replace(t, shuffled, {"arrangement": ["en-first"]})
    partitions = spark.conf.get("spark.sql.shuffle.partitions")
    spark.conf.set("spark.sql.shuffle.partitions", "3")
    try:
        request = ExportRequest(str(tmp_path / "x"), "en-first", file_windows=30)
        export.run(spark, replace(config, root=tables.root), request)
    finally:
        spark.conf.set("spark.sql.shuffle.partitions", str(partitions))
    assert contents(tmp_path / "x") == contents(whole)


@pytest.mark.parametrize("layout", ["mds", "flat"])
def test_other_layouts_hold_the_same_windows_in_the_same_order(
    spark: SparkSession, config: Config, whole: Path, tmp_path: Path, layout: str,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    request = ExportRequest(str(tmp_path / "x"), "en-first", layout, file_windows=30)
    export.run(spark, config, request)
    for split in ("train", "validation"):
        pairs = zip(open_export(tmp_path / "x", split), open_export(whole, split), strict=True)
        for mine, other in pairs:
            assert mine.input_ids.tolist() == other.input_ids.tolist()
            assert mine.sample_starts.tolist() == other.sample_starts.tolist()
            assert mine[2:] == other[2:]
    assert verify([str(tmp_path / "x")]) == 0
    said = capsys.readouterr().out
    assert f"{layout}, en-first, ar, ja, th" in said
    assert "en-first: 240 samples, similarity 0.500, one-sided 25.0%, lopsided 33.3%" in said


def test_a_budget_takes_the_first_windows_of_each_shard_in_the_order_of_the_whole_export(
    spark: SparkSession, config: Config, whole: Path, table: list[Row], tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    caplog.set_level(logging.INFO, logger="crossic_etl")
    request = ExportRequest(str(tmp_path / "x"), "en-first", tokens=400, file_windows=10)
    export.run(spark, config, request)
    some, every = open_export(tmp_path / "x", "train"), open_export(whole, "train")
    assert 0 < len(some) < len(every)
    taken = [w.input_ids.tolist() for w in some]
    assert taken == [ids for w in every if (ids := w.input_ids.tolist()) in taken]
    new = [len(w.input_ids) - w.n_repeated for w in some]
    assert 400 <= sum(new) < 400 + LENGTH
    shards: dict[int, list[int]] = {}
    for row in table:
        if row.split == "train" and row.input_ids in taken:
            shards.setdefault(row.shard, []).append(row.position)
    assert all(sorted(found) == list(range(len(found))) for found in shards.values())
    assert len(open_export(tmp_path / "x", "validation")) == len(open_export(whole, "validation"))
    manifest = read_manifest(tmp_path / "x")
    assert manifest.token_budget == 400
    run = last_run(spark, config)
    assert run.dropped == {"over_budget": len(every) - len(some)}
    assert run.rows_in == len(table) == run.rows_out + run.dropped["over_budget"]
    names = {
        row["sample_id"] for row in pq.read_table(tmp_path / "x/attribution.parquet").to_pylist()
    }
    assert len(names) == sum(split.samples for split in manifest.splits.values()) < N
    numbers = [int(name[1:]) for name in names]
    shares = manifest.arrangements["en-first"]
    assert shares.samples == len(names)
    assert shares.one_sided == pytest.approx(
        sum(i % 4 == 0 for i in numbers) / len(names), abs=1e-6
    )
    assert f"export: en-first: {len(names)} samples, {shares.line()}" in caplog.messages


def test_more_tokens_than_there_are_are_refused(
    spark: SparkSession, config: Config, tmp_path: Path
) -> None:
    with pytest.raises(
        ConfigError, match=r"--tokens: 1000000 given, expected at most the \d+ new training"
    ):
        export.run(spark, config, ExportRequest(str(tmp_path / "x"), "en-first", tokens=10**6))
    assert list(tmp_path.iterdir()) == []
    assert last_run(spark, config).state == "failed"


def test_an_arrangement_without_windows_is_refused_with_those_there_are(
    spark: SparkSession, config: Config, tmp_path: Path
) -> None:
    with pytest.raises(
        TableError, match=r"no windows of mixture, .*; there are: en-first, qwen2\.5"
    ):
        export.run(spark, config, ExportRequest(str(tmp_path / "x"), "mixture"))


def test_an_export_there_is_kept_and_damage_to_it_is_seen(
    spark: SparkSession, config: Config, whole: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ExportError, match="holds an export already"):
        export.run(spark, config, ExportRequest(str(whole), "en-first"))
    assert verify([str(whole)]) == 0
    path = whole / "attribution.parquet" / "00000.parquet"
    data = path.read_bytes()
    path.write_bytes(data[:-1] + b"!")
    assert verify([str(whole)]) == 1
    assert "00000.parquet: its SHA-256" in capsys.readouterr().err
    path.write_bytes(data)


def test_windows_of_samples_that_are_gone_are_refused() -> None:
    row, config = Row("licence", "split_token", "samples"), Config("x", ("th",))
    split = config.split_token
    check_samples([row("CC0-1.0", split, 3), row("CC-BY-SA-4.0", split, 9)], split)
    with pytest.raises(TableError, match="2 samples of the windows aren't there any more"):
        check_samples([row("CC0-1.0", split, 3), row(None, None, 2)], split)
    with pytest.raises(TableError, match=r"closed by .*box_end.*, but split_token is .*quad_end"):
        check_samples([row("CC0-1.0", "<|box_end|>", 3)], split)


def test_ids_outside_of_the_vocabulary_are_refused() -> None:
    row, tokenizer = Row("windows", "lowest_id", "highest_id"), load_tokenizer()
    check_ids([row(3, 0, 151664), row(0, 0, 0)], tokenizer)
    for lowest, highest in ((0, 151665), (-1, 5)):
        with pytest.raises(TableError, match="has those from 0 to 151664"):
            check_ids([row(3, 0, 1), row(1, lowest, highest)], tokenizer)


def test_the_command_line_says_in_one_line_what_is_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "my.yaml"
    path.write_text(json.dumps({
        "root": str(tmp_path), "languages": ["th"], "arrangements": ["en-first", "mix"],
        "wikipedia": {"dumps": "d", "date": "20260101"},
    }))  # fmt: skip
    for arguments, status, says in (
        ([], 1, "--arrangement: None given, expected en-first or mix"),
        (["--arrangement", "mix", "--tokens", "0"], 2, "'--tokens': 0 is not in the range"),
        (["--file-windows", "-1"], 2, "'--file-windows': -1 is not in the range"),
        (["--to", ""], 2, "--to: '' given, expected a folder or URL"),
        (["--arrangement", "mix", "--to", "~nobody-here/x"], 1, "--to: '~nobody-here/x' given"),
    ):
        assert main(["--config", str(path), "--to", "x", *arguments]) == status
        assert says in capsys.readouterr().err


@pytest.mark.slow
def test_datasets_loads_the_parquet_files_as_they_are(whole: Path, tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    files = {split: str(whole / split / "*.parquet") for split in ("train", "validation")}
    loaded = datasets.load_dataset("parquet", data_files=files, cache_dir=str(tmp_path))
    for split, rows in loaded.items():
        windows = open_export(whole, split)
        assert rows["input_ids"][:] == [w.input_ids.tolist() for w in windows]
        assert rows["sample_langs"][:] == [w.sample_langs for w in windows]
