"""Training that can't start or go on."""

from __future__ import annotations


class TrainingError(ValueError):
    """Training that can't start or go on, in one line for its user."""
