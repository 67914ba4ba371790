"""The report in a real browser, without network, from a file."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from crossic_etl.report.html import render
from tests.report.literal_report import SAMPLES, literal_report

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.platform

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), ""
)
SHOWN = "#shown > .sample:not([hidden])"
WIDE, PHONE = {"width": 1280, "height": 900}, {"width": 360, "height": 740}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if not CHROMIUM:
        pytest.skip("no chromium (apt-get install chromium)")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        # No sandbox: a container that runs as root has none to give.
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield running
        running.close()


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    path: Path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(render(literal_report()), encoding="utf-8")
    return path.as_uri()


@pytest.fixture
def complaints() -> list[str]:
    """What the page asked the network for, and what its console said."""
    return []


@pytest.fixture
def page(browser: Browser, address: str, complaints: list[str]) -> Iterator[Page]:
    context = browser.new_context(viewport=WIDE, offline=True)  # type: ignore[arg-type]
    opened = context.new_page()
    opened.on("console", lambda message: complaints.append(message.text))
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on("request", lambda request: complaints.append(request.url))
    opened.goto(address)
    yield opened
    context.close()


def titles(page: Page) -> list[str]:
    return [" ".join(text.split()) for text in page.locator(f"{SHOWN} h3").all_inner_texts()]


def test_it_opens_without_network_and_complains_of_nothing(
    page: Page, address: str, complaints: list[str]
) -> None:
    assert complaints == [address]
    assert page.title() == "crossic-etl: /data/<crossic>"


def test_a_hostile_title_is_only_read(page: Page) -> None:
    page.locator(SHOWN).last.locator("summary").click()
    assert page.evaluate("window.hurt") is None
    assert "onerror=" in page.locator(SHOWN).last.inner_text()
    assert page.locator("img").count() == 0


def test_search_by_title_and_filters_together(page: Page) -> None:
    assert len(titles(page)) == len(SAMPLES)
    page.get_by_label("Title").fill("TEA")
    assert titles(page) == ["Tea | 茶", "Tea | –"]
    assert page.locator("output").inner_text() == "2 samples"
    page.get_by_label("Arrangement").select_option("mix")
    assert titles(page) == ["Tea | –"]
    assert page.locator("output").inner_text() == "1 sample"
    page.get_by_label("Title").fill("")
    page.get_by_label("Arrangement").select_option("")
    page.get_by_label("Language").select_option("ar")
    assert titles(page) == ["NASA | ناسا"]
    page.get_by_label("Title").fill("no such title")
    assert (titles(page), page.locator("output").inner_text()) == ([], "0 samples")


def test_english_stands_left_of_the_target_and_arabic_runs_from_the_right(page: Page) -> None:
    page.get_by_label("Language").select_option("ar")
    shown = page.locator(SHOWN)
    shown.locator("summary").click()
    left, right = (shown.locator(".text").nth(n) for n in (0, 1))
    assert left.bounding_box()["x"] < right.bounding_box()["x"]  # type: ignore[index]
    assert (
        page.evaluate("node => getComputedStyle(node).direction", right.element_handle()) == "rtl"
    )
    assert page.evaluate("node => getComputedStyle(node).textAlign", right.element_handle()) in (
        "start", "right",
    )  # fmt: skip
    assert shown.get_by_role("link", name="ناسا").get_attribute("href") == (
        "https://ar.wikipedia.org/wiki/ناسا"
    )


def test_all_of_it_can_be_reached_with_the_keyboard(page: Page) -> None:
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    reached = []
    for _ in range(60):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.tagName"))
        if page.evaluate("document.activeElement.name") == "title":
            break
    assert "SUMMARY" in reached
    assert reached[-1] == "INPUT"
    page.keyboard.type("nasa")
    for _ in range(3):
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.locator(".sample[open] .text").nth(1).is_visible()
    width = page.evaluate("parseFloat(getComputedStyle(document.activeElement).outlineWidth)")
    assert width >= 2


def luminance(rgb: str) -> float:
    return sum(map(int, rgb.removeprefix("rgb(").rstrip(")").split(", ")))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_light_and_dark(browser: Browser, address: str, scheme: Any) -> None:
    context = browser.new_context(color_scheme=scheme)
    page = context.new_page()
    page.goto(address)
    style = "getComputedStyle(document.body)"
    paper, ink = page.evaluate(f"{style}.backgroundColor"), page.evaluate(f"{style}.color")
    label = page.evaluate("getComputedStyle(document.querySelector('svg text')).fill")
    assert (luminance(paper) > luminance(ink)) == (scheme == "light")
    assert label == ink
    context.close()


@pytest.mark.parametrize("viewport", [WIDE, PHONE])
def test_nothing_is_wider_than_the_screen(browser: Browser, address: str, viewport: Any) -> None:
    context = browser.new_context(viewport=viewport)
    page = context.new_page()
    page.goto(address)
    page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
    context.close()


def test_on_a_telephone_the_target_stands_below_english(browser: Browser, address: str) -> None:
    context = browser.new_context(viewport=PHONE)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(address)
    first = page.locator(SHOWN).first
    first.locator("summary").click()
    boxes = [first.locator(".text").nth(n).bounding_box() for n in (0, 1)]
    assert boxes[0]["y"] < boxes[1]["y"]  # type: ignore[index]
    assert boxes[0]["x"] == boxes[1]["x"]  # type: ignore[index]
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_rules_of_accessibility_hold(browser: Browser, address: str, scheme: Any) -> None:
    from axe_playwright_python.sync_playwright import Axe

    context = browser.new_context(viewport=WIDE, color_scheme=scheme)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(address)
    page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    violations = Axe().run(page).response["violations"]
    assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in violations] == []
    context.close()


def test_a_screen_reader_finds_tables_and_headings(page: Page) -> None:
    assert page.get_by_role("table", name="Rows in and out of each job").count() == 1
    assert page.get_by_role("rowheader", name="pages").first.is_visible()
    assert page.get_by_role("columnheader", name="dropped").is_visible()
    assert page.get_by_role("heading", level=2).all_inner_texts() == [
        "The flow", "Rejects", "Lengths", "Seconds", "Samples",
    ]  # fmt: skip
    assert page.get_by_role("search", name="Samples").count() == 1
    assert page.get_by_role("navigation", name="Sections").count() == 1
