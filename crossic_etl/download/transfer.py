"""Fetches one file: resumes a broken transfer, checks the result, and publishes it whole."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import IO, Any

import requests

from crossic_etl.download.http import (
    BROKEN,
    Cancelled,
    Client,
    RetryableResponse,
    RetryPolicy,
    shown,
)
from crossic_etl.download.locations import CHUNK, Location, SidecarMetadata
from crossic_etl.inputs.errors import InputError

# Bytes: after a connection that transferred so many, all retries are available again.
PROGRESS_BYTES = 2**20
# Transfers of a file whose checksum is wrong before its server's copy counts as damaged.
MOST_TRANSFERS = 2
OUR_ALGORITHM = "sha1"  # for files whose list gives no checksum

# Takes the number of bytes that came, or a negative one for bytes that were thrown away.
OnBytes = Callable[[int], None]


@dataclass(frozen=True)
class RemoteFile:
    """A file to fetch.

    Attributes:
        url: where it is.
        path: local path or fsspec URL where it goes.
        size: in bytes; None if the list doesn't say it.
        checksums: algorithm to hexadecimal digest, as far as the list says it.
        group: files of a group are published together, once all are complete: jobs would read a
            dump that lacks a part as a whole one. A file without a group is published alone.
    """

    url: str
    path: str
    size: int | None = None
    checksums: dict[str, str] = field(default_factory=dict)
    group: str = ""

    @property
    def origin(self) -> str:
        """The URL as messages and sidecars show it, without secrets."""
        return shown(self.url)

    @property
    def algorithm(self) -> str:
        """The name of the hash that the file is checked with."""
        return next(iter(self.checksums), OUR_ALGORITHM)

    def is_checked_by(self, sidecar: SidecarMetadata | None, size: int | None) -> bool:
        """Whether a sidecar says that a file of this size is this one, and complete."""
        if sidecar is None or not sidecar.checksums or sidecar.size != size:
            return False
        return self.fits(size) and self.checksums.items() <= sidecar.checksums.items()

    def fits(self, size: int | None) -> bool:
        """Whether a size equals the one in the list; unknown sizes fit."""
        return None in (size, self.size) or size == self.size


@dataclass
class _Received:
    """The size and the hash of the bytes in a part file."""

    size: int
    digest: Any
    etag: str | None = None


class Transfer(Enum):
    """What one request did to the part file."""

    COMPLETE = auto()  # nothing is missing any more
    RESTART = auto()  # nothing came: the next request must ask for the whole file


def fetch(client: Client, remote: RemoteFile, on_bytes: OnBytes) -> bool:
    """Makes sure that a file is complete, under its name or as its part file.

    Returns:
        True if it was transferred, False if it was there already.

    Raises:
        InputError: the server doesn't give it, or its checksum is wrong `MOST_TRANSFERS` times.
        Cancelled: the job has ended meanwhile.
    """
    location = Location.of(remote.path)
    if _is_there(client, remote, location):
        return False
    expected = remote.checksums.get(remote.algorithm)
    for _ in range(MOST_TRANSFERS):
        received = _receive(client, remote, location, on_bytes)
        found = received.digest.hexdigest()
        if remote.fits(received.size) and expected in (None, found):
            checksums = {remote.algorithm: found}
            location.write_sidecar(
                SidecarMetadata(remote.origin, received.size, received.etag, checksums)
            )
            return True
        client.say(f"{remote.origin}: {remote.algorithm} {found}, not {expected}: fetched again")
        location.part.remove()
        on_bytes(-received.size)
    wanted = expected if remote.size is None else f"{expected} in {remote.size}"
    raise InputError(
        f"{remote.origin}: {remote.algorithm} {found} in {received.size} bytes, {MOST_TRANSFERS} "
        f"times, should be {wanted}: the server's copy is damaged"
    )


def _is_there(client: Client, remote: RemoteFile, location: Location) -> bool:
    """Whether the complete file is there, by its sidecar or by its own checksum."""
    sidecar, size = location.read_sidecar(), location.size()
    if size is None:
        part = location.part.size()
        return part is not None and remote.is_checked_by(sidecar, part)
    if remote.is_checked_by(sidecar, size):
        location.part.remove()  # of an older, broken run
        return True
    if remote.fits(size) and (remote.size is not None or remote.checksums):
        found = location.checksum(remote.algorithm).hexdigest()
        if remote.checksums.get(remote.algorithm, found) == found:
            location.write_sidecar(
                SidecarMetadata(remote.origin, size, None, {remote.algorithm: found})
            )
            location.part.remove()
            return True
    client.say(f"{location.path}: not the file that is wanted, or not all of it: fetched again")
    return False


def _receive(
    client: Client, remote: RemoteFile, location: Location, on_bytes: OnBytes
) -> _Received:
    """Sends requests until the part file is complete."""
    received = _held(remote, location)
    on_bytes(received.size)
    retries, most = RetryPolicy(client, remote.url), received.size
    if received.size and received.size == remote.size:
        return received
    while True:
        try:
            result = _receive_once(client, remote, location, received, on_bytes)
            if result is Transfer.COMPLETE:
                return received
        except (*BROKEN, RetryableResponse) as error:
            # Only bytes beyond the most so far count: a server that ignores ranges sends the same
            # bytes again and again.
            if received.size - most >= PROGRESS_BYTES:
                retries.restart()
            most = max(most, received.size)
            retries.wait(error)


def _held(remote: RemoteFile, location: Location) -> _Received:
    """What an earlier run has left in the part file, if it can be resumed.

    Without a checksum in the list, only the server's ETag shows that both halves are of one file.
    """
    sidecar, size = location.read_sidecar(), location.part.size() or 0
    etag = sidecar.etag if sidecar and sidecar.url == remote.origin else None
    if size and (remote.checksums or etag) and (remote.size is None or size <= remote.size):
        return _Received(size, location.part.checksum(remote.algorithm), etag)
    return _Received(0, hashlib.new(remote.algorithm))


def _receive_once(
    client: Client, remote: RemoteFile, location: Location, received: _Received, on_bytes: OnBytes
) -> Transfer:
    """Sends one request for the bytes that are missing, and appends them to the part file.

    Raises:
        InputError: the server's file has another size than the list says.
        requests.RequestException, HTTPError, RetryableResponse: the transfer broke off.
    """
    headers = {"Range": f"bytes={received.size}-"} if received.size else {}
    if received.size and received.etag:
        headers["If-Range"] = received.etag
    with client.get(remote.url, headers) as response:
        start, total = _extent(response)
        if not remote.fits(total):
            raise InputError(f"{remote.origin} has {total} bytes, and should have {remote.size}")
        if start is None and received.size and total == received.size:
            return Transfer.COMPLETE
        file = _open(location.part, received, start)
        if file is None and not received.size:
            raise InputError(f"{remote.origin}: HTTP {response.status_code} to a plain request")
        if file is None or not start:
            on_bytes(-received.size)
            received.size, received.digest = 0, hashlib.new(remote.algorithm)
        if file is None:
            return Transfer.RESTART
        with file:
            if not start:
                received.etag = _strong(response.headers.get("ETag"))
                location.write_sidecar(SidecarMetadata(remote.origin, total, received.etag))
            _copy(client, response, file, received, on_bytes)
    expected = remote.size if total is None else total
    if expected is not None and received.size < expected:
        raise requests.ConnectionError("the body ended early")
    return Transfer.COMPLETE


def _copy(
    client: Client,
    response: requests.Response,
    file: IO[bytes],
    received: _Received,
    on_bytes: OnBytes,
) -> None:
    # Not decoded: a packed file stays packed, whatever Content-Encoding the server sends.
    for chunk in response.raw.stream(CHUNK, decode_content=False):
        file.write(chunk)
        received.digest.update(chunk)
        received.size += len(chunk)
        on_bytes(len(chunk))
        if client.stop.is_set():
            raise Cancelled


def _extent(response: requests.Response) -> tuple[int | None, int | None]:
    """Offset of the response's bytes in the file, and the file's size; None where not given."""
    found = re.fullmatch(
        r"bytes (?:(\d+)-\d+|\*)/(?:(\d+)|\*)", response.headers.get("Content-Range", "")
    )
    if response.status_code == 200:
        length = response.headers.get("Content-Length", "")
        return 0, int(length) if length.isdecimal() else None
    start, total = found.groups() if found else (None, None)
    return (int(start) if start else None), (int(total) if total else None)


def _open(part: Location, received: _Received, start: int | None) -> IO[bytes] | None:
    """The part file, opened at the response's offset; None if the response can't continue it."""
    if start == 0:
        return part.open("wb")
    if start != received.size:
        return None
    try:
        return part.open("ab")
    except (NotImplementedError, ValueError):  # an object store
        return None


def _strong(etag: str | None) -> str | None:
    """A strong ETag, which identifies the exact bytes; None for a weak one."""
    return None if etag is None or etag.startswith("W/") else etag
