"""Two months of dumps and crawl files, and whole runs of the pipeline over them in processes."""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from crossic_etl.schemas import (
    DOCUMENTS,
    EMBEDDINGS,
    LINKS,
    NEIGHBOURS,
    PAGES,
    PAIRS,
    REDIRECTS,
    REJECTS,
    REVERSE_NEIGHBOURS,
    SAMPLES,
    WINDOWS,
)
from tests.pipeline.test_months import BEFORE, FIRST, SECOND, after, write_month

ROOT = Path(__file__).parents[2]
SEED = int(os.environ.get("CROSSIC_ETL_SEED", "0"))
COMPARED = (
    PAGES,
    REDIRECTS,
    LINKS,
    PAIRS,
    DOCUMENTS,
    EMBEDDINGS,
    NEIGHBOURS,
    REVERSE_NEIGHBOURS,
    SAMPLES,
    WINDOWS,
    REJECTS,
)
JOBS = ("pages", "links", "pairs", "documents", "embeddings", "neighbours", "samples", "windows")
DONE = re.compile(r"^(\w+): (?:[\d,]+ in|nothing new)", re.MULTILINE)
# Of Spark's daemon, where a task is given up while its worker still writes: it ends with the task.
GIVEN_UP = re.compile(
    r"^Traceback .*\n(?:  .*daemon\.py.*\n(?:    .*\n)*)+BrokenPipeError.*$", re.M
)
# The session of small tables, so that more of a run's time is between its transactions; and small
# chunks, so that there are several.
PIPELINE = """
import json, os, sys
import pytest
from crossic_etl import session
from tests.support.killed_runs import make_chunks_small
more = json.loads(os.environ.get("MORE_SETTINGS", "{}"))
if packages := more.pop("packages", []):
    packages = ",".join([session.DELTA_PACKAGE, *packages])
    session.jars = lambda: {"spark.jars.packages": packages}
session.COMMON.update(more)
make_chunks_small(pytest.MonkeyPatch())
from tests.support.commands import run as main
session.get_session(brief=True)
sys.exit(main(sys.argv[1:]))
"""
FIELDS = "{text: text, url: url, lang: lang}"
# The words are of no language.
RULES = "language: trust, quality: false, min_chars: 20"
SYLLABLES = ("ba", "do", "fi", "gu", "ka", "le", "mo", "ni", "pa", "re", "so", "tu", "va", "wi")
WORDS = [f"{first}{second}r" for first in SYLLABLES for second in SYLLABLES]
# Files keep their times from one month's folder to the next: they are known by them.
WHEN = (1_700_000_000, 1_700_000_000)


def document(number: int) -> dict[str, str]:
    """A web page in words of its own; each fourth is a near duplicate of the one before it."""
    subject = number - 1 if number % 4 == 3 else number
    words = random.Random(subject).choices(WORDS, k=120)
    sentences = (" ".join(words[i : i + 10]).capitalize() + "." for i in range(0, 120, 10))
    end = " One more." if subject != number else ""
    text, url = " ".join(sentences) + end, f"https://web.example/{number}"
    return {"text": text, "url": url, "lang": "en"}


def write_crawl(folder: Path, name: str, numbers: Sequence[int]) -> None:
    """A file of the crawl in a folder, that has the time of all the others."""
    folder.mkdir(exist_ok=True)
    lines = [json.dumps(document(number)) for number in numbers]
    path = folder / f"{name}.jsonl"
    path.write_text("\n".join(lines) + "\n")
    os.utime(path, WHEN)


def write_config(folder: Path, rules: str = RULES, **more: str) -> Path:
    """The configuration of both branches over what is in the folder; ``more`` is further lines."""
    source = f"{{path: {folder}/crawl, format: jsonl, fields: {FIELDS}}}"
    lines = {
        "root": f"{folder}/tables",
        "languages": "[th]",
        "wikipedia": f"{{dumps: {folder}/dumps}}",
        "arrangements": "[en-first, random, retrieved]",
        "window": "{length: 256}",
        "shards": "1",
        "crawl": f"{{sources: [{source}], {rules}}}",
        "neighbours": '{k: 4, shards: 2, recall_queries: 4, thresholds: {"*": 0.0}}',
    } | more
    path = folder / "my.yaml"
    path.write_text("".join(f"{key}: {value}\n" for key, value in lines.items()))
    return path


class World:
    """The input of two months in a folder, and runs over it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        write_month(folder / "dumps", list(BEFORE), FIRST)
        write_month(folder / "dumps", after(), SECOND)
        for month in (FIRST, SECOND):
            write_crawl(folder / f"crawl-{month}", "first", range(12))
        write_crawl(folder / f"crawl-{SECOND}", "second", range(8, 20))
        self.config = write_config(folder)

    def arguments(self, root: str, month: str) -> list[str]:
        """Of the pipeline, for a month's input; a root is a name in the folder, or a URL."""
        crawl = self.folder / "crawl"
        crawl.unlink(missing_ok=True)
        crawl.symlink_to(self.folder / f"crawl-{month}")
        place = root if "://" in root else str(self.folder / root)
        where = [f"--set=root={place}", f"--set=wikipedia.date={month}"]
        return ["--config", str(self.config), *where]

    def start(
        self,
        root: str,
        month: str,
        prefix: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
    ) -> subprocess.Popen[str]:
        """The pipeline over a month's input, in a process group of its own."""
        return subprocess.Popen(
            [*prefix, sys.executable, "-c", PIPELINE, *self.arguments(root, month)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": str(ROOT)} | (environment or {}),
            start_new_session=True,
        )

    def finish(
        self,
        root: str,
        month: str,
        prefix: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
    ) -> float:
        """Seconds of a run that ends well."""
        started = time.monotonic()
        process = self.start(root, month, prefix, environment)
        said, _ = process.communicate(timeout=1800)
        assert process.returncode == 0, said[-3000:]
        assert "Traceback" not in GIVEN_UP.sub("", said), said
        return time.monotonic() - started

    def fail(
        self,
        root: str,
        month: str,
        prefix: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
    ) -> str:
        """The error of a run that ends with status 1 and that one line."""
        process = self.start(root, month, prefix, environment)
        said, _ = process.communicate(timeout=900)
        assert process.returncode == 1, said[-3000:]
        assert "Traceback" not in said, said[-3000:]
        (error,) = re.findall(r"^error: (.*)$", said, re.MULTILINE)
        return str(error)

    def kill(self, root: str, month: str, seconds: float) -> str | None:
        """Kills a run after some seconds; the job that it was in, or None where it had ended."""
        process = self.start(root, month)
        try:
            said, _ = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            said, _ = process.communicate()
            done = DONE.findall(said)
            return f"after {done[-1]}" if done else "before the first job's end"
        assert process.returncode == 0, said[-3000:]
        return None

    def copy(self, root: str, to: str) -> None:
        """The tables of a root in another."""
        shutil.copytree(self.folder / root, self.folder / to)
