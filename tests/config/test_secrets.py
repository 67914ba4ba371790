from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest

from crossic_etl.config import load_config
from crossic_etl.config.errors import ConfigError
from crossic_etl.config.secrets import known_keys, refuse_secrets
from crossic_etl.config.training import TrainingConfig

KNOWN = {*known_keys(TrainingConfig), "split_token"}


@pytest.mark.parametrize(
    ("tree", "named"),
    [
        ({"hf_token": "abc"}, "hf_token"),
        ({"submit": {"environment": {"HF_TOKEN": "abc"}}}, "submit.environment.HF_TOKEN"),
        ({"submit": {"environment": {"awsSecretAccessKey": "abc"}}}, "awsSecretAccessKey"),
        ({"submit": {"databricks": {"password": "abc"}}}, "submit.databricks.password"),
        ({"submit": {"kubernetes": {"labels": {"api-key": 7}}}}, "labels.api-key"),
        ({"submit": {"slurm": {"setup": ["export WANDB_API_KEY=abc"]}}}, "submit.slurm.setup"),
        ({"submit": {"environment": {"NOTE": "hf_" + "abc" * 10}}}, "submit.environment.NOTE"),
        ({"exports": ["s3://name:abc@host/export"]}, "exports"),
        ({"submit": {"secrets": {"HF_TOKEN": "hf_" + "abc" * 10}}}, "submit.secrets.HF_TOKEN"),
        ({"submit": {"secrets": {"HF_TOKEN": ["abc"]}}}, "submit.secrets.HF_TOKEN"),
    ],
)
def test_a_secret_is_refused_by_its_name_alone(tree: dict[str, Any], named: str) -> None:
    with pytest.raises(ConfigError, match=named) as refused:
        refuse_secrets(tree, KNOWN)
    assert "abc" not in str(refused.value)


@pytest.mark.parametrize(
    "tree",
    [
        {"split_token": "<|quad_end|>"},
        {"max_tokens": 4096, "tokenizer": "qwen2.5", "keyboard": "a", "monkey": "b"},
        {"submit": {"secrets": {"HF_TOKEN": "hub/token", "WANDB_API_KEY": "environment"}}},
        {"submit": {"slurm": {"setup": ["export HF_TOKEN=$(cat ~/.hub)", "module load cuda"]}}},
        {"submit": {"slurm": {"setup": ['export HF_TOKEN="$MY_TOKEN"']}}},
        {"exports": ["s3://bucket/export@2/ไทย", "/data/key-value/export"]},
        {"submit": {"environment": {"NCCL_SOCKET_IFNAME": "eth0"}}},
    ],
)
def test_what_only_sounds_like_a_secret_is_taken(tree: dict[str, Any]) -> None:
    refuse_secrets(tree, KNOWN)


SECRET = "hf_" + "a1B2" * 6


@pytest.mark.parametrize(
    ("text", "override"),
    [
        (f"{SECRET}: 1\n", ""),
        (f"{SECRET}: 1\n{SECRET}: 2\n", ""),
        (f"window: {{{SECRET}: 1}}\n", ""),
        (f"seed: !!binary {base64.b64encode(SECRET.encode()).decode()}\n", ""),
        ("", f"{SECRET}=1"),
        ("", f"{SECRET}=["),
        ("", f"seed.{SECRET}=1"),
        ("", f"seed={{{SECRET}: 1, {SECRET}: 2}}"),
    ],
)
def test_a_secret_that_is_a_key_isnt_repeated(tmp_path: Path, text: str, override: str) -> None:
    path = tmp_path / "my.yaml"
    path.write_text(f"root: /data\nlanguages: [th]\n{text}")
    with pytest.raises(ConfigError, match="looks like a secret") as caught:
        load_config(path, [override] if override else [])
    assert SECRET not in str(caught.value)
