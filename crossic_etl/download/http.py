"""GET requests that name their sender, and that are retried after the wait a server asks for."""

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
LONGEST_WAIT = 6 * 3600  # seconds, the most that a server may ask for
# Of a list or page, unpacked. Common Crawl's list of 100,000 files has 14 MB; the limit is ours.
MOST_BYTES = 2**28
# Raised by a broken connection, before or within the body.
BROKEN = (
    requests.ConnectionError,
    requests.Timeout,
    requests.exceptions.ChunkedEncodingError,
    HTTPError,
)

Say = Callable[[str], None]


class Cancelled(Exception):
    """The job was ended, by Ctrl-C or by another file's error."""


class StatusError(InputError):
    """A response with a status that no retry changes: the file isn't there, or isn't for us."""


class RetryableResponse(Exception):
    """A response with a status of `RETRIED`: the request may succeed later."""

    def __init__(self, response: requests.Response) -> None:
        self.raw = response.raw
        super().__init__(f"HTTP {response.status_code}")


class RetryPolicy:
    """How often, and after which wait, the request for one URL is repeated.

    By the rules of `urllib3`: exponential back-off, and ``Retry-After`` in both of its forms.
    """

    def __init__(self, client: Client, url: str) -> None:
        self._client, self._url = client, url
        self.restart()

    def restart(self) -> None:
        """Makes all tries available again, after one that brought new bytes."""
        self._retry = Retry(
            total=self._client.settings.tries - 1,
            backoff_factor=self._client.settings.backoff / 2,
            backoff_max=LONGEST_BACKOFF,
            allowed_methods=None,
        )

    def wait(self, error: Exception) -> None:
        """Waits before the next try.

        Raises:
            InputError: no tries are left, or the server asks for a wait of `LONGEST_WAIT` or more.
            Cancelled: the job was ended during the wait.
        """
        raw = error.raw if isinstance(error, RetryableResponse) else None
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
            raise Cancelled


class Client:
    """Sends requests, from any thread; ``stop`` ends waits and transfers.

    Raises:
        ConfigError: ``download.contact``, which the User-Agent names, is empty.
    """

    def __init__(self, settings: Download, say: Say) -> None:
        if not settings.contact.strip():
            expected = "an e-mail address or URL: servers of dumps refuse requests without one"
            raise ConfigError("download.contact", settings.contact, expected)
        self.settings, self.say, self.stop = settings, say, Event()
        name = f"crossic-etl/{version('crossic-etl')} ({settings.contact})"
        # No compression in transit: a range then counts the file's own bytes.
        self._headers = {"User-Agent": name, "Accept-Encoding": "identity"}

    @contextmanager
    def get(
        self, url: str, headers: Mapping[str, str] | None = None
    ) -> Iterator[requests.Response]:
        """The response to one GET request, its body unread; its status is 200, 206 or 416.

        Raises:
            StatusError: the status is another one that no retry changes.
            InputError: the URL is wrong.
            RetryableResponse: the status is one of `RETRIED`.
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
                    raise RetryableResponse(response)
                if response.status_code not in (200, 206, 416):
                    message = f"{shown(url)}: HTTP {response.status_code} {response.reason}"
                    raise StatusError(message)
                yield response

    def read(self, url: str) -> tuple[bytes, str | None]:
        """A small file's content, decompressed, and the URL of its next page, if there is one.

        Raises:
            InputError: the server doesn't give it, or it is longer than `MOST_BYTES`.
        """
        retries = RetryPolicy(self, url)
        while True:
            try:
                with self.get(url) as response:
                    content = response.raw.read(MOST_BYTES + 1, decode_content=True)
                    if len(content) > MOST_BYTES:
                        raise InputError(f"{shown(url)} has more than {MOST_BYTES} bytes: no list")
                    return content, response.links.get("next", {}).get("url")
            except (*BROKEN, RetryableResponse) as error:
                retries.wait(error)


def describe(error: BaseException) -> str:
    """An error in one line, without the representations of objects in libraries' messages."""
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
    """A URL for messages and sidecars, without secrets: no password, no query (a signature)."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "a URL that isn't one"
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, host, parts.path, "…" if parts.query else "", ""))
