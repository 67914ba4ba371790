from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from crossic_etl.config.training import load_training_config
from crossic_etl.submit import local_run
from crossic_etl.submit.databricks_run import DatabricksRun
from crossic_etl.submit.kubernetes_job import KubernetesJob
from crossic_etl.submit.local_run import LocalRun
from crossic_etl.submit.slurm_job import SlurmJob
from tests.submit.inputs import with_tokenizer, write_export, write_model
from tests.support.commands import submit as main

ROOT = Path(__file__).resolve().parents[2]
Tree = dict[str, Any]
Said = tuple[int, str, str]
CLOUD = {
    "databricks": {"node_type": "g5", "runtime": "17.3.x-gpu-ml-scala2.13", "wheel": "/V/a.whl"},
    "kubernetes": {"image": "i"},
}


@pytest.fixture
def submit(
    config_file: Callable[..., str],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> Callable[..., Said]:
    """``submit("--dry-run", seed=1)``: the job's exit status, output and errors."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str, **changed: Any) -> Said:
        status = main(["--config", config_file(**changed), *arguments])
        out, err = capsys.readouterr()
        return status, out, err

    return run


def error_of(said: Said) -> str:
    """The one line of a refusal; before it may be notes on what is not checked."""
    status, out, err = said
    *notes, line = err.splitlines()
    assert (status, out) == (1, "")
    assert line.startswith("error: ")
    assert all(note.startswith("not checked: ") for note in notes)
    return line


def test_neither_spark_nor_torch_is_imported() -> None:
    code = (
        "import sys, crossic_etl.cli.submit\n"
        "from crossic_etl.submit import exports, follow, plan\n"
        "print(sorted({'pyspark', 'torch', 'transformers', 'kubernetes', 'databricks'}"
        " & sys.modules.keys()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


@pytest.mark.parametrize(
    ("platform", "shown"),
    [
        ("local", "-m crossic_etl.submit.torchrun --standalone --nproc-per-node=2"),
        ("slurm", "#SBATCH --nodes=1"),
        ("kubernetes", "completionMode: Indexed"),
        ("databricks", '"node_type_id": "g5"'),
    ],
)
def test_a_dry_run_prints_what_would_be_submitted_and_submits_nothing(
    submit: Callable[..., Said], tmp_path: Path, platform: str, shown: str
) -> None:
    if platform in CLOUD:
        pytest.importorskip({"kubernetes": "kubernetes", "databricks": "databricks.sdk"}[platform])
    settings = {"gpus_per_node": 2, **CLOUD}
    before = set(tmp_path.iterdir())
    status, out, err = submit("--dry-run", "--platform", platform, submit=settings)
    assert status == 0
    assert shown in out
    assert str(tmp_path / "export") in out
    assert err.startswith("not checked: whether model")
    assert set(tmp_path.iterdir()) - before <= {tmp_path / "training.yaml"}


def test_the_job_reads_the_configuration_with_its_overrides_and_its_device(
    submit: Callable[..., Said], tmp_path: Path
) -> None:
    _, out, _ = submit("--dry-run", "--set", "seed=7", output="/data/ไทย")
    text = out.partition(".yaml\n")[2]
    (tmp_path / "job.yaml").write_text(text, encoding="utf-8")
    config = load_training_config(tmp_path / "job.yaml")
    assert (config.seed, config.output, config.device) == (7, "/data/ไทย", "cpu")
    assert "submit" not in yaml.safe_load(text)


def test_each_submission_has_its_own_name(submit: Callable[..., Said]) -> None:
    first, second = (submit("--dry-run", "--platform", "slurm")[1] for _ in range(2))
    assert first != second


def test_an_export_elsewhere_is_checked_by_a_copy_of_its_manifest(
    submit: Callable[..., Said], tree: Tree
) -> None:
    (copy,) = tree["exports"]
    there = {"exports": ["/mnt/there"], "submit": {"gpus_per_node": 0, **CLOUD}}
    said = submit("--dry-run", "--platform", "slurm", "--manifest", copy, **there)
    assert said[0] == 0 and "/mnt/there" in said[1]
    two = error_of(submit("--dry-run", "--manifest", copy, "--manifest", copy, **there))
    assert "one for each of the 1 exports" in two


def test_a_missing_export_is_refused(submit: Callable[..., Said], tmp_path: Path) -> None:
    assert "no export" in error_of(submit(exports=[str(tmp_path / "none")]))


def test_a_missing_export_to_validate_with_is_refused(
    submit: Callable[..., Said], tmp_path: Path
) -> None:
    validation = {"exports": {"other": str(tmp_path / "none")}}
    assert "no export" in error_of(submit(validation=validation))


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda text: text[:-9], "no JSON"),
        (lambda text: text.replace("crossic-etl export", "other"), "not the manifest"),
        (lambda text: text.replace('"bytes": 7', '"bytes": 8'), "7 bytes, 8 in the manifest"),
        (lambda text: text.replace('"window"', '"windows"'), "window is missing"),
    ],
)
def test_a_damaged_manifest_is_refused(
    submit: Callable[..., Said], tree: Tree, damage: Callable[[str], str], words: str
) -> None:
    path = Path(tree["exports"][0]) / "manifest.json"
    text = path.read_text(encoding="utf-8")
    path.write_text(damage(text), encoding="utf-8")
    assert path.read_text(encoding="utf-8") != text
    assert words in error_of(submit())


def test_a_missing_file_of_the_export_is_refused(submit: Callable[..., Said], tree: Tree) -> None:
    (Path(tree["exports"][0]) / "train" / "00000.parquet").unlink()
    assert "00000.parquet: missing" in error_of(submit())


@pytest.mark.parametrize(
    ("platform", "kind"),
    [
        ("local", LocalRun),
        ("slurm", SlurmJob),
        ("kubernetes", KubernetesJob),
        ("databricks", DatabricksRun),
    ],
)
def test_a_damaged_shard_is_refused_before_it_waits_for_its_turn(
    submit: Callable[..., Said],
    tree: Tree,
    monkeypatch: pytest.MonkeyPatch,
    platform: str,
    kind: type,
) -> None:
    sent: list[str] = []
    monkeypatch.setattr(kind, "check", lambda run: None)
    monkeypatch.setattr(kind, "submit", lambda run: sent.append("sent") or "7")
    (Path(tree["exports"][0]) / "train" / "00000.parquet").write_bytes(b"wind0ws")
    settings = {"gpus_per_node": 0, **CLOUD}
    said = submit("--platform", platform, submit=settings)
    assert "train/00000.parquet: its SHA-256 isn't the manifest's" in error_of(said)
    assert not sent
    # Training reads it again.
    status, out, _ = submit("--platform", platform, "--skip-checksums", submit=settings)
    assert (status, out, sent) == (0, "7\n", ["sent"])


def test_a_missing_gpu_is_refused(
    submit: Callable[..., Said], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object())
    monkeypatch.setattr(local_run, "COUNT_GPUS", "print(0)")
    line = error_of(submit(submit={"gpus_per_node": 1}))
    assert "submit.gpus_per_node: 1 given, 0 found on this machine" in line


def test_a_model_with_a_shorter_context_is_refused(
    submit: Callable[..., Said], tmp_path: Path
) -> None:
    model = write_model(tmp_path / "short", max_position_embeddings=32)
    line = error_of(submit(model={"name": model}))
    assert "windows of 64 tokens" in line and "a context of 32" in line


def test_a_manifest_of_another_tokenizer_is_refused(
    submit: Callable[..., Said], tmp_path: Path
) -> None:
    pytest.importorskip("tokenizers")
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel

    model = write_model(tmp_path / "other")
    other = Tokenizer(WordLevel({"?": 0, "1984": 1}, "?")).to_str()
    (tmp_path / "other" / "tokenizer.json").write_text(other, encoding="utf-8")
    line = error_of(submit(model={"name": model}))
    assert f"made with the tokenizer qwen2.5, but model {model} has another" in line


def test_a_model_with_fewer_rows_is_refused(submit: Callable[..., Said], tmp_path: Path) -> None:
    model = write_model(tmp_path / "small", vocab_size=1000)
    assert "1000 rows of embeddings" in error_of(submit(model={"name": model}))


@pytest.mark.parametrize("platform", ["kubernetes", "databricks"])
def test_a_relative_path_means_nothing_elsewhere(
    submit: Callable[..., Said], platform: str
) -> None:
    settings = {"gpus_per_node": 0, **CLOUD}
    said = submit("--platform", platform, output="runs/a", submit=settings)
    assert f"runs/a: an absolute path expected on {platform}" in error_of(said)


@pytest.mark.parametrize(
    ("changed", "arguments"),
    [
        ({"submit": {"environment": {"HF_TOKEN": "tell-no-one"}}}, ()),
        ({"hf_token": "tell-no-one"}, ()),
        ({}, ("--set", "submit.environment.PASSWORD=tell-no-one")),
    ],
)
def test_a_secret_is_refused_and_not_repeated(
    submit: Callable[..., Said], changed: Tree, arguments: tuple[str, ...]
) -> None:
    line = error_of(submit("--dry-run", *arguments, **changed))
    assert "looks like a secret" in line and "tell-no-one" not in line


def test_a_broken_yaml_is_not_repeated(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "broken.yaml"
    for text in ("a: 1\nhf_token: tell-no-one: [", "a: 'tell-no-one", "a: tell-no-one\x07"):
        path.write_text(text, encoding="utf-8")
        assert main(["--config", str(path)]) == 1
        error = capsys.readouterr().err
        assert "valid YAML (" in error and "tell-no-one" not in error and error.count("\n") == 1


def test_an_unknown_key_is_refused(submit: Callable[..., Said]) -> None:
    assert "submit.node: there is no such key; did you mean nodes?" in error_of(
        submit("--set", "submit.node=2")
    )


def test_a_secrets_value_is_not_in_a_dry_run(
    submit: Callable[..., Said], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "tell-no-one")
    settings = {"gpus_per_node": 0, "secrets": {"HF_TOKEN": "hub/token"}, **CLOUD}
    for platform in ("local", "slurm", "kubernetes", "databricks"):
        status, out, err = submit("--dry-run", "--platform", platform, submit=settings)
        assert status == 0 and "tell-no-one" not in out + err


def test_missing_commands_of_slurm_are_one_line(
    submit: Callable[..., Said], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "sbatch not found" in error_of(submit("--platform", "slurm"))


def test_missing_credentials_are_one_line(
    submit: Callable[..., Said], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pytest.importorskip("kubernetes")
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    settings = {"gpus_per_node": 0, **CLOUD}
    said = submit("--platform", "kubernetes", submit=settings)
    assert "no credentials for Kubernetes" in error_of(said)


def test_exports_with_two_tokenizers_are_refused(
    submit: Callable[..., Said], tree: Tree, tmp_path: Path
) -> None:
    other = write_export(tmp_path / "second", with_tokenizer(split_token="<|other|>"))
    assert "<|other|>" in error_of(submit(exports=[*tree["exports"], other]))
