"""The part ``submit`` of the training YAML: where training runs, and with what."""

from __future__ import annotations

import re
from dataclasses import field
from typing import Annotated

from crossic_etl.config.errors import require
from crossic_etl.config.fields import Flag, Items, Number, OneOf, Text, Whole, settings

PLATFORMS = ("local", "slurm", "kubernetes", "databricks")
FROM_ENVIRONMENT = "environment"
# Kubernetes names a pod's host for its Job and its index, in at most 63 characters.
LONGEST_NAME = 40


@settings("submit.slurm")
class Slurm:
    """How the batch script is written.

    Attributes:
        partition, account: of the job; None leaves them to the cluster.
        cpus_per_node: cores for the processes of a node together; None leaves it to the cluster.
        options: further options of sbatch, such as ``--mem=0``.
        setup: lines of shell run first, such as ``module load cuda``.
        python: interpreter on the nodes; None is the one that submits, as on a shared file system.
    """

    partition: Text | None = None
    account: Text | None = None
    cpus_per_node: Whole | None = None
    options: Items[Text] = ()
    setup: Items[Text] = ()
    python: Text | None = None

    def __post_init__(self) -> None:
        for key in ("partition", "account"):
            value = getattr(self, key)
            # a second line would be one of the script
            require(
                value is None or re.fullmatch(r"\S+", value), f"submit.slurm.{key}", value,
                "a name without white space",
            )  # fmt: skip
        for option in self.options:
            require(
                re.fullmatch(r"--[^\r\n]+", option), "submit.slurm.options", option,
                "one long option of sbatch, such as --mem=0",
            )  # fmt: skip


@settings("submit.kubernetes.volumes")
class Volume:
    """A persistent volume claim and where the containers see it.

    Attributes:
        claim: name of the claim.
        mount: folder of the containers where it is mounted.
        read_only: mount it so that nothing can be written.
    """

    claim: Text
    mount: Text
    read_only: Flag = False


@settings("submit.kubernetes")
class Kubernetes:
    """How the Job is written.

    Attributes:
        image: holds Python with this package and what training needs.
        namespace: None is the one of the context.
        context: of the kubeconfig; None is its current one.
        cpus, memory: asked for each pod, as Kubernetes writes quantities; None asks for none.
        shared_memory: size of ``/dev/shm``, over which data loaders and NCCL talk.
        gpu_resource: what a GPU is called in this cluster.
        volumes: where the export is read and checkpoints are written.
        labels: further labels of the Job and its pods, such as a queue's.
        node_selector: labels that a node must have.
        service_account: that the pods run as.
        keep_hours: after which a finished Job is deleted, and its logs with it.
    """

    image: Text = ""
    namespace: Text | None = None
    context: Text | None = None
    cpus: Text | None = None
    memory: Text | None = None
    shared_memory: Text = "8Gi"
    gpu_resource: Text = "nvidia.com/gpu"
    volumes: Items[Volume] = ()
    labels: dict[Text, Text] = field(default_factory=dict)
    node_selector: dict[Text, Text] = field(default_factory=dict)
    service_account: Text | None = None
    keep_hours: Number = 168


@settings("submit.databricks")
class Databricks:
    """How the one-time run is written: a cluster of one node with its GPUs.

    Attributes:
        node_type: instance type with the wanted GPUs.
        runtime: version of a Databricks Runtime for machine learning with GPU.
        wheel: of this package, in a volume or the workspace.
        packages: requirements from PyPI beside it, such as ``peft==0.18.0``.
        policy: id of a cluster policy.
        profile: of ``~/.databrickscfg``; None leaves the sign-in to the environment.
    """

    node_type: Text = ""
    runtime: Text = ""
    wheel: Text = ""
    packages: Items[Text] = ()
    policy: Text | None = None
    profile: Text | None = None


@settings("submit")
class Submit:
    """Where training runs.

    Attributes:
        platform: ``local``, ``slurm``, ``kubernetes`` or ``databricks``.
        name: of the job; the time of submission is added.
        nodes: machines.
        gpus_per_node: 0 trains on the CPU.
        processes_per_node: None is one for each GPU, or one.
        hours: after which the platform stops the job; None leaves it to the platform.
        environment: variables of the training processes.
        secrets: variables whose values are not written here but taken from the ``environment`` of
            the submission (local, slurm), or from a secret of the platform (``name/entry``).
        slurm, kubernetes, databricks: what only that platform needs.
    """

    platform: Annotated[Text, OneOf(PLATFORMS)] = "local"
    name: Text = "crossic-train"
    nodes: Whole = 1
    gpus_per_node: Whole = 1
    processes_per_node: Whole | None = None
    hours: Number | None = None
    environment: dict[Text, Text] = field(default_factory=dict)
    secrets: dict[Text, Text] = field(default_factory=dict)
    slurm: Slurm = field(default_factory=Slurm)
    kubernetes: Kubernetes = field(default_factory=Kubernetes)
    databricks: Databricks = field(default_factory=Databricks)

    def __post_init__(self) -> None:
        require(
            re.fullmatch(r"[a-z]([a-z0-9-]*[a-z0-9])?", self.name)
            and len(self.name) <= LONGEST_NAME,
            "submit.name", self.name, f"a-z, 0-9 and -, at most {LONGEST_NAME} of them",
        )  # fmt: skip
        require(self.nodes >= 1, "submit.nodes", self.nodes, "a whole number >= 1")
        require(
            self.gpus_per_node >= 0, "submit.gpus_per_node", self.gpus_per_node,
            "a whole number >= 0",
        )  # fmt: skip
        require(
            self.processes_per_node is None or self.processes_per_node >= 1,
            "submit.processes_per_node", self.processes_per_node, "null or a whole number >= 1",
        )  # fmt: skip
        require(self.hours is None or self.hours > 0, "submit.hours", self.hours, "hours > 0")
        for name in (*self.environment, *self.secrets):
            require(
                re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name), "submit.environment", name,
                "names of variables, there and in submit.secrets",
            )  # fmt: skip

    @property
    def processes(self) -> int:
        """Training processes on each node."""
        return self.processes_per_node or max(self.gpus_per_node, 1)

    @property
    def seconds(self) -> int | None:
        """The time limit."""
        return None if self.hours is None else max(1, round(self.hours * 3600))
