"""The job from its command line, on real dumps that a local mirror serves."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from crossic_etl.cli.download import shard
from tests.download.mirror_server import Fault, MirrorServer, serving
from tests.support.commands import download as main

pytestmark = pytest.mark.slow

DATE = "20220720"
DUMPS = (
    "langlinks.sql.gz",
    "page_props.sql.gz",
    "pages-articles-multistream.xml.bz2",
)


@pytest.fixture
def server(shared_data: Path) -> Iterator[MirrorServer]:
    mirror = MirrorServer()
    for wiki in ("enwiki", "thwiki"):
        folder = shared_data / "wiki" / wiki / DATE

        def content(name: str, folder: Path = folder, wiki: str = wiki) -> dict[str, bytes]:
            return {name: (folder / f"{wiki}-{DATE}-{name}").read_bytes()}

        mirror.add_dump(
            wiki, DATE,
            {
                "langlinkstable": content("langlinks.sql.gz"),
                "pagepropstable": content("page_props.sql.gz"),
                "redirecttable": content("redirect.sql.gz"),
                "articlesmultistreamdump": content("pages-articles-multistream.xml.bz2"),
            },
        )  # fmt: skip
    crawl = sorted((shared_data / "crawl" / "fineweb").glob("*.parquet"))
    for path in crawl:
        mirror.files[f"/web/data/{path.name}"] = path.read_bytes()
    mirror.files["/list.txt"] = "\n".join(f"data/{path.name}" for path in crawl).encode()
    with serving(mirror) as running:
        yield running


@pytest.fixture
def config_file(server: MirrorServer, tmp_path: Path) -> Path:
    path = tmp_path / "my.yaml"
    crawl = {"listing": f"{server.url}/list.txt", "to": str(tmp_path / "web")}
    settings = {
        "root": str(tmp_path / "tables"),
        "languages": ["th"],
        "wikipedia": {"dumps": str(tmp_path / "dumps")},
        "download": {
            "mirror": server.url, "contact": "me@example.org", "backoff": 0.01,
            "crawl": [{**crawl, "base": f"{server.url}/web/"}],
        },
    }  # fmt: skip
    path.write_text(yaml.safe_dump(settings))
    return path


def below(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not path.name.startswith(".")
    }


def test_dumps_and_crawl_come_whole_over_a_mirror_that_misbehaves(
    server: MirrorServer, config_file: Path, tmp_path: Path, shared_data: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    english = f"/enwiki/{DATE}/enwiki-{DATE}-"
    server.faults[f"{english}{DUMPS[2]}"].extend([Fault(cut=70_000), Fault(ignores_range=True)])
    server.faults[f"{english}{DUMPS[0]}"].append(Fault(wrong_byte=99))
    server.faults[f"{english}{DUMPS[1]}"].append(Fault(status=429, headers={"Retry-After": "0"}))
    server.faults["/web/data/th-000.parquet"].extend([Fault(status=503), Fault(cut=9)])
    assert main(["--config", str(config_file)]) == 0
    assert below(tmp_path / "dumps") == {
        f"{wiki}/{DATE}/{wiki}-{DATE}-{name}": (
            shared_data / "wiki" / wiki / DATE / f"{wiki}-{DATE}-{name}"
        ).read_bytes()
        for wiki in ("enwiki", "thwiki")
        for name in DUMPS
    }
    assert below(tmp_path / "web") == {
        f"data/{path.name}": path.read_bytes()
        for path in (shared_data / "crawl" / "fineweb").iterdir()
    }
    shown = capsys.readouterr().out
    assert "download: 13 files fetched, 0 were there" in shown
    assert f'wikipedia.date: "{DATE}"' in shown
    server.requests.clear()
    assert main(["--config", str(config_file)]) == 0
    assert "download: 0 files fetched, 13 were there" in capsys.readouterr().out
    assert {path.rpartition("/")[2] for path, _ in server.requests} == {
        "", "dumpstatus.json", "list.txt",
    }  # fmt: skip


def test_a_damaged_copy_is_one_line_of_error_and_the_rest_is_there(
    server: MirrorServer, config_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    damaged = f"/thwiki/{DATE}/thwiki-{DATE}-langlinks.sql.gz"
    server.faults[damaged].extend([Fault(wrong_byte=5)] * 2)
    assert main(["--config", str(config_file), "--only", "dumps"]) == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert error.startswith(f"error: {server.url}{damaged}: sha1 ")
    assert {name.split("/")[0] for name in below(tmp_path / "dumps")} == {"enwiki"}


def test_shards_of_several_machines_are_the_whole_list(
    config_file: Path, tmp_path: Path, shared_data: Path
) -> None:
    whole = {f"data/{path.name}" for path in (shared_data / "crawl" / "fineweb").iterdir()}
    seen: list[set[str]] = []
    for number in (1, 2):
        arguments = ["--only", "crawl", "--shards", f"{number}/2"]
        assert main(["--config", str(config_file), *arguments]) == 0
        seen.append(set(below(tmp_path / "web")))
    assert len(seen[0]) == 4
    assert seen[1] == whole
    assert not (tmp_path / "dumps").exists()


def test_a_dry_run_fetches_nothing(
    server: MirrorServer, config_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--config", str(config_file), "--dry-run"]) == 0
    assert len([line for line in capsys.readouterr().out.splitlines() if " -> " in line]) == 13
    assert [path.name for path in tmp_path.iterdir()] == ["my.yaml"]


def test_two_files_in_one_place_are_refused(
    config_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = yaml.safe_load(config_file.read_text())
    settings["download"]["crawl"] *= 2
    config_file.write_text(yaml.safe_dump(settings))
    assert main(["--config", str(config_file), "--only", "crawl"]) == 1
    assert "2 files would go to" in capsys.readouterr().err


def test_nothing_to_fetch_is_one_line(
    config_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--set", "download.crawl=[]", "--only", "crawl"]
    assert main(["--config", str(config_file), *arguments]) == 1
    assert capsys.readouterr().err == (
        "error: download.crawl: () given, expected a list of files\n"
    )


@pytest.mark.parametrize("text", ["0/2", "3/2", "2", "a/b", "1/0", "-1/2"])
def test_a_shard_that_is_none_is_refused(
    text: str, config_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--config", str(config_file), f"--shards={text}"]) == 2
    assert f"{text!r} given, expected 1/N to N/N" in capsys.readouterr().err


def test_shards_are_counted_from_1() -> None:
    assert (shard("1/1"), shard("2/10")) == ((1, 1), (2, 10))


@pytest.mark.parametrize(
    ("sent", "status", "error"),
    [
        (signal.SIGKILL, -9, ""),
        (signal.SIGINT, 130, "stopped; run the same command to go on\n"),
        (signal.SIGTERM, 143, "stopped; run the same command to go on\n"),
    ],
)
def test_a_run_that_was_ended_is_gone_on_with(
    server: MirrorServer, config_file: Path, tmp_path: Path, shared_data: Path,
    sent: signal.Signals, status: int, error: str,
) -> None:  # fmt: skip
    path = f"/enwiki/{DATE}/enwiki-{DATE}-{DUMPS[2]}"
    server.faults[path].append(Fault(cut=100_000))
    server.faults[path].extend([Fault(status=503, headers={"Retry-After": "600"})])
    command = [sys.executable, "-m", "jobs.download", "--config", str(config_file)]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    with subprocess.Popen(
        command, env=environment, cwd=tmp_path, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as running:  # fmt: skip
        assert running.stdout
        assert any("again in 600 s" in line for line in running.stdout)
        running.send_signal(sent)
        _, shown = running.communicate(timeout=30)
    assert (running.returncode, shown) == (status, error)
    part = tmp_path / "dumps" / "enwiki" / DATE / f".enwiki-{DATE}-{DUMPS[2]}.part"
    assert part.stat().st_size == 100_000
    assert json.loads(part.with_name(part.name.replace(".part", ".json")).read_text())["url"]
    server.requests.clear()
    assert main(["--config", str(config_file), "--only", "dumps"]) == 0
    assert server.asked(path) == ["bytes=100000-"]
    whole = shared_data / "wiki" / "enwiki" / DATE / f"enwiki-{DATE}-{DUMPS[2]}"
    assert (tmp_path / "dumps" / "enwiki" / DATE / whole.name).read_bytes() == whole.read_bytes()
