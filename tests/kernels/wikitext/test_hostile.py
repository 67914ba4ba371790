"""The kernel ends on any input and keeps the text around an attack.

Times up to 1 MB, and that they grow as the input does, are in the benchmark's table.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from crossic_etl.kernels.wikitext import to_text
from tests.support.cpu_limit import no_hang
from tests.support.hostile_wikitext import AFTER, BEFORE, CONSTRUCTS, SWALLOWING, hostile_page
from tests.support.wikitext_articles import pages_of_dump

SIZES = (10_000, 150_000)


def cleaned(wikitext: str, lang: str = "en") -> str:
    with no_hang():
        return to_text(wikitext, lang).text


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", CONSTRUCTS)
def test_an_attack_ends_and_the_text_around_it_stays(name: str, size: int) -> None:
    text = cleaned(hostile_page(name, size))

    lines = text.encode("utf-8").decode("utf-8").split("\n")
    assert BEFORE in lines
    assert any(AFTER in line for line in lines)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", SWALLOWING)
def test_a_swallowing_attack_ends_and_the_text_before_it_stays(name: str, size: int) -> None:
    text = cleaned(hostile_page(name, size))

    assert BEFORE in text.encode("utf-8").decode("utf-8").split("\n")


@pytest.mark.parametrize("lang", ["ar", "es", "ja", "ko", "pt", "th"])
@pytest.mark.parametrize("name", ["unclosed parser functions", "nested captions", "apostrophes"])
def test_an_attack_ends_in_every_language(name: str, lang: str) -> None:
    text = cleaned(hostile_page(name, 100_000), lang)

    assert BEFORE in text.split("\n")
    assert AFTER in text


@pytest.mark.parametrize("long", ["1" * 150_000, "1e" * 75_000, "m2" * 75_000, "a b " * 40_000])
@pytest.mark.parametrize(
    ("lang", "call"),
    [
        ("fr", "{{unité|%s|km}}"),
        ("fr", "{{date|%s}}"),
        ("fr", "{{s|%s}}"),
        ("en", "{{val|%s|u=m}}"),
        ("en", "{{val|1|u=%s}}"),
        ("en", "{{convert|%s|km}}"),
        ("en", "{{convert|5|km|mi|%s}}"),
        ("en", "{{convert|5|km|mi|sigfig=%s}}"),
        ("en", "{{convert|5|km|mi|99999999}}{{convert|5|km|mi|sigfig=99999999}}{{x|%s}}"),
        ("en", "{{start date|2000|%s|%s}}"),
        ("th", "{{วันเกิด|%s|1|1}}"),
        ("es", "{{siglo|%s||s}}"),
        ("en", "{{rnd|%s|%s}}"),
        ("en", "{{death date and age|%s|1|1|1950|1|1}}"),
        ("no", "a {{x|%s}} b"),
        ("no", "a {{%s|a b}} b"),
    ],
)
def test_a_long_argument_of_a_value_template_ends(lang: str, call: str, long: str) -> None:
    cleaned(call.replace("%s", long), lang)


def test_the_generated_attacks_have_the_size_asked_for() -> None:
    frame = len(BEFORE) + len(AFTER) + 5
    far_off = {
        name: len(hostile_page(name, 10_000)) - frame
        for name in {**CONSTRUCTS, **SWALLOWING}
        if abs(len(hostile_page(name, 10_000)) - frame - 10_000) > 200
    }

    assert far_off == {}


def test_the_shared_hostile_pages_keep_their_paragraphs(shared_data: Path) -> None:
    pages = list(pages_of_dump(shared_data / "hostile" / "hostile-wikitext.xml.bz2", "en"))
    assert len(pages) == 8

    for page in pages:
        text = cleaned(page.wikitext)
        first, *_, last = page.wikitext.strip().split("\n\n")
        assert first.strip() in text, page.title
        assert last.strip() in text, page.title
