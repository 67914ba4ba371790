"""A server in front of an object store that fails and dawdles as it is told to."""

from __future__ import annotations

import http.client
import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from tests.support.standalone import LOOPBACK

# What belongs to one connection and not to the message.
HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "server", "date"}


@dataclass
class Faults:
    """How a store behaves: of all requests, the share that gets status 500, and that is slow."""

    broken: float = 0.0
    slow: float = 0.0
    seconds: float = 2.0
    seed: int = 0
    n_requests: int = 0
    n_broken: int = 0
    n_slow: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def draw(self) -> tuple[bool, bool]:
        """Whether the next request fails, and whether it is slow."""
        with self.lock:
            self.n_requests += 1
            drawn = random.Random(f"{self.seed} {self.n_requests}")
            broken, slow = drawn.random() < self.broken, drawn.random() < self.slow
            self.n_broken, self.n_slow = self.n_broken + broken, self.n_slow + slow
        return broken, slow


@contextmanager
def faulty_store(store: str, faults: Faults) -> Iterator[str]:
    """The address of a server that hands requests on to a store, or doesn't."""
    behind = urlsplit(store).netloc

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            broken, slow = faults.draw()
            if slow:
                time.sleep(faults.seconds)
            if broken:
                self.send_response(500)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            connection = http.client.HTTPConnection(behind, timeout=60)
            headers = {name: text for name, text in self.headers.items() if name.lower() != "host"}
            connection.request(self.command, self.path, body, headers | {"Host": behind})
            response = connection.getresponse()
            content = response.read()
            self.send_response(response.status)
            for name, text in response.getheaders():
                if name.lower() not in HOP:
                    self.send_header(name, text)
            length = response.getheader("Content-Length") if self.command == "HEAD" else None
            self.send_header("Content-Length", length or str(len(content)))
            self.end_headers()
            self.wfile.write(content)
            connection.close()

        do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = answer

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer((LOOPBACK, 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://{LOOPBACK}:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
