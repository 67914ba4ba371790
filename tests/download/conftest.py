"""A server with dumps, and what is asked of it; modules that need another one have their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from crossic_etl.config import Config
from crossic_etl.config.download import Download
from crossic_etl.config.etl import Wikipedia
from crossic_etl.download.http import Client
from crossic_etl.download.mirror import Mirror
from tests.download.mirror_server import MirrorServer, serving


@pytest.fixture
def server() -> Iterator[MirrorServer]:
    with serving(MirrorServer()) as running:
        yield running


@pytest.fixture
def mirror(server: MirrorServer) -> Callable[..., Mirror]:
    def make(*languages: str, **wikipedia: object) -> Mirror:
        settings = Download(mirror=f"{server.url}/", contact="me@example.org", backoff=0, tries=2)
        found = Wikipedia(**{"dumps": "/dumps", **wikipedia})  # type: ignore[arg-type]
        config = Config("unused", languages, found, download=settings)
        return Mirror(Client(settings, print), config.wikipedia, config.wikis)

    return make
