from __future__ import annotations

import hashlib
import json
import random
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import fsspec
import pytest
from fsspec.implementations.memory import MemoryFileSystem

from crossic_etl.config import ConfigError
from crossic_etl.config.download import Download
from crossic_etl.download.batch import Bar, fetch_all
from crossic_etl.download.http import Client
from crossic_etl.download.transfer import RemoteFile, fetch
from crossic_etl.inputs.errors import InputError
from tests.download.mirror_server import Fault, MirrorServer, serving

pytestmark = pytest.mark.slow

CONTENT = random.Random(1).randbytes(3 * 2**20 + 17)
SHA1 = hashlib.sha1(CONTENT).hexdigest()
DATA = "/data/a.bz2"
SETTINGS = Download(contact="me@example.org", backoff=0.01, timeout=5, tries=4)


class NoAppend(MemoryFileSystem):
    """Like an object store that can't go on with an object."""

    protocol = "noappend"
    store: dict[str, Any] = {}  # noqa: RUF012
    pseudo_dirs = [""]  # noqa: RUF012

    def _open(self, path: str, mode: str = "rb", **options: Any) -> Any:
        if "a" in mode:
            raise NotImplementedError("File mode not supported")
        return super()._open(path, mode, **options)


fsspec.register_implementation("noappend", NoAppend, clobber=True)


@pytest.fixture
def server() -> Iterator[MirrorServer]:
    with serving(MirrorServer({DATA: CONTENT})) as running:
        yield running


@pytest.fixture
def lines() -> list[str]:
    return []


@pytest.fixture
def client(lines: list[str]) -> Client:
    return Client(SETTINGS, lines.append)


@pytest.fixture
def wanted(server: MirrorServer, tmp_path: Path) -> Callable[..., RemoteFile]:
    def make(path: str = "", size: int | None = len(CONTENT), **sums: str) -> RemoteFile:
        sums = sums or {"sha1": SHA1}
        return RemoteFile(server.url + DATA, path or str(tmp_path / "d" / "a.bz2"), size, sums)

    return make


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_comes_whole_with_a_note_and_nothing_else(
    client: Client, server: MirrorServer, wanted: Callable[..., RemoteFile], tmp_path: Path
) -> None:
    outcome = fetch_all(client, [wanted()])
    assert (outcome.fetched, outcome.kept) == (1, 0)
    assert (tmp_path / "d" / "a.bz2").read_bytes() == CONTENT
    assert names(tmp_path / "d") == [".a.bz2.json", "a.bz2"]
    assert server.asked(DATA) == [""]


def test_requests_say_who_sends_them_and_want_the_bytes_as_they_are(
    client: Client, server: MirrorServer, wanted: Callable[..., RemoteFile]
) -> None:
    fetch_all(client, [wanted()])
    (_, headers) = server.requests[0]
    assert headers["User-Agent"].startswith("crossic-etl/")
    assert headers["User-Agent"].endswith(" (me@example.org)")
    assert headers["Accept-Encoding"] == "identity"


def test_nobody_to_contact_is_refused() -> None:
    with pytest.raises(
        ConfigError, match=r"download.contact: ' ' given, expected an e-mail address or URL"
    ):
        Client(Download(contact=" "), print)


def test_what_breaks_off_is_gone_on_with_where_it_broke(
    client: Client, server: MirrorServer, wanted: Callable[..., RemoteFile], tmp_path: Path
) -> None:
    server.faults[DATA].extend([Fault(cut=1000), Fault(cut=2**20)])
    fetch_all(client, [wanted()])
    assert (tmp_path / "d" / "a.bz2").read_bytes() == CONTENT
    assert server.asked(DATA) == ["", "bytes=1000-", f"bytes={2**20 + 1000}-"]


def test_a_later_run_goes_on_where_the_first_gave_up(
    client: Client, server: MirrorServer, wanted: Callable[..., RemoteFile], tmp_path: Path
) -> None:
    server.faults[DATA].extend([Fault(cut=5000), *[Fault(status=500)] * 3])
    with pytest.raises(InputError, match="HTTP 500, at 4 tries; run again to go on"):
        fetch_all(client, [wanted()])
    assert names(tmp_path / "d") == [".a.bz2.json", ".a.bz2.part"]
    server.requests.clear()
    fetch_all(Client(SETTINGS, print), [wanted()])
    assert (tmp_path / "d" / "a.bz2").read_bytes() == CONTENT
    assert server.asked(DATA) == ["bytes=5000-"]


def test_a_part_that_is_whole_is_not_asked_for(
    client: Client, server: MirrorServer, wanted: Callable[..., RemoteFile], tmp_path: Path
) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / ".a.bz2.part").write_bytes(CONTENT)
    fetch_all(client, [wanted()])
    assert (tmp_path / "d" / "a.bz2").read_bytes() == CONTENT
    assert server.requests == []


def test_a_server_without_ranges_is_read_from_the_beginning(
    client: Client, server: MirrorServer, wanted: Callable[..., RemoteFile], tmp_path: Path
) -> None:
    server.faults[DATA].extend([Fault(cut=1000), Fault(ignores_range=True)])
    fetch_all(client, [wanted()])
    assert (tmp_path / "d" / "a.bz2").read_bytes() == CONTENT
    assert server.asked(DATA) == ["", "bytes=1000-"]


def test_a_server_without_ranges_that_always_breaks_off_is_given_up(
    client: Client, server: MirrorServer, wanted: Callable[..., RemoteFile]
) -> None:
    server.faults[DATA].extend([Fault(cut=2 * 2**20, ignores_range=True)] * 50)
    with pytest.raises(InputError, match="the connection broke, at 4 tries"):
        fetch_all(client, [wanted()])
    assert len(server.requests) < 10


def test_a_body_of_no_told_length_that_ends_early_is_gone_on_with(
    client: Client, server: MirrorServer, wanted: Callable[..., RemoteFile], tmp_path: Path
) -> None:
    server.faults[DATA].append(Fault(cut=1000, forgets_length=True))
    fetch_all(client, [wanted()])
    assert (tmp_path / "d" / "a.bz2").read_bytes() == CONTENT


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_server_is_waited_for_as_long_as_it_asks(
    client: Client, server: MirrorServer, wanted: Callable[..., RemoteFile], lines: list[str],
    status: int, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    waits: list[float] = []
    monkeypatch.setattr(client.stop, "wait", lambda seconds: waits.append(seconds))
    server.faults[DATA].append(Fault(status=status, headers={"Retry-After": "77"}))
    fetch_all(client, [wanted()])
    assert waits == [77]
    assert f"{server.url}{DATA}: HTTP {status}, again in 77 s" in lines


def test_waits_without_retry_after_double(
    client: Client, server: MirrorServer, wanted: Callable[..., RemoteFile],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    waits: list[float] = []
    monkeypatch.setattr(client.stop, "wait", lambda seconds: waits.append(seconds))
    server.faults[DATA].extend([Fault(status=502)] * 3)
    fetch_all(client, [wanted()])
    assert waits == [0, 0.01, 0.02]


def test_a_server_that_asks_for_a_day_is_an_error_that_says_so(
    client: Client, server: MirrorServer, wanted: Callable[..., RemoteFile]
) -> None:
    server.faults[DATA].append(Fault(status=503, headers={"Retry-After": "86400"}))
    with pytest.raises(InputError, match="the server asks to come again in"):
        fetch_all(client, [wanted()])


@pytest.mark.parametrize("status", [403, 404])
def test_what_is_not_there_is_asked_for_once(
    client: Client, server: MirrorServer, wanted: Callable[..., RemoteFile], status: int
) -> None:
    server.faults[DATA].append(Fault(status=status))
    with pytest.raises(InputError, match=f"HTTP {status}"):
        fetch_all(client, [wanted()])
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("url", "cause"),
    [
        ("http://127.0.0.1:9/x", "no connection to its host"),
        ("http://nowhere.invalid/x", "the name of its host isn't known here"),
    ],
)
def test_a_server_that_is_not_there_is_one_line(
    client: Client, tmp_path: Path, url: str, cause: str
) -> None:
    with pytest.raises(InputError) as refused:
        fetch_all(client, [RemoteFile(url, str(tmp_path / "x"))])
    assert str(refused.value) == f"{url}: {cause}, at 4 tries; run again to go on"


def test_a_wrong_byte_is_seen_and_the_file_fetched_again(
    client: Client, server: MirrorServer, wanted: Callable[..., RemoteFile], tmp_path: Path
) -> None:
    server.faults[DATA].append(Fault(wrong_byte=2000))
    fetch_all(client, [wanted()])
    assert (tmp_path / "d" / "a.bz2").read_bytes() == CONTENT
    assert server.asked(DATA) == ["", ""]


def test_a_wrong_byte_twice_is_an_error_and_leaves_no_file(
    client: Client, server: MirrorServer, wanted: Callable[..., RemoteFile], tmp_path: Path
) -> None:
    server.faults[DATA].extend([Fault(wrong_byte=2000)] * 2)
    with pytest.raises(InputError, match=f"2 times, should be {SHA1}.*copy is damaged"):
        fetch_all(client, [wanted()])
    assert not (tmp_path / "d" / "a.bz2").exists()
    assert not (tmp_path / "d" / ".a.bz2.part").exists()


def test_a_wrong_byte_in_what_was_there_is_seen(
    client: Client, server: MirrorServer, wanted: Callable[..., RemoteFile], tmp_path: Path
) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / ".a.bz2.part").write_bytes(b"x" + CONTENT[1:5000])
    fetch_all(client, [wanted()])
    assert (tmp_path / "d" / "a.bz2").read_bytes() == CONTENT
    assert server.asked(DATA) == ["bytes=5000-", ""]


def test_another_size_than_the_list_says_is_an_error_before_anything_is_moved(
    client: Client, wanted: Callable[..., RemoteFile], tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=f"has {len(CONTENT)} bytes, and should have 99"):
        fetch_all(client, [wanted(size=99)])
    assert not (tmp_path / "d").exists()


def test_what_is_there_is_not_fetched_again(
    client: Client, server: MirrorServer, wanted: Callable[..., RemoteFile]
) -> None:
    fetch_all(client, [wanted()])
    server.requests.clear()
    outcome = fetch_all(client, [wanted()])
    assert (outcome.fetched, outcome.kept, server.requests) == (0, 1, [])


def test_what_another_program_fetched_is_checked_and_kept(
    client: Client, server: MirrorServer, wanted: Callable[..., RemoteFile], tmp_path: Path
) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "a.bz2").write_bytes(CONTENT)
    outcome = fetch_all(client, [wanted()])
    assert (outcome.kept, server.requests) == (1, [])
    assert json.loads((tmp_path / "d" / ".a.bz2.json").read_text())["checksums"] == {"sha1": SHA1}


@pytest.mark.parametrize("held", [CONTENT[:-1], b"x" + CONTENT[1:], b""])
def test_what_is_there_and_wrong_is_replaced(
    client: Client, server: MirrorServer, wanted: Callable[..., RemoteFile], tmp_path: Path,
    held: bytes,
) -> None:  # fmt: skip
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "a.bz2").write_bytes(held)
    assert fetch_all(client, [wanted()]).fetched == 1
    assert (tmp_path / "d" / "a.bz2").read_bytes() == CONTENT


def test_a_dump_that_was_made_anew_replaces_what_its_note_called_complete(
    client: Client, server: MirrorServer, wanted: Callable[..., RemoteFile], tmp_path: Path
) -> None:
    fetch_all(client, [wanted()])
    server.files[DATA] = changed = CONTENT[::-1]
    assert fetch_all(client, [wanted(sha1=hashlib.sha1(changed).hexdigest())]).fetched == 1
    assert (tmp_path / "d" / "a.bz2").read_bytes() == changed


@pytest.mark.parametrize("encoding", ["gzip", "x-gzip"])
def test_a_packed_file_stays_packed(
    client: Client, server: MirrorServer, wanted: Callable[..., RemoteFile], tmp_path: Path,
    encoding: str,
) -> None:  # fmt: skip
    server.headers[DATA]["Content-Encoding"] = encoding
    fetch_all(client, [wanted()])
    assert (tmp_path / "d" / "a.bz2").read_bytes() == CONTENT


def test_an_empty_file_is_there(client: Client, server: MirrorServer, tmp_path: Path) -> None:
    server.files["/empty"] = b""
    wanted = RemoteFile(f"{server.url}/empty", str(tmp_path / "empty"), 0)
    fetch_all(client, [wanted])
    assert (tmp_path / "empty").read_bytes() == b""


@pytest.mark.parametrize(("etag", "asked"), [('"1"', "bytes=5000-"), ('W/"1"', ""), (None, "")])
def test_without_a_checksum_only_a_strong_etag_allows_to_go_on(
    client: Client, server: MirrorServer, tmp_path: Path, etag: str | None, asked: str
) -> None:
    if etag:
        server.headers[DATA]["ETag"] = etag
    wanted = RemoteFile(server.url + DATA, str(tmp_path / "a"))
    server.faults[DATA].extend([Fault(cut=5000), *[Fault(status=500)] * 3])
    with pytest.raises(InputError):
        fetch_all(client, [wanted])
    server.requests.clear()
    fetch_all(client, [wanted])
    assert (tmp_path / "a").read_bytes() == CONTENT
    assert server.asked(DATA) == [asked]


def test_a_part_of_unknown_size_that_is_whole_is_known_by_the_server_s_answer(
    client: Client, server: MirrorServer, tmp_path: Path
) -> None:
    server.headers[DATA]["ETag"] = '"1"'
    wanted = RemoteFile(server.url + DATA, str(tmp_path / "a"))
    fetch_all(client, [wanted])
    (tmp_path / "a").rename(tmp_path / ".a.part")
    (tmp_path / ".a.json").write_text(json.dumps({"url": wanted.url, "etag": '"1"'}))
    server.requests.clear()
    fetch_all(client, [wanted])
    assert (tmp_path / "a").read_bytes() == CONTENT
    assert server.asked(DATA) == [f"bytes={len(CONTENT)}-"]


@pytest.mark.parametrize("status", [206, 416])
def test_a_partial_answer_to_a_whole_request_is_an_error(
    client: Client, server: MirrorServer, wanted: Callable[..., RemoteFile], status: int
) -> None:
    server.faults[DATA].append(Fault(status=status))
    with pytest.raises(InputError, match=f"HTTP {status} to a plain request"):
        fetch_all(client, [wanted()])


def test_a_file_that_changed_between_two_runs_is_not_patched_together(
    client: Client, server: MirrorServer, tmp_path: Path
) -> None:
    server.headers[DATA]["ETag"] = '"1"'
    wanted = RemoteFile(server.url + DATA, str(tmp_path / "a"))
    server.faults[DATA].extend([Fault(cut=5000), *[Fault(status=500)] * 3])
    with pytest.raises(InputError):
        fetch_all(client, [wanted])
    server.files[DATA], server.headers[DATA]["ETag"] = CONTENT[::-1], '"2"'
    fetch_all(client, [wanted])
    assert (tmp_path / "a").read_bytes() == CONTENT[::-1]


@pytest.mark.parametrize(
    ("scheme", "ranges"),
    [("memory", ["", "bytes=1000-"]), ("noappend", ["", "bytes=1000-", ""])],
)
def test_any_file_system_of_fsspec_is_resumed_where_it_appends(
    client: Client, server: MirrorServer, wanted: Callable[..., RemoteFile], scheme: str,
    ranges: list[str],
) -> None:  # fmt: skip
    server.faults[DATA].append(Fault(cut=1000))
    folder = f"{scheme}://bucket"
    fetch_all(client, [wanted(f"{folder}/a.bz2")])
    filesystem = fsspec.filesystem(scheme)
    assert filesystem.cat_file(f"{folder}/a.bz2") == CONTENT
    assert not filesystem.exists(f"{folder}/.a.bz2.part")
    assert server.asked(DATA) == ranges


def test_an_unknown_scheme_is_one_line(client: Client, wanted: Callable[..., RemoteFile]) -> None:
    with pytest.raises(ConfigError, match=r"nowhere://x: Protocol not known: nowhere"):
        fetch_all(client, [wanted("nowhere://x")])


def test_a_folder_that_cannot_be_is_one_line(
    client: Client, wanted: Callable[..., RemoteFile], tmp_path: Path
) -> None:
    (tmp_path / "d").write_text("a file")
    with pytest.raises(InputError, match=r"d/a\.bz2: (File exists|Not a directory)"):
        fetch_all(client, [wanted()])


def test_one_lost_file_keeps_its_group_from_its_names_and_no_other(
    client: Client, server: MirrorServer, tmp_path: Path
) -> None:
    server.files |= {"/1": b"one", "/2": b"two", "/3": b"three"}
    server.faults["/2"].append(Fault(status=404))
    wanted = [
        RemoteFile(f"{server.url}/{n}", str(tmp_path / n), group=group)
        for n, group in (("1", "parts"), ("2", "parts"), ("3", ""))
    ]
    with pytest.raises(InputError, match="/2: HTTP 404"):
        fetch_all(client, wanted)
    assert names(tmp_path) == [".1.json", ".1.part", ".3.json", "3"]
    server.requests.clear()
    outcome = fetch_all(client, wanted)
    assert (outcome.fetched, outcome.kept) == (1, 2)
    assert [path for path, _ in server.requests] == ["/2"]
    assert (tmp_path / "1").read_bytes() == b"one"


@pytest.mark.parametrize(
    "faults",
    [
        [],
        [Fault(cut=1000)],
        [Fault(cut=1000), Fault(ignores_range=True)],
        [Fault(wrong_byte=1000)],
        [Fault(cut=2 * 2**20), Fault(status=503), Fault(wrong_byte=-1)],
    ],
)
def test_progress_ends_at_the_file_s_size(
    client: Client, server: MirrorServer, wanted: Callable[..., RemoteFile], faults: list[Fault]
) -> None:
    server.faults[DATA].extend(faults)
    moves: list[int] = []
    assert fetch(client, wanted(), moves.append)
    assert sum(moves) == len(CONTENT)


def test_the_bar_counts_what_was_there(
    client: Client, server: MirrorServer, wanted: Callable[..., RemoteFile], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    moves: list[int] = []
    monkeypatch.setattr(Bar, "move", lambda _, n_bytes: moves.append(n_bytes))
    server.files["/b"] = b"b"
    both = [wanted(), RemoteFile(f"{server.url}/b", str(tmp_path / "b"), 1)]
    fetch_all(client, both[:1])
    moves.clear()
    fetch_all(client, both)
    assert sorted(filter(None, moves)) == [1, len(CONTENT)]


def test_ctrl_c_ends_transfers_where_they_are_and_means_again_what_it_meant(
    client: Client, server: MirrorServer, wanted: Callable[..., RemoteFile], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    def press(*_: object) -> None:
        if not client.stop.is_set():
            # to this thread: the main one, which alone runs handlers, isn't woken by it
            signal.pthread_kill(threading.get_ident(), signal.SIGINT)
            assert client.stop.wait(30)

    before = signal.getsignal(signal.SIGINT)
    monkeypatch.setattr(Bar, "move", press)
    with pytest.raises(KeyboardInterrupt):
        fetch_all(client, [wanted()])
    assert signal.getsignal(signal.SIGINT) is before
    assert names(tmp_path / "d") == [".a.bz2.json", ".a.bz2.part"]


def test_no_more_connections_than_configured(
    client: Client, server: MirrorServer, tmp_path: Path
) -> None:
    server.files = {f"/{n}": b"x" * 2**18 for n in range(30)}
    wanted = [RemoteFile(server.url + path, f"{tmp_path}{path}") for path in server.files]
    assert fetch_all(client, wanted).fetched == 30
    assert 1 <= server.most_at_once <= 2


def test_a_program_error_ends_the_other_transfers(
    client: Client, server: MirrorServer, tmp_path: Path
) -> None:
    server.files = {f"/{n}": b"x" for n in range(200)}
    wanted = [RemoteFile(server.url + path, f"{tmp_path}{path}") for path in server.files]
    broken = RemoteFile(server.url + "/0", str(tmp_path / "z"), checksums={"no such hash": "0"})
    with pytest.raises(ValueError, match="no such hash"):
        fetch_all(client, [broken, *wanted])
    assert client.stop.is_set()
    assert len(server.requests) < 200
