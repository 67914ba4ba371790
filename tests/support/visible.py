"""Texts compared without their white space: what stands between segments is in none of them."""

from __future__ import annotations


def visible(text: str) -> str:
    """The text without its white space."""
    return "".join(text.split())
