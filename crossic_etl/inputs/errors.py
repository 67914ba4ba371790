"""What is wrong with an input, in words for its user."""

from __future__ import annotations


class InputError(RuntimeError):
    """Input that isn't there or can't be read: the message names the file and what to do."""
