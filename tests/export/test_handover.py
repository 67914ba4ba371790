"""From the bundled sample to an adapter: tables, export, and training through the submit script.

On the CPU; the model has Qwen2's architecture and vocabulary, and a hidden size of 4.
"""

from __future__ import annotations

import subprocess
import sys
import time
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from crossic_etl.config import load_config
from crossic_etl.kernels.tokens.qwen import QWEN_FIRST_SPECIAL, QWEN_SPECIALS
from crossic_etl.pipeline.flow import jobs_of
from crossic_etl.sample.build import build_sample
from crossic_etl.training import ablations
from crossic_etl.training.outputs import FINAL, read_metrics, read_record
from crossic_etl.training.reader import open_export
from tests.support.commands import export
from tests.support.qwen_json import qwen_tokenizer
from tests.training.tiny import (
    adapter,
    best_logits,
    curve,
    environment,
    fresh_logits,
    losses,
    one_thread,
    python,
    write_config,
    write_model,
)

if TYPE_CHECKING:
    import psutil
    from pyspark.sql import SparkSession

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::FutureWarning:transformers.*"),
]

LENGTH = 128
# Articles alone: that needs half of the jobs.
ARRANGEMENTS = ("en-first", "target-only")
SETTINGS = (
    "languages=[es, th]", f"arrangements=[{', '.join(ARRANGEMENTS)}]", "mixture={}", "crawl={}",
    f"window.length={LENGTH}", "segment.max_tokens=null", "window.order=shuffled",
)  # fmt: skip
# 37 windows, three in a step: of two processes one has nothing left in its second pass.
TOKENS, STEPS = 4000, 13
TRAINING = {
    "method": "lora", "lora": {"rank": 4, "alpha": 8, "dropout": 0.1},
    "batch": {"windows": 3, "per_device": 1}, "optimizer": {"learning_rate": 0.03},
    "validation": {"every": 6, "windows": 6}, "submit": {"gpus_per_node": 0},
}  # fmt: skip


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a Qwen2 of 600,000 parameters, which training draws, and Qwen's tokenizer."""
    for package in ("torch", "transformers", "peft", "tokenizers"):
        pytest.importorskip(package)
    folder = write_model(
        tmp_path_factory.mktemp("model"), vocab_size=QWEN_FIRST_SPECIAL + len(QWEN_SPECIALS),
        hidden_size=4, intermediate_size=16, num_attention_heads=2, num_key_value_heads=1,
        max_position_embeddings=LENGTH, initializer_range=1.0,
    )  # fmt: skip
    tokenizer = qwen_tokenizer()
    tokenizer.add_special_tokens(list(QWEN_SPECIALS))
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder


@pytest.fixture(scope="module")
def settings(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The bundled configuration and what is changed of it, whose windows are made."""
    folder = tmp_path_factory.mktemp("sample")
    build_sample(folder / "dumps")
    bundled = str(files("crossic_etl.sample") / "config.yaml")
    changed = [*SETTINGS, f"root={folder / 'tables'}", f"wikipedia.dumps={folder / 'dumps'}"]
    config = load_config(bundled, changed)
    for job in jobs_of(config):
        job.run(spark, config)
    return ["--config", bundled, *overridden(changed)]


def export_windows(settings: list[str], to: Path, arrangement: str = ARRANGEMENTS[0]) -> Path:
    """An export of an arrangement's first windows."""
    more = ["--arrangement", arrangement, "--tokens", str(TOKENS), "--to", str(to)]
    assert export([*settings, *more]) == 0
    return to


@pytest.fixture(scope="module")
def exported(settings: list[str], model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return export_windows(settings, tmp_path_factory.mktemp("exports") / "export")


def overridden(settings: list[str]) -> list[str]:
    return [part for setting in settings for part in ("--set", setting)]


@pytest.fixture(scope="module")
def config(model: Path, exported: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("training")
    return write_config(folder / "c.yaml", model, exported, folder / "whole", **TRAINING)


def submit(config: Path, *settings: str) -> subprocess.Popen[str]:
    """The submit script, which ends when training does."""
    script = (
        "-m",
        "crossic_etl",
        "submit",
        "--platform",
        "local",
        "--wait",
        "--interval",
        0.2,
    )
    return subprocess.Popen(
        python(*script, "--config", config, *overridden([*settings])),
        cwd=config.parent, env=environment(),
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip


def finish(process: subprocess.Popen[str]) -> str:
    """What script and training said, which end well."""
    said, _ = process.communicate()
    assert process.returncode == 0, said
    return said


def trainers(process: subprocess.Popen[str], output: Path, step: int) -> list[psutil.Process]:
    """The processes that a script has started, once a step is done and training goes on."""
    import psutil

    while not any(line["step"] >= step for line in read_metrics(output)):
        assert process.poll() is None, process.communicate()[0]
        time.sleep(0.01)
    return psutil.Process(process.pid).children(recursive=True)


@pytest.fixture(scope="module")
def whole(config: Path) -> tuple[Path, str]:
    """The output folder of a run that nothing interrupts, and what was said."""
    said = finish(submit(config))
    return config.parent / "whole", said


def test_everything_is_checked_before_training_starts(whole: tuple[Path, str]) -> None:
    assert "not checked" not in whole[1]


def test_the_loss_falls(whole: tuple[Path, str]) -> None:
    train, validation = (losses(whole[0], *kind) for kind in (("train",), ("validation", "all")))
    assert len(train) == STEPS
    assert np.mean(train[-4:]) < np.mean(train[:4]) - 0.1
    assert validation[-1] < validation[0] - 0.03


def test_a_run_killed_and_submitted_again_ends_as_one_never_interrupted(
    config: Path, whole: tuple[Path, str]
) -> None:
    output = config.parent / "killed"
    process = submit(config, f"output={output}")
    # A step after the checkpoint is done, and lost.
    for one in (*trainers(process, output, 7), process):
        one.kill()
    process.communicate()  # until none of them is left that could write
    assert [path.name for path in output.glob("checkpoints/*")] == ["step-00000006"]
    assert not (output / FINAL).exists()

    assert f"resumed after step 6 of {STEPS}" in finish(submit(config, f"output={output}"))
    assert curve(output) == curve(whole[0])
    assert adapter(output) == adapter(whole[0])
    # These weights are of the last step, not of the checkpoint.
    assert read_record(output / FINAL)["step"] == STEPS


def test_two_processes_have_the_losses_of_one(config: Path, whole: tuple[Path, str]) -> None:
    output = config.parent / "two"
    process = submit(config, f"output={output}", "submit.processes_per_node=2")
    ranks = [one.environ().get("RANK") for one in trainers(process, output, 1)]
    assert sorted(filter(None, ranks)) == ["0", "1"]
    finish(process)
    one, two = curve(whole[0]), curve(output)
    assert [line[:-1] for line in two] == [line[:-1] for line in one]
    assert [line[-1] for line in two] == pytest.approx([line[-1] for line in one], rel=2e-4)


def test_the_adapter_gives_the_same_logits_in_a_fresh_process(
    config: Path, exported: Path, whole: tuple[Path, str], tmp_path: Path
) -> None:
    ids = [open_export(exported, "validation")[0].input_ids[:16].tolist()]
    fresh = fresh_logits(whole[0], ids, tmp_path / "logits.npy")
    with one_thread():
        untrained, trained = best_logits(config, ids)
    np.testing.assert_array_equal(fresh, trained)
    assert not np.isclose(untrained, trained).all(axis=2).any()


def test_arrangements_are_compared_in_a_table(
    config: Path, settings: list[str], tmp_path: Path
) -> None:
    """The script exports what isn't there: both are, as a process of Spark for each takes long."""
    planned = ["plan", "--config", settings[1], "--training", str(config), "--output", tmp_path]
    more = ["--tokens", TOKENS, "--arrangements", *ARRANGEMENTS]
    assert ablations.main([*map(str, planned), *map(str, more)]) == 0
    for name in ARRANGEMENTS:
        export_windows(settings, tmp_path / "exports" / name, name)
    done = subprocess.run(
        ["sh", tmp_path / "run.sh"], env=environment() | {"PYTHON": sys.executable},
        cwd=config.parent, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    rows = [line.strip("| ").split(" | ") for line in done.stdout.splitlines() if "| " in line]
    shares, rows = rows[-len(ARRANGEMENTS) - 1 :], rows[: -len(ARRANGEMENTS) - 1]
    assert shares[0] == ["arrangement", "samples", "similarity", "one-sided", "lopsided"]
    assert [row[0] for row in shares[1:]] == list(ARRANGEMENTS)
    found = {tuple(row[:2]): [float(cell) for cell in row[2:]] for row in rows[-6:]}
    assert rows[-7] == ["validated on", "trained on", "all", "es", "th"]
    assert found.keys() == {(a, b) for a in ARRANGEMENTS for b in ("(untrained)", *ARRANGEMENTS)}
    for name in ARRANGEMENTS:
        assert found[name, name][0] < found[name, "(untrained)"][0] - 0.05
    # Each set is the same text for all models; another set is another text.
    assert len({found[name, "(untrained)"][0] for name in ARRANGEMENTS}) == 2
