from __future__ import annotations

import pickle
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crossic_etl.kernels.tokens.backends import HuggingFaceBackend, TiktokenBackend
from crossic_etl.kernels.tokens.tokenizers import load_tokenizer
from tests.support.qwen_json import qwen_tokenizer

TEXTS = [
    "Hello world",
    "",
    " \n\n  two  spaces\t\n \n1990. It's 3.14!",
    "日本語の文章。「はい。」と言った。",
    "القط جلس؟ ثم نام ۔",
    "แมวนั่งบนเสื่อ ก็ดี",
    "고양이는 잔다. 👩\u200d👩\u200d👧 🇯🇵 𓂀",
    "cafe\u0301 q\u0323\u0307 \u1112\u1161\u11ab",
]


def borders(text: str, name: str = "qwen2.5", split_token: str = "<|quad_end|>") -> list[str]:
    """The text cut at every place where it may be cut."""
    ends = load_tokenizer(name, split_token).encode(text)[1].tolist()
    cuts = sorted({0, *ends})
    return [text[start:stop] for start, stop in pairwise(cuts)]


def test_the_embedded_vocabulary_is_qwens() -> None:
    tokenizer = load_tokenizer()
    ids, ends = tokenizer.encode("Hello world")
    assert (ids.tolist(), ends.tolist()) == ([9707, 1879], [5, 11])
    assert (ids.dtype, ends.dtype) == (np.int32, np.int64)
    assert (tokenizer.vocab_size, tokenizer.split_id) == (151665, 151651)


def test_a_token_inside_a_character_repeats_the_end_before_it() -> None:
    ids, ends = load_tokenizer().encode("a𓂀b")
    assert len(ids) > 3
    assert sorted(set(ends.tolist())) == [1, 2, 3]
    assert borders("a𓂀b") == ["a", "𓂀", "b"]


def test_text_that_is_not_nfc_has_the_ids_of_its_nfc_and_its_own_positions() -> None:
    tokenizer = load_tokenizer()
    ids, ends = tokenizer.encode("cafe\u0301 au lait")
    assert ids.tolist() == tokenizer.encode("café au lait")[0].tolist()
    assert ends[-1] == len("cafe\u0301 au lait")
    assert "".join(borders("e\u0301e\u0301")) == "e\u0301e\u0301"
    assert all(not piece.startswith("\u0301") for piece in borders("e\u0301e\u0301"))


@pytest.mark.parametrize("name", ["<|endoftext|>", "<|quad_end|>", "<tool_call>"])
def test_names_of_special_tokens_in_a_text_are_text(name: str) -> None:
    tokenizer = load_tokenizer()
    ids = tokenizer.encode(f"a {name} b")[0]
    assert ids.max() < 151643
    assert tokenizer.decode(ids) == f"a {name} b"


def test_lone_surrogates_become_the_replacement_character() -> None:
    tokenizer = load_tokenizer()
    ids, ends = tokenizer.encode("a\ud83d\ude00\ud800b")
    assert tokenizer.decode(ids) == "a\ufffd\ufffd\ufffdb"
    assert ends[-1] == 5


def test_a_million_blanks_are_encoded() -> None:
    ids, ends = load_tokenizer().encode("a" + " " * 1_500_000 + "b")
    assert ends[-1] == 1_500_002
    assert len(ids) < 20_000


def test_a_tokenizer_is_loaded_once_and_pickled_by_name() -> None:
    tokenizer = load_tokenizer()
    data = pickle.dumps(tokenizer)
    assert pickle.loads(data) is tokenizer
    assert len(data) < 200


@settings(max_examples=200, deadline=None)
@given(
    st.text(
        st.sampled_from("ae\u0301\u0323\u1100\u1161\u11a8\u09c7\u09be 가é👩\u200d")
        | st.characters()
    )
)
def test_ends_never_fall_and_reach_the_end(text: str) -> None:
    ids, ends = load_tokenizer().encode(text)
    assert len(ids) == len(ends)
    assert (np.diff(ends, prepend=0) >= 0).all()
    assert (ends[-1] if len(ends) else 0) == len(text)


@settings(max_examples=100, deadline=None)
@given(st.text())
def test_decoding_gives_the_text_back(text: str) -> None:
    import unicodedata

    tokenizer = load_tokenizer()
    expected = unicodedata.normalize("NFC", text)
    assert tokenizer.decode(tokenizer.encode(text)[0]) == expected


def test_a_new_split_token_is_an_id_at_the_end() -> None:
    tokenizer = load_tokenizer("qwen2.5", "new:[SPLIT]")
    assert (tokenizer.split_id, tokenizer.vocab_size) == (151665, 151666)
    assert tokenizer.decode([9707, 151665, 1879]) == "Hello[SPLIT] world"


@pytest.mark.parametrize("split_token", ["text:[SPLIT]", "== end of the pair =="])
def test_a_split_text_has_the_ids_of_the_text(split_token: str) -> None:
    tokenizer = load_tokenizer("qwen2.5", split_token)
    assert tokenizer.split_id is None
    assert tokenizer.decode(tokenizer.split_ids) == split_token.removeprefix("text:")
    assert tokenizer.vocab_size == 151665


@pytest.mark.parametrize("wrong", ["<|sep|>", "[SPLIT]", "", "new:", "new:<|im_end|>", "text:"])
def test_a_wrong_split_token_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match=r"split_token: .* expected a special token of the token"):
        load_tokenizer("qwen2.5", wrong)


@pytest.mark.slow
def test_a_tokenizer_that_is_not_there_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("transformers")
    with pytest.raises(ValueError, match=r"tokenizer: .* can't be loaded .* expected 'qwen2.5'"):
        load_tokenizer(str(tmp_path))


@pytest.fixture(scope="module")
def qwen_json() -> Any:
    pytest.importorskip("tokenizers")
    return qwen_tokenizer()


def saved(tokenizer: Any, folder: Path) -> str:
    from transformers import PreTrainedTokenizerFast

    PreTrainedTokenizerFast(tokenizer_object=tokenizer).save_pretrained(folder)
    return str(folder)


def same_as_auto(name: str) -> None:
    from transformers import AutoTokenizer

    auto = AutoTokenizer.from_pretrained(name)
    ours = load_tokenizer(name, "new:[SPLIT]").encode_batch(TEXTS)
    for text, (ids, ends) in zip(TEXTS, ours, strict=True):
        assert ids.tolist() == auto.encode(text, add_special_tokens=False), text
        assert (ends[-1] if len(ends) else 0) == len(text)


def test_qwens_ids_and_borders_are_autotokenizers(qwen_json: Any, tmp_path: Path) -> None:
    pytest.importorskip("transformers")
    name = saved(qwen_json, tmp_path)
    same_as_auto(name)
    local = load_tokenizer(name, "new:[SPLIT]")
    assert isinstance(local._backend, TiktokenBackend)
    for text in TEXTS:
        for ours, embedded in zip(local.encode(text), load_tokenizer().encode(text), strict=True):
            assert ours.tolist() == embedded.tolist()


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["byte-level", "words", "metaspace"])
def test_a_trained_tokenizer_in_a_folder(kind: str, tmp_path: Path) -> None:
    pytest.importorskip("transformers")
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE(unk_token=None if kind == "byte-level" else "[UNK]"))
    tokenizer.pre_tokenizer = {
        "byte-level": pre_tokenizers.ByteLevel(add_prefix_space=False),
        "words": pre_tokenizers.Whitespace(),
        "metaspace": pre_tokenizers.Metaspace(),
    }[kind]
    if kind == "byte-level":
        tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet() if kind == "byte-level" else []
    trainer = trainers.BpeTrainer(
        vocab_size=600, special_tokens=["[UNK]", "<|sep|>"], initial_alphabet=alphabet
    )
    tokenizer.train_from_iterator(TEXTS * 3, trainer)
    name = saved(tokenizer, tmp_path)
    same_as_auto(name)
    ours = load_tokenizer(name, "<|sep|>")
    assert isinstance(ours._backend, HuggingFaceBackend)
    assert ours.split_id not in ours.encode("a <|sep|> b")[0].tolist()
    assert "".join(borders(TEXTS[6], name, "<|sep|>")) == TEXTS[6]
    assert len(borders(TEXTS[6], name, "<|sep|>")) > 2
