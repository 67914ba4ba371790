"""The notebooks: clean as they are kept, and right in what they show when a kernel runs them."""

from __future__ import annotations

import ast
import re
import shutil
import sys
import unicodedata
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import nbformat
import numpy as np
import pyarrow.parquet as pq
import pytest
from nbclient.exceptions import CellExecutionError

from crossic_etl import notebook
from crossic_etl.notebook import default_root, parameter, warehouse
from crossic_etl.sample.build_web import load_web_sample
from tests.support.jupyter import charts, grids, pages, printed, processes_of, run, values
from tests.support.servers import connect_server

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "notebooks"
NAMES = (
    "01_follow_one_pair",
    "02_inspect_samples",
    "03_retrieval",
    "04_databricks_quickstart",
)
NOTEBOOKS = {name: nbformat.read(FOLDER / f"{name}.ipynb", as_version=4) for name in NAMES}
# What Spark Connect, and so Databricks, doesn't have, or what brings all rows to the driver.
ABSENT = {"sparkContext", "rdd", "_jvm", "_jsc", "_sc", "toLocalIterator", "foreach"}
UNBOUNDED = {"collect", "toPandas", "toArrow"}
THAI = re.compile(r"[\u0e01-\u0e5b]{3}")


def code(name: str) -> list[str]:
    return [cell.source for cell in NOTEBOOKS[name].cells if cell.cell_type == "code"]


def nodes(name: str) -> list[ast.AST]:
    return [node for source in code(name) for node in ast.walk(ast.parse(source))]


def test_every_notebook_is_tested() -> None:
    assert sorted(path.stem for path in FOLDER.glob("*.ipynb")) == list(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_is_kept_without_what_a_run_leaves(name: str) -> None:
    nbformat.validate(NOTEBOOKS[name])
    assert NOTEBOOKS[name].cells[0].source.startswith("# ")
    cells = [cell for cell in NOTEBOOKS[name].cells if cell.cell_type == "code"]
    assert [(cell.outputs, cell.execution_count) for cell in cells] == [([], None)] * len(cells)
    assert not any(cell.metadata for cell in NOTEBOOKS[name].cells)
    assert NOTEBOOKS[name].metadata == {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    text = (FOLDER / f"{name}.ipynb").read_text("utf-8")
    assert not re.search(r"/(home|root|work|tmp|Users|opt|mnt)\b|[A-Z]:\\\\", text)


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_needs_only_what_spark_connect_has_and_takes_bounded_results(name: str) -> None:
    found = nodes(name)
    used = {node.attr for node in found if isinstance(node, ast.Attribute)}
    assert not used & ABSENT
    for node in found:
        if isinstance(node, ast.Attribute) and node.attr in UNBOUNDED:
            before = node.value
            assert isinstance(before, ast.Call) and isinstance(before.func, ast.Attribute)
            assert before.func.attr == "limit", ast.unparse(node)


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_uses_the_python_api_and_nothing_deeper(name: str) -> None:
    modules = {
        alias.name for one in nodes(name) if isinstance(one, ast.Import) for alias in one.names
    }
    for node in nodes(name):
        if isinstance(node, ast.ImportFrom):
            modules.add(str(node.module))
            if node.module == "crossic_etl.notebook":
                assert {alias.name for alias in node.names} <= set(notebook.__all__)
    own = {one for one in modules if one.partition(".")[0] in ("crossic_etl", "jobs", "tests")}
    assert own == {"crossic_etl", "crossic_etl.notebook"}


@pytest.mark.parametrize("name", NAMES)
def test_the_table_at_the_top_has_every_parameter(name: str) -> None:
    table = NOTEBOOKS[name].cells[0].source
    calls = [node for node in nodes(name) if isinstance(node, ast.Call)]
    called = [call for call in calls if ast.unparse(call.func) == "parameter"]
    names = {str(ast.literal_eval(call.args[0])) for call in called}
    assert {one.lower() for one in re.findall(r"`CROSSIC_ETL_(\w+)`", table)} == names
    assert {f"`{one}`" for one in names} <= set(re.findall(r"`\w+`", table))
    assert all(ast.unparse(call.args[2]) == "dbutils" for call in called)


class Widgets:
    """Those of Databricks, of which a job has set some."""

    def __init__(self, **given: str) -> None:
        self.held = given

    def text(self, name: str, default: str) -> None:
        self.held.setdefault(name, default)

    def get(self, name: str) -> str:
        return self.held[name]


def test_a_parameter_is_a_widget_or_a_variable_or_its_default(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("CROSSIC_ETL_TITLE", raising=False)
    assert parameter("title", "Moon") == "Moon"
    monkeypatch.setenv("CROSSIC_ETL_TITLE", "Tea")
    assert parameter("title", "Moon") == "Tea"
    assert parameter("title", "Moon", SimpleNamespace(widgets=Widgets())) == "Moon"
    assert parameter("title", "Moon", SimpleNamespace(widgets=Widgets(title="Rain"))) == "Rain"


def test_the_tables_are_found_from_both_folders_and_on_databricks(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("DATABRICKS_RUNTIME_VERSION", raising=False)
    (tmp_path / "notebooks").mkdir()
    for folder in (tmp_path, tmp_path / "notebooks"):
        monkeypatch.chdir(folder)
        assert warehouse() == f"{tmp_path}/warehouse"
        assert default_root() == f"{tmp_path}/warehouse/tables"
    monkeypatch.setenv("DATABRICKS_RUNTIME_VERSION", "18.0")
    assert default_root() == "main.crossic"


def test_both_sides_stand_in_their_direction_and_nothing_in_them_runs() -> None:
    world: dict[str, Any] = {}
    for source in code("02_inspect_samples"):
        if source.startswith("from ") or "def beside_each_other" in source:
            exec(compile(source, "notebook", "exec"), world)
    sample = SimpleNamespace(
        arrangement="en-first", split="train", licence="CC-BY-SA-4.0", n_tokens=9,
        en_title=None, en_url="https://a.example/?a=1&b=<i>", target_title="<b>شاي</b>",
        en_text="<script>alert(1)</script> & tea", target_text="Tea هو شاي", target_lang="ar",
        target_url=None, n_en_tokens=5, n_target_tokens=3,
    )  # fmt: skip
    page = world["beside_each_other"](sample)
    assert re.findall(r'<td lang="(\w+)" dir="(\w+)"', page) == [("en", "auto"), ("ar", "rtl")]
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; tea" in page
    assert "&lt;b&gt;شاي&lt;/b&gt;" in page and "Tea هو شاي" in page
    assert "https://a.example/?a=1&amp;b=&lt;i&gt;" in page
    tags = set(re.findall(r"<(\w+)", page))
    assert tags == {"p", "table", "tr", "td", "b"}


@pytest.mark.platform
def test_a_kernel_ends_where_a_cell_fails_and_runs_this_python(tmp_path: Path) -> None:
    cells = [nbformat.v4.new_code_cell(source) for source in (
        "import subprocess, sys; print(sys.executable)",
        "child = subprocess.Popen(['sleep', '600'])",
        "raise LookupError('no such page')",
    )]  # fmt: skip
    path = tmp_path / "failing.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells[:1]), path)
    assert printed(run(path, tmp_path / "one", {})).strip() == sys.executable
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    with pytest.raises(CellExecutionError, match="no such page"):
        run(path, tmp_path / "two", {})
    assert not processes_of(tmp_path / "two")


class World:
    """A copy of the notebooks, with what the quickstart made beside it as ``make run`` does."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        shutil.copytree(FOLDER, folder / "notebooks")
        given = {"LANGUAGES": "es, th", "ARRANGEMENTS": "en-first, retrieved"}
        self.quickstart = self.run("04_databricks_quickstart", **given)
        self.tables = folder / "warehouse" / "tables"

    def run(self, name: str, remote: str = "", **given: str) -> nbformat.NotebookNode:
        """A notebook run with parameters and, for all others, their defaults.

        ``remote`` is the address of a Spark Connect server; without one the session is a local one.
        """
        variables = {f"CROSSIC_ETL_{key}": value for key, value in given.items()}
        if remote:
            variables["SPARK_REMOTE"] = remote
        path = self.folder / "notebooks" / f"{name}.ipynb"
        return run(path, self.folder / f"run {name}", {"PYTHONPATH": str(ROOT), **variables})

    def rows(self, table: str) -> list[dict[str, Any]]:
        """Of a table that was written once: past all notebooks, and past Spark."""
        # Delta writes the partition columns into the files too.
        table_of_all = pq.read_table(self.tables / table, partitioning=None)
        rows: list[dict[str, Any]] = table_of_all.to_pylist()
        return rows


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return World(tmp_path_factory.mktemp("notebooks"))


@pytest.fixture(scope="module")
def remote(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a Spark Connect server: what a notebook on Databricks talks to."""
    with connect_server(tmp_path_factory.mktemp("server")) as address:
        yield address


@pytest.fixture(scope="module")
def retrieval(world: World, remote: str) -> nbformat.NotebookNode:
    return world.run("03_retrieval", remote)


@pytest.mark.platform
def test_the_quickstart_makes_tables_whose_counts_add_up(world: World) -> None:
    tables, runs = grids(world.quickstart)
    rows = {row["table"]: int(row["rows"]) for row in tables}
    counts = {row["job"]: {name: int(row[name]) for name in ("in", "used", "dropped", "out")}
              for row in runs}  # fmt: skip
    assert list(counts) == [
        "pages",
        "links",
        "pairs",
        "documents",
        "embeddings",
        "neighbours",
        "samples",
        "windows",
    ]
    for job, one in counts.items():
        assert one["in"] == one["used"] + one["dropped"], job
    assert rows["pairs"] == 28  # fourteen subjects in two languages
    assert rows["pages"] + rows["redirects"] == counts["pages"]["out"]
    for job in ("links", "pairs", "documents", "neighbours", "samples", "windows"):
        assert rows[job] == counts[job]["out"] > 0
    for table in ("pairs", "samples", "windows"):
        assert rows[table] == len(world.rows(table))


@pytest.mark.platform
def test_the_quickstart_takes_its_parameters_and_shows_a_sample_and_a_window(world: World) -> None:
    samples = world.rows("samples")
    assert {row["arrangement"] for row in samples} == {"en-first", "retrieved"}
    assert {row["target_lang"] for row in samples} == {"es", "th"}
    text = printed(world.quickstart)
    assert f"root: {world.folder}/warehouse/tables" in text
    assert "pages: reads" in text and "windows: reads" in text
    (line,) = re.findall(r"one sample of ([\d,]+) tokens", text)
    whole = [row["n_tokens"] for row in samples if row["n_segments"] == 1]
    assert int(line.replace(",", "")) == min(whole)
    order = ("arrangement", "split", "generation", "shard", "position")
    window = min(world.rows("windows"), key=lambda row: [row[name] for name in order])
    (first,) = [row for row in samples if row["sample_id"] == window["sample_ids"][0]]
    decoded = text.rpartition("whole samples\n\n")[2]
    assert len(decoded) > 500
    assert unicodedata.normalize("NFC", first["en_text"]).startswith(decoded[:500])


@pytest.mark.platform
def test_one_pair_is_followed_to_the_window_that_holds_it_whole(world: World) -> None:
    notebook = world.run("01_follow_one_pair", LANGUAGE="th", TITLE="Lighthouse")
    text = printed(notebook)
    for line in (
        "<title>Lighthouse</title>", "<title>ประภาคาร</title>",
        "en: Light tower → Lighthouse", "en: Tower light → Light tower",
        "th: หอประภาคาร → ประภาคาร", "th: โคมประภาคาร → หอประภาคาร",
    ):  # fmt: skip
        assert line in text
    assert "| A lighthouse is a tower" in text

    left_out, links, _, samples = grids(notebook)
    assert {(row["lang"], row["left_out"]) for row in left_out} >= {("en", "ref"), ("en", "file")}
    assert {(row["lang"], row["target_lang"]) for row in links} <= {("en", "th"), ("th", "en")}
    assert "qid" in {row["evidence"] for row in links}
    pairs = {(row["en_title"], row["target_lang"]): row for row in world.rows("pairs")}
    pair = pairs["Lighthouse", "th"]
    assert len(links) == pair["n_links"]

    own = [row for row in world.rows("samples") if row["target_title"] == "ประภาคาร"]
    assert sorted((row["arrangement"], int(row["n_tokens"])) for row in samples) == sorted(
        (row["arrangement"], row["n_tokens"]) for row in own
    )
    (sample, *_) = sorted(
        (row for row in own if row["arrangement"] == "en-first"), key=lambda row: row["segment"]
    )
    (page,) = [page for page in pages(notebook) if 'class="sample"' in page]
    (marked,) = re.findall(r'<div class="sample".*?>(.*?</div>)</div>', page, re.S)
    lines = re.findall(r'<div dir="auto">(.*?)</div>', marked, re.S)
    shown = "\n".join(unescape(line).replace("\u00a0", "") for line in lines)
    assert THAI.search(shown)
    whole = f"{sample['en_text']}\n\n{sample['target_text']}<|quad_end|>"
    assert shown == unicodedata.normalize("NFC", whole).replace("\u00a0", "")


@pytest.mark.platform
def test_samples_are_counted_drawn_and_shown_side_by_side(world: World, remote: str) -> None:
    notebook = world.run("02_inspect_samples", remote, LANGUAGE="th")
    chosen = [row for row in world.rows("samples") if row["target_lang"] == "th"]
    assert f"{len(chosen):,} samples" in printed(notebook)

    counts, lengths, sides, dropped, rejects = charts(notebook)
    per_arrangement = {
        name: sum(row["arrangement"] == name for row in chosen)
        for name in ("en-first", "retrieved")
    }
    assert {row["arrangement"]: row["rows"] for row in values(counts)} == per_arrangement
    assert {row["target_lang"] for row in values(counts)} == {"th"}
    assert sum(row["rows"] for row in values(lengths)) == len(chosen)
    for row in values(lengths):
        tokens = [o["n_tokens"] for o in chosen if o["arrangement"] == row["arrangement"]]
        assert sum(row["low"] <= n < row["high"] for n in tokens) == row["rows"]
    assert sorted((row["n_en_tokens"], row["n_target_tokens"]) for row in values(sides)) == sorted(
        (row["n_en_tokens"], row["n_target_tokens"]) for row in chosen
    )

    flow = grids(notebook)[1]
    for run_of_job in flow:
        reasons = [row["rows"] for row in values(dropped) if row["job"] == run_of_job["job"]]
        assert sum(reasons) == int(run_of_job["dropped"])
    assert sum(row["rows"] for row in values(rejects)) == len(world.rows("rejects")) > 0

    shortest = min(chosen, key=lambda row: (row["n_tokens"], row["sample_id"]))
    page = pages(notebook)[-1]
    assert 'lang="th"' in page and THAI.search(page)
    assert shortest["target_text"][:1000] in unescape(page)
    assert shortest["en_text"][:1000] in unescape(page)


@pytest.mark.platform
def test_the_neighbours_of_a_page_are_those_of_the_table(
    world: World, retrieval: nbformat.NotebookNode
) -> None:
    found, nearest, *_ = grids(retrieval)
    neighbours = world.rows("neighbours")
    assert sum(int(row["accepted"]) for row in found) == sum(row["accepted"] for row in neighbours)
    documents = {row["doc_id"]: row for row in world.rows("documents")}
    (pair,) = [
        row for row in world.rows("pairs")
        if row["en_title"] == "Lighthouse" and row["target_lang"] == "es"
    ]  # fmt: skip
    own = [row for row in neighbours if row["query_id"] == f"es:{pair['target_page_id']}"]
    own.sort(key=lambda row: row["rank"])
    assert [row["url"] for row in nearest] == [documents[row["doc_id"]]["url"] for row in own]
    for shown, row in zip(nearest, own, strict=True):
        start = shown["beginning"].removesuffix("...")[:100].replace("\\n", "\n")
        assert documents[row["doc_id"]]["text"].startswith(start)
    subjects = {web.url: web.subject for web in load_web_sample()}
    assert subjects[nearest[0]["url"]] == "Lighthouse"


@pytest.mark.platform
def test_scores_and_curves_are_drawn_from_all_queries(
    world: World, retrieval: nbformat.NotebookNode
) -> None:
    scores, curves, _ = charts(retrieval)
    queries = {row["query_id"] for row in world.rows("neighbours")}
    for part in scores["hconcat"]:
        assert sum(row["rows"] for row in values(scores, part)) == len(queries)
    titles = [panel["title"] for panel in curves["concat"]]
    assert [title.partition(":")[0] for title in titles] == ["all languages", "es", "th"]
    for panel in curves["concat"]:
        drawn = values(curves, panel["layer"][0])
        points = [row for row in drawn if row["measure"] == "recall"]
        recall = [row["share"] for row in sorted(points, key=lambda row: row["margin"])]
        assert recall[0] == 1 and recall == sorted(recall, reverse=True)
        precision = [row["share"] for row in drawn if row["measure"] == "precision"]
        assert precision[0] == pytest.approx(0.5, abs=0.05) and max(precision) == 1


@pytest.mark.platform
def test_pairs_lie_together_on_the_map(retrieval: nbformat.NotebookNode) -> None:
    *_, drawn = charts(retrieval)
    lines, points = (values(drawn, layer) for layer in drawn["layer"])
    assert len(lines) == 28 and len(points) == 28 + 14
    assert {row["language"] for row in points} == {"en", "es", "th"}
    begin = np.array([(row["x"], row["y"]) for row in lines])
    end = np.array([(row["x2"], row["y2"]) for row in lines])
    everything = np.concatenate([begin, end])
    np.testing.assert_allclose(everything.mean(axis=0), 0, atol=1e-6)
    assert everything[:, 0].var() >= everything[:, 1].var() > 0
    apart = np.linalg.norm(begin[:, None] - end[None, :], axis=2)
    assert np.median(np.diag(apart)) < np.median(apart) / 2
    titles = {(row["language"], row["english"]): row["title"] for row in lines}
    assert titles["th", "Lighthouse"] == "ประภาคาร"
