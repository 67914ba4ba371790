"""Models, tokenizers, exports and devices that do not fit together are refused in one line."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from crossic_etl.config.loading import build
from crossic_etl.config.training import Model, TrainingConfig
from crossic_etl.export.manifest import ExportError, TokenizerInfo
from crossic_etl.kernels.tokens.tokenizers import PROBE
from crossic_etl.training.data import open_data
from crossic_etl.training.errors import TrainingError
from crossic_etl.training.fit import (
    check_model,
    check_tokenizer,
    find_tokenizer,
    with_split_token,
)
from crossic_etl.training.processes import choose_device
from tests.training.tiny import LENGTH, TOKENIZER, VOCABULARY, windows, write_export, write_model

pytestmark = pytest.mark.slow

NEW = replace(TOKENIZER, split_token="[SPLIT]", is_new_token=True)


def config(*exports: Path, **changes: object) -> TrainingConfig:
    tree = {"model": {"name": "m"}, "exports": list(map(str, exports)), "output": "o"}
    return build(TrainingConfig, tree | changes)


def write_tokenizer(folder: Path, words: list[str]) -> str:
    """A tokenizer with these words and those of the probe."""
    vocabulary = dict.fromkeys(["<unk>", *words, *PROBE.split()])
    ids = {word: number for number, word in enumerate(vocabulary)}
    tokenizer = Tokenizer(models.WordLevel(ids, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="<unk>")
    fast.save_pretrained(folder)
    return str(folder)


def test_a_model_with_room_for_windows_and_vocabulary_fits(tmp_path: Path) -> None:
    model = Model(str(write_model(tmp_path)))
    check_model(model, TOKENIZER, length=64)
    check_model(model, replace(NEW, vocabulary_size=VOCABULARY + 1), length=64)


@pytest.mark.parametrize(
    ("tokenizer", "length", "message"),
    [
        (TOKENIZER, 65, "sees 64 tokens, the windows have 65"),
        (replace(TOKENIZER, vocabulary_size=65), 64, "has rows for 64 tokens, the export's"),
        (replace(NEW, vocabulary_size=66), 64, "has rows for 64 tokens, the export's"),
    ],
)
def test_a_model_that_is_too_small_is_refused(
    tmp_path: Path, tokenizer: TokenizerInfo, length: int, message: str
) -> None:
    model = Model(str(write_model(tmp_path)))
    with pytest.raises(TrainingError, match=message):
        check_model(model, tokenizer, length)


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"model\.name: .* can't be read"):
        check_model(Model(str(tmp_path)), TOKENIZER, 64)


def test_an_architecture_has_no_tokenizer(tmp_path: Path) -> None:
    assert find_tokenizer(Model(str(write_model(tmp_path)))) is None


def test_tokenizers_are_compared_on_a_text(tmp_path: Path) -> None:
    name = write_tokenizer(tmp_path / "own", ["<|split|>"])
    other = write_tokenizer(tmp_path / "other", ["<|split|>", "more"])
    own = find_tokenizer(Model(name))
    split = own.get_vocab()["<|split|>"]
    same = TokenizerInfo(name, len(own), "<|split|>", (split,), is_new_token=False)
    check_tokenizer(own, Model(name), same)
    with pytest.raises(TrainingError, match="cut one text in different tokens"):
        check_tokenizer(own, Model(name), replace(same, name=other))


def test_the_split_token_is_compared_where_the_exports_tokenizer_is_not_at_hand(
    tmp_path: Path,
) -> None:
    name = write_tokenizer(tmp_path, ["<|split|>"])
    own = find_tokenizer(Model(name))
    away = TokenizerInfo("nowhere/at-all", len(own), "<|split|>", (1,), is_new_token=False)
    check_tokenizer(own, Model(name), away)
    with pytest.raises(TrainingError, match=r"<\|split\|> is 2, 1 here"):
        check_tokenizer(own, Model(name), replace(away, split_ids=(2,)))


def test_a_new_split_token_comes_after_the_models_own(tmp_path: Path) -> None:
    name = write_tokenizer(tmp_path, [])
    own = find_tokenizer(Model(name))
    n = len(own)
    new = TokenizerInfo("nowhere/at-all", n + 1, "[SPLIT]", (n,), is_new_token=True)
    check_tokenizer(own, Model(name), new)
    with pytest.raises(TrainingError, match=f"{n + 1} tokens, {n} here"):
        check_tokenizer(own, Model(name), replace(new, vocabulary_size=n + 2))
    assert with_split_token(own, new).convert_tokens_to_ids("[SPLIT]") == n


def test_tokenizers_with_a_new_split_token_are_compared_on_a_text(tmp_path: Path) -> None:
    name = write_tokenizer(tmp_path / "own", ["one"])
    other = write_tokenizer(tmp_path / "other", ["two", "three"])
    own = find_tokenizer(Model(name))
    new = TokenizerInfo(name, len(own) + 1, "[SPLIT]", (len(own),), is_new_token=True)
    check_tokenizer(own, Model(name), new)
    with pytest.raises(TrainingError, match="cut one text in different tokens"):
        check_tokenizer(own, Model(name), replace(new, name=other))


def test_exports_are_joined_and_validated_by_arrangement(tmp_path: Path) -> None:
    first = write_export(tmp_path / "a", windows(3, 0), windows(2, 1))
    second = write_export(tmp_path / "b", windows(4, 2), windows(1, 3), arrangement="mix")
    data = open_data(config(first, second))
    assert [len(part) for part in data.train] == [3, 4]
    assert {name: len(part) for name, part in data.validation.items()} == {"en-first": 2, "mix": 1}
    assert (data.languages, data.length) == (["ar", "th"], LENGTH)


def test_the_contents_of_exports_do_not_depend_on_where_they_lie(tmp_path: Path) -> None:
    first = write_export(tmp_path / "a", windows(3, 0), windows(2, 1))
    same = write_export(tmp_path / "b", windows(3, 0), windows(2, 1))
    other = write_export(tmp_path / "c", windows(3, 5), windows(2, 1))
    contents = [open_data(config(folder)).contents() for folder in (first, same, other)]
    assert contents[0] == contents[1]
    assert contents[0]["exports"] != contents[2]["exports"]
    assert contents[0]["validation en-first"] == contents[2]["validation en-first"]


def test_exports_that_do_not_belong_together_are_refused(tmp_path: Path) -> None:
    first = write_export(tmp_path / "a", windows(3, 0), windows(2, 1))
    second = write_export(tmp_path / "b", windows(3, 0), windows(2, 1))
    other = write_export(tmp_path / "c", windows(3, 0), windows(2, 1), "mix", NEW)
    empty = write_export(tmp_path / "d", windows(3, 0), [], "random")
    with pytest.raises(TrainingError, match="several exports are of one arrangement"):
        open_data(config(first, second))
    with pytest.raises(TrainingError, match=r"made with tiny and the split token \[SPLIT\]"):
        open_data(config(first, other))
    with pytest.raises(TrainingError, match="no validation windows"):
        open_data(config(empty))
    with pytest.raises(
        TrainingError, match=r"validation\.select: 'mix' given, expected one of en-first"
    ):
        open_data(config(first, validation={"select": "mix"}))


def test_a_damaged_shard_is_found_before_training(tmp_path: Path) -> None:
    export = write_export(tmp_path / "a", windows(3, 0), windows(2, 1))
    shard = export / "validation" / "00000.parquet"
    data = bytearray(shard.read_bytes())
    data[len(data) // 2] ^= 1
    shard.write_bytes(data)
    with pytest.raises(ExportError, match=r"00000\.parquet: its SHA-256"):
        open_data(config(export))


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
def test_a_missing_gpu_is_named() -> None:
    with pytest.raises(TrainingError, match="device: 0 GPUs found, 1 processes"):
        choose_device(config(Path("e"), device="cuda"))
    assert choose_device(config(Path("e"), device="auto")).type == "cpu"
