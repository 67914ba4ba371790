"""Attention within samples or over the window, and losses by language."""

from __future__ import annotations

import pytest
import torch

from crossic_etl.config.training import Model
from crossic_etl.training.batches import IGNORED, Batch, Collator
from crossic_etl.training.losses import (
    blocked_mask,
    next_token_logits,
    positions_within,
    token_losses,
)
from crossic_etl.training.models import load_base
from crossic_etl.training.processes import Processes
from crossic_etl.training.validation import ALL, ValidationLoss, validate
from tests.training.tiny import TOKENIZER, window, write_model

pytestmark = pytest.mark.slow

LANGUAGES = ["ar", "ja", "th"]
FIRST, SECOND = [5, 6, 7, 8, 63], [9, 10, 11, 63]
ALONE = Processes(rank=0, local_rank=0, size=1, device=torch.device("cpu"))


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> torch.nn.Module:
    folder = write_model(tmp_path_factory.mktemp("model"))
    made = load_base(Model(str(folder), random_init=True), TOKENIZER, torch.float32, seed=0)
    return made.eval()  # type: ignore[no-any-return]


def batch_of(*samples: list[int], blocked: bool = False, langs: tuple[str, ...] = ()) -> Batch:
    return Collator(LANGUAGES, blocked, True)([window(*samples, langs=langs)])


def logits(model: torch.nn.Module, *samples: list[int], blocked: bool) -> torch.Tensor:
    with torch.no_grad():
        return next_token_logits(model, batch_of(*samples), blocked=blocked)[0]


def test_a_token_looks_at_those_before_it_in_its_own_segment() -> None:
    mask = blocked_mask(torch.tensor([[0, 0, 1, -1]]))
    assert mask.int().tolist() == [[[[1, 0, 0, 0], [1, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]]]


def test_positions_begin_again_in_each_segment() -> None:
    segments = torch.tensor([[0, 0, 0, 1, 1, -1], [0, 1, 2, 2, 2, 2]])
    assert positions_within(segments).tolist() == [[0, 1, 2, 0, 1, 0], [0, 0, 0, 1, 2, 3]]


def test_blocked_attention_keeps_a_change_within_its_sample(model: torch.nn.Module) -> None:
    before = logits(model, FIRST, SECOND, blocked=True)
    after = logits(model, [20, *FIRST[1:]], SECOND, blocked=True)
    assert torch.equal(before[5:], after[5:])
    assert not torch.isclose(before[:5], after[:5]).all(dim=1).any()


def test_blocked_attention_looks_at_no_later_token(model: torch.nn.Module) -> None:
    # The mask takes the place of the model's own causal one, within a sample as across.
    before = logits(model, FIRST, SECOND, blocked=True)
    after = logits(model, FIRST, [*SECOND[:-1], 20], blocked=True)
    assert torch.equal(before[:-1], after[:-1])
    assert not torch.isclose(before[-1], after[-1]).all()


def test_attention_over_the_window_carries_a_change_on(model: torch.nn.Module) -> None:
    before = logits(model, FIRST, SECOND, blocked=False)
    after = logits(model, [20, *FIRST[1:]], SECOND, blocked=False)
    assert not torch.isclose(before, after).all(dim=1).any()


def test_a_blocked_sample_is_as_if_it_were_alone(model: torch.nn.Module) -> None:
    together = logits(model, FIRST, SECOND, blocked=True)
    alone = logits(model, SECOND, blocked=False)
    torch.testing.assert_close(together[5:], alone, atol=1e-6, rtol=1e-5)


def test_padding_changes_no_loss(model: torch.nn.Module) -> None:
    for blocked in (False, True):
        collate = Collator(LANGUAGES, blocked, True)
        short, long = window(SECOND), window(FIRST, SECOND)
        alone = token_losses(model, collate([short]), blocked=blocked)
        padded = token_losses(model, collate([short, long]), blocked=blocked)
        torch.testing.assert_close(padded[:1, :3], alone[:, :3], atol=1e-6, rtol=1e-5)
        assert (padded[0, 3:] == 0).all()


def test_the_loss_is_that_of_the_models_own_code(model: torch.nn.Module) -> None:
    batch = batch_of(FIRST, SECOND)
    with torch.no_grad():
        ours = token_losses(model, batch, blocked=False).sum() / (batch.labels != IGNORED).sum()
        theirs = model(input_ids=batch.input_ids, labels=batch.input_ids).loss
    torch.testing.assert_close(ours, theirs)


def test_validation_gives_each_language_the_loss_of_its_samples(model: torch.nn.Module) -> None:
    batches = [batch_of(FIRST, SECOND, blocked=True, langs=("th", "ar")) for _ in range(2)]
    found = validate(model, {"mix": batches}, LANGUAGES, ALONE, blocked=True, bf16=False)
    with torch.no_grad():
        first, second = (
            token_losses(model, batch_of(sample), blocked=False)[0, :-1]
            for sample in (FIRST, SECOND)
        )
    expected = {
        ALL: torch.cat([first, second]).mean(), "ar": second.mean(), "th": first.mean()
    }  # fmt: skip
    assert [(at.set, at.language, at.tokens) for at in found] == [
        ("mix", ALL, 14), ("mix", "ar", 6), ("mix", "th", 8)
    ]  # fmt: skip
    assert {at.language: at.loss for at in found} == pytest.approx(
        {language: float(loss) for language, loss in expected.items()}, rel=1e-5
    )
    assert isinstance(found[0], ValidationLoss)
