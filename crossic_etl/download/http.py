"""GET requests that say who sends them, and that wait and try again as the server asks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from threading import Event
from urllib.parse import urlsplit, urlunsplit

import requests
from urllib3.exceptions import HTTPError, MaxRetryError, NameResolutionError, NewConnectionError
from urllib3.util import Retry

from crossic_etl.config.download import Download
from crossic_etl.config.errors import ConfigError
from crossic_etl.inputs.errors import InputError

RETRIED = frozenset({408, 425, 429, 500, 502, 503, 504})
LONGEST_BACKOFF = 300.0  # seconds
LONGEST_WAIT = 6 * 3600  # seconds that a server may ask for
# Of a list or page, unpacked; Common Crawl's list of 100,000 files has 14 MB. Ours.
MOST_BYTES = 2**28
# What a connection that breaks raises, before the body and in the middle of it.
BROKEN = (
    requests.ConnectionError,
    requests.Timeout,
    requests.exceptions.ChunkedEncodingError,
    HTTPError,
)

Say = Callable[[str], None]


class Stopped(Exception):
    """Another file's error, or who waits, has ended the job."""


class Refused(Exception):
    """An answer that asks to come again later."""

    def __init__(self, response: requests.Response) -> None:
        self.raw = response.raw
        super().__init__(f"HTTP {response.status_code}")


class Patience:
    """How often, and after which wait, one URL is asked again.

    `urllib3`'s rules: exponential back-off, and ``Retry-After`` in both of its forms.
    """

    def __init__(self, client: Client, url: str) -> None:
        self._client, self._url = client, url
        self.restart()

    def restart(self) -> None:
        """All tries are there again: the last one brought something."""
        self._retry = Retry(
            total=self._client.settings.tries - 1,
            backoff_factor=self._client.settings.backoff / 2,
            backoff_max=LONGEST_BACKOFF,
            allowed_methods=None,
        )

    def wait(self, error: Exception) -> None:
        """Waits before the next try.

        Raises:
            InputError: there are no more tries, or the server asks for a wait of many hours.
            Stopped: the job has ended meanwhile.
        """
        raw = error.raw if isinstance(error, Refused) else None
        try:
            self._retry = self._retry.increment("GET", self._url, raw)
        except MaxRetryError:
            tries = self._client.settings.tries
            raise InputError(f"{shown(self._url)}: {describe(error)}, at {tries} tries") from None
        asked = self._retry.get_retry_after(raw) if raw is not None else None
        if asked and asked >= LONGEST_WAIT:
            raise InputError(f"{shown(self._url)}: the server asks to come again in {asked:.0f} s")
        seconds = asked or self._retry.get_backoff_time()
        self._client.say(f"{shown(self._url)}: {describe(error)}, again in {seconds:.0f} s")
        if self._client.stop.wait(seconds):
            raise Stopped


class Client:
    """Sends requests, from any thread; ``stop`` ends waits and transfers.

    Raises:
        ConfigError: nobody is named for the User-Agent.
    """

    def __init__(self, settings: Download, say: Say) -> None:
        if not settings.contact.strip():
            expected = "an e-mail address or URL: servers of dumps refuse requests without one"
            raise ConfigError("download.contact", settings.contact, expected)
        self.settings, self.say, self.stop = settings, say, Event()
        name = f"crossic-etl/{version('crossic-etl')} ({settings.contact})"
        # Not packed for the way: a range is of the file's own bytes.
        self._headers = {"User-Agent": name, "Accept-Encoding": "identity"}

    @contextmanager
    def get(
        self, url: str, headers: Mapping[str, str] | None = None
    ) -> Iterator[requests.Response]:
        """One answer, its body not yet read; 416 is an answer like 200 and 206.

        Raises:
            InputError: the server says that there is no such file, or that we may not have it.
            Refused: it asks to come again later.
        """
        sent = {**self._headers, **(headers or {})}
        with requests.Session() as session:
            try:
                response = session.get(
                    url, headers=sent, stream=True, timeout=self.settings.timeout
                )
            except BROKEN:
                raise
            except requests.RequestException as error:  # no URL, too many redirects
                raise InputError(f"{shown(url)}: {type(error).__name__}") from None
            with response:
                if response.status_code in RETRIED:
                    raise Refused(response)
                if response.status_code not in (200, 206, 416):
                    raise InputError(f"{shown(url)}: HTTP {response.status_code} {response.reason}")
                yield response

    def read(self, url: str) -> tuple[bytes, str | None]:
        """A small file, unpacked where the server packed it, and its next page's URL, if any.

        Raises:
            InputError: it can't be had, or is longer than `MOST_BYTES`.
        """
        patience = Patience(self, url)
        while True:
            try:
                with self.get(url) as response:
                    content = response.raw.read(MOST_BYTES + 1, decode_content=True)
                    if len(content) > MOST_BYTES:
                        raise InputError(f"{shown(url)} has more than {MOST_BYTES} bytes: no list")
                    return content, response.links.get("next", {}).get("url")
            except (*BROKEN, Refused) as error:
                patience.wait(error)


def describe(error: BaseException) -> str:
    """An error in one line, without the objects that libraries print with it."""
    if isinstance(error, (requests.Timeout, TimeoutError)):
        return "no answer in time"
    if isinstance(error, requests.exceptions.ProxyError):
        return "the proxy lets nothing through"
    if isinstance(error, (requests.ConnectionError, HTTPError)):
        cause = error.args[0] if error.args else None
        reason = getattr(cause, "reason", None)
        if isinstance(reason, NameResolutionError):
            return "the name of its host isn't known here"
        if isinstance(reason, NewConnectionError):
            return "no connection to its host"
        return "the connection broke"
    return " ".join(str(error).split()) or type(error).__name__


def shown(url: str) -> str:
    """A URL as it is printed and noted: without password and query, which may be a signature."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "a URL that isn't one"
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, host, parts.path, "…" if parts.query else "", ""))
