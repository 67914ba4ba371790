"""What a machine does to a run: a fault is one clear line or a reject; the next run is whole."""

from __future__ import annotations

import bz2
import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from crossic_etl.schemas import (
    DOCUMENTS,
    NEIGHBOURS,
    PAGES,
    PAIRS,
    REJECTS,
    RUNS,
    SAMPLES,
)
from crossic_etl.tables import Tables
from tests.deploy.test_platforms import S3A, download
from tests.faults.faulty_store import Faults, faulty_store
from tests.faults.world import COMPARED, FIELDS, RULES, SEED, WHEN, World, document, write_config
from tests.pipeline.test_months import BEFORE, FIRST, SECOND, pair, write_month
from tests.support.commands import verify
from tests.support.servers import object_store, s3a_settings
from tests.support.table_hashes import row_hash, row_hashes

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.faults

Hashes = dict[str, tuple[int, int]]


@pytest.fixture(scope="module")
def undisturbed(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Hashes:
    """The tables of a run over the first month that nothing happened to."""
    world = World(tmp_path_factory.mktemp("undisturbed"))
    world.finish("whole", FIRST)
    return hashes(spark, str(world.folder / "whole"))


def hashes(spark: SparkSession, root: str) -> Hashes:
    """Of all tables; documents without the folder of their file."""
    tables = Tables(spark, root)
    return row_hashes(tables, [table for table in COMPARED if table is not DOCUMENTS])


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[Callable[[str], None]]:
    """A folder on a disk of its own; what is given makes it larger."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    done = subprocess.run(mount, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"no disk of its own can be mounted here: {done.stderr.strip()}")
    try:
        yield lambda larger: subprocess.run(
            ["mount", "-o", f"remount,size={larger}", str(folder)], check=True
        ).check_returncode()
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.mark.parametrize("size", ["200k", "900k"])
def test_a_full_disk(spark: SparkSession, tmp_path: Path, undisturbed: Hashes, size: str) -> None:
    world = World(tmp_path)
    with small_disk(tmp_path / "disk", size) as enlarge:
        error = world.fail("disk/tables", FIRST)
        print(f"disk of {size}: {error}")
        assert "No space left on device" in error
        enlarge("200m")
        world.finish("disk/tables", FIRST)
        assert hashes(spark, str(tmp_path / "disk/tables")) == undisturbed
        assert verify(world.arguments("disk/tables", FIRST)) == 0


# Root may do everything: this takes that away from a process and its children.
POWERLESS = ("setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-all")


@pytest.mark.parametrize("place", ["tables", "tables/pages", "dumps", "crawl"])
def test_permission_denied(
    spark: SparkSession, tmp_path: Path, undisturbed: Hashes, place: str
) -> None:
    world = World(tmp_path)
    (tmp_path / "tables" / "pages").mkdir(parents=True)
    denied = {
        "dumps": next((tmp_path / "dumps" / "enwiki" / FIRST).glob("*.xml.bz2")),
        "crawl": tmp_path / f"crawl-{FIRST}" / "first.jsonl",
    }.get(place, tmp_path / place)
    denied.chmod(0o000 if denied.is_file() else 0o555)
    try:
        error = world.fail("tables", FIRST, POWERLESS)
        print(f"{place}: {error}")
        assert re.search("Permission denied|Cannot create", error), error
    finally:
        denied.chmod(0o755)
    world.finish("tables", FIRST, POWERLESS)
    assert hashes(spark, str(tmp_path / "tables")) == undisturbed


def store_settings(address: str) -> dict[str, Any]:
    """Of a session that reads and writes there."""
    return {
        **s3a_settings(address),
        "spark.jars.excludes": "software.amazon.awssdk:bundle",
        "packages": S3A,
    }


def test_a_store_that_fails_now_and_then_or_is_slow_and_one_that_always_fails(
    spark: SparkSession, tmp_path: Path, undisturbed: Hashes
) -> None:
    world = World(tmp_path)
    faults = Faults(broken=0.03, slow=0.01, seed=SEED)
    with object_store(tmp_path) as (address, store), faulty_store(address, faults) as faulty:
        store.create_bucket(Bucket="lake")
        own = {"MORE_SETTINGS": json.dumps(store_settings(faulty))}
        world.finish("s3a://lake/now-and-then", FIRST, environment=own)
        print(f"{faults.n_requests} requests, {faults.n_broken} broken, {faults.n_slow} slow")
        assert faults.n_broken > 20 and faults.n_slow > 20
        download(store, "lake", "now-and-then/", tmp_path)
        faults.slow = 0.0
        # Gone in the middle of a run.
        process = world.start("s3a://lake/gone", FIRST, environment=own)
        assert process.stdout is not None
        said = ""
        for line in process.stdout:
            said += line
            if line.startswith("links: "):
                faults.broken = 1.0
        assert process.wait(600) == 1
        assert "Traceback" not in said, said[-3000:]
        (error,) = re.findall("^error: (.*)$", said, re.MULTILINE)
        print(f"store gone: {error}")
        faults.broken = 0.0
        world.finish("s3a://lake/gone", FIRST, environment=own)
        download(store, "lake", "gone/", tmp_path)
    for root in ("now-and-then", "gone"):
        assert hashes(spark, str(tmp_path / root)) == undisturbed


def flip(path: Path) -> None:
    """Damages some bytes in the middle of a file."""
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    for place in range(middle, middle + 40):
        data[place] ^= 0x55
    path.write_bytes(bytes(data))


def test_one_damaged_file_among_a_hundred(spark: SparkSession, tmp_path: Path) -> None:
    """A hundred dumps in parts, and a hundred crawl files, of each of which one is damaged."""
    world = World(tmp_path)
    folder = tmp_path / "dumps" / "enwiki" / FIRST
    (whole,) = folder.glob("*.xml.bz2")
    head, *pages = re.split(r"(?=  <page>)", bz2.decompress(whole.read_bytes()).decode())
    whole.unlink()
    pages[-1] = pages[-1].replace("</mediawiki>", "")
    others = [pages[0].replace("<id>1</id>", f"<id>{n}</id>", 1).replace(
        "<title>Tea</title>", f"<title>Part {n}</title>") for n in range(1000, 1100 - len(pages))
    ]  # fmt: skip
    for number, page in enumerate([*pages, *others], start=1):
        name = f"enwiki-{FIRST}-pages-articles{number}.xml-p{number}p{number}.bz2"
        (folder / name).write_bytes(bz2.compress(f"{head}{page}</mediawiki>".encode()))
    flip(folder / f"enwiki-{FIRST}-pages-articles50.xml-p50p50.bz2")
    crawl = tmp_path / "parquet"
    crawl.mkdir()
    for number in range(100):
        rows = [{**document(100 + number), "text": f"{number} " * 9 + document(number)["text"]}]
        pq.write_table(pa.Table.from_pylist(rows), crawl / f"{number:03}.parquet")
    # Not flipped: Parquet's pages have no checksum, and other text is text.
    cut = crawl / "050.parquet"
    cut.write_bytes(cut.read_bytes()[: cut.stat().st_size // 2])
    world.config = write_config(
        tmp_path,
        crawl=f"{{sources: [{{path: {crawl}, format: parquet, fields: {FIELDS}}}], "
        f"{RULES}, near_duplicates: 0}}",
    )
    world.finish("tables", FIRST)
    tables = Tables(spark, str(tmp_path / "tables"))
    assert tables.read(PAGES).where("lang = 'en'").count() == 99
    assert tables.read(DOCUMENTS).count() == 99
    rejects = tables.read(REJECTS).collect()
    assert [row.reason for row in rejects if "articles50" in row.key] == ["damaged_file"]
    assert len([row for row in rejects if "050.parquet" in row.key]) == 1
    assert verify(world.arguments("tables", FIRST)) == 0


def test_a_monster_document_and_a_monster_page(
    spark: SparkSession, tmp_path: Path, undisturbed: Hashes
) -> None:
    """Two hundred megabytes each; workers have 4 GB of addresses, most of them the libraries'."""
    world = World(tmp_path)
    text = "monster " * 25_000_000
    path = tmp_path / f"crawl-{FIRST}" / "monster.jsonl"
    path.write_text(
        json.dumps({"text": text, "url": "https://web.example/monster", "lang": "en"}) + "\n"
    )
    os.utime(path, WHEN)
    monster = pair(99, "Monster", "สัตว์ประหลาด", "Q99")
    write_month(tmp_path / "dumps", [*BEFORE, monster], FIRST)
    (dump,) = (tmp_path / "dumps" / "enwiki" / FIRST).glob("*.xml.bz2")
    xml = bz2.decompress(dump.read_bytes())
    dump.write_bytes(bz2.compress(xml.replace(b"Monster is a thing", text.encode(), 1)))
    own = {"MORE_SETTINGS": json.dumps({"spark.executor.pyspark.memory": "4g"})}
    world.finish("tables", FIRST, environment=own)
    tables = Tables(spark, str(tmp_path / "tables"))
    assert tables.read(PAGES).where("title = 'Monster'").count() == 0
    runs = {row.job: row for row in tables.read(RUNS).collect()}
    assert runs["pages"].dropped["too_large"] == 1
    assert sum(runs["documents"].dropped.values()) >= 1
    assert verify(world.arguments("tables", FIRST)) == 0


def test_python_workers_that_are_killed(
    spark: SparkSession, tmp_path: Path, undisturbed: Hashes
) -> None:
    """As by the kernel, out of memory: a local session doesn't try a task again."""
    world = World(tmp_path)
    process = world.start("tables", FIRST)
    while process.poll() is None:
        time.sleep(0.02)
        for pid in workers_of(process.pid):
            os.kill(pid, signal.SIGKILL)
    assert process.stdout is not None
    said = process.stdout.read()
    assert process.returncode == 1
    assert "Traceback" not in said, said[-3000:]
    (error,) = re.findall("^error: (.*)$", said, re.MULTILINE)
    print(f"workers killed: {error}")
    world.finish("tables", FIRST)
    assert hashes(spark, str(tmp_path / "tables")) == undisturbed


def workers_of(group: int) -> list[int]:
    """Processes of pyspark's daemon in a process group, or in one of its sessions."""
    shown = subprocess.run(
        ["ps", "-eo", "pid=,sid=,args="], capture_output=True, text=True, check=True
    ).stdout
    lines = [line.split(None, 2) for line in shown.splitlines()]
    return [int(pid) for pid, sid, args in lines if int(sid) == group and "pyspark.daemon" in args]


def test_a_clock_that_goes_backwards(
    spark: SparkSession, tmp_path: Path, undisturbed: Hashes
) -> None:
    """All that a killed run and a whole one left is forty days ahead of the runs that follow."""
    world = World(tmp_path)
    process = world.start("killed", FIRST)
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("pairs: "):
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    world.finish("months", FIRST)
    for root in ("killed", "months"):
        put_ahead(Tables(spark, str(tmp_path / root)), days=40)
    world.finish("killed", FIRST)
    assert hashes(spark, str(tmp_path / "killed")) == undisturbed
    world.finish("months", SECOND)
    world.finish("anew", SECOND)
    months, anew = (Tables(spark, str(tmp_path / name)) for name in ("months", "anew"))
    for table in (PAGES, PAIRS, SAMPLES, NEIGHBOURS):
        left, right = (row_hash(of.read(table).drop("dump_date")) for of in (months, anew))
        assert left == right, table.name
    assert verify(world.arguments("months", SECOND)) == 0


def put_ahead(tables: Tables, days: int) -> None:
    """Files and starts of runs as a clock would have them that was so far ahead.

    (A JVM under libfaketime spins before it has begun, so the clock itself can't be moved.)
    """
    tables.spark.sql(f"UPDATE {tables.name('runs')} SET started = started + INTERVAL {days} DAYS")
    for path in Path(tables.root).rglob("*"):
        seconds = path.stat().st_mtime + days * 86_400
        os.utime(path, (seconds, seconds))
