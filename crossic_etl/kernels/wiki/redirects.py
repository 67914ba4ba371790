"""Chains of redirects walked to their end."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import TypeVar

Name = TypeVar("Name", bound=Hashable)


def follow_redirects(targets: Mapping[Name, Name]) -> dict[Name, Name | None]:
    """Where each name ends: the first name that is no redirect; None if it goes in a circle.

    Linear in the number of redirects, whatever the length of the chains.
    """
    ends: dict[Name, Name | None] = {}
    for start in targets:
        walked: dict[Name, None] = {}
        name = start
        while name in targets and name not in ends and name not in walked:
            walked[name] = None
            name = targets[name]
        end = None if name in walked else ends.get(name, name)
        ends.update(dict.fromkeys(walked, end))
    return ends
