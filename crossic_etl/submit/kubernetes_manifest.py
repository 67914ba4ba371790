"""The objects of a Kubernetes training job: an indexed Job, its YAML, and its pods' names."""

from __future__ import annotations

from typing import Any

from crossic_etl.submit.job import SubmitError, TrainingJob, platform_secret

Tree = dict[str, Any]

PORT = 29500
CONFIG_FOLDER = "/etc/crossic-etl"
CONFIG_FILE = "training.yaml"
INDEX = "metadata.annotations['batch.kubernetes.io/job-completion-index']"
SECRET_EXPECTED = "name/entry of a Kubernetes secret"


def objects(job: TrainingJob) -> list[Tree]:
    """Job, ConfigMap and, for several nodes, the headless Service that gives the pods names.

    Raises:
        SubmitError: no image is set, or a secret's reference isn't one to a Kubernetes secret.
    """
    if not job.submit.kubernetes.image:
        raise SubmitError("submit.kubernetes.image: '' given, expected a container image")
    made = [_job(job), _config_map(job)]
    return [*made, _service(job)] if job.submit.nodes > 1 else made


def _metadata(job: TrainingJob) -> Tree:
    return {"name": job.name, "labels": _labels(job)}


def _labels(job: TrainingJob) -> dict[str, str]:
    return {
        **job.submit.kubernetes.labels,
        "app.kubernetes.io/name": "crossic-etl",
        "app.kubernetes.io/instance": job.name,
    }


def _job(job: TrainingJob) -> Tree:
    """The Job. Its index is a pod's rank. If one pod fails, all end: the others wait for it."""
    submit = job.submit
    spec: Tree = {
        "completionMode": "Indexed",
        "completions": submit.nodes,
        "parallelism": submit.nodes,
        "backoffLimit": 0,
        "ttlSecondsAfterFinished": round(submit.kubernetes.keep_hours * 3600),
        "template": {"metadata": {"labels": _labels(job)}, "spec": _pod(job)},
    }
    if submit.seconds is not None:
        spec["activeDeadlineSeconds"] = submit.seconds
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": _metadata(job), "spec": spec}


def _pod(job: TrainingJob) -> Tree:
    settings = job.submit.kubernetes
    pod: Tree = {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "containers": [_container(job)],
        "volumes": [
            {"name": "config", "configMap": {"name": job.name}},
            {
                "name": "shared-memory",
                "emptyDir": {"medium": "Memory", "sizeLimit": settings.shared_memory},
            },
            *(
                {"name": f"volume-{i}", "persistentVolumeClaim": {"claimName": volume.claim}}
                for i, volume in enumerate(settings.volumes)
            ),
        ],
    }
    if job.submit.nodes > 1:
        pod["subdomain"] = job.name
    if job.submit.gpus_per_node:
        pod["tolerations"] = [
            {"key": settings.gpu_resource, "operator": "Exists", "effect": "NoSchedule"}
        ]
    if settings.node_selector:
        pod["nodeSelector"] = settings.node_selector
    if settings.service_account:
        pod["serviceAccountName"] = settings.service_account
    return pod


def _container(job: TrainingJob) -> Tree:
    settings = job.submit.kubernetes
    config = f"{CONFIG_FOLDER}/{CONFIG_FILE}"
    # Pod 0 of a Job with a subdomain has this name within the namespace.
    first = f"{job.name}-0.{job.name}"
    command = job.torchrun("python", config, "$(NODE_RANK)", first, str(PORT)).split()
    return {
        "name": "training",
        "image": settings.image,
        "command": command,
        "env": [*_variables(job)],
        "resources": _resources(job),
        "securityContext": {"allowPrivilegeEscalation": False},
        "volumeMounts": [
            {"name": "config", "mountPath": CONFIG_FOLDER, "readOnly": True},
            {"name": "shared-memory", "mountPath": "/dev/shm"},
            *(
                {
                    "name": f"volume-{i}",
                    "mountPath": volume.mount,
                    **({"readOnly": True} if volume.read_only else {}),
                }
                for i, volume in enumerate(settings.volumes)
            ),
        ],
    }


def _variables(job: TrainingJob) -> list[Tree]:
    rank = {"name": "NODE_RANK", "valueFrom": {"fieldRef": {"fieldPath": INDEX}}}
    plain = [{"name": name, "value": value} for name, value in job.submit.environment.items()]
    secret: list[Tree] = []
    for name, reference in job.submit.secrets.items():
        of, entry = platform_secret(name, reference, SECRET_EXPECTED)
        secret.append({"name": name, "valueFrom": {"secretKeyRef": {"name": of, "key": entry}}})
    return [rank, *plain, *secret]


def _resources(job: TrainingJob) -> Tree:
    """Limits for GPUs, which are requests as well; requests for cores and memory."""
    settings = job.submit.kubernetes
    asked = {"cpu": settings.cpus, "memory": settings.memory}
    resources: Tree = {}
    if requests := {name: amount for name, amount in asked.items() if amount}:
        resources["requests"] = requests
    if job.submit.gpus_per_node:
        resources["limits"] = {settings.gpu_resource: str(job.submit.gpus_per_node)}
    return resources


def _config_map(job: TrainingJob) -> Tree:
    return {
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": _metadata(job),
        "data": {CONFIG_FILE: job.config_text},
    }  # fmt: skip


def _service(job: TrainingJob) -> Tree:
    """A headless Service. It names the pods before they are ready: they wait for each other."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": _metadata(job),
        "spec": {
            "clusterIP": "None",
            "publishNotReadyAddresses": True,
            "selector": {"batch.kubernetes.io/job-name": job.name},
            "ports": [{"name": "rendezvous", "port": PORT}],
        },
    }
