from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

pytest.importorskip("kubernetes")
import kubernetes_validate

from crossic_etl.config.submit import Kubernetes, Volume
from crossic_etl.submit.follow import follow
from crossic_etl.submit.job import SubmitError, TrainingJob, UnreachableError
from crossic_etl.submit.kubernetes_job import KubernetesJob
from crossic_etl.submit.kubernetes_manifest import objects
from tests.submit.recorder import Answer, Recorder, Request

pytestmark = pytest.mark.slow

Tree = dict[str, Any]
VERSIONS = ("1.30", kubernetes_validate.latest_version())
IMAGE = Kubernetes(image="registry.example/crossic-etl:1")
FULL = Kubernetes(
    image="registry.example/crossic-etl:1", namespace="research", cpus="64", memory="512Gi",
    volumes=(Volume("data", "/data", read_only=True), Volume("runs", "/runs")),
    labels={"kueue.x-k8s.io/queue-name": "gpu"}, node_selector={"gpu": "h100"},
    service_account="trainer",
)  # fmt: skip
NAME = "train-0102-030405-abcd"


def check_schema(tree: Tree) -> None:
    for version in VERSIONS:
        kubernetes_validate.validate(tree, version, strict=True)


def pod_of(job: TrainingJob) -> Tree:
    pod: Tree = objects(job)[0]["spec"]["template"]["spec"]
    return pod


@pytest.mark.parametrize("nodes", [1, 2])
@pytest.mark.parametrize("settings", [IMAGE, FULL])
@pytest.mark.parametrize("gpus", [0, 8])
def test_every_object_is_valid_by_the_published_schemas(
    job: Callable[..., TrainingJob], nodes: int, settings: Kubernetes, gpus: int
) -> None:
    secrets = {"HF_TOKEN": "hub/token"}
    given = job(
        nodes=nodes, gpus_per_node=gpus, kubernetes=settings, secrets=secrets, hours=2,
        environment={"NOTE": "ไทย"},
    )  # fmt: skip
    rendered = list(yaml.safe_load_all(KubernetesJob(given).render()))
    for tree in rendered:
        check_schema(tree)
    kinds = ["Job", "ConfigMap", "Service"][: 2 if nodes == 1 else 3]
    assert [tree["kind"] for tree in rendered] == kinds


def test_a_wrong_field_is_not_valid(job: Callable[..., TrainingJob]) -> None:
    tree = objects(job(kubernetes=IMAGE))[0]
    tree["spec"]["completionsMode"] = "Indexed"
    with pytest.raises(kubernetes_validate.ValidationError):
        check_schema(tree)


def test_each_node_is_an_index_of_the_job_and_finds_the_first(
    job: Callable[..., TrainingJob],
) -> None:
    given = job(nodes=2, gpus_per_node=8, kubernetes=IMAGE)
    of_job, _, service = objects(given)
    spec, pod = of_job["spec"], pod_of(given)
    assert (spec["completionMode"], spec["completions"], spec["parallelism"]) == ("Indexed", 2, 2)
    assert spec["backoffLimit"] == 0
    command = pod["containers"][0]["command"]
    assert f"--master-addr={NAME}-0.{pod['subdomain']}" in command
    assert "--node-rank=$(NODE_RANK)" in command
    (rank,) = pod["containers"][0]["env"]
    assert rank["name"] == "NODE_RANK"
    assert "job-completion-index" in rank["valueFrom"]["fieldRef"]["fieldPath"]
    assert pod["subdomain"] == service["metadata"]["name"]
    assert service["spec"]["selector"] == {"batch.kubernetes.io/job-name": NAME}
    assert (service["spec"]["clusterIP"], service["spec"]["publishNotReadyAddresses"]) == (
        "None",
        True,
    )
    (port,) = service["spec"]["ports"]
    assert f"--master-port={port['port']}" in command


def test_one_node_needs_no_service(job: Callable[..., TrainingJob]) -> None:
    given = job(gpus_per_node=1, kubernetes=IMAGE)
    assert "--standalone" in pod_of(given)["containers"][0]["command"]
    assert "subdomain" not in pod_of(given)


def test_a_job_is_stopped_and_deleted_in_its_time(job: Callable[..., TrainingJob]) -> None:
    given = job(hours=1.5, kubernetes=Kubernetes(image="i", keep_hours=2))
    spec = objects(given)[0]["spec"]
    assert (spec["activeDeadlineSeconds"], spec["ttlSecondsAfterFinished"]) == (5400, 7200)
    assert "activeDeadlineSeconds" not in objects(job(kubernetes=IMAGE))[0]["spec"]


def test_gpus_are_limits_and_tolerated(job: Callable[..., TrainingJob]) -> None:
    pod = pod_of(job(gpus_per_node=8, kubernetes=FULL))
    assert pod["containers"][0]["resources"] == {
        "requests": {"cpu": "64", "memory": "512Gi"}, "limits": {"nvidia.com/gpu": "8"},
    }  # fmt: skip
    assert [one["key"] for one in pod["tolerations"]] == ["nvidia.com/gpu"]
    assert "tolerations" not in pod_of(job(gpus_per_node=0, kubernetes=FULL))


def test_each_mount_has_its_volume(job: Callable[..., TrainingJob]) -> None:
    pod = pod_of(job(kubernetes=FULL))
    mounts = {one["mountPath"]: one for one in pod["containers"][0]["volumeMounts"]}
    volumes = {one["name"]: one for one in pod["volumes"]}
    claims = {
        path: volumes[mount["name"]].get("persistentVolumeClaim", {}).get("claimName")
        for path, mount in mounts.items()
    }
    assert claims == {"/etc/crossic-etl": None, "/dev/shm": None, "/data": "data", "/runs": "runs"}
    assert mounts["/data"]["readOnly"] is True and "readOnly" not in mounts["/runs"]


def test_the_container_reads_the_configuration_that_was_checked(
    job: Callable[..., TrainingJob],
) -> None:
    given = job("output: /data/模型\n", kubernetes=IMAGE)
    config_map = objects(given)[1]
    (file,) = config_map["data"]
    command = pod_of(given)["containers"][0]["command"]
    assert command[-2:] == ["--config", f"/etc/crossic-etl/{file}"]
    assert config_map["data"][file] == "output: /data/模型\n"


def test_a_secret_is_referred_to(job: Callable[..., TrainingJob]) -> None:
    text = KubernetesJob(job(kubernetes=IMAGE, secrets={"HF_TOKEN": "hub/token"})).render()
    reference = {"name": "HF_TOKEN", "valueFrom": {"secretKeyRef": {"name": "hub", "key": "token"}}}
    tree = next(iter(yaml.safe_load_all(text)))
    assert reference in tree["spec"]["template"]["spec"]["containers"][0]["env"]


def test_a_secret_of_the_environment_is_refused(job: Callable[..., TrainingJob]) -> None:
    given = job(kubernetes=IMAGE, secrets={"HF_TOKEN": "environment"})
    with pytest.raises(SubmitError, match=r"submit.secrets.HF_TOKEN: name/entry of a Kubernetes"):
        KubernetesJob(given).render()


def test_an_image_is_needed(job: Callable[..., TrainingJob]) -> None:
    with pytest.raises(SubmitError, match=r"submit.kubernetes.image: '' given"):
        KubernetesJob(job()).render()


class Api:
    """As much of a cluster's API as a submission touches, holding what is created to the schemas.

    The Job goes through the given states, one with each look.
    """

    def __init__(self, *states: Tree, pods: tuple[Tree, ...] = (), refuse: str = "") -> None:
        self.objects: dict[str, Tree] = {}
        self._states = list(states)
        self._pods = pods
        self._refuse = refuse

    def __call__(self, request: Request) -> Answer:
        kind = request.path.rstrip("/").split("/")
        if request.method == "POST":
            return self._create(kind[-1], request.body)
        if request.method == "DELETE":
            del self.objects["jobs"]
            return 200, {"kind": "Status", "status": "Success"}
        if kind[-1] == "pods":
            return 200, {"kind": "PodList", "apiVersion": "v1", "items": self._pods}
        if "jobs" not in self.objects:
            return 404, {"kind": "Status", "message": f'jobs.batch "{kind[-1]}" not found'}
        state = self._states.pop(0) if len(self._states) > 1 else self._states[0]
        return 200, {**self.objects["jobs"], "status": state}

    def _create(self, kind: str, body: Tree) -> Answer:
        if kind == self._refuse:
            return 403, {"kind": "Status", "message": f"{kind} is forbidden: no right"}
        check_schema(body)
        created = {**body, "metadata": {**body["metadata"], "uid": f"uid-of-{kind}"}}
        self.objects[kind] = created
        return 201, created


@pytest.fixture
def kubeconfig(
    recorder: Recorder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., None]:
    """Sets the credentials of a cluster at the recorder's address."""

    def write(server: str = recorder.url) -> None:
        context = {"cluster": "c", "user": "u", "namespace": "of-context"}
        tree = {
            "apiVersion": "v1", "kind": "Config", "current-context": "here",
            "clusters": [{"name": "c", "cluster": {"server": server}}],
            "users": [{"name": "u", "user": {"token": "credential-of-the-test"}}],
            "contexts": [
                {"name": "here", "context": context},
                {"name": "there", "context": {**context, "namespace": "of-other"}},
            ],
        }  # fmt: skip
        (tmp_path / "kubeconfig").write_text(yaml.safe_dump(tree))

    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "kubeconfig"))
    write()
    return write


ACTIVE = {"active": 2, "ready": 0}
READY = {"active": 2, "ready": 2}
COMPLETE = {"succeeded": 2, "conditions": [{"type": "Complete", "status": "True"}]}
FAILED = {
    "failed": 1,
    "conditions": [
        {"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded", "message": "Job has"}
    ],
}


def pod(name: str, **state: Tree) -> Tree:
    status = {"name": "training", "state": state, "image": "i", "imageID": "i", "ready": False,
              "restartCount": 0}  # fmt: skip
    return {"metadata": {"name": name}, "status": {"containerStatuses": [status]}}


@pytest.mark.usefixtures("kubeconfig")
def test_a_job_is_created_with_all_that_belongs_to_it_and_followed_to_its_end(
    job: Callable[..., TrainingJob], recorder: Recorder
) -> None:
    recorder.answer = Api(ACTIVE, READY, READY, COMPLETE)
    run = KubernetesJob(job(nodes=2, kubernetes=IMAGE))
    run.check()
    assert recorder.requests == []
    job_id = run.submit()
    lines: list[str] = []
    assert follow(run, job_id, 0, lines.append) == 0
    created = recorder.sent("POST")
    assert [request.path for request in created] == [
        "/apis/batch/v1/namespaces/of-context/jobs",
        "/api/v1/namespaces/of-context/configmaps",
        "/api/v1/namespaces/of-context/services",
    ]
    for request in created[1:]:
        (owner,) = request.body["metadata"]["ownerReferences"]
        assert (owner["kind"], owner["name"], owner["uid"]) == ("Job", NAME, "uid-of-jobs")
        del request.body["metadata"]["ownerReferences"]
    printed = list(yaml.safe_load_all(run.render()))
    assert [request.body for request in created] == printed
    assert job_id == f"of-context/{NAME}"
    assert lines == [
        f"Job {job_id}: 2 active, 0 ready, 0 succeeded, 0 failed",
        f"Job {job_id}: 2 active, 2 ready, 0 succeeded, 0 failed",
        f"Job {job_id}: 0 active, 0 ready, 2 succeeded, 0 failed; complete",
    ]
    assert "credential-of-the-test" not in run.render() + "".join(lines)
    assert {request.authorization for request in created} == {"Bearer credential-of-the-test"}


@pytest.mark.usefixtures("kubeconfig")
@pytest.mark.parametrize(
    ("pods", "status", "said"),
    [
        ((pod("train-0", terminated={"exitCode": 0}),
          pod("train-1", terminated={"exitCode": 137, "reason": "OOMKilled"})),
         137, "train-1 exit code 137 (OOMKilled)"),
        ((), 1, "BackoffLimitExceeded: Job has"),
    ],
)  # fmt: skip
def test_a_failed_job_gives_its_pods_exit_status(
    job: Callable[..., TrainingJob],
    recorder: Recorder,
    pods: tuple[Tree, ...],
    status: int,
    said: str,
) -> None:
    recorder.answer = Api(READY, FAILED, pods=pods)
    run = KubernetesJob(job(nodes=2, kubernetes=IMAGE))
    lines: list[str] = []
    assert follow(run, run.submit(), 0, lines.append) == status
    assert said in lines[-1]


@pytest.mark.usefixtures("kubeconfig")
def test_why_a_pod_does_not_start_is_said(
    job: Callable[..., TrainingJob], recorder: Recorder
) -> None:
    unscheduled = {
        "metadata": {"name": "train-1"},
        "status": {
            "conditions": [
                {"type": "PodScheduled", "status": "False", "reason": "Unschedulable",
                 "message": "0/3 nodes: Insufficient nvidia.com/gpu"}
            ]
        },
    }  # fmt: skip
    pulling = pod("train-0", waiting={"reason": "ImagePullBackOff"})
    starting = pod("train-2", waiting={"reason": "ContainerCreating"})
    recorder.answer = Api(ACTIVE, pods=(pulling, unscheduled, starting))
    run = KubernetesJob(job(kubernetes=IMAGE))
    state = run.state(run.submit())
    assert state.exit_status is None
    assert state.line.endswith(
        "; train-0 ImagePullBackOff; train-1 0/3 nodes: Insufficient nvidia.com/gpu"
    )


@pytest.mark.usefixtures("kubeconfig")
@pytest.mark.parametrize("refused", ["configmaps", "services"])
def test_what_was_created_goes_where_the_rest_is_refused(
    job: Callable[..., TrainingJob], recorder: Recorder, refused: str
) -> None:
    recorder.answer = api = Api(refuse=refused)
    with pytest.raises(SubmitError, match=f"Kubernetes: 403 {refused} is forbidden: no right"):
        KubernetesJob(job(nodes=2, kubernetes=IMAGE)).submit()
    assert "jobs" not in api.objects
    (deleted,) = recorder.sent("DELETE")
    assert deleted.path == f"/apis/batch/v1/namespaces/of-context/jobs/{NAME}"


@pytest.mark.usefixtures("kubeconfig")
def test_a_job_that_is_refused_creates_nothing(
    job: Callable[..., TrainingJob], recorder: Recorder
) -> None:
    recorder.answer = Api(refuse="jobs")
    with pytest.raises(SubmitError, match="403 jobs is forbidden"):
        KubernetesJob(job(nodes=2, kubernetes=IMAGE)).submit()
    assert len(recorder.requests) == 1


@pytest.mark.usefixtures("kubeconfig")
def test_a_job_that_was_deleted_is_an_error(
    job: Callable[..., TrainingJob], recorder: Recorder
) -> None:
    recorder.answer = Api(READY)
    with pytest.raises(SubmitError, match=r'404 jobs.batch "gone" not found') as lost:
        KubernetesJob(job(kubernetes=IMAGE)).state("research/gone")
    assert not isinstance(lost.value, UnreachableError)


@pytest.mark.usefixtures("kubeconfig")
def test_a_server_in_trouble_may_recover(
    job: Callable[..., TrainingJob], recorder: Recorder
) -> None:
    recorder.answer = lambda request: (503, {"kind": "Status", "message": "starting"})
    with pytest.raises(UnreachableError, match="Kubernetes: 503 starting"):
        KubernetesJob(job(kubernetes=IMAGE)).state("research/x")


def test_a_server_that_is_not_there_is_one_line(
    job: Callable[..., TrainingJob], kubeconfig: Callable[..., None]
) -> None:
    kubeconfig(server="http://127.0.0.1:9")
    with pytest.raises(UnreachableError, match="Kubernetes: no answer") as lost:
        KubernetesJob(job(kubernetes=IMAGE)).submit()
    assert "\n" not in str(lost.value)


@pytest.mark.usefixtures("kubeconfig")
@pytest.mark.parametrize(
    ("settings", "namespace"),
    [
        (Kubernetes(image="i"), "of-context"),
        (Kubernetes(image="i", context="there"), "of-other"),
        (Kubernetes(image="i", context="there", namespace="mine"), "mine"),
    ],
)
def test_the_namespace_is_the_contexts_or_as_said(
    job: Callable[..., TrainingJob], recorder: Recorder, settings: Kubernetes, namespace: str
) -> None:
    recorder.answer = Api(READY)
    assert KubernetesJob(job(kubernetes=settings)).submit() == f"{namespace}/{NAME}"


@pytest.mark.parametrize("context", [None, "no-such-context"])
def test_credentials_must_be_here(
    job: Callable[..., TrainingJob],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    context: str | None,
    request: pytest.FixtureRequest,
) -> None:
    if context is None:
        monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    else:
        request.getfixturevalue("kubeconfig")
    run = KubernetesJob(job(kubernetes=Kubernetes(image="i", context=context)))
    with pytest.raises(SubmitError, match="no credentials for Kubernetes") as missing:
        run.check()
    assert re.fullmatch(r".+", str(missing.value))


def test_the_client_must_be_installed(
    job: Callable[..., TrainingJob], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "kubernetes", None)
    with pytest.raises(SubmitError, match=r"pip install 'crossic-etl\[kubernetes\]'"):
        KubernetesJob(job(kubernetes=IMAGE)).check()
