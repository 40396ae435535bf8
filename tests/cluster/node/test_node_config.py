"""What the files of a node say."""

from __future__ import annotations

import json
import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_telescope.cluster.local import cgroup
from pytest_telescope.cluster.local import network
from pytest_telescope.cluster.local import node_config

GIB = 1024**3
MACHINE = node_config.Capacity(cpus=8, memory=32 * GIB)


def kubelet(limits: cgroup.Limits, *, max_pods: int = 110, taints: tuple[str, ...] = ()) -> dict[str, Any]:
    return node_config.kubelet(lease_id="0123abcd", capacity=MACHINE, limits=limits, max_pods=max_pods, taints=taints)


@given(
    cores=st.integers(1, 8),
    memory=st.integers(node_config.LEAST_MEMORY, 32 * GIB),
    max_pods=st.integers(1, 500),
)
def test_allocatable_is_the_limit_minus_what_the_daemons_need(cores: int, memory: int, max_pods: int) -> None:
    limits = cgroup.Limits(cpu=cores, memory=memory)

    config = kubelet(limits, max_pods=max_pods)

    system, daemons = config["systemReserved"], config["kubeReserved"]
    assert 8000 - millicores(system["cpu"]) - millicores(daemons["cpu"]) == cores * 1000 - 200
    allocatable = MACHINE.memory - int(system["memory"]) - int(daemons["memory"])
    assert memory / 2 <= allocatable == memory - node_config.daemon_memory(limits, max_pods)


def millicores(text: str) -> int:
    return int(text.removesuffix("m"))


def test_nobody_reads_kubelet_without_a_certificate_or_token() -> None:
    config = kubelet(cgroup.Limits(cpu=2, memory=4 * GIB))

    assert config["authentication"]["anonymous"] == {"enabled": False}
    assert config["authorization"] == {"mode": "Webhook"}
    assert config["readOnlyPort"] == 0
    assert network.is_inside(config["address"])


def test_kubelet_touches_neither_iptables_nor_the_score_of_the_oom_killer() -> None:
    config = kubelet(cgroup.Limits(cpu=2, memory=4 * GIB))

    assert config["makeIPTablesUtilChains"] is False
    assert config["oomScoreAdj"] == 0
    assert config["cgroupRoot"] == "/telescope/0123abcd"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a/b=c:NoSchedule", {"key": "a/b", "value": "c", "effect": "NoSchedule"}),
        ("only:NoExecute", {"key": "only", "value": "", "effect": "NoExecute"}),
    ],
)
def test_taints_are_read(text: str, expected: dict[str, str]) -> None:
    assert kubelet(cgroup.Limits(cpu=2, memory=4 * GIB), taints=(text,))["registerWithTaints"] == [expected]


def test_labels_that_kubelet_may_not_set_are_left_to_an_administrator() -> None:
    labels = {
        "cri-resource-consume": "true",
        "telescope/pool": "user",
        "topology.kubernetes.io/zone": "z",
        "node.kubernetes.io/anything": "x",
        "node-role.kubernetes.io/worker": "",
        "node-restriction.kubernetes.io/team": "a",
        "example.k8s.io/x": "y",
    }

    own, administrator = node_config.split_labels(labels)

    assert sorted(administrator) == [
        "example.k8s.io/x",
        "node-restriction.kubernetes.io/team",
        "node-role.kubernetes.io/worker",
    ]
    assert own | administrator == labels


def test_containerd_is_told_to_leave_the_host_alone() -> None:
    config = tomllib.loads(node_config.containerd())

    runtime = config["plugins"]["io.containerd.cri.v1.runtime"]
    assert runtime["restrict_oom_score_adj"] is True
    assert runtime["disable_apparmor"] is True
    assert config["plugins"]["io.containerd.cri.v1.images"]["pinned_images"] == {"sandbox": node_config.PAUSE}
    assert config["state"].startswith("/run/")


def test_pods_get_addresses_that_are_nobody_elses() -> None:
    configuration = json.loads(network.cni())

    (plugin,) = configuration["plugins"]
    assert plugin["type"] == "ptp"
    assert plugin["ipMasq"] is False
    assert network.PODS.subnet_of(network.RANGE)  # type: ignore[arg-type]  # both are IPv4, the stubs cannot tell
    assert plugin["ipam"]["ranges"] == [[{"subnet": "198.19.0.0/16"}]]


@pytest.mark.parametrize(
    ("host", "inside"),
    [("198.18.0.1", True), ("198.19.3.4", True), ("198.20.0.1", False), ("127.0.0.1", False), ("localhost", False)],
)
def test_only_addresses_of_the_node_are_dialled_inside(host: str, inside: bool) -> None:
    assert network.is_inside(host) is inside
