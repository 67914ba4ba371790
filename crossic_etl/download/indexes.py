"""Dates of dumps, from the index pages of a mirror."""

from __future__ import annotations

import re

from crossic_etl.download.http import Client, StatusError
from crossic_etl.inputs.errors import InputError

# The name of a dump's folder, of the older service or of the content service.
_DATE = re.compile(r"(?:^|/)(\d{8}|\d{4}-\d\d-\d\d)/?$")


class IncompleteError(InputError):
    """A dump is missing or not complete yet."""


def read_dates(client: Client, url: str) -> set[str]:
    """The dates, as ``YYYYMMDD``, of the dumps that an index page links to, complete or not.

    Raises:
        IncompleteError: the mirror doesn't have the page.
    """
    try:
        page, _ = client.read(url)
    except StatusError as error:
        raise IncompleteError(str(error)) from None
    links = re.findall(r"href\s*=\s*[\"']?([^\"'\s>]+)", page.decode(errors="replace"), re.I)
    return {found[1].replace("-", "") for link in links if (found := _DATE.search(link))}
