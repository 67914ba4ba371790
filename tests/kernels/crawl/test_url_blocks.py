from __future__ import annotations

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossic_etl.kernels.crawl.url_blocks import UrlBlockList

BLOCKS = UrlBlockList.of(
    ["# adult", "", "bad.example", "WWW.Worse.example.", "mixed.example/adult/", "例え.jp  # IDN"]
)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("https://bad.example/", "blocked_domain"),
        ("http://www.BAD.example:8080/page?q#f", "blocked_domain"),
        ("https://a.b.bad.example", "blocked_domain"),
        ("https://user:secret@bad.example/", "blocked_domain"),
        ("bad.example/page", "blocked_domain"),
        ("//worse.example/", "blocked_domain"),
        ("https://例え.jp/", "blocked_domain"),
        ("https://xn--r8jz45g.jp/", "blocked_domain"),
        ("https://mixed.example/adult", "blocked_url"),
        ("https://mixed.example/adult/1?x=/", "blocked_url"),
        ("https://good.example/casinos/", None),
        ("https://mixed.example/adults", None),
        ("https://mixed.example/?adult", None),
        ("https://notbad.example/", None),
        ("https://bad.example.org/", None),
        ("https://good.example/bad.example", None),
        ("urn:ntrex:bbc.381790:es", None),
        ("", None),
        (None, None),
        ("https://\ud800/", None),
    ],
)
def test_reason(url: str | None, reason: str | None) -> None:
    assert BLOCKS.reason(url) == reason


def test_an_empty_list_blocks_nothing() -> None:
    assert UrlBlockList().reason("https://bad.example/") is None


@given(st.text(st.characters(codec=None)))
def test_no_url_raises(url: str) -> None:
    BLOCKS.reason(url)
    UrlBlockList.of([url]).reason(f"https://{url}")


def test_a_long_url_costs_no_more_than_a_short_one() -> None:
    assert BLOCKS.reason("https://bad.example" + "/a" * 1_000_000) == "blocked_domain"
    assert BLOCKS.reason("https://good.example" + "/a" * 1_000_000) is None


def test_it_can_be_sent_to_workers() -> None:
    assert pickle.loads(pickle.dumps(BLOCKS)) == BLOCKS
