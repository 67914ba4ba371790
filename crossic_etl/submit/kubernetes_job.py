"""Training as a Kubernetes Job, through the official client."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import yaml

from crossic_etl.submit.job import JobState, SubmitError, TrainingJob, UnreachableError, first_line
from crossic_etl.submit.kubernetes_manifest import Tree, objects

SECONDS = 60


class KubernetesJob:
    """A training job as an indexed Job with ConfigMap and Service. Its id is ``namespace/name``."""

    def __init__(self, job: TrainingJob) -> None:
        self._job = job

    def check(self) -> None:
        """Checks settings, client and credentials; asks no server.

        Raises:
            SubmitError: one of them is missing.
        """
        objects(self._job)
        self._client()

    def render(self) -> str:
        """The objects as YAML. When submitted, ConfigMap and Service get the Job as owner, too."""
        return yaml.safe_dump_all(objects(self._job), sort_keys=False, allow_unicode=True)

    def submit(self) -> str:
        """Creates the objects, all or none; returns the Job's id.

        Raises:
            SubmitError: the server refuses one, with its message, or can't be reached.
        """
        client, namespace = self._client()
        from kubernetes.client import BatchV1Api

        batch = BatchV1Api(client)
        first, *others = objects(self._job)
        with _errors():
            made = batch.create_namespaced_job(namespace, first, _request_timeout=SECONDS)
        try:
            with _errors():
                for tree in others:
                    _create_owned(client, namespace, tree, made.metadata.uid, self._job.name)
        except SubmitError:
            with _errors():
                batch.delete_namespaced_job(
                    self._job.name, namespace, propagation_policy="Background",
                    _request_timeout=SECONDS,
                )  # fmt: skip
            raise
        return f"{namespace}/{self._job.name}"

    def state(self, job_id: str) -> JobState:
        """Counts of the Job's pods, and the reasons for which they wait or failed."""
        from kubernetes.client import BatchV1Api, CoreV1Api

        client, _ = self._client()
        namespace, name = job_id.split("/")
        with _errors():
            job = BatchV1Api(client).read_namespaced_job(name, namespace, _request_timeout=SECONDS)
            pods = CoreV1Api(client).list_namespaced_pod(
                namespace, label_selector=f"batch.kubernetes.io/job-name={name}",
                _request_timeout=SECONDS,
            ).items  # fmt: skip
        status = job.status
        line = (
            f"Job {job_id}: {status.active or 0} active, {status.ready or 0} ready,"
            f" {status.succeeded or 0} succeeded, {status.failed or 0} failed"
        )
        notes = sorted({note for pod in pods for note in _notes(pod)})
        conditions = {c.type: c for c in status.conditions or [] if c.status == "True"}
        if "Complete" in conditions:
            return JobState(f"{line}; complete", 0)
        if failed := conditions.get("Failed"):
            reason = f"{failed.reason}: {first_line([failed.message])}"
            codes = [code for pod in pods for code in _exit_codes(pod) if code]
            return JobState("; ".join([line, reason, *notes]), codes[0] if codes else 1)
        return JobState("; ".join([line, *notes]))

    def interrupted(self, job_id: str) -> str:
        """The message that the Job goes on, and how to stop it."""
        namespace, name = job_id.split("/")
        return f"Job {job_id} goes on; stop it with: kubectl -n {namespace} delete job {name}"

    def _client(self) -> tuple[Any, str]:
        try:
            from kubernetes import config
        except ImportError:
            raise SubmitError(
                "the Kubernetes client is not installed (pip install 'crossic-etl[kubernetes]')"
            ) from None
        settings = self._job.submit.kubernetes
        try:
            # The client reads this variable at import only; it may have changed since.
            files = os.environ.get("KUBECONFIG")
            client = config.new_client_from_config(files, context=settings.context)
            contexts, current = config.list_kube_config_contexts(files)
        except (config.ConfigException, OSError) as error:
            raise SubmitError(
                f"no credentials for Kubernetes ({first_line([str(error)])})"
            ) from None
        named = {context["name"]: context for context in contexts}
        chosen = named[settings.context] if settings.context else current
        return client, settings.namespace or chosen["context"].get("namespace") or "default"


def _create_owned(client: Any, namespace: str, tree: Tree, uid: str, name: str) -> None:
    """Creates an object that is deleted with the Job."""
    from kubernetes.client import CoreV1Api

    core = CoreV1Api(client)
    owner = {"apiVersion": "batch/v1", "kind": "Job", "name": name, "uid": uid}
    owned = {**tree, "metadata": {**tree["metadata"], "ownerReferences": [owner]}}
    create = {
        "ConfigMap": core.create_namespaced_config_map,
        "Service": core.create_namespaced_service,
    }[tree["kind"]]
    create(namespace, owned, _request_timeout=SECONDS)


def _notes(pod: Any) -> Iterator[str]:
    """Reasons for which a pod's containers wait or failed, or the pod isn't scheduled."""
    for container in pod.status.container_statuses or []:
        waiting, ended = container.state.waiting, container.state.terminated
        if waiting and waiting.reason not in (None, "ContainerCreating", "PodInitializing"):
            yield f"{pod.metadata.name} {waiting.reason}"
        if ended and ended.exit_code:
            yield f"{pod.metadata.name} exit code {ended.exit_code} ({ended.reason})"
    for condition in pod.status.conditions or []:
        if condition.type == "PodScheduled" and condition.reason == "Unschedulable":
            yield f"{pod.metadata.name} {first_line([condition.message])}"


def _exit_codes(pod: Any) -> Iterator[int]:
    for container in pod.status.container_statuses or []:
        if container.state.terminated:
            yield container.state.terminated.exit_code


@contextmanager
def _errors() -> Iterator[None]:
    """Turns the client's errors into ones of a single line."""
    from kubernetes.client.exceptions import ApiException
    from urllib3.exceptions import HTTPError

    try:
        yield
    except ApiException as error:
        line = f"Kubernetes: {error.status} {_message(error.body) or error.reason}"
        kind = UnreachableError if error.status in (429, 500, 502, 503, 504) else SubmitError
        raise kind(line) from None
    except HTTPError as error:
        raise UnreachableError(f"Kubernetes: no answer ({first_line([str(error)])})") from None


def _message(body: str | bytes | None) -> str:
    """The message of a ``Status`` object."""
    try:
        return str(json.loads(body or "{}").get("message", ""))
    except (ValueError, AttributeError):
        return ""
