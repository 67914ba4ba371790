from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from crossic_etl.config.submit import Submit
from crossic_etl.config.training import Model, TrainingConfig
from crossic_etl.export.manifest import Manifest
from crossic_etl.submit.fit import ModelFacts, check_fit, read_facts
from crossic_etl.submit.job import SubmitError
from tests.submit.inputs import manifest, with_tokenizer, write_model

ROOT = Path(__file__).resolve().parents[2]
UNKNOWN = ModelFacts(None, None, None)
CPU = Submit(gpus_per_node=0)


def config(submit: Submit = CPU, model: str = "/m", **changed: Any) -> TrainingConfig:
    return TrainingConfig(Model(model), ("/e",), "/o", submit=submit, **changed)


def facts(**known: Any) -> ModelFacts:
    return dataclasses.replace(UNKNOWN, **known)


@pytest.fixture(scope="module")
def words() -> Callable[[list[str]], str]:
    """The JSON of a tokenizer that knows these words."""
    pytest.importorskip("tokenizers")
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel

    def make(known: list[str]) -> str:
        vocabulary = {word: i for i, word in enumerate(["?", *known])}
        text: str = Tokenizer(WordLevel(vocabulary, "?")).to_str()
        return text

    return make


@pytest.mark.parametrize("length", [64, 128])
def test_windows_within_the_context_fit(length: int) -> None:
    notes = check_fit(config(), {"/e": manifest(length=length)}, facts(context=128))
    assert len(notes) == 1 and "tokenizer qwen2.5" in notes[0]


def test_windows_longer_than_the_context_are_refused() -> None:
    with pytest.raises(SubmitError, match=r"/e: windows of 129 tokens, .* a context of 128"):
        check_fit(config(), {"/e": manifest(length=129)}, facts(context=128))


@pytest.mark.parametrize(
    ("given", "rows", "fits"),
    [
        (manifest(), 151_936, True),
        (manifest(), 151_665, True),
        (manifest(), 151_664, False),
        (with_tokenizer(is_new_token=True), 151_664, True),
        (with_tokenizer(is_new_token=True), 151_663, False),
    ],
)
def test_each_id_but_a_new_tokens_needs_its_row(given: Manifest, rows: int, fits: bool) -> None:
    known = facts(context=128, vocabulary=rows)
    if fits:
        check_fit(config(), {"/e": given}, known)
        return
    with pytest.raises(SubmitError, match=f"/e: ids of qwen2.5 .* has {rows} rows of embeddings"):
        check_fit(config(), {"/e": given}, known)


def test_the_models_own_tokenizer_must_be_the_exports(words: Callable[[list[str]], str]) -> None:
    known = facts(context=128, tokenizer=words(["1984", "。"]))
    with pytest.raises(SubmitError, match=r"/e: made with the tokenizer qwen2.5, but model /m"):
        check_fit(config(), {"/e": manifest()}, known)


def test_equal_tokenizers_under_two_names_fit(
    tmp_path: Path, words: Callable[[list[str]], str]
) -> None:
    other = Path(write_model(tmp_path / "other"))
    (other / "tokenizer.json").write_text(words(["a"]), encoding="utf-8")
    known = facts(context=128, tokenizer=words(["a"]))
    assert check_fit(config(), {"/e": with_tokenizer(name=str(other))}, known) == []


def test_a_tokenizer_named_as_the_model_is_its_own() -> None:
    given = with_tokenizer(name="some/model")
    assert check_fit(config(model="some/model"), {"/e": given}, facts(context=128)) == []


def test_what_cannot_be_read_is_said() -> None:
    context, tokenizer = check_fit(config(), {"/e": manifest()}, UNKNOWN)
    assert context.startswith("not checked: the context of model /m")
    assert tokenizer.startswith("not checked: whether model /m has the tokenizer qwen2.5")


@pytest.mark.parametrize(
    "changed",
    [{"name": "other"}, {"vocabulary_size": 9}, {"split_ids": (1, 2)}, {"split_token": "s"}],
)
def test_exports_with_two_tokenizers_are_refused(changed: dict[str, Any]) -> None:
    exports = {"/e": manifest(), "/f": with_tokenizer(**changed)}
    with pytest.raises(SubmitError, match=r"/f: tokenizer .* but qwen2.5 with .* in /e"):
        check_fit(config(), exports, UNKNOWN)


def test_exports_with_one_tokenizer_fit() -> None:
    exports = {"/e": manifest(), "/f": manifest(length=32)}
    assert len(check_fit(config(), exports, facts(context=64))) == 1


def test_an_export_without_training_windows_is_refused() -> None:
    with pytest.raises(SubmitError, match="/e: no training windows"):
        check_fit(config(), {"/e": manifest(n_windows=0)}, UNKNOWN)


def test_an_export_to_validate_with_needs_no_training_windows() -> None:
    exports = {"/e": manifest(), "/v": manifest(n_windows=0)}
    assert len(check_fit(config(), exports, facts(context=64))) == 1


@pytest.mark.parametrize(
    ("device", "gpus", "fits"),
    [
        ("auto", 0, True), ("auto", 1, True), ("cpu", 0, True), ("cuda", 2, True),
        ("cpu", 1, False), ("cuda", 0, False),
    ],
)  # fmt: skip
def test_the_device_must_be_what_is_asked_for(device: str, gpus: int, fits: bool) -> None:
    given = config(Submit(gpus_per_node=gpus), device=device)
    if fits:
        check_fit(given, {"/e": manifest()}, UNKNOWN)
        return
    with pytest.raises(SubmitError, match=f"device: '{device}' given"):
        check_fit(given, {"/e": manifest()}, UNKNOWN)


def test_more_processes_than_gpus_are_refused() -> None:
    given = config(Submit(gpus_per_node=2, processes_per_node=3))
    with pytest.raises(SubmitError, match="processes_per_node: 3 given, at most one for each of 2"):
        check_fit(given, {"/e": manifest()}, UNKNOWN)


@pytest.mark.parametrize(
    ("changed", "context"),
    [
        ({}, 128),
        ({"max_position_embeddings": 4096}, 4096),
        ({"text_config": {"max_position_embeddings": 99, "vocab_size": 5}}, 99),
    ],
)
def test_a_models_folder_says_its_context(
    tmp_path: Path, changed: dict[str, Any], context: int
) -> None:
    found = read_facts(Model(write_model(tmp_path / "model", **changed)))
    assert (found.context, found.tokenizer) == (context, None)


def test_a_folder_that_is_not_here_is_unknown() -> None:
    assert read_facts(Model("/no/such/model")) == UNKNOWN


def test_a_model_of_the_hub_is_read_from_its_cache(tmp_path: Path) -> None:
    pytest.importorskip("huggingface_hub")
    cached = tmp_path / "hub" / "models--some--model"
    (cached / "refs").mkdir(parents=True)
    (cached / "refs" / "main").write_text("c" * 40)
    (cached / "snapshots").mkdir()
    write_model(cached / "snapshots" / ("c" * 40), max_position_embeddings=777)
    code = (
        "from crossic_etl.submit.fit import read_facts; "
        "from crossic_etl.config.training import Model; "
        "print([read_facts(Model(name)).context for name in ('some/model', 'no/model', 'a b')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT,
        env={**os.environ, "HF_HOME": str(tmp_path), "HF_HUB_OFFLINE": "1"},
    )  # fmt: skip
    assert done.stdout == "[777, None, None]\n"


def test_a_broken_configuration_of_a_model_is_refused(tmp_path: Path) -> None:
    folder = Path(write_model(tmp_path / "model"))
    (folder / "config.json").write_text(json.dumps({"a": 1})[:-1], encoding="utf-8")
    with pytest.raises(SubmitError, match=r"model.name: config.json of .* is no JSON"):
        read_facts(Model(str(folder)))
