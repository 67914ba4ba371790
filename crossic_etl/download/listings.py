"""Lists of crawl files: lines of paths or URLs, or JSON of the Hugging Face hub."""

from __future__ import annotations

import fnmatch
import json
import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from crossic_etl.config.download import CrawlListing
from crossic_etl.download.http import MOST_BYTES, Client, shown
from crossic_etl.download.locations import Location
from crossic_etl.download.transfer import RemoteFile
from crossic_etl.inputs.errors import InputError
from crossic_etl.kernels.unpacking import Damage, unpack

_WEB = ("http://", "https://")
_GZIP = b"\x1f\x8b"
# `::` names another file system in fsspec; control characters are commands to a terminal.
_NO_NAME = re.compile(r"::|\\|[\x00-\x1f\x7f-\x9f]")
# The hub's URL of a repository's list of files.
_HUB_TREE = re.compile(r"(https?://[^/]+)/api/(datasets/.+?)/tree/([^/?]+)")


def list_files(client: Client, listing: CrawlListing) -> list[RemoteFile]:
    """The files of a list whose paths fit its glob, sorted by path, each once.

    Raises:
        InputError: the list can't be read, names no such file, or names a path that would lie
            outside the folder.
    """
    base = listing.base or _hub_base(listing.listing)
    found: dict[str, RemoteFile] = {}
    for content in _pages(client, listing.listing):
        for entry in _entries(content, listing.listing):
            file = _remote_file(entry, base, listing)
            if fnmatch.fnmatchcase(file.path, f"*/{listing.match}"):
                found[file.path] = file
    if not found:
        raise InputError(f"{listing.listing} names no file that fits {listing.match}")
    return [found[path] for path in sorted(found)]


def take_shard(files: list[RemoteFile], number: int, of: int) -> list[RemoteFile]:
    """Every ``of``-th file, from the ``number``-th (from 1) on.

    The files are in the order of their paths: the shard doesn't depend on the order of the list.
    """
    return files[number - 1 :: of]


def _hub_base(url: str) -> str:
    tree = _HUB_TREE.match(url)
    return f"{tree[1]}/{tree[2]}/resolve/{tree[3]}/" if tree else ""


def _pages(client: Client, url: str) -> Iterator[bytes]:
    """The content of a list, page by page."""
    if not url.startswith(_WEB):
        location = Location.of(url)
        if (size := location.size()) is None:
            raise InputError(f"{url} isn't there")
        if size > MOST_BYTES:
            raise _too_long(url)
        yield _unpacked(location.filesystem.cat_file(location.path), url)
        return
    following: str | None = url
    while following:
        content, following = client.read(following)
        yield _unpacked(content, url)


def _unpacked(content: bytes, url: str) -> bytes:
    if not content.startswith(_GZIP):
        return content
    unpacked = bytearray()
    for piece in unpack(content):
        if isinstance(piece, Damage):
            raise InputError(f"{url} is a damaged gzip file")
        unpacked += piece
        if len(unpacked) > MOST_BYTES:
            raise _too_long(url)
    return bytes(unpacked)


def _too_long(url: str) -> InputError:
    return InputError(f"{url} has more than {MOST_BYTES} bytes: no list of files")


def _entries(content: bytes, url: str) -> Iterator[dict[str, Any]]:
    """For each file ``path`` (or URL), and ``size`` and ``sha256`` where the list has them."""
    try:
        text = content.decode()
        if not text.lstrip().startswith(("[", "{")):
            yield from ({"path": line.strip()} for line in text.splitlines() if line.strip())
            return
        yield from _walk(json.loads(text))
    except ValueError:
        raise InputError(f"{url} is neither lines of paths nor JSON") from None


def _walk(tree: Any) -> Iterator[dict[str, Any]]:
    if isinstance(tree, str) and tree.startswith(_WEB):
        yield {"path": tree}
    elif isinstance(tree, list):
        for item in tree:
            yield from _walk(item)
    elif isinstance(tree, dict) and isinstance(path := tree.get("url") or tree.get("path"), str):
        large = tree.get("lfs") or {}
        if tree.get("type", "file") == "file":
            yield {"path": path, "size": tree.get("size"), "sha256": large.get("oid")}
    elif isinstance(tree, dict):
        for item in tree.values():
            yield from _walk(item)


def _remote_file(entry: dict[str, Any], base: str, listing: CrawlListing) -> RemoteFile:
    path: str = entry["path"]
    is_url = path.startswith(_WEB)
    if not is_url and not base:
        raise InputError(
            f"{listing.listing} has paths and no URLs: set download.crawl.base to what comes before"
        )
    url = path if is_url else f"{base.rstrip('/')}/{quote(path.lstrip('/'))}"
    below = url.removeprefix(base) if base and url.startswith(base) else urlsplit(url).path
    name = PurePosixPath(unquote(below).lstrip("/"))
    if not name.name or {"..", "."} & set(name.parts) or _NO_NAME.search(str(name)):
        raise InputError(f"{listing.listing} names {shown(path)!r}, which is no path of a file")
    size, sha256 = entry.get("size"), entry.get("sha256")
    return RemoteFile(
        url,
        f"{listing.to.rstrip('/')}/{name}",
        size if isinstance(size, int) else None,
        {"sha256": str(sha256)} if sha256 else {},
    )
