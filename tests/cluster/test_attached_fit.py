"""How an existing cluster is compared with what a spec asks."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_telescope.cluster import attached_fit as fit
from pytest_telescope.scenario.model import ClusterSpec
from pytest_telescope.scenario.model import PoolSpec


def node(
    name: str, more: dict[str, str] | None = None, *, ready: bool = True, taints: tuple[str, ...] = (), **labels: str
) -> dict[str, Any]:
    words = [text.partition(":") for text in taints]
    return {
        "metadata": {
            "name": name,
            "labels": {key.replace("__", "/"): value for key, value in {**(more or {}), **labels}.items()},
        },
        "spec": {
            "taints": [
                {"key": pair.partition("=")[0], "value": pair.partition("=")[2], "effect": effect}
                for pair, _, effect in words
            ]
        },
        "status": {
            "conditions": [{"type": "Ready", "status": "True" if ready else "False"}],
            "allocatable": {"pods": "110"},
            "nodeInfo": {
                "kubeletVersion": "v1.34.2",
                "kernelVersion": "6.8",
                "containerRuntimeVersion": "containerd://2.1",
                "osImage": "Linux",
            },
        },
    }


def spec(**pools: PoolSpec) -> ClusterSpec:
    return ClusterSpec(pools=pools)


LOAD = PoolSpec(count=2, labels={"use": "load"})


def test_nodes_with_the_pools_labels_take_the_load_the_system_pools_do_not() -> None:
    nodes = [node("b", use="load"), node("a", use="load"), node("c"), node("d", use="load", ready=False)]

    assert fit.load_nodes(spec(system=PoolSpec(count=1), user=LOAD), nodes) == ("a", "b")


def test_nodes_that_the_harness_made_for_the_pool_come_before_those_with_its_labels() -> None:
    nodes = [node("a", use="load", telescope__pool="user"), node("b", use="load", telescope__pool="other")]

    assert fit.load_nodes(spec(user=LOAD), nodes) == ("a",)


def test_a_pool_without_labels_means_no_node_that_keeps_its_pods_away() -> None:
    nodes = [node("a"), node("b", taints=("gpu=yes:NoSchedule",)), node("c", taints=("soft=1:PreferNoSchedule",))]

    assert fit.load_nodes(spec(user=PoolSpec(count=2)), nodes) == ("a", "c")


@pytest.mark.parametrize(
    ("nodes", "why"),
    [
        ([node("a"), node("b")], "pool user: none of the cluster's 2 nodes has the label use=load"),
        ([], "pool user: none of the cluster's 0 nodes has the label use=load"),
        ([node("a", use="load", ready=False)], "pool user: none of its 1 nodes is Ready"),
        ([node("a", telescope__pool="user")], "pool user: node a lacks use=load"),
    ],
)
def test_a_load_that_could_not_run_is_refused(nodes: list[dict[str, Any]], why: str) -> None:
    assert fit.refusals(spec(user=LOAD), nodes) == [why]


def test_a_cluster_of_another_size_is_not_refused_but_every_difference_is_said() -> None:
    asked = ClusterSpec(
        kubernetes_version="1.33",
        region="westeurope",
        network="cilium",
        pools={
            "user": PoolSpec(
                count=2,
                labels={"use": "load"},
                machine="m1",
                max_pods=50,
                taints=("only=load:NoSchedule",),
                os="Flatcar",
            )
        },
    )
    place = {"topology.kubernetes.io/region": "x"}
    nodes = [node("a", {"node.kubernetes.io/instance-type": "m2", **place}, use="load")]

    assert fit.refusals(asked, nodes) == []
    assert fit.differences(asked, "v1.34.2", nodes) == [
        "Kubernetes 1.33 is asked, the cluster has v1.34.2",
        "region westeurope is asked, the nodes are in x",
        "pool user: 2 nodes are asked, 1 are there",
        "pool user: machine m1 is asked, there is m2",
        "pool user: 50 pods a node are asked, there are 110",
        "pool user: taints only=load:NoSchedule are asked, there are none",
        "cannot be seen from here, so not compared: network, os of pool user",
    ]


def test_a_cluster_as_asked_has_no_differences() -> None:
    asked = ClusterSpec(
        kubernetes_version="1.34", pools={"user": LOAD, "auto": PoolSpec(min=0, max=3, labels={"a": "b"})}
    )
    nodes = [node("a", use="load"), node("b", use="load"), node("c", a="b")]

    assert fit.differences(asked, "v1.34.2", nodes) == []


def test_version_1_3_is_not_taken_for_1_34() -> None:
    asked = ClusterSpec(kubernetes_version="1.3", pools={})

    assert fit.differences(asked, "v1.34.2", []) == ["Kubernetes 1.3 is asked, the cluster has v1.34.2"]


def test_facts_come_from_the_nodes_and_several_values_are_joined() -> None:
    nodes = [node("a", {"node.kubernetes.io/instance-type": name}) for name in ("m2", "m1")]

    assert fit.facts("v1.34.2", nodes) == {
        "kubernetes": "v1.34.2",
        "node_count": 2,
        "kubelet": "v1.34.2",
        "kernel": "6.8",
        "containerd": "containerd://2.1",
        "node_image": "Linux",
        "machine_types": "m1, m2",
    }
