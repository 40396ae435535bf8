"""The embedded cluster with a real kubelet in it, through Terraform."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from collections.abc import Iterator
from pathlib import Path

import pytest

from pytest_telescope.cluster import diagnostics
from pytest_telescope.cluster.local import steps
from pytest_telescope.cluster.local.api import Api
from pytest_telescope.cluster.local.layout import Layout
from pytest_telescope.cluster.local.provider import LocalProvider
from pytest_telescope.cluster.model import Cluster
from pytest_telescope.cluster.model import Lease
from pytest_telescope.errors import ProvisionError
from pytest_telescope.scenario.model import ClusterSpec
from pytest_telescope.scenario.model import PoolSpec

TAINT = "dedicated=load:NoSchedule"
SPEC = ClusterSpec(
    pools={
        "system": PoolSpec(count=1),
        "user": PoolSpec(count=1, node="containerd", max_pods=30, labels={"color": "blue"}, taints=(TAINT,)),
    }
)
Open = Callable[[ClusterSpec], Lease]
pytestmark = pytest.mark.e2e


@pytest.fixture(autouse=True)
def possible_here() -> None:
    """Skip where the machine cannot have a real node; in CI that is a failure."""
    reason = LocalProvider().unavailable(SPEC)
    if reason and os.environ.get("CI") != "true":
        pytest.skip(reason)


@pytest.fixture
def ready(open_lease: Open) -> Iterator[tuple[Cluster, Lease, Api]]:
    lease = open_lease(SPEC)
    cluster = LocalProvider().provision(SPEC, lease)
    layout = Layout(lease.folder / "cluster")
    port = json.loads(layout.facts.read_text(encoding="utf-8"))["ports"]["kube-apiserver"]
    with Api(port, layout.certificate("ca"), layout.certificate("admin"), layout.key("admin")) as api:
        yield cluster, lease, api


def test_a_real_node_joins_is_scraped_and_goes(ready: tuple[Cluster, Lease, Api], tmp_path: Path) -> None:
    cluster, lease, api = ready
    provider = LocalProvider()

    node = api.get("/api/v1/nodes/user-0")
    metrics = {
        path: api.request("GET", f"/api/v1/nodes/user-0/proxy/{path}") for path in ("metrics", "metrics/cadvisor")
    }
    names = {file.name for file in diagnostics.collect(cluster, tmp_path)}
    provider.destroy(lease)

    assert cluster.nodes == ("user-0",)
    jobs = {"kubelet", "cadvisor", "containerd", "node"}
    assert cluster.capabilities >= {"real-nodes", *(f"{job}-metrics" for job in jobs)}
    assert set(cluster.targets) >= jobs
    assert node["metadata"]["labels"]["color"] == "blue"
    assert node["metadata"]["labels"]["telescope/pool"] == "user"
    assert [taint["key"] for taint in node["spec"]["taints"]] == ["dedicated"]
    assert node["status"]["allocatable"]["pods"] == "30"
    assert cluster.facts["node-kubelet"] == cluster.facts["kubernetes"]
    assert "kubelet_node_name" in metrics["metrics"][1]
    assert "container_cpu_usage_seconds_total" in metrics["metrics/cadvisor"][1]
    assert {"kubelet-configz.json", "kubelet.log", "containerd.log", "node_exporter.log"} <= names
    assert provider.leftovers(lease) == []


def test_a_cluster_that_fails_with_its_real_node_up_leaves_nothing(
    open_lease: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    lease = open_lease(SPEC)
    monkeypatch.setenv(steps.FAIL_AT, "real-node")
    provider = LocalProvider()

    with pytest.raises(ProvisionError, match="step real-node failed"):
        provider.provision(SPEC, lease)
    before = {leftover.kind for leftover in provider.leftovers(lease)}
    provider.destroy(lease)

    assert "cgroup" in before
    assert provider.leftovers(lease) == []
