"""Brings one file: resumed where it broke off, checked, and whole or not there at all."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import IO, Any

import requests

from crossic_etl.download.http import BROKEN, Client, Patience, Refused, Stopped, shown
from crossic_etl.download.places import CHUNK, Note, Place
from crossic_etl.inputs.errors import InputError

# A connection that brought this much doesn't count as a try without progress.
PROGRESS = 2**20
# A mirror's copy that is wrong twice is wrong.
CHECKED = 2
OUR_ALGORITHM = "sha1"  # of files for which the list gives none

Progress = Callable[[int], None]


@dataclass(frozen=True)
class Wanted:
    """A file to fetch.

    Attributes:
        url: where it is.
        path: local path or fsspec URL where it goes.
        size: its bytes, where the list says so.
        checksums: algorithm to hexadecimal digest, where the list says so.
        group: files of a group get their names together, once all are complete: half a dump in
            parts would be read as a whole one. Without a group a file is alone.
    """

    url: str
    path: str
    size: int | None = None
    checksums: dict[str, str] = field(default_factory=dict)
    group: str = ""

    @property
    def origin(self) -> str:
        """The URL as it is printed and noted."""
        return shown(self.url)

    @property
    def algorithm(self) -> str:
        """The hash by which the file is checked."""
        return next(iter(self.checksums), OUR_ALGORITHM)

    def is_checked_by(self, note: Note | None, size: int | None) -> bool:
        """Whether a note says that a file of this size is the one that is wanted, complete."""
        if note is None or not note.checksums or note.size != size:
            return False
        return self.fits(size) and self.checksums.items() <= note.checksums.items()

    def fits(self, size: int | None) -> bool:
        """Whether a size, where it is known, is the one that the list gives."""
        return None in (size, self.size) or size == self.size


@dataclass
class _Received:
    """The bytes of a part that are there, and their hash."""

    size: int
    digest: Any
    etag: str | None = None


def fetch(client: Client, wanted: Wanted, progress: Progress) -> bool:
    """Has the file complete in its place, or in its part; True where that took a transfer.

    Raises:
        InputError: it can't be had, or its checksum is wrong again.
        Stopped: the job has ended meanwhile.
    """
    place = Place.of(wanted.path)
    if _is_there(client, wanted, place):
        return False
    expected = wanted.checksums.get(wanted.algorithm)
    for _ in range(CHECKED):
        received = _receive(client, wanted, place, progress)
        found = received.digest.hexdigest()
        if wanted.fits(received.size) and expected in (None, found):
            checksums = {wanted.algorithm: found}
            place.write_note(Note(wanted.origin, received.size, received.etag, checksums))
            return True
        client.say(f"{wanted.origin}: {wanted.algorithm} {found}, not {expected}: fetched again")
        place.part.remove()
        progress(-received.size)
    raise InputError(
        f"{wanted.origin}: {wanted.algorithm} {found} in {received.size} bytes, {CHECKED} times, "
        f"should be {expected} in {wanted.size}: the server's copy is damaged"
    )


def _is_there(client: Client, wanted: Wanted, place: Place) -> bool:
    """Whether nothing is to be done: by the note, or by the file's own bytes."""
    note, size = place.read_note(), place.size()
    if size is None:
        part = place.part.size()
        return part is not None and wanted.is_checked_by(note, part)
    if wanted.is_checked_by(note, size):
        place.part.remove()  # of an older, broken run
        return True
    if size == wanted.size:
        found = place.checksum(wanted.algorithm).hexdigest()
        if wanted.checksums.get(wanted.algorithm, found) == found:
            place.write_note(Note(wanted.origin, size, None, {wanted.algorithm: found}))
            place.part.remove()
            return True
    client.say(f"{place.path}: not the file that is wanted, or not all of it: fetched again")
    return False


def _receive(client: Client, wanted: Wanted, place: Place, progress: Progress) -> _Received:
    """Requests until nothing is missing."""
    received = _held(wanted, place)
    progress(received.size)
    patience, most = Patience(client, wanted.url), received.size
    if received.size and received.size == wanted.size:
        return received
    while True:
        try:
            if _receive_once(client, wanted, place, received, progress):
                return received
        except (*BROKEN, Refused) as error:
            # Only what was never there before: a server without ranges would be asked for ever.
            if received.size - most >= PROGRESS:
                patience.restart()
            most = max(most, received.size)
            patience.wait(error)


def _held(wanted: Wanted, place: Place) -> _Received:
    """What an earlier run has left, if it can be gone on with.

    Without a checksum to come only the server's ETag tells that both halves are of one file.
    """
    note, size = place.read_note(), place.part.size() or 0
    etag = note.etag if note and note.url == wanted.origin else None
    if size and (wanted.checksums or etag) and (wanted.size is None or size <= wanted.size):
        return _Received(size, place.part.checksum(wanted.algorithm), etag)
    return _Received(0, hashlib.new(wanted.algorithm))


def _receive_once(
    client: Client, wanted: Wanted, place: Place, received: _Received, progress: Progress
) -> bool:
    """One request for what is missing; False where the file must begin anew.

    Raises:
        InputError: the server has another file than the list says.
        requests.RequestException, HTTPError, Refused: it broke off.
    """
    headers = {"Range": f"bytes={received.size}-"} if received.size else {}
    if received.size and received.etag:
        headers["If-Range"] = received.etag
    with client.get(wanted.url, headers) as response:
        start, total = _extent(response)
        if not wanted.fits(total):
            raise InputError(f"{wanted.origin} has {total} bytes, and should have {wanted.size}")
        if start is None and received.size and total == received.size:
            return True
        file = _open(place.part, received, start)
        if file is None and not received.size:
            raise InputError(f"{wanted.origin}: HTTP {response.status_code} to a plain request")
        if file is None or not start:
            progress(-received.size)
            received.size, received.digest = 0, hashlib.new(wanted.algorithm)
        if file is None:
            return False
        with file:
            if not start:
                received.etag = _strong(response.headers.get("ETag"))
                place.write_note(Note(wanted.origin, total, received.etag))
            _copy(client, response, file, received, progress)
    expected = wanted.size if total is None else total
    if expected is not None and received.size < expected:
        raise requests.ConnectionError("the body ended early")
    return True


def _copy(
    client: Client,
    response: requests.Response,
    file: IO[bytes],
    received: _Received,
    progress: Progress,
) -> None:
    # As they are: what is packed stays packed, whatever the server calls it.
    for chunk in response.raw.stream(CHUNK, decode_content=False):
        file.write(chunk)
        received.digest.update(chunk)
        received.size += len(chunk)
        progress(len(chunk))
        if client.stop.is_set():
            raise Stopped


def _extent(response: requests.Response) -> tuple[int | None, int | None]:
    """Where in the file the answer's bytes begin, and the file's size; None for what isn't said."""
    found = re.fullmatch(
        r"bytes (?:(\d+)-\d+|\*)/(?:(\d+)|\*)", response.headers.get("Content-Range", "")
    )
    if response.status_code == 200:
        length = response.headers.get("Content-Length", "")
        return 0, int(length) if length.isdecimal() else None
    start, total = found.groups() if found else (None, None)
    return (int(start) if start else None), (int(total) if total else None)


def _open(part: Place, received: _Received, start: int | None) -> IO[bytes] | None:
    """The part, opened where the answer begins; None where the answer can't go on with it."""
    if start == 0:
        return part.open("wb")
    if start != received.size:
        return None
    try:
        return part.open("ab")
    except (NotImplementedError, ValueError):  # an object store
        return None


def _strong(etag: str | None) -> str | None:
    """An ETag that stands for bytes; a weak one doesn't."""
    return None if etag is None or etag.startswith("W/") else etag
