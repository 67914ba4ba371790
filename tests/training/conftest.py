"""What torch's tests need: one thread each, and not to be loaded where they are left out."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

# A tiny model is slower on several threads, and two runs are compared to the last bit.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# No model of these tests is on the hub, which is asked several times before that is believed.
os.environ["HF_HUB_OFFLINE"] = "1"

LOAD_TORCH = ("test_batches.py", "test_fit.py", "test_losses.py", "test_metrics.py", "test_run.py")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Torch takes seconds to load."""
    left_out = "not slow" in config.getoption("markexpr")
    return True if left_out and collection_path.name in LOAD_TORCH else None
