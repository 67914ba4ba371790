"""Where Delta's JARs come from. Repositories are servers on this machine, or none."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from crossic_etl.config.errors import ConfigError
from crossic_etl.java import jars
from crossic_etl.java.jars import JARS, JARS_FOLDER, MIRROR, Jar, cache_folder, delta_jars

NOBODY = "http://127.0.0.1:9"  # the port "discard", where nothing listens


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty home, and no repository that can be reached."""
    for name in (JARS_FOLDER, "XDG_CACHE_HOME", "PYSPARK_SUBMIT_ARGS", "SPARK_CONF_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SPARK_HOME", str(tmp_path / "home" / "spark"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setenv(MIRROR, NOBODY)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> list[Jar]:
    """Two small files in the place of Delta's."""
    found = [Jar(name, 4, hashlib.sha256(name.encode()).hexdigest()) for name in ("core", "data")]
    monkeypatch.setattr(jars, "JARS", found)
    return found


@contextmanager
def repository(folder: Path, contents: dict[str, bytes]) -> Iterator[str]:
    """The address of a server with these files below ``io/delta``."""
    for path, content in contents.items():
        file = folder / "io" / "delta" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)

    class Silent(SimpleHTTPRequestHandler):
        def log_message(self, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Silent, directory=str(folder))) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


WHOLE = {"core/4.4.0/core-4.4.0.jar": b"core", "data/4.4.0/data-4.4.0.jar": b"data"}


def touched(*paths: Path) -> list[Path]:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return list(paths)


def test_the_jars_are_those_of_the_image() -> None:
    image = (Path(__file__).parents[2] / "deploy" / "Dockerfile").read_text()
    for jar in JARS:
        assert f"sha256:{jar.sha256} \\\n    https://repo1.maven.org/maven2/{jar.path} " in image


def test_a_folder_that_is_named_comes_first(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, home: Path
) -> None:
    touched(*(home / ".ivy2.5.2" / "jars" / f"io.delta_{jar.name}" for jar in JARS))
    expected = touched(tmp_path / "a.jar", tmp_path / "b.jar")
    touched(tmp_path / "notes.txt")
    monkeypatch.setenv(JARS_FOLDER, str(tmp_path))
    assert delta_jars() == expected


@pytest.mark.parametrize(
    "places",
    [
        [f".ivy2.5.2/jars/io.delta_{jar.name}" for jar in JARS],
        [f".m2/repository/{jar.path}" for jar in JARS],
        [f".cache/crossic-etl/{jar.name}" for jar in JARS],
        [f"spark/jars/{jar.name}" for jar in JARS],
    ],
)
def test_jars_that_are_there_are_taken(home: Path, places: list[str]) -> None:
    touched(home / places[0])
    assert delta_jars() == []
    touched(home / places[1])
    assert delta_jars() == [home / place for place in places]


def test_the_cache_is_where_the_environment_says(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, home: Path
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "crossic-etl"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert cache_folder() == home / ".cache" / "crossic-etl"


def test_jars_are_fetched_once_and_one_line_says_so(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    home: Path,
    small: list[Jar],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    cache = home / ".cache" / "crossic-etl"
    with repository(tmp_path / "mirror", WHOLE) as address:
        monkeypatch.setenv(MIRROR, f"{address}/")
        found = delta_jars()
    assert found == [cache / "core-4.4.0.jar", cache / "data-4.4.0.jar"]
    assert [path.read_bytes() for path in found] == [b"core", b"data"]
    assert sorted(cache.iterdir()) == found
    assert caplog.messages == ["fetching Delta's JARs, 0.0 MB, once"]
    monkeypatch.setenv(MIRROR, NOBODY)
    assert delta_jars() == found
    assert len(caplog.messages) == 1


def test_two_that_fetch_at_once_get_whole_files(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, small: list[Jar]
) -> None:
    with repository(tmp_path / "mirror", WHOLE) as address:
        monkeypatch.setenv(MIRROR, address)
        with ThreadPoolExecutor(8) as pool:
            found = list(pool.map(lambda _: delta_jars(), range(8)))
    assert all(paths == found[0] for paths in found)
    assert [path.read_bytes() for path in found[0]] == [b"core", b"data"]
    assert len(list(cache_folder().iterdir())) == 2


@pytest.mark.parametrize("content", [b"xxxx", b"", b"data and more"])
def test_a_file_that_is_not_deltas_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, small: list[Jar], content: bytes
) -> None:
    contents = WHOLE | {"data/4.4.0/data-4.4.0.jar": content}
    with repository(tmp_path / "mirror", contents) as address:
        monkeypatch.setenv(MIRROR, address)
        with pytest.raises(ConfigError, match=r"^127.0.0.1: its data-4.4.0.jar is not "):
            delta_jars()
    assert not (cache_folder() / "data-4.4.0.jar").exists()


def test_what_was_not_to_be_had_is_left_to_spark_with_a_line(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    small: list[Jar],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    assert delta_jars() == []
    assert "Connection refused" in caplog.messages[-1]
    with repository(tmp_path / "mirror", {"core/4.4.0/core-4.4.0.jar": b"core"}) as address:
        monkeypatch.setenv(MIRROR, address)
        assert delta_jars() == []
    assert "HTTP Error 404" in caplog.messages[-1]


def test_a_cache_that_can_not_be_written_is_left_to_spark(
    home: Path, small: list[Jar], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    touched(home / ".cache")
    assert delta_jars() == []
    assert "Not a directory" in caplog.messages[-1]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("spark.jars.repositories https://host/maven", True),
        ("spark.jars.ivySettings=/etc/ivysettings.xml", True),
        ("# spark.jars.repositories https://host/maven", False),
        ("spark.executor.memory 4g", False),
    ],
)
def test_repositories_of_sparks_own_go_before_ours(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    small: list[Jar],
    caplog: pytest.LogCaptureFixture,
    line: str,
    expected: bool,
) -> None:
    caplog.set_level(logging.INFO)
    (tmp_path / "spark-defaults.conf").write_text(f"{line}\n")
    monkeypatch.setenv("SPARK_CONF_DIR", str(tmp_path))
    assert jars.has_own_repositories() is expected
    assert delta_jars() == []
    assert (caplog.messages == []) is expected
