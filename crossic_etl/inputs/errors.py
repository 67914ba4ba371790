"""Errors of the input, worded for the user."""

from __future__ import annotations


class InputError(RuntimeError):
    """Input is missing or can't be read: the message names the file and what to do."""


class MissingDumpError(InputError):
    """A wiki's dump isn't where the configuration says."""
