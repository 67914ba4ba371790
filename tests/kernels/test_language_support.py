"""What is there for each language, the page that lists it, and the line on what lacks."""

from __future__ import annotations

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

from crossic_etl.kernels.language_support import describe_gaps, support_of, supported_languages

ROOT = Path(__file__).resolve().parents[2]
LARGEST = [
    "ar", "ca", "cs", "de", "en", "es", "fa", "fi", "fr", "he", "hi", "hu", "id", "it", "ja", "ko",
    "nl", "pl", "pt", "ro", "ru", "sv", "th", "tr", "uk", "vi", "zh",
]  # fmt: skip


@pytest.mark.parametrize("lang", [*LARGEST, "simple"])
def test_the_largest_wikis_have_all_tables(lang: str) -> None:
    assert support_of(lang).gaps() == []


def test_a_language_without_tables_says_what_lacks() -> None:
    assert support_of("eu").gaps() == ["end sections", "value templates", "dates in words"]
    assert support_of("km").borders == "spaces"
    assert support_of("th").borders == "words"


def test_gaps_are_one_line_with_the_languages_of_each() -> None:
    assert describe_gaps(["de", "eu", "cs"]) == (
        "no end sections for eu; no value templates for eu; no dates in words for eu; no embedded"
        " encoder for eu, cs. CONTRIBUTING.md says how to add them"
    )


def test_no_gaps_are_no_line() -> None:
    assert describe_gaps(["en", "th"]) == ""
    assert describe_gaps(["cs"], "sentence-transformers") == ""


def test_the_page_of_languages_is_that_of_the_tables() -> None:
    spec = spec_from_file_location("make_languages", ROOT / "docs" / "make_languages.py")
    assert spec and spec.loader
    made = module_from_spec(spec)
    spec.loader.exec_module(made)
    page = made.render()
    assert (ROOT / "docs" / "languages.md").read_text("utf-8") == page
    assert page.count("\n| `") == len(supported_languages())
    assert "| `th` | 48 |" in page
