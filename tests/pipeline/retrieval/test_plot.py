"""The picture is opened, and what it must show is looked for in it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from crossic_etl.cli.calibrate import draw
from crossic_etl.config.errors import ConfigError
from crossic_etl.kernels.search.calibration import Calibration, calibrate
from crossic_etl.pipeline.retrieval import plot as threshold_plot
from crossic_etl.pipeline.retrieval.plot import check_plot, write_plot

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def found() -> dict[str, Calibration]:
    random = np.random.default_rng(0)
    right = {"ja": random.normal(1.6, 0.1, 30), "th": random.normal(1.5, 0.1, 3), "ar": []}
    return calibrate(right, {"ja": random.normal(1.2, 0.1, 30), "th": [1.1], "ar": []}, 0.9)


@pytest.fixture(scope="module")
def page(found: dict[str, Calibration], tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("plot") / "plot.html"
    write_plot(found, "Right pairs", path)
    return path.read_text(encoding="utf-8")


def test_a_page_holds_the_points_and_the_threshold_of_each_language(
    found: dict[str, Calibration], page: str
) -> None:
    spec = spec_of(page)
    panels = {panel["title"]: panel for panel in spec["concat"]}
    assert spec["title"] == "Right pairs"
    one = found["ja"].point
    assert one is not None
    assert set(panels) == {
        f"all languages: threshold {one_of(found, '*'):.3f}, 33 pairs",
        f"ja: threshold {one.threshold:.3f}, 30 pairs",
        f"th: threshold {one_of(found, '*'):.3f} of all, 3 pairs",
    }
    panel = panels[f"ja: threshold {one.threshold:.3f}, 30 pairs"]
    curves, line = (values_of(spec, layer) for layer in panel["layer"])
    assert line == [{"margin": one.threshold}]
    for name in ("precision", "recall"):
        drawn = [(row["margin"], row["share"]) for row in curves if row["measure"] == name]
        assert drawn == [(point.threshold, getattr(point, name)) for point in found["ja"].table]


def spec_of(page: str) -> dict[str, Any]:
    start = re.search(r"\bspec = (?=\{)", page)
    assert start
    spec: dict[str, Any] = json.JSONDecoder().raw_decode(page, start.end())[0]
    return spec


def values_of(spec: dict[str, Any], layer: dict[str, Any]) -> list[dict[str, Any]]:
    data = layer["data"]
    values: list[dict[str, Any]] = (
        spec["datasets"][data["name"]] if "name" in data else data["values"]
    )
    return values


def one_of(found: dict[str, Calibration], lang: str) -> float:
    point = found[lang].point
    assert point is not None
    return point.threshold


def test_a_page_loads_nothing(page: str) -> None:
    assert not re.search(r"<(script|link)[^>]*\b(src|href)=", page)
    assert "vega" in page and len(page) > 300_000


def test_an_svg_shows_titles_and_curves(found: dict[str, Calibration], tmp_path: Path) -> None:
    path = tmp_path / "plot.svg"
    path.write_text("old")
    write_plot(found, "Right pairs", path)
    root = ElementTree.fromstring(path.read_text(encoding="utf-8"))
    texts = {element.text for element in root.iter() if element.tag.endswith("}text")}
    assert {"Right pairs", "precision", "recall", "least margin"} <= texts
    assert [file.name for file in tmp_path.iterdir()] == ["plot.svg"]


def test_a_plot_that_fails_leaves_the_old_one(
    found: dict[str, Calibration], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "plot.svg"
    path.write_text("old")

    def full(self: Path, target: Path) -> Path:
        raise OSError("disk full")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="disk full"):
        write_plot(found, "Right pairs", path)
    assert path.read_text() == "old"
    assert [file.name for file in tmp_path.iterdir()] == ["plot.svg"]


@pytest.mark.parametrize("name", ["plot.png", "none/plot.svg", "folder.svg"])
def test_a_place_where_no_plot_can_be_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder.svg").mkdir()
    with pytest.raises(
        ConfigError, match=r"--plot: '.*' given, expected a file \.html or \.svg in a"
    ):
        check_plot(tmp_path / name)


def test_without_the_library_or_pairs_one_line_says_so(
    found: dict[str, Calibration],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    draw({"ar": found["ar"]}, "nearest", tmp_path / "plot.svg")
    assert caplog.messages == ["calibrate: no plot without pairs"]
    monkeypatch.setattr(threshold_plot, "PACKAGES", {"no_such_module": "altair", "json": "json"})
    draw(found, "nearest", tmp_path / "plot.svg")
    assert caplog.messages[1:] == [
        "calibrate: no plot without altair: pip install 'crossic-etl[plots]'"
    ]
    assert list(tmp_path.iterdir()) == []
