"""Whole runs of a tiny model: it learns, is killed and goes on, alone or as two processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM

from crossic_etl.training.__main__ import main
from crossic_etl.training.checkpoints import Checkpoints
from crossic_etl.training.config import load_training_config
from crossic_etl.training.models import base_dtype, load_base, load_trained, prepare
from crossic_etl.training.outputs import read_metrics, read_record
from tests.training.tiny import (
    SPLIT,
    TOKENIZER,
    VOCABULARY,
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

ROOT = Path(__file__).resolve().parents[2]
NEW = replace(TOKENIZER, split_token="[SPLIT]", is_new_token=True)
# The tokenizer's last token is the new one: the model lacks its row.
OLD_ROWS = VOCABULARY - 1
LORA = {"method": "lora", "lora": {"rank": 4, "alpha": 8, "dropout": 0.1}}
PROMPT = [[1, 2, 3, SPLIT, 40, 39, 38, SPLIT]]
LOGITS = """
import sys, numpy, torch
from crossic_etl.training.models import load_trained
with torch.no_grad():
    logits = load_trained(sys.argv[1])(input_ids=torch.tensor(eval(sys.argv[2]))).logits
numpy.save(sys.argv[3], logits.numpy())
"""


def python(*arguments: object) -> list[str]:
    return [sys.executable, *map(str, arguments)]


def environment() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(ROOT)}


def curve(output: Path) -> list[tuple[object, ...]]:
    """All that the metrics say of losses."""
    return [
        tuple(line.get(key) for key in ("kind", "step", "set", "language", "tokens", "loss"))
        for line in read_metrics(output)
    ]


def losses(output: Path, kind: str, language: str | None = None) -> list[float]:
    return [
        line["loss"]
        for line in read_metrics(output)
        if (line["kind"], line.get("language")) == (kind, language)
    ]


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """Runs that are compared to the last bit add their numbers in one order."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


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
    assert weights(output) == weights(adapted / "out")


def weights(output: Path) -> bytes:
    return (output / "final" / "adapter_model.safetensors").read_bytes()


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
    final, saved = adapted / "out" / "final", tmp_path / "logits.npy"
    subprocess.run(python("-c", LOGITS, final, PROMPT, saved), env=environment(), check=True)
    config = load_training_config(adapted / "c.yaml")
    base = load_base(config.model, NEW, base_dtype(config), config.seed)
    model = prepare(base, config, NEW)
    with torch.no_grad():
        untrained = model.eval()(input_ids=torch.tensor(PROMPT)).logits
        checkpoints = Checkpoints(config.output)
        checkpoints.load_best(checkpoints.newest(), model)  # type: ignore[arg-type]
        trained = model(input_ids=torch.tensor(PROMPT)).logits
    torch.testing.assert_close(torch.from_numpy(np.load(saved)), trained, rtol=0, atol=0)
    # The row of the new token, which is input and label of the prompt, is the trained one too.
    assert not torch.isclose(trained, untrained).any(dim=2).all()
    (name,) = (key for key in adapter_keys(final) if "lora" not in key)
    assert name.endswith("embed_tokens.token_adapter.trainable_tokens_delta")


def adapter_keys(final: Path) -> list[str]:
    from safetensors import safe_open

    with safe_open(final / "adapter_model.safetensors", "pt") as file:
        return list(file.keys())


def test_an_untied_model_saves_the_new_row_of_input_and_output(
    tmp_path: Path, export: Path
) -> None:
    model = write_model(tmp_path / "model", weights=True, tied=False, vocab_size=OLD_ROWS)
    file = write_config(
        tmp_path / "c.yaml", model, export, tmp_path / "out",
        **LORA | {"batch": {"windows": 64, "per_device": 64}},
    )  # fmt: skip
    assert main(["--config", str(file)]) == 0
    final = tmp_path / "out" / "final"
    rows = [key for key in adapter_keys(final) if "lora" not in key]
    assert sorted(key.split(".token_adapter")[0].split(".")[-1] for key in rows) == [
        "embed_tokens", "lm_head"
    ]  # fmt: skip
    assert load_trained(final)(input_ids=torch.tensor(PROMPT)).logits.shape[-1] == VOCABULARY


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
    before = weights(adapted / "out"), curve(adapted / "out")
    assert main(["--config", str(adapted / "c.yaml")]) == 0
    assert "step 40" in capsys.readouterr().out
    assert (weights(adapted / "out"), curve(adapted / "out")) == before


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
