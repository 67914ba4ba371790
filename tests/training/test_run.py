"""Whole runs of a tiny model: it learns, is killed and goes on, alone or as two processes."""

from __future__ import annotations

import io
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM
from transformers.models.qwen2.modeling_qwen2 import Qwen2MLP

from crossic_etl.training.__main__ import main
from crossic_etl.training.checkpoints import OPTIMIZER, WEIGHTS, Checkpoints
from crossic_etl.training.models import load_trained
from crossic_etl.training.outputs import read_metrics, read_record, written_alone
from tests.training.tiny import (
    SPLIT,
    TOKENIZER,
    VOCABULARY,
    adapter,
    best_logits,
    curve,
    environment,
    fresh_logits,
    losses,
    one_thread,
    python,
    window,
    windows,
    write_config,
    write_export,
    write_model,
)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::FutureWarning:transformers.*"),
]

NEW = replace(TOKENIZER, split_token="[SPLIT]", is_new_token=True)
# The tokenizer's last token is the new one: the model lacks its row.
OLD_ROWS = VOCABULARY - 1
LORA = {"method": "lora", "lora": {"rank": 4, "alpha": 8, "dropout": 0.1}}
# The tiny model, and forward passes of its run: four of 316 windows in each.
N_LAYERS, N_PASSES = 2, 79
FIVE_STEPS = {"windows": 64, "per_device": 64}
PROMPT = [[1, 2, 3, SPLIT, 40, 39, 38, SPLIT]]


@pytest.fixture(autouse=True, scope="module")
def alike() -> Iterator[None]:
    with one_thread():
        yield


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_export(
        tmp_path_factory.mktemp("export") / "e", windows(316, 0), windows(20, 1), tokenizer=NEW
    )


@pytest.fixture(scope="module")
def adapted(tmp_path_factory: pytest.TempPathFactory, export: Path) -> Path:
    """The folder of a run with LoRA, dropout and a new split token, never interrupted."""
    folder = tmp_path_factory.mktemp("adapted")
    model = write_model(folder / "model", weights=True, vocab_size=OLD_ROWS)
    file = write_config(folder / "c.yaml", model, export, folder / "out", **LORA)
    assert main(["--config", str(file)]) == 0
    return folder


def again(adapted: Path, export: Path, output: Path, **changes: object) -> Path:
    """The configuration of that run for another output folder."""
    return write_config(
        output.with_suffix(".yaml"), adapted / "model", export, output, **LORA | changes
    )


def test_all_weights_learn(tmp_path: Path, export: Path) -> None:
    model = write_model(tmp_path / "model")
    file = write_config(tmp_path / "c.yaml", model, export, tmp_path / "out")
    assert main(["--config", str(file)]) == 0
    train = losses(tmp_path / "out", "train")
    assert len(train) == 40
    assert train[-1] < train[0] - 1
    validation = losses(tmp_path / "out", "validation", "all")
    assert validation[-1] < validation[0] - 1
    assert read_record(tmp_path / "out" / "final")["validation_loss"] == min(validation[1:])


def test_an_adapter_learns_and_tells_the_languages_apart(adapted: Path) -> None:
    train = losses(adapted / "out", "train")
    assert np.mean(train[-5:]) < np.mean(train[:5]) - 0.1
    last = [line for line in read_metrics(adapted / "out") if line["step"] == 40][1:]
    assert [(line["set"], line["language"]) for line in last] == [
        ("en-first", "all"), ("en-first", "ar"), ("en-first", "th")
    ]  # fmt: skip
    everything, arabic, thai = last
    assert everything["tokens"] == arabic["tokens"] + thai["tokens"]
    mean = sum(line["loss"] * line["tokens"] for line in (arabic, thai)) / everything["tokens"]
    assert everything["loss"] == pytest.approx(mean)


def test_tensorboard_has_the_losses(adapted: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(adapted / "out" / "tensorboard")).Reload()
    assert len(events.Scalars("train/loss")) == 40
    steps = [event.step for event in events.Scalars("validation/en-first/th")]
    assert steps == [0, 10, 20, 30, 40]


def test_a_killed_run_goes_on_to_the_same_end(adapted: Path, export: Path, tmp_path: Path) -> None:
    output = tmp_path / "out"
    file = again(adapted, export, output)
    process = subprocess.Popen(
        python("-m", "crossic_etl.training", "--config", file),
        env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    while process.poll() is None and not any(line["step"] > 12 for line in read_metrics(output)):
        time.sleep(0.002)
    process.kill()
    assert process.wait() == -signal.SIGKILL
    assert not (output / "final").exists()
    assert Checkpoints(output).newest() is not None

    assert main(["--config", str(file)]) == 0
    assert curve(output) == curve(adapted / "out")
    assert adapter(output) == adapter(adapted / "out")


def test_two_processes_train_as_one(adapted: Path, export: Path, tmp_path: Path) -> None:
    # Four windows in a pass: of the two passes of a step each takes one; the last step has one.
    output = tmp_path / "out"
    file = again(adapted, export, output)
    launcher = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", 2)
    done = subprocess.run(
        python(*launcher, "-m", "crossic_etl.training", "--config", file),
        env=environment(), capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    one, two = curve(adapted / "out"), curve(output)
    assert [line[:-1] for line in two] == [line[:-1] for line in one]
    assert [line[-1] for line in two] == pytest.approx([line[-1] for line in one], rel=1e-4)


def test_an_adapter_gives_the_same_logits_in_a_fresh_process(
    adapted: Path, export: Path, tmp_path: Path
) -> None:
    saved = fresh_logits(adapted / "out", PROMPT, tmp_path / "logits.npy")
    untrained, trained = best_logits(adapted / "c.yaml", PROMPT)
    np.testing.assert_array_equal(saved, trained)
    # The row of the new token, which is input and label of the prompt, is the trained one too.
    assert not np.isclose(trained, untrained).any(axis=2).all()
    (name,) = (key for key in adapter_keys(adapted / "out" / "final") if "lora" not in key)
    assert name.endswith("embed_tokens.token_adapter.trainable_tokens_delta")


def adapter_keys(final: Path) -> list[str]:
    from safetensors import safe_open

    with safe_open(final / "adapter_model.safetensors", "pt") as file:
        return list(file.keys())


def logits(final: Path) -> torch.Tensor:
    with torch.no_grad():
        found: torch.Tensor = load_trained(final)(input_ids=torch.tensor(PROMPT)).logits
    return found


def test_a_merged_adapter_gives_the_adapters_logits(
    adapted: Path, export: Path, tmp_path: Path
) -> None:
    # The checkpoints of the run that is done, saved in the other way.
    output = tmp_path / "out"
    shutil.copytree(adapted / "out", output, ignore=shutil.ignore_patterns("final"))
    assert main(["--config", str(again(adapted, export, output, save="merged"))]) == 0
    assert not (output / "final" / "adapter_model.safetensors").exists()
    merged, alone = (logits(folder / "final") for folder in (output, adapted / "out"))
    torch.testing.assert_close(merged, alone, rtol=1e-4, atol=1e-5)


def test_an_untied_model_saves_the_new_row_of_input_and_output(
    tmp_path: Path, export: Path
) -> None:
    model = write_model(tmp_path / "model", weights=True, tied=False, vocab_size=OLD_ROWS)
    file = write_config(
        tmp_path / "c.yaml", model, export, tmp_path / "out",
        **LORA | {"batch": FIVE_STEPS},
    )  # fmt: skip
    assert main(["--config", str(file)]) == 0
    final = tmp_path / "out" / "final"
    rows = [key for key in adapter_keys(final) if "lora" not in key]
    assert sorted(key.split(".token_adapter")[0].split(".")[-1] for key in rows) == [
        "embed_tokens", "lm_head"
    ]  # fmt: skip
    np.testing.assert_array_equal(logits(final), best_logits(file, PROMPT)[1])


def test_half_precision_blocked_and_merged(tmp_path: Path, export: Path) -> None:
    model = write_model(tmp_path / "model", weights=True, vocab_size=OLD_ROWS)
    file = write_config(
        tmp_path / "c.yaml", model, export, tmp_path / "out",
        **LORA | {"precision": "bf16", "attention": "blocked", "save": "merged"},
        gradient_checkpointing=True, count_repeated=False,
    )  # fmt: skip
    assert main(["--config", str(file)]) == 0
    train = losses(tmp_path / "out", "train")
    assert np.mean(train[-5:]) < np.mean(train[:5]) - 0.1
    merged = AutoModelForCausalLM.from_pretrained(tmp_path / "out" / "final", dtype="auto")
    assert merged.dtype == torch.bfloat16
    assert merged.get_input_embeddings().weight.shape[0] == VOCABULARY


def test_activations_that_are_computed_twice_give_the_same_curve(
    adapted: Path, export: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    n_calls, forward = 0, Qwen2MLP.forward

    def counted(layer: Qwen2MLP, states: torch.Tensor) -> torch.Tensor:
        nonlocal n_calls
        n_calls += torch.is_grad_enabled()
        return forward(layer, states)

    monkeypatch.setattr(Qwen2MLP, "forward", counted)
    file = again(adapted, export, tmp_path / "out", gradient_checkpointing=True)
    assert main(["--config", str(file)]) == 0
    assert n_calls == 2 * N_LAYERS * N_PASSES
    assert curve(tmp_path / "out") == curve(adapted / "out")


def test_each_arrangement_has_its_validation_loss_and_one_selects(
    export: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # What is validated of the second one isn't what is trained.
    noise = [window(np.random.default_rng(0).integers(VOCABULARY, size=30).tolist())]
    other = write_export(tmp_path / "mix", windows(4, 2), noise, "mix", NEW)
    model, output = write_model(tmp_path / "model"), tmp_path / "out"
    file = write_config(
        tmp_path / "c.yaml", model, export, output, exports=[str(export), str(other)],
        batch=FIVE_STEPS, validation={"every": 2, "select": "mix"},
    )  # fmt: skip
    assert main(["--config", str(file)]) == 0
    found = {
        name: [line[-1] for line in curve(output) if line[2:4] == (name, "all")]
        for name in ("en-first", "mix")
    }
    assert [len(values) for values in found.values()] == [4, 4]
    assert found["en-first"][-1] < found["mix"][-1]
    said = capsys.readouterr().out
    for name, values in found.items():
        assert f"step 5: validation loss of {name}: all {values[-1]:.4f}, " in said
    assert read_record(output / "final")["validation_loss"] == min(found["mix"][1:])


def test_a_terminal_shows_the_step_and_the_loss(
    export: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    model, output = write_model(tmp_path / "model"), tmp_path / "out"
    file = write_config(tmp_path / "c.yaml", model, export, output, batch=FIVE_STEPS)
    assert main(["--config", str(file)]) == 0
    loss = f"loss={losses(output, 'train')[-1]:.4f}]"
    assert any(" 5/5 " in line and loss in line for line in terminal.getvalue().splitlines())


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_the_checkpoint_with_the_least_validation_loss_is_kept(tmp_path: Path) -> None:
    # What is validated isn't what is trained: the better the model gets, the worse its loss.
    rng = np.random.default_rng(0)
    noise = [window(rng.integers(VOCABULARY, size=30).tolist()) for _ in range(10)]
    export = write_export(tmp_path / "export", windows(320, 0), noise)
    model, output = write_model(tmp_path / "model"), tmp_path / "out"
    file = write_config(tmp_path / "c.yaml", model, export, output)
    assert main(["--config", str(file)]) == 0
    found = losses(output, "validation", "all")
    assert found[1] == min(found[1:])
    assert read_record(output / "final")["step"] == 10
    kept = sorted(path.name for path in (output / "checkpoints").iterdir())
    assert kept == ["step-00000010", "step-00000040"]


def test_a_run_that_is_done_stays_as_it_is(
    adapted: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = adapter(adapted / "out"), curve(adapted / "out")
    assert main(["--config", str(adapted / "c.yaml")]) == 0
    assert "step 40" in capsys.readouterr().out
    assert (adapter(adapted / "out"), curve(adapted / "out")) == before


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("optimizer.learning_rate=0.5", "holds a run with optimizer.learning_rate: 0.01, now 0.5"),
        ("resume=false", "isn't empty, and resume is false"),
        ("exports=[/nowhere]", "/nowhere: no export"),
        ("batch.windows=7", "batch.windows: 7 given"),
    ],
)
def test_what_does_not_fit_is_said_in_one_line(
    adapted: Path, override: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--config", str(adapted / "c.yaml"), "--set", override]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: ") and message in line


def test_one_run_writes_to_an_output_at_a_time(
    adapted: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = adapted / "out"
    with written_alone(output):
        assert main(["--config", str(adapted / "c.yaml")]) == 1
    assert capsys.readouterr().err.splitlines()[-1] == (
        f"error: output: another run is writing to {output}"
    )
    assert main(["--config", str(adapted / "c.yaml")]) == 0


@contextmanager
def files_up_to(n_bytes: int) -> Iterator[None]:
    """Inside, the system refuses whatever this process writes past a size, as a full disk does."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize(("name", "missing"), [(WEIGHTS, 1), (OPTIMIZER, 1), (OPTIMIZER, 9_000)])
def test_a_disk_that_is_full_ends_the_run_in_one_line_and_the_next_one_goes_on(
    adapted: Path, export: Path, tmp_path: Path, name: str, missing: int,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    output, before = tmp_path / "out", adapted / "out"
    command = ["--config", str(again(adapted, export, output))]
    size = next(before.glob(f"checkpoints/*/{name}")).stat().st_size
    with files_up_to(size - missing):
        assert main(command) == 1
    line = capsys.readouterr().err.splitlines()[-1]
    assert line.startswith(f"error: output: can't write to {output} (")
    assert "File too large" in line
    assert not list(output.glob("checkpoints/step-*")) and not (output / "final").exists()
    assert main(command) == 0
    assert (adapter(output), curve(output)) == (adapter(before), curve(before))


def test_an_output_that_is_no_folder_is_said_in_one_line(
    adapted: Path, export: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "out"
    output.write_text("mine", encoding="utf-8")
    assert main(["--config", str(again(adapted, export, output))]) == 1
    line = capsys.readouterr().err.splitlines()[-1]
    assert line.startswith(f"error: output: can't write to {output} (")
    assert output.read_text("utf-8") == "mine"


def test_a_loss_that_is_no_number_ends_the_run(
    tmp_path: Path, export: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = write_model(tmp_path / "model")
    file = write_config(
        tmp_path / "c.yaml", model, export, tmp_path / "out",
        optimizer={"learning_rate": 1e30, "schedule": "constant_with_warmup"},
    )  # fmt: skip
    assert main(["--config", str(file)]) == 1
    assert "optimizer.learning_rate: 1e+30 is too high" in capsys.readouterr().err
    assert not (tmp_path / "out" / "final").exists()
