"""Runs that are killed, again and again, and the tables that the next one leaves.

    make test-faults                          # CROSSIC_ETL_KILLS=40, CROSSIC_ETL_SEED=0

Two months of dumps and crawl files; the driver, with its JVM and Python workers, gets SIGKILL at
moments that a seed draws, until the kills of a month are spent; then one run goes to its end.
"""

from __future__ import annotations

import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

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
from crossic_etl.tables import Tables
from jobs.verify import main as verify
from tests.table_hashes import row_hashes
from tests.test_months import BEFORE, FIRST, SECOND, after, write_month

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.faults

ROOT = Path(__file__).parents[1]
KILLS = int(os.environ.get("CROSSIC_ETL_KILLS", "40"))
SEED = int(os.environ.get("CROSSIC_ETL_SEED", "0"))
COMPARED = (
    *(PAGES, REDIRECTS, LINKS, PAIRS, DOCUMENTS, EMBEDDINGS, NEIGHBOURS, REVERSE_NEIGHBOURS),
    *(SAMPLES, WINDOWS, REJECTS),
)
# The session of small tables, so that more of a run's time is between its transactions.
PIPELINE = """
import sys
from crossic_etl.session import get_session
from jobs.pipeline import main
get_session(brief=True)
sys.exit(main(sys.argv[1:]))
"""


def document(number: int) -> dict[str, str]:
    """A web page; each fourth is a near copy of the one before it."""
    subject = number - 1 if number % 4 == 3 else number
    words = " ".join(f"Sentence {i} of the page on subject {subject} is here." for i in range(12))
    end = " One more." if subject != number else ""
    return {"text": words + end, "url": f"https://web.example/{number}"}


def write_crawl(folder: Path, name: str, numbers: range) -> None:
    folder.mkdir(exist_ok=True)
    lines = [json.dumps(document(number)) for number in numbers]
    (folder / f"{name}.jsonl").write_text("\n".join(lines) + "\n")


class World:
    """The input of two months in a folder, and runs over it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        write_month(folder / "dumps", list(BEFORE), FIRST)
        write_month(folder / "dumps", after(), SECOND)
        fields = "{text: text, url: url}"
        for month, names in ((FIRST, ["first"]), (SECOND, ["first", "second"])):
            crawl = folder / f"crawl-{month}"
            for name in names:
                write_crawl(crawl, name, range(12) if name == "first" else range(8, 20))
                os.utime(crawl / f"{name}.jsonl", (1_700_000_000, 1_700_000_000))
        (folder / "my.yaml").write_text(
            f"root: {folder}/tables\nlanguages: [th]\nwikipedia: {{dumps: {folder}/dumps}}\n"
            "arrangements: [en-first, random, retrieved]\nwindow: {length: 256}\nshards: 1\n"
            f"crawl: {{sources: [{{path: {folder}/crawl, format: jsonl, fields: {fields}}}], "
            "quality: false, min_chars: 20}\n"
            'neighbours: {k: 4, shards: 2, recall_queries: 4, thresholds: {"*": 0.0}}\n'
        )

    def start(self, root: str, month: str) -> subprocess.Popen[str]:
        """The pipeline over a month's input, in a process group of its own."""
        crawl = self.folder / "crawl"
        crawl.unlink(missing_ok=True)
        crawl.symlink_to(self.folder / f"crawl-{month}")
        where = [f"--set=root={self.folder / root}", f"--set=wikipedia.date={month}"]
        return subprocess.Popen(
            [sys.executable, "-c", PIPELINE, "--config", self.folder / "my.yaml", *where],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=ROOT,
            start_new_session=True,
        )

    def finish(self, root: str, month: str) -> float:
        """Seconds of a run that nobody kills."""
        started = time.monotonic()
        process = self.start(root, month)
        said, _ = process.communicate(timeout=900)
        assert process.returncode == 0, said[-3000:]
        assert "Traceback" not in said
        return time.monotonic() - started

    def kill(self, root: str, month: str, seconds: float) -> str:
        """Kills a run after some seconds; the job that it was in."""
        process = self.start(root, month)
        try:
            said, _ = process.communicate(timeout=seconds)
            assert process.returncode == 0, said[-3000:]
            return "ended before"
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            said, _ = process.communicate()
        done = re.findall(r"^(\w+): (?:[\d,]+ in|nothing new)", said, re.MULTILINE)
        return f"after {done[-1]}" if done else "before the first job's end"


def test_tables_of_runs_that_were_killed_are_those_of_runs_that_were_not(
    spark: SparkSession, tmp_path: Path
) -> None:
    world, moments = World(tmp_path), random.Random(SEED)
    for month in (FIRST, SECOND):
        seconds = world.finish("whole", month)
        for number in range(KILLS // 2):
            moment = moments.uniform(5.0, seconds)
            place = world.kill("killed", month, moment)
            print(f"{month} kill {number + 1}: at {moment:.1f} s, {place}", flush=True)
        world.finish("killed", month)
        whole, killed = (Tables(spark, str(tmp_path / name)) for name in ("whole", "killed"))
        assert row_hashes(killed, COMPARED) == row_hashes(whole, COMPARED)
    where = [f"--set=root={tmp_path / 'killed'}", f"--set=wikipedia.date={SECOND}"]
    assert verify(["--config", str(tmp_path / "my.yaml"), *where]) == 0


def test_two_runs_at_once_leave_the_tables_of_one(spark: SparkSession, tmp_path: Path) -> None:
    world = World(tmp_path)
    world.finish("one", FIRST)
    for number in range(int(os.environ.get("CROSSIC_ETL_PAIRS", "20"))):
        root = f"both-{number}"
        both = [world.start(root, FIRST) for _ in range(2)]
        said = [process.communicate(timeout=1800)[0] for process in both]
        assert [process.returncode for process in both] == [0, 0], said
        one, two = (Tables(spark, str(tmp_path / name)) for name in ("one", root))
        assert row_hashes(two, COMPARED) == row_hashes(one, COMPARED)
        print(f"pair {number + 1}: the same tables", flush=True)
