"""Which session writes the archive of Java's classes, and which use it. No Java is started."""

from __future__ import annotations

import os
import time
from collections import namedtuple
from pathlib import Path

import pytest

from crossic_etl.java import class_archive
from crossic_etl.java.class_archive import (
    JAVA_VARIABLES,
    UNUSED,
    UNWRITTEN,
    archive_options,
)


@pytest.fixture(autouse=True)
def java(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    for name in JAVA_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "java").touch()
    (tmp_path / "delta.jar").touch()
    return tmp_path / "java"


def options(tmp_path: Path, jar: str = "delta.jar") -> str:
    return archive_options(tmp_path / "cache", tmp_path / "java", [tmp_path / jar])


def written(tmp_path: Path, content: bytes = b"\xf0\x0b\xab\xa8...") -> Path:
    """What Java leaves as it ends."""
    (new,) = (tmp_path / "cache").glob("classes-*.new")
    new.write_bytes(content)
    return new


def aged(path: Path, seconds: float) -> None:
    os.utime(path, (time.time() - seconds,) * 2)


def test_the_first_session_writes_and_later_ones_read(tmp_path: Path) -> None:
    first = options(tmp_path)
    new = written(tmp_path)
    archive = new.with_name(f"{new.name.partition('.')[0]}.jsa")
    assert first.startswith(f'"-XX:ArchiveClassesAtExit={new}" -Xlog:')
    assert options(tmp_path).startswith(f'"-XX:SharedArchiveFile={archive}" -Xlog:')
    assert archive.is_file() and not new.exists()


@pytest.mark.parametrize("content", [b"", b"\0\0\0\0 half of it"])
def test_while_one_writes_others_do_without(tmp_path: Path, content: bytes) -> None:
    options(tmp_path)
    new = written(tmp_path, content)
    assert options(tmp_path) == ""
    assert list(new.parent.iterdir()) == [new]


def test_what_a_killed_session_left_is_removed_and_written_again(tmp_path: Path) -> None:
    options(tmp_path)
    aged(left := written(tmp_path, b""), UNWRITTEN + 60)
    assert "ArchiveClassesAtExit" in options(tmp_path)
    assert written(tmp_path) != left


@pytest.mark.parametrize("changed", ["java", "delta.jar"])
def test_another_java_or_jar_has_another_archive(tmp_path: Path, changed: str) -> None:
    options(tmp_path)
    written(tmp_path)
    assert "SharedArchiveFile" in options(tmp_path)
    aged(tmp_path / changed, 60)
    assert "ArchiveClassesAtExit" in options(tmp_path)


def test_archives_that_nobody_uses_are_removed(tmp_path: Path) -> None:
    folder = tmp_path / "cache"
    folder.mkdir()
    for name, age in (("classes-1.jsa", UNUSED + 60), ("classes-2.jsa", UNUSED - 60)):
        (folder / name).touch()
        aged(folder / name, age)
    options(tmp_path)
    assert not (folder / "classes-1.jsa").exists()
    assert (folder / "classes-2.jsa").exists()


def test_the_archive_in_use_is_kept(tmp_path: Path) -> None:
    options(tmp_path)
    written(tmp_path)
    options(tmp_path)
    (archive,) = (tmp_path / "cache").iterdir()
    aged(archive, UNUSED + 60)
    options(tmp_path)
    assert time.time() - archive.stat().st_mtime < 60


@pytest.mark.parametrize("name", JAVA_VARIABLES)
def test_with_own_options_of_java_there_is_none(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    monkeypatch.setenv(name, "-javaagent:agent.jar")
    assert options(tmp_path) == ""


def test_a_full_disk_or_a_read_only_folder_goes_without(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(class_archive.shutil, "disk_usage", lambda path: usage(9, 9, 10**9))
    assert options(tmp_path) == ""
    (tmp_path / "cache").rmdir()
    (tmp_path / "cache").touch()
    assert options(tmp_path) == ""
    assert options(tmp_path, "missing.jar") == ""
