"""Windows to labels, and the order of windows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from crossic_etl.config.loading import build
from crossic_etl.config.training import TrainingConfig
from crossic_etl.training.batches import IGNORED, Batch, Collator, StepPlan
from crossic_etl.training.data import Loaders, open_data
from crossic_etl.training.processes import Processes
from tests.training.tiny import window, windows, write_export

pytestmark = pytest.mark.slow

LANGUAGES = ["ar", "th"]


def collate(*windows: object, blocked: bool = False, count_repeated: bool = True) -> object:
    return Collator(LANGUAGES, blocked, count_repeated)(windows)  # type: ignore[arg-type]


def test_a_label_is_the_next_token_and_belongs_to_its_sample() -> None:
    batch = collate(window([1, 2, 9], [3, 9], langs=["th", "ar"]))
    assert batch.labels.tolist() == [[2, 9, 3, 9, IGNORED]]
    assert batch.segments.tolist() == [[0, 0, 0, 1, 1]]
    assert batch.languages.tolist() == [[1, 1, 0, 0, -1]]


def test_padding_is_at_the_end_and_labels_nothing() -> None:
    batch = collate(window([1, 2, 9]), window([5]))
    assert batch.input_ids.tolist() == [[1, 2, 9], [5, 0, 0]]
    assert batch.labels.tolist() == [[2, 9, IGNORED], [IGNORED] * 3]
    assert batch.segments.tolist() == [[0, 0, 0], [0, -1, -1]]


def test_blocked_samples_do_not_label_across_their_border() -> None:
    batch = collate(window([1, 2, 9], [3, 9]), blocked=True)
    assert batch.labels.tolist() == [[2, 9, IGNORED, 9, IGNORED]]


def test_a_repeated_token_counts_once_if_asked_for() -> None:
    first = window([1, 9], [2, 3])
    second = window([2, 3, 4, 9], n_repeated=2)
    twice = collate(first, second)
    once = collate(first, second, count_repeated=False)
    assert twice.labels.tolist() == [[9, 2, 3, IGNORED], [3, 4, 9, IGNORED]]
    assert once.labels.tolist() == [[9, 2, 3, IGNORED], [IGNORED, 4, 9, IGNORED]]


@given(
    n_windows=st.integers(1, 40),
    per_pass=st.integers(1, 4),
    n_passes=st.integers(1, 4),
    world=st.integers(1, 4),
    epochs=st.integers(1, 2),
)
def test_each_window_is_seen_once_in_an_epoch_by_any_number_of_processes(
    n_windows: int, per_pass: int, n_passes: int, world: int, epochs: int
) -> None:
    plan = StepPlan(n_windows, per_pass * n_passes, per_pass, epochs, seed=1)
    alone = list(plan.passes(0, 0, 1))
    processes = [list(plan.passes(0, rank, world)) for rank in range(world)]
    counted = [one for passes in processes for one in passes if not one.silent]
    assert sorted((one.step, one.number, one.windows) for one in counted) == [
        (one.step, one.number, one.windows) for one in alone
    ]
    seen = np.bincount([i for one in counted for i in one.windows], minlength=n_windows)
    assert seen.tolist() == [epochs] * n_windows
    # All processes take part in each turn of each step.
    turns = [[(one.step, one.last) for one in passes] for passes in processes]
    assert all(turn == turns[0] for turn in turns)


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_another_process_reads_the_same_batches_and_leaves_no_file_open(tmp_path: Path) -> None:
    export = write_export(tmp_path / "export", windows(4, 0), windows(1, 1))
    tree = {"model": {"name": "m"}, "exports": [str(export)], "output": "o"}
    alone = Processes(rank=0, local_rank=0, size=1, device=torch.device("cpu"))

    def batches(workers: int) -> list[Batch]:
        config = build(TrainingConfig, tree | {"workers": workers})
        (step,) = Loaders(config, open_data(config), alone).steps(StepPlan(4, 4, 2, 1, 0), 0)
        return [batch for _, batch in step]

    for here, there in zip(batches(0), batches(1), strict=True):
        for name in ("input_ids", "labels", "segments", "languages"):
            assert torch.equal(getattr(here, name), getattr(there, name))
            assert not getattr(there, name).is_shared()


def test_a_plan_goes_on_where_it_stopped() -> None:
    plan = StepPlan(n_windows=20, per_step=4, per_pass=2, epochs=2, seed=0)
    later = [one for one in plan.passes(0, 0, 1) if one.step >= 7]
    assert list(plan.passes(7, 0, 1)) == later


def test_an_epoch_has_its_own_order_and_so_has_a_seed() -> None:
    plan = StepPlan(n_windows=64, per_step=64, per_pass=64, epochs=2, seed=0)
    first, second = (one.windows for one in plan.passes(0, 0, 1))
    other = next(StepPlan(64, 64, 64, 1, seed=1).passes(0, 0, 1)).windows
    assert sorted(first) == sorted(second) == sorted(other) == list(range(64))
    assert first != second and first != other
