"""A mirror on loopback that serves files, and misbehaves as it is told."""

from __future__ import annotations

import gzip
import hashlib
import json
import threading
from collections import defaultdict, deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Fault:
    """What one answer does wrong.

    ``status`` is sent instead of the file; ``cut`` ends the connection after so many bytes;
    ``ignores_range`` sends the whole file as 200; ``wrong_byte`` changes the byte at that place.
    """

    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: int | None = None
    ignores_range: bool = False
    wrong_byte: int | None = None
    forgets_length: bool = False


@dataclass
class MirrorServer:
    """Files by path, the faults of the next answers of each, and the requests that came."""

    files: dict[str, bytes] = field(default_factory=dict)
    faults: dict[str, deque[Fault]] = field(default_factory=lambda: defaultdict(deque))
    headers: dict[str, dict[str, str]] = field(default_factory=lambda: defaultdict(dict))
    requests: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    url: str = ""
    most_at_once: int = 0
    busy: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def asked(self, path: str) -> list[str]:
        """The ranges in which a file was asked for; an empty text for all of it."""
        return [headers.get("Range", "") for name, headers in self.requests if name == path]

    def add_dump(
        self, wiki: str, date: str, names: Mapping[str, Mapping[str, bytes]], **states: str
    ) -> None:
        """A dump of one wiki: job to file name to content; ``states`` of jobs that aren't done."""
        jobs: dict[str, Any] = {}
        for job, files in names.items():
            entries = {}
            for name, content in files.items():
                path = f"/{wiki}/{date}/{wiki}-{date}-{name}"
                self.files[path] = content
                entries[path.rpartition("/")[2]] = {
                    "size": len(content), "url": path,
                    "md5": hashlib.md5(content).hexdigest(),
                    "sha1": hashlib.sha1(content).hexdigest(),
                }  # fmt: skip
            jobs[job] = {"status": states.get(job, "done"), "updated": "", "files": entries}
        status = {"version": "0.8", "jobs": jobs}
        self.files[f"/{wiki}/{date}/dumpstatus.json"] = json.dumps(status).encode()
        self._index(wiki)

    def add_content(
        self, wiki: str, date: str, parts: Mapping[str, bytes], complete: bool = True
    ) -> str:
        """A dump of the content service: page range to content; returns its folder's path.

        ``date`` is ``YYYY-MM-DD``.
        """
        above = f"/other/mediawiki_content_current/{wiki}"
        folder = f"{above}/{date}/xml/bzip2"
        names = {f"{wiki}-{date}-{part}.xml.bz2": content for part, content in parts.items()}
        self.files |= {f"{folder}/{name}": content for name, content in names.items()}
        lines = [f"{sha256(content).hexdigest()}  {name}\n" for name, content in names.items()]
        if complete:
            self.files[f"{folder}/SHA256SUMS"] = "".join(lines).encode()
        self._index(above.lstrip("/"))
        return folder

    def _index(self, folder: str) -> None:
        start = f"/{folder}/2"
        at = start.count("/")
        dates = sorted({path.split("/")[at] for path in self.files if path.startswith(start)})
        links = "".join(f'<a href="{date}/">{date}/</a>  -\n' for date in [*dates, "latest"])
        self.files[f"/{folder}/"] = f'<html><a href="../">../</a>\n{links}</html>'.encode()


@contextmanager
def serving(server: MirrorServer) -> Iterator[MirrorServer]:
    """Runs the server in a thread until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            with server.lock:
                server.requests.append((self.path, dict(self.headers)))
                server.busy += 1
                server.most_at_once = max(server.most_at_once, server.busy)
                faults = server.faults[self.path]
                fault = faults.popleft() if faults else Fault()
            try:
                self._answer(fault)
            finally:
                with server.lock:
                    server.busy -= 1

        def _answer(self, fault: Fault) -> None:
            content = server.files.get(self.path)
            if fault.status or content is None:
                return self._send(fault.status or 404, fault.headers, b"", fault)
            headers, status, start = dict(server.headers[self.path]), 200, 0
            asked = self.headers.get("Range")
            same = self.headers.get("If-Range") in (None, headers.get("ETag"))
            if asked and same and not fault.ignores_range:
                start, status = int(asked.removeprefix("bytes=").rstrip("-")), 206
                if start >= len(content):
                    headers["Content-Range"] = f"bytes */{len(content)}"
                    return self._send(416, headers, b"", fault)
                headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
            if fault.wrong_byte is not None:
                changed = bytearray(content)
                changed[fault.wrong_byte] ^= 1
                content = bytes(changed)
            return self._send(status, headers, content[start:], fault)

        def _send(self, status: int, headers: Mapping[str, str], body: bytes, fault: Fault) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            if fault.forgets_length:
                self.send_header("Connection", "close")
                self.close_connection = True
            else:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[: fault.cut])
            if fault.cut is not None:
                self.close_connection = True

        def log_message(self, *_: object) -> None:
            """Keeps quiet."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            """Keeps quiet of clients that hang up."""

    http = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=http.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    server.url = f"http://127.0.0.1:{http.server_address[1]}"
    try:
        yield server
    finally:
        http.shutdown()
        thread.join()
        http.server_close()


def packed(text: str) -> bytes:
    """A small SQL dump's bytes."""
    return gzip.compress(text.encode(), mtime=0)
