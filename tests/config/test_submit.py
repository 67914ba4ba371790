from __future__ import annotations

from typing import Any

import pytest

from crossic_etl.config.errors import ConfigError
from crossic_etl.config.loading import build
from crossic_etl.config.submit import Submit, Volume


@pytest.mark.parametrize(
    ("tree", "line"),
    [
        ({"platform": "yarn"}, "submit.platform: 'yarn' given"),
        ({"name": "Train"}, "submit.name: 'Train' given"),
        ({"name": "x" * 41}, "at most 40"),
        ({"name": "1st"}, "submit.name"),
        ({"nodes": 0}, "submit.nodes: 0 given"),
        ({"gpus_per_node": -1}, "submit.gpus_per_node: -1 given"),
        ({"processes_per_node": 0}, "submit.processes_per_node: 0 given"),
        ({"hours": 0}, "submit.hours: 0.0 given"),
        ({"environment": {"A B": "1"}}, "'A B' given, expected names of variables"),
        ({"slurm": {"options": ["mem=0"]}}, "submit.slurm.options: 'mem=0' given"),
        ({"slurm": {"options": ["--mem=0\nrm"]}}, "submit.slurm.options"),
        ({"kubernetes": {"volumes": [{"claim": "a"}]}}, "mount"),
        ({"partition": "gpu"}, "partition"),
    ],
)
def test_a_wrong_setting_is_refused(tree: dict[str, Any], line: str) -> None:
    with pytest.raises(ConfigError, match=line):
        build(Submit, tree)


@pytest.mark.parametrize(
    ("gpus", "processes", "expected"), [(0, None, 1), (8, None, 8), (0, 2, 2), (8, 4, 4)]
)
def test_there_is_a_process_for_each_gpu_or_as_said(
    gpus: int, processes: int | None, expected: int
) -> None:
    assert Submit(gpus_per_node=gpus, processes_per_node=processes).processes == expected


def test_volumes_are_read_from_mappings() -> None:
    tree = {"kubernetes": {"volumes": [{"claim": "data", "mount": "/data"}], "cpus": 8}}
    assert build(Submit, tree).kubernetes.volumes == (Volume("data", "/data"),)
    assert build(Submit, tree).kubernetes.cpus == "8"
