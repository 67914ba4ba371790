"""From the training YAML to a checked job on a platform."""

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

# Where a job's paths are not those of the machine that submits it.
ELSEWHERE = ("kubernetes", "databricks")


def load(path: str, overrides: Sequence[str]) -> tuple[TrainingConfig, dict[str, Any]]:
    """The configuration, and the tree that it was built of.

    Raises:
        ConfigError: it can't be run, or a key or value looks like a secret.
    """
    return loading.load(TrainingConfig, read_yaml(path, overrides))


def plan(
    config: TrainingConfig, tree: dict[str, Any], manifests: dict[str, Manifest]
) -> tuple[TrainingJob, list[str]]:
    """The job, and lines on what could not be checked.

    Raises:
        SubmitError: exports, model and settings don't fit each other.
    """
    submit = config.submit
    notes = check_fit(config, manifests, read_facts(config.model))
    if submit.platform in ELSEWHERE:
        for folder in (*config.exports, config.output):
            if not PurePosixPath(folder).is_absolute():
                raise SubmitError(f"{folder}: an absolute path expected on {submit.platform}")
    # Said here, so that a node without its GPU fails instead of training on its CPU for weeks.
    device = {"device": "cuda" if submit.gpus_per_node else "cpu"}
    said = {key: value for key, value in tree.items() if key != "submit"} | device
    text = yaml.safe_dump(said, sort_keys=False, allow_unicode=True)
    return TrainingJob(_unique(submit.name), text, submit), notes


def place(job: TrainingJob, followed: bool) -> Platform:
    """The platform that the job is for."""
    platform = job.submit.platform
    if platform == "local":
        return LocalRun(job, Path.cwd(), followed)
    if platform == "slurm":
        return SlurmJob(job)
    return KubernetesJob(job) if platform == "kubernetes" else DatabricksRun(job)


def _unique(name: str) -> str:
    now = datetime.now(timezone.utc).strftime("%m%d-%H%M%S")
    return f"{name}-{now}-{secrets.token_hex(2)}"
