from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from crossic_etl.kernels.samples import rows as samples
from crossic_etl.kernels.samples.aligned_cuts import Cut
from crossic_etl.kernels.samples.aligner import Aligner
from crossic_etl.kernels.samples.arrangements import Recipe
from crossic_etl.kernels.samples.rows import PairTexts, sample_rows
from crossic_etl.kernels.samples.segments import Segment, SegmentPair
from crossic_etl.kernels.tokens.tokenizers import load_tokenizer

NO_SEGMENT = Segment("", np.zeros(0, np.int32))
HELLO_WORLD, BLANK_LINE, SPLIT = [9707, 1879], 271, 151651
PAIR = PairTexts(
    pair_id="p1",
    target_lang="th",
    split="train",
    origin="wikipedia",
    made_of=7,
    arrangements=["en-first"],
    en_source_id="en:1",
    en_title="Tea",
    en_url="https://en/Tea",
    en_revision_id=11,
    en_licence="CC-BY-SA-4.0",
    en_text="Hello world",
    target_source_id="th:2",
    target_title="ชา",
    target_url="https://th/ชา",
    target_revision_id=None,
    target_licence="CC-BY-SA-3.0",
    target_text="ชาเป็นเครื่องดื่ม",
)


def rows(*pairs: PairTexts, max_tokens: int = 256) -> list[dict[str, Any]]:
    made = list(sample_rows(pairs, Recipe(load_tokenizer(), max_tokens)))
    return [{k: v.tolist() if k == "input_ids" else v for k, v in row.items()} for row in made]


def test_a_short_pair_is_one_row_with_everything_that_samples_carries() -> None:
    (row,) = rows(PAIR)
    target = row["input_ids"][3:-1]
    assert row.pop("sample_id")
    assert row == {
        "outcome": "sample",
        "n": 1,
        "embedded": 0,
        "arrangement": "en-first",
        "target_lang": "th",
        "split": "train",
        "origin": "wikipedia",
        "pair_id": "p1",
        "made_of": 7,
        "segment": 0,
        "n_segments": 1,
        "en_text": "Hello world",
        "target_text": "ชาเป็นเครื่องดื่ม",
        "input_ids": [*HELLO_WORLD, BLANK_LINE, *target, SPLIT],
        "n_en_tokens": 2,
        "n_target_tokens": len(target),
        "n_tokens": len(target) + 4,
        "cut": None,
        "similarity": None,
        "n_unmatched": None,
        "tokenizer": "qwen2.5",
        "split_token": "<|quad_end|>",
        "licence": "CC-BY-SA-3.0 AND CC-BY-SA-4.0",
        "en_source_id": "en:1",
        "en_title": "Tea",
        "en_url": "https://en/Tea",
        "en_revision_id": 11,
        "target_source_id": "th:2",
        "target_title": "ชา",
        "target_url": "https://th/ชา",
        "target_revision_id": None,
    }


def test_no_pairs_make_no_rows() -> None:
    assert rows() == []


def test_equal_licences_are_named_once() -> None:
    assert rows(PAIR._replace(target_licence="CC-BY-SA-4.0"))[0]["licence"] == "CC-BY-SA-4.0"


def test_a_sample_of_one_side_carries_that_sides_attribution_alone() -> None:
    (row,) = rows(PAIR._replace(arrangements=["target-only"]))
    assert row["licence"] == "CC-BY-SA-3.0"
    assert (row["en_text"], row["n_en_tokens"]) == ("", 0)
    assert [name for name in row if name.startswith("en_")] == ["en_text"]
    assert row["target_source_id"] == "th:2"


FOUND = PAIR._replace(
    origin="crawl",
    arrangements=["retrieved"],
    en_source_id="d1",
    en_title=None,
    en_url=None,
    en_licence="NOASSERTION",
)


def test_a_document_that_was_found_has_an_id_and_no_title() -> None:
    (row,) = rows(FOUND)
    assert (row["origin"], row["arrangement"]) == ("crawl", "retrieved")
    assert (row["en_source_id"], row["en_title"], row["en_url"]) == ("d1", None, None)
    assert (row["target_source_id"], row["licence"]) == ("th:2", "CC-BY-SA-3.0 AND NOASSERTION")


def test_the_first_sample_of_each_arrangement_counts_the_pair() -> None:
    made = rows(PAIR._replace(arrangements=["mix", "en-first"]))
    assert [(row["arrangement"], row["n"]) for row in made] == [
        ("mix", 1),
        ("mix", 0),
        ("en-first", 1),
    ]


def test_a_long_pair_is_cut_within_the_budget_and_nothing_of_it_is_lost() -> None:
    english, target = "A cat sat. " * 40, "猫が座った。" * 40
    long = PAIR._replace(target_lang="ja", en_text=english, target_text=target)
    made = rows(long, max_tokens=64)
    assert len(made) > 1
    assert [row["segment"] for row in made] == list(range(made[0]["n_segments"]))
    assert max(row["n_tokens"] for row in made) <= 64
    assert " ".join(row["en_text"] for row in made) == english.strip()
    assert "".join(row["target_text"] for row in made) == target
    assert [row["n"] for row in made] == [1] + [0] * (len(made) - 1)


def test_rows_follow_their_pairs_whatever_stands_beside_them() -> None:
    other = PAIR._replace(pair_id="p2", en_text="Bye", target_lang="ar", target_text="مع السلامة")
    together = rows(PAIR, other)
    assert together == rows(PAIR) + rows(other)
    assert [row["pair_id"] for row in together] == ["p1", "p2"]


@pytest.mark.parametrize(("target", "reason"), [(" \u3000\n", "too_short"), ("ชา", "unmatched")])
def test_an_arrangement_without_a_sample_is_counted(
    target: str, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def one_sided(*_: Any, **__: Any) -> Cut:
        english = Segment("A cat.", np.array([32, 8251, 13], np.int32))
        return Cut("position", [SegmentPair(0, 1, english, NO_SEGMENT)], [None])

    monkeypatch.setattr(Aligner, "cut", one_sided)
    recipe = Recipe(load_tokenizer(), 48, drops_unmatched=True)
    alone = PAIR._replace(arrangements=["en-first", "mix"], en_text="A cat.", target_text=target)
    made = list(sample_rows([alone], recipe))
    assert made[-1] == {"outcome": reason, "target_lang": "th", "n": 1}
    assert [row["arrangement"] for row in made[:-1]] == ["mix", "mix"]


def test_a_text_of_white_space_makes_no_sample() -> None:
    alone = PAIR._replace(arrangements=["target-only"], target_text=" \u3000\n")
    assert rows(alone) == [{"outcome": "too_short", "target_lang": "th", "n": 1}]


def test_a_pair_that_breaks_is_rejected_and_the_others_are_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    make = samples.make_samples

    def fragile(arrangements: Any, english: Any, *rest: Any) -> Any:
        if english.text == "bad":
            raise ValueError("no cut")
        return make(arrangements, english, *rest)

    monkeypatch.setattr(samples, "make_samples", fragile)
    broken = PAIR._replace(pair_id="p0", en_text="bad", arrangements=["mix", "en-first"])
    bad, good = rows(broken, PAIR)
    assert bad == {
        "outcome": "text",
        "target_lang": "th",
        "n": 2,
        "key": "p0",
        "detail": "Tea / ชา: ValueError: no cut",
    }
    assert good["pair_id"] == "p1"
    (found,) = rows(FOUND._replace(en_text="bad"))
    assert found["detail"] == "d1 / ชา: ValueError: no cut"
