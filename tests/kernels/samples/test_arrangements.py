from __future__ import annotations

import pytest

from crossic_etl.kernels.samples.arrangements import ARRANGEMENTS, Recipe, Sample, make_samples
from crossic_etl.kernels.samples.segments import Document, tokenize_documents
from crossic_etl.kernels.tokens.tokenizers import load_tokenizer

ENGLISH = "A cat sat. A dog ran off. A bird sang.\n\n" * 4
TARGET = "猫が座った。犬は走った。鳥は歌った。\n\n" * 4


def documents(english: str = ENGLISH, target: str = TARGET) -> list[Document]:
    return tokenize_documents([english, target], ["en", "ja"], load_tokenizer())


def samples(
    *arrangements: str, split_token: str = "<|quad_end|>", max_tokens: int = 48
) -> list[Sample]:
    recipe = Recipe(load_tokenizer("qwen2.5", split_token), max_tokens)
    english, target = documents()
    return list(make_samples(arrangements, english, target, ("en:1", "ja:2"), recipe))


def decoded(sample: Sample) -> str:
    return load_tokenizer().decode(sample.input_ids)


def test_en_first_is_english_separator_target_split() -> None:
    sample = samples("en-first")[0]
    assert decoded(sample) == f"{sample.english_text}\n\n{sample.target_text}<|quad_end|>"


def test_target_first_is_the_same_cut_the_other_way_round() -> None:
    there, back = samples("en-first")[0], samples("target-first")[0]
    assert (there.english_text, there.target_text) == (back.english_text, back.target_text)
    assert decoded(back) == f"{back.target_text}\n\n{back.english_text}<|quad_end|>"


def test_mix_gives_each_side_its_own_samples_without_separator() -> None:
    mixed = samples("mix", max_tokens=512)
    assert [decoded(sample) for sample in mixed] == [
        f"{ENGLISH.strip()}<|quad_end|>",
        f"{TARGET.strip()}<|quad_end|>",
    ]


def test_target_only_has_no_english() -> None:
    assert {sample.english_text for sample in samples("target-only")} == {""}


@pytest.mark.parametrize("arrangement", ARRANGEMENTS)
def test_all_arrangements_hold_the_same_target_and_fit(arrangement: str) -> None:
    made = samples(arrangement)
    english = "" if arrangement == "target-only" else ENGLISH
    assert "".join("".join(sample.target_text for sample in made).split()) == "".join(
        TARGET.split()
    )
    assert "".join(" ".join(sample.english_text for sample in made).split()) == "".join(
        english.split()
    )
    assert max(len(sample.input_ids) for sample in made) <= 48
    assert all(sample.input_ids.dtype == "int32" for sample in made)


def test_an_empty_side_brings_no_separator() -> None:
    recipe = Recipe(load_tokenizer(), 48)
    english, target = documents("A cat.", "")
    made = list(make_samples(["en-first"], english, target, ("a", "b"), recipe))
    assert [decoded(sample) for sample in made] == ["A cat.<|quad_end|>"]


def test_a_split_text_of_several_ids_counts_in_the_budget() -> None:
    made = samples("en-first", split_token="text:== end of pair ==")
    assert decoded(made[0]).endswith("== end of pair ==")
    assert max(len(sample.input_ids) for sample in made) <= 48


def test_sample_ids_are_of_all_that_a_sample_is_made_of() -> None:
    made = samples(*ARRANGEMENTS) + samples("en-first", split_token="new:[SPLIT]")
    ids = [sample.sample_id for sample in made]
    assert len(set(ids)) == len(ids)
    assert {len(i) for i in ids} == {32}
    assert samples(*ARRANGEMENTS)[0].sample_id == ids[0]


def test_an_unknown_arrangement_is_refused_with_those_there_are() -> None:
    with pytest.raises(ValueError, match="arrangements: 'en_first' is none; expected some of en-f"):
        samples("en_first")
