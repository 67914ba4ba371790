"""Notebooks run as Jupyter runs them, each in a kernel of its own, and what they show."""

from __future__ import annotations

import json
import os
import re
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import nbformat
from jupyter_client import AsyncKernelManager
from jupyter_client.kernelspec import KernelSpecManager
from nbclient import NotebookClient

SECONDS = 1800  # for a cell: one of them runs the whole pipeline, perhaps on a busy machine


def run(path: Path, scratch: Path, environment: Mapping[str, str]) -> nbformat.NotebookNode:
    """The notebook with its outputs, run in its own folder by the Python that runs this.

    ``scratch`` is a new folder. When this returns or raises, the kernel is gone, with all that it
    started.
    """
    scratch.mkdir()
    own = {name: str(scratch) for name in ("TMPDIR", "IPYTHONDIR", "JUPYTER_RUNTIME_DIR")}
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(notebook, km=_manager(scratch), timeout=SECONDS)
    try:
        client.execute(
            cwd=str(path.parent), env={**os.environ, **environment, **own}, cleanup_kc=True
        )
    finally:
        _wait_for_the_end(scratch)
    return notebook


def _wait_for_the_end(scratch: Path) -> None:
    deadline = time.monotonic() + 30
    while left := processes_of(scratch):
        assert time.monotonic() < deadline, f"still running: {left}"
        time.sleep(0.2)


def _manager(scratch: Path) -> AsyncKernelManager:
    spec = scratch / "kernels" / "own" / "kernel.json"
    spec.parent.mkdir(parents=True)
    command = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    spec.write_text(json.dumps({"argv": command, "display_name": "own", "language": "python"}))
    specs = KernelSpecManager(kernel_dirs=[str(spec.parents[1])])
    file = str(scratch / "connection.json")
    return AsyncKernelManager(kernel_name="own", kernel_spec_manager=specs, connection_file=file)


def processes_of(scratch: Path) -> list[int]:
    """Processes that were started with the scratch folder in their environment."""
    mark, found = f"TMPDIR={scratch}\0".encode(), []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if mark in (entry / "environ").read_bytes() + b"\0":
                found.append(int(entry.name))
        except OSError:  # it has ended, or isn't ours
            continue
    return found


def printed(notebook: nbformat.NotebookNode) -> str:
    """All that the cells printed."""
    return "".join(o.text for o in _outputs(notebook) if o.output_type == "stream")


def pages(notebook: nbformat.NotebookNode) -> list[str]:
    """The HTML of each result, charts and tables too."""
    results = [o.get("data", {}).get("text/html") for o in _outputs(notebook)]
    return [page for page in results if page]


def _outputs(notebook: nbformat.NotebookNode) -> Iterator[Any]:
    for cell in notebook.cells:
        yield from cell.get("outputs", [])


def grids(notebook: nbformat.NotebookNode) -> list[list[dict[str, str]]]:
    """The rows of each table that pandas made, cells by their columns' names."""
    found = [
        re.search(r'<table border.*?class="dataframe".*</table>', p, re.S) for p in pages(notebook)
    ]
    return [_rows(ElementTree.fromstring(match[0])) for match in found if match]


def _rows(table: ElementTree.Element) -> list[dict[str, str]]:
    names = [cell.text or "" for cell in table.findall("thead/tr/th")][1:]
    return [
        dict(zip(names, [cell.text or "" for cell in row.findall("td")], strict=True))
        for row in table.findall("tbody/tr")
    ]


def charts(notebook: nbformat.NotebookNode) -> list[dict[str, Any]]:
    """The Vega-Lite specification of each chart."""
    starts = [(page, re.search(r"\}\)\((?=\{)", page)) for page in pages(notebook)]
    decoder = json.JSONDecoder()
    return [decoder.raw_decode(page, start.end())[0] for page, start in starts if start]


def values(chart: Mapping[str, Any], part: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
    """The rows that a chart, or a part of it, is drawn from."""
    data = (part or chart)["data"]
    rows: list[dict[str, Any]] = data.get("values") or chart["datasets"][data["name"]]
    return rows
