"""Dumps of the content service: pages alone, complete once their list of checksums is there."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from crossic_etl.download.http import Client, StatusError
from crossic_etl.download.indexes import IncompleteError, read_dates
from crossic_etl.download.transfer import RemoteFile
from crossic_etl.inputs.dump_names import (
    CHECKSUMS,
    CONTENT,
    content_file,
    content_path,
    read_checksums,
)


@dataclass(frozen=True)
class ContentService:
    """The content service of a mirror.

    Attributes:
        client: sends the requests.
        base: the mirror's URL, without a slash at its end.
    """

    client: Client
    base: str

    def dates(self, wiki: str) -> set[str]:
        """The dates of a wiki's dumps, complete or not.

        Raises:
            IncompleteError: the service doesn't have the wiki.
        """
        return read_dates(self.client, f"{self.base}/{CONTENT}/{wiki}/")

    def files(self, wiki: str, date: str, dumps: str) -> list[RemoteFile]:
        """The files of pages of one dump, and last their list, which says that all are there.

        Args:
            wiki: name of its database.
            date: ``YYYYMMDD``.
            dumps: the folder of all dumps, for which they are.

        Raises:
            IncompleteError: the dump is missing or not complete yet.
        """
        below = content_path(wiki, date)
        url, folder = f"{self.base}/{below}", f"{dumps.rstrip('/')}/{below}"
        try:
            listed, _ = self.client.read(f"{url}/{CHECKSUMS}")
        except StatusError as error:
            raise IncompleteError(str(error)) from None
        wanted, group = content_file(wiki, date), f"{wiki} {date}"
        found = [
            RemoteFile(f"{url}/{name}", f"{folder}/{name}", None, {"sha256": digest}, group)
            for name, digest in sorted(read_checksums(listed).items())
            if wanted.fullmatch(name)
        ]
        if not found:
            raise IncompleteError(f"{url}/{CHECKSUMS} names no file of pages")
        own = {"sha256": hashlib.sha256(listed).hexdigest()}
        path = f"{folder}/{CHECKSUMS}"
        return [*found, RemoteFile(f"{url}/{CHECKSUMS}", path, len(listed), own, group)]
