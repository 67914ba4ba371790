from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import pytest

from crossic_etl.report.charts import bars, histograms, stacked_bars

SVG = "{http://www.w3.org/2000/svg}"


def marks(svg: str) -> list[tuple[str, float, float]]:
    """Colour, width and height of each bar; a legend's squares are 10 pixels wide and high."""
    found = re.findall(
        r'<path [^>]*d="M[-\d.]+,[-\d.]+h([\d.]+)v([\d.]+)h-[\d.]+Z" fill="(var[^"]*)"', svg
    )
    drawn = [(colour, float(width), float(height)) for width, height, colour in found]
    return [mark for mark in drawn if mark[1:] != (10, 10)]


def words(svg: str) -> list[str]:
    return [text.text or "" for text in ET.fromstring(svg).iter(f"{SVG}text")]


def test_bars_are_as_long_as_their_values() -> None:
    svg = bars([{"job": "b", "s": 2.0}, {"job": "a", "s": 1.0}], "job", "s", "seconds")
    (_, longer, _), (_, shorter, _) = marks(svg)
    assert longer == pytest.approx(2 * shorter)
    assert [word for word in words(svg) if word in "ab"] == ["b", "a"]  # in the order of the rows
    assert "seconds" in words(svg)


def test_pieces_stand_in_the_order_of_their_kinds_in_its_colours() -> None:
    rows = [
        {"lang": "ar", "n": 1, "kind": "second"}, {"lang": "ar", "n": 3, "kind": "first"},
    ]  # fmt: skip
    svg = stacked_bars(rows, "lang", "n", "kind", ["first", "second", "third"], "pairs")
    colours = {colour: width for colour, width, _ in marks(svg)}
    assert colours["var(--series-1)"] == pytest.approx(3 * colours["var(--series-2)"])
    assert {"first", "second", "third"} <= set(words(svg))


@pytest.mark.parametrize("log", [True, False])
def test_a_histogram_has_a_panel_for_each_name(log: bool) -> None:
    rows = [
        {"lang": lang, "low": 1.0 * n, "high": n + 1.0, "rows": n}
        for lang in ("ar", "th")
        for n in range(1, 5)
    ]
    svg = histograms(rows, "lang", "tokens", log=log)
    heights = [height for _, _, height in marks(svg)]
    assert len(heights) == 8
    assert heights[3] == pytest.approx(4 * heights[0], rel=0.05)
    assert {"ar", "th", "tokens"} <= set(words(svg))


def test_kinds_of_a_bin_stand_on_each_other() -> None:
    rows = [{"lang": "ar", "low": 0.5, "high": 0.6, "rows": n, "state": state}
            for n, state in ((3, "accepted"), (1, "refused"))]  # fmt: skip
    heights = {c: h for c, _, h in marks(histograms(rows, "lang", "cosine", kind="state"))}
    assert heights["var(--series-1)"] == pytest.approx(3 * heights["var(--series-2)"], rel=0.05)


def test_words_of_the_data_are_escaped() -> None:
    svg = bars([{"job": "</text><script>x", "s": 1.0}], "job", "s", "&<b>")
    assert "<script" not in svg
    assert "</text><script>x" in words(svg)


def test_two_charts_of_a_page_share_no_id() -> None:
    one = bars([{"job": "a", "s": 1.0}], "job", "s", "seconds")
    other = bars([{"job": "b", "s": 1.0}], "job", "s", "seconds")
    ids = [set(re.findall(r'id="([^"]+)"', svg)) for svg in (one, other)]
    assert not ids[0] & ids[1]
    for svg, own in zip((one, other), ids, strict=True):
        assert set(re.findall(r"url\(#([^)]+)\)", svg)) <= own
    assert "http" not in one.replace("http://www.w3.org/", "")


def test_scores_are_written_as_decimals() -> None:
    rows = [{"lang": "ar", "low": n / 10, "high": n / 10 + 0.1, "rows": 1} for n in range(2, 8)]
    assert {"0.2", "0.4"} <= set(words(histograms(rows, "lang", "cosine", form="~f")))
