"""Makes a checked job for a platform from the training YAML."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

from crossic_etl.config import loading
from crossic_etl.config.training import TrainingConfig
from crossic_etl.config.yaml_file import read_yaml
from crossic_etl.export.manifest import Manifest
from crossic_etl.submit.databricks_run import DatabricksRun
from crossic_etl.submit.fit import check_fit, read_facts
from crossic_etl.submit.job import Platform, SubmitError, TrainingJob
from crossic_etl.submit.kubernetes_job import KubernetesJob
from crossic_etl.submit.local_run import LocalRun
from crossic_etl.submit.slurm_job import SlurmJob

# Platforms on which paths are not those of the submitting machine.
ELSEWHERE = ("kubernetes", "databricks")


def load(path: str, overrides: Sequence[str]) -> tuple[TrainingConfig, dict[str, Any]]:
    """The configuration, and the mapping that it was built from.

    Raises:
        ConfigError: a value is wrong, or a key or value looks like a secret.
    """
    return loading.load(TrainingConfig, read_yaml(path, overrides))


def plan(
    config: TrainingConfig, tree: dict[str, Any], manifests: dict[str, Manifest]
) -> tuple[TrainingJob, list[str]]:
    """The job, and a line for each thing that could not be checked.

    Raises:
        SubmitError: exports, model and settings don't fit each other.
    """
    submit = config.submit
    notes = check_fit(config, manifests, read_facts(config.model))
    if submit.platform in ELSEWHERE:
        for folder in (*config.exports, config.output):
            if not PurePosixPath(folder).is_absolute():
                raise SubmitError(f"{folder}: an absolute path expected on {submit.platform}")
    # With an explicit device a node without its GPU fails, instead of training on its CPU.
    device = {"device": "cuda" if submit.gpus_per_node else "cpu"}
    said = {key: value for key, value in tree.items() if key != "submit"} | device
    text = yaml.safe_dump(said, sort_keys=False, allow_unicode=True)
    return TrainingJob(_unique(submit.name), text, submit), notes


def place(job: TrainingJob, followed: bool) -> Platform:
    """The platform of the job; ``followed`` matters to a local run only."""
    platform = job.submit.platform
    if platform == "local":
        return LocalRun(job, Path.cwd(), followed)
    if platform == "slurm":
        return SlurmJob(job)
    return KubernetesJob(job) if platform == "kubernetes" else DatabricksRun(job)


def _unique(name: str) -> str:
    now = datetime.now(timezone.utc).strftime("%m%d-%H%M%S")
    return f"{name}-{now}-{secrets.token_hex(2)}"
