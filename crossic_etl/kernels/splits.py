"""The two splits of samples and windows."""

from __future__ import annotations

TRAIN, VALIDATION = "train", "validation"
