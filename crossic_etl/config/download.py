"""Configuration of the download job: mirror, politeness, lists of crawl files."""

from __future__ import annotations

from crossic_etl.config.errors import require
from crossic_etl.config.fields import Items, Number, PathText, Text, Whole, settings


@settings("download.crawl")
class CrawlListing:
    """A list of crawl files.

    Attributes:
        listing: URL or path of it: lines of paths or URLs (plain or gzip, as Common Crawl's
            ``wet.paths.gz``), the Hugging Face hub's tree of a repository, or its list of Parquet
            files.
        to: folder or fsspec URL where they go, each under its path.
        base: URL before each path; known for the hub.
        match: glob; only the paths that fit it are taken.
    """

    listing: PathText
    to: PathText
    base: Text = ""
    match: Text = "*"

    def __post_init__(self) -> None:
        for key in ("listing", "to", "match"):
            value = getattr(self, key)
            require(value.strip(), f"download.crawl.{key}", value, "a text that isn't empty")


@settings("download")
class Download:
    """How files are fetched.

    Attributes:
        mirror: base URL of a mirror of Wikimedia's dumps.
        contact: e-mail address or web page of who downloads, for the User-Agent: Wikimedia refuses
            requests without one.
        connections: files at a time; Wikimedia's own server asks for no more than two.
        tries: how often a request is sent without progress before the job gives up.
        backoff: seconds before the second retry, doubled at each further one; where a server says
            ``Retry-After``, that is taken instead.
        timeout: seconds without a byte until a connection counts as dropped.
        crawl: lists of crawl files.
    """

    mirror: Text = "https://dumps.wikimedia.org"
    contact: Text = ""
    connections: Whole = 2
    tries: Whole = 8
    backoff: Number = 2.0
    timeout: Number = 60.0
    crawl: Items[CrawlListing] = ()

    def __post_init__(self) -> None:
        is_url = self.mirror.startswith(("http://", "https://"))
        in_line = self.contact.isascii() and self.contact.isprintable()
        for key, fits, expected in (
            ("mirror", is_url, "an http or https URL"),
            ("contact", in_line, "an e-mail address or URL in ASCII"),
            ("connections", 1 <= self.connections <= 32, "1 to 32"),
            ("tries", self.tries >= 1, "a whole number >= 1"),
            ("backoff", self.backoff >= 0, "seconds >= 0"),
            ("timeout", self.timeout > 0, "seconds > 0"),
        ):
            require(fits, f"download.{key}", getattr(self, key), expected)
