"""What the manifest says of files, samples and tokenizer, on literal rows."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime, timezone
from importlib.metadata import version

import pytest
from pyspark.sql import Row

from crossic_etl.export.describe import (
    WrittenFiles,
    describe_export,
    describe_tokenizer,
    index_files,
)
from crossic_etl.export.manifest import (
    ExportFile,
    ManifestError,
    Split,
    TokenizerInfo,
    WindowInfo,
    parse_manifest,
)
from crossic_etl.export.plan import ExportRequest
from crossic_etl.kernels.export.layouts import Layout
from crossic_etl.kernels.samples.shares import COUNTS, SampleShares
from crossic_etl.kernels.tokens.tokenizers import load_tokenizer


def file_row(
    split: str, path: str, windows: int, tokens: int, repeated: int, token_sum: int
) -> Row:
    return Row(
        split=split, path=path, part=f"part-of-{path}", bytes=10 * tokens, sha256=f"hash-of-{path}",
        windows=windows, tokens=tokens, repeated_tokens=repeated, token_sum=token_sum,
    )  # fmt: skip


def sample_row(
    split: str, licence: str, lang: str, samples: int, arrangement: str = "en-first", **counts: int
) -> Row:
    counted = {name: counts.get(name, 0) for name in COUNTS} | {"n_samples": samples}
    return Row(
        split=split, licence=licence, target_lang=lang, split_token="|", samples=samples,
        arrangement=arrangement, **counted,
    )  # fmt: skip


# The workers' rows come in any order.
WRITTEN = WrittenFiles(
    windows=[
        file_row("train", "train/00001.mds", 1, 5, 1, 500),
        file_row("validation", "validation/00000.mds", 1, 4, 0, 40),
        file_row("train", "train/00000.mds", 2, 9, 2, 900),
    ],
    attribution=[file_row("", "attribution.parquet/00000.parquet", 4, 0, 0, 0)],
    samples=[
        sample_row("train", "CC0-1.0", "th", 3, n_paired=3, n_two_sided=2, n_lopsided=1),
        sample_row("train", "CC-BY-SA-4.0", "ja", 4, "mix"),
        sample_row(
            "validation",
            "CC-BY-SA-4.0",
            "th",
            2,
            n_paired=2,
            n_two_sided=2,
            n_compared=2,
            millionths=1_500_000,
        ),
    ],
    versions={"windows": 7, "samples": 3},
)
REQUEST = ExportRequest("/export", "en-first", "mds", tokens=11, generation=2)


def described(layout: str = "mds") -> dict[str, bytes]:
    return describe_export(
        WRITTEN, REQUEST, Layout(layout, 64), load_tokenizer(),
        policy="sliding", seed=13, config_hash="0123456789abcdef",
    )  # fmt: skip


def test_the_manifest_comes_last_after_the_indexes() -> None:
    assert list(described()) == ["train/index.json", "validation/index.json", "manifest.json"]
    assert list(described("parquet")) == ["manifest.json"]


def test_the_manifest_sums_up_files_samples_and_licences() -> None:
    files = described()
    manifest = parse_manifest(files["manifest.json"].decode())
    train = ExportFile(
        "train/index.json", 0, 0, len(files["train/index.json"]),
        hashlib.sha256(files["train/index.json"]).hexdigest(),
    )  # fmt: skip
    validation = ExportFile(
        "validation/index.json", 0, 0, len(files["validation/index.json"]),
        hashlib.sha256(files["validation/index.json"]).hexdigest(),
    )  # fmt: skip
    assert manifest.splits == {
        "train": Split(
            windows=3,
            tokens=14,
            new_tokens=11,
            repeated_tokens=3,
            samples=7,
            files=(
                ExportFile("train/00000.mds", 2, 9, 90, "hash-of-train/00000.mds"),
                ExportFile("train/00001.mds", 1, 5, 50, "hash-of-train/00001.mds"),
                train,
            ),
        ),
        "validation": Split(
            windows=1,
            tokens=4,
            new_tokens=4,
            repeated_tokens=0,
            samples=2,
            files=(
                ExportFile("validation/00000.mds", 1, 4, 40, "hash-of-validation/00000.mds"),
                validation,
            ),
        ),
    }
    assert manifest.token_sum == {"train": 1400, "validation": 40}
    assert manifest.licences == {"CC-BY-SA-4.0": 6, "CC0-1.0": 3}
    assert manifest.languages == ("ja", "th")
    assert manifest.attribution == (
        ExportFile(
            "attribution.parquet/00000.parquet",
            windows=0,
            tokens=0,
            bytes=0,
            sha256="hash-of-attribution.parquet/00000.parquet",
        ),
    )


def test_the_manifest_has_the_shares_of_each_arrangement() -> None:
    manifest = parse_manifest(described()["manifest.json"].decode())
    assert list(manifest.arrangements) == ["en-first", "mix"]
    assert manifest.arrangements == {
        "en-first": SampleShares(5, similarity=0.75, one_sided=0.2, lopsided=0.25),
        "mix": SampleShares(4),
    }


def test_the_manifest_of_an_older_version_has_no_shares() -> None:
    tree = json.loads(described()["manifest.json"])
    del tree["arrangements"]
    assert parse_manifest(json.dumps(tree)).arrangements == {}
    with pytest.raises(ManifestError, match=r"en-first: lopsided: 'most' given"):
        parse_manifest(json.dumps({**tree, "arrangements": {
            "en-first": {"samples": 1, "lopsided": "most"}
        }}))  # fmt: skip


def test_the_manifest_says_how_the_export_was_made() -> None:
    manifest = parse_manifest(described()["manifest.json"].decode())
    assert (manifest.layout, manifest.arrangement, manifest.token_type) == (
        "mds", "en-first", "int32"
    )  # fmt: skip
    assert manifest.window == WindowInfo(64, "sliding")
    assert (manifest.seed, manifest.config_hash) == (13, "0123456789abcdef")
    assert manifest.tables == {"windows": 7, "samples": 3}
    assert (manifest.token_budget, manifest.generation) == (11, 2)
    assert manifest.code_version == version("crossic-etl")
    created = datetime.fromisoformat(manifest.created)
    assert abs((datetime.now(timezone.utc) - created).total_seconds()) < 60


def test_the_keys_of_the_manifest_are_those_that_readers_know() -> None:
    assert list(json.loads(described()["manifest.json"])) == [
        "format", "schema_version", "layout", "arrangement", "languages", "tokenizer", "window",
        "seed", "splits", "licences", "token_sum", "tables", "config_hash", "code_version",
        "created", "token_type", "token_budget", "generation", "attribution",
        "arrangements",
    ]  # fmt: skip


def test_parts_move_to_their_paths() -> None:
    assert WRITTEN.moves == {
        "part-of-train/00001.mds": "train/00001.mds",
        "part-of-validation/00000.mds": "validation/00000.mds",
        "part-of-train/00000.mds": "train/00000.mds",
        "part-of-attribution.parquet/00000.parquet": "attribution.parquet/00000.parquet",
    }
    assert WRITTEN.n_samples == 9


def test_only_mds_has_indexes_which_list_the_shards_of_a_split_in_order() -> None:
    assert index_files(WRITTEN, Layout("flat", 64)) == {}
    shards = json.loads(index_files(WRITTEN, Layout("mds", 64))["train/index.json"])["shards"]
    assert [(one["raw_data"]["basename"], one["samples"]) for one in shards] == [
        ("00000.mds", 2), ("00001.mds", 1)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("split_token", "name", "is_new"),
    [("<|quad_end|>", "<|quad_end|>", False), ("new:[SPLIT]", "[SPLIT]", True),
     ("text:[SPLIT]", "[SPLIT]", False)],
)  # fmt: skip
def test_a_split_token_goes_by_its_name_alone(split_token: str, name: str, is_new: bool) -> None:
    tokenizer = load_tokenizer(split_token=split_token)
    assert describe_tokenizer(tokenizer) == TokenizerInfo(
        name=tokenizer.name,
        vocabulary_size=tokenizer.vocab_size,
        split_token=name,
        split_ids=tuple(map(int, tokenizer.split_ids)),
        is_new_token=is_new,
    )
