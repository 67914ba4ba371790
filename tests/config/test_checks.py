from __future__ import annotations

import pytest

from crossic_etl.config import Config, ConfigError
from crossic_etl.config.checks import check_dumps, check_encoder, check_tokenizer
from crossic_etl.config.crawl import Encoder
from crossic_etl.config.etl import Segment, Wikipedia, Window

SMALL = Window(length=16)


def test_the_defaults_fit() -> None:
    check_tokenizer(Config("a", ("th",)))


def test_the_smallest_window_fits() -> None:
    check_tokenizer(Config("a", ("th",), window=SMALL))


def test_a_separator_that_leaves_no_room_for_text_is_refused() -> None:
    segment = Segment(separator="one two three four five six seven eight")
    with pytest.raises(ConfigError, match=r"segment.max_tokens: 16 leaves 7 tokens for text"):
        check_tokenizer(Config("a", ("th",), window=SMALL, segment=segment))


def test_a_split_text_that_leaves_no_room_for_text_is_refused() -> None:
    split = "text:one two three four five six seven eight"
    with pytest.raises(ConfigError, match=r"segment.max_tokens: 16 leaves 7 tokens for text"):
        check_tokenizer(Config("a", ("th",), window=SMALL, split_token=split))


@pytest.mark.parametrize("split_token", ["<|nothing|>", "[SPLIT]", "new:<|quad_end|>", "new: "])
def test_a_split_token_that_is_not_there_is_refused_in_one_line(split_token: str) -> None:
    with pytest.raises(ConfigError, match=r"split_token: .* expected a special token") as refused:
        check_tokenizer(Config("a", ("th",), split_token=split_token))
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("split_token", ["new:[SPLIT]", "text:[SPLIT]", "=== จบ ==="])
def test_new_tokens_and_plain_texts_are_split_tokens(split_token: str) -> None:
    check_tokenizer(Config("a", ("th",), split_token=split_token))


@pytest.mark.parametrize(
    ("wikipedia", "message"),
    [
        (
            Wikipedia(),
            r"wikipedia\.dumps: '' given, expected a folder of dumps, or .*plain_text for en",
        ),
        (Wikipedia(plain_text={"en": "/e"}), r"expected .*plain_text for th"),
        (Wikipedia("/d"), r"wikipedia\.date: .* a date YYYYMMDD for en"),
        (Wikipedia("/d", {"en": "20260101"}), r"wikipedia\.date: .* a date YYYYMMDD for th"),
    ],
)
def test_a_wiki_without_a_place_for_its_pages_is_refused(
    wikipedia: Wikipedia, message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        check_dumps(Config("a", ("th",), wikipedia))


@pytest.mark.parametrize(
    "wikipedia",
    [
        Wikipedia("/d", "20260101"),
        Wikipedia(plain_text={"en": "/e", "th": "/t"}),
    ],
)
def test_dumps_with_a_date_or_plain_text_are_enough(wikipedia: Wikipedia) -> None:
    check_dumps(Config("a", ("th",), wikipedia))


def test_the_embedded_encoder_needs_nothing() -> None:
    check_encoder(Config("a", ("th",)))


@pytest.mark.parametrize(
    ("encoder", "message"),
    [
        (Encoder(revision="0"), r"encoder\.revision: '0' given, expected .* which is installed"),
        (
            Encoder("sentence-transformers", "no/such-model"),
            r"encoder\.(revision: None given, expected a commit or tag|backend: .* not installed)",
        ),
    ],
)
def test_an_encoder_that_can_not_be_had_is_refused_in_one_line(
    encoder: Encoder, message: str
) -> None:
    with pytest.raises(ConfigError, match=message) as refused:
        check_encoder(Config("a", ("th",), encoder=encoder))
    assert "\n" not in str(refused.value)


def test_a_type_of_numbers_that_no_encoder_has_is_refused_where_it_is_set() -> None:
    message = r"encoder\.dtype: 'int8' given, expected float32, float16 or bfloat16"
    with pytest.raises(ConfigError, match=message):
        Encoder(dtype="int8")


def test_a_package_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crossic_etl.config.encoder.find_spec", lambda name: None)
    encoder = Encoder("sentence-transformers", "a/b", "main")
    with pytest.raises(ConfigError, match=r"torch not installed; expected pip install"):
        check_encoder(Config("a", ("th",), encoder=encoder))
