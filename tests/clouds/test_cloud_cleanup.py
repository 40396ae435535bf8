"""Before a cluster goes, so does what Kubernetes made in the cloud; on a real API server with real controllers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from pytest_telescope.cluster.clouds import cleanup
from pytest_telescope.scenario.model import ClusterSpec
from pytest_telescope.scenario.model import PoolSpec
from tests.clusters import local_cluster

pytestmark = pytest.mark.e2e

POD = {
    "metadata": {"labels": {"app": "db"}},
    "spec": {"containers": [{"name": "c", "image": "registry.k8s.io/pause:3.10"}]},
}


@pytest.fixture(scope="module")
def kubeconfig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    spec = ClusterSpec(pools={"user": PoolSpec(count=1)})
    with local_cluster(tmp_path_factory.mktemp("cleanup"), spec, "local-cleanup") as cluster:
        yield cluster.kubeconfig


@pytest.fixture
def api(kubeconfig: Path) -> Iterator[Any]:
    from kubernetes import config

    with config.new_client_from_config(config_file=str(kubeconfig)) as found:  # type: ignore[no-untyped-call] # upstream
        yield found
        found.rest_client.pool_manager.clear()


def service(name: str, kind: str) -> Any:
    spec = {"type": kind, "selector": {"app": name}, "ports": [{"port": 80}]}
    return {"metadata": {"name": name}, "spec": spec}


def stateful_set() -> Any:
    claim = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    spec = {
        "serviceName": "db",
        "replicas": 1,
        "selector": {"matchLabels": {"app": "db"}},
        "template": POD,
        "volumeClaimTemplates": [{"metadata": {"name": "data"}, "spec": claim}],
    }
    return {"metadata": {"name": "db"}, "spec": spec}


def test_load_balancers_and_volumes_go_and_the_rest_stays(api: Any, kubeconfig: Path) -> None:
    from kubernetes import client

    core, apps = client.CoreV1Api(api), client.AppsV1Api(api)
    core.create_namespaced_service("default", service("balanced", "LoadBalancer"))
    core.create_namespaced_service("default", service("inner", "ClusterIP"))
    core.create_namespaced_service("kube-system", service("the-clouds-own", "LoadBalancer"))
    apps.create_namespaced_stateful_set("default", stateful_set())
    said: list[str] = []

    left = cleanup.clean(kubeconfig, within=60, say=said.append)

    names = {one.metadata.name for one in core.list_service_for_all_namespaces().items if one.metadata is not None}
    assert left == []
    assert {"inner", "the-clouds-own"} <= names
    assert "balanced" not in names
    assert apps.list_stateful_set_for_all_namespaces().items == []
    assert core.list_persistent_volume_claim_for_all_namespaces().items == []
    assert "service default/balanced" in said[0]


def test_what_does_not_go_in_time_is_named(api: Any, kubeconfig: Path) -> None:
    from kubernetes import client

    core = client.CoreV1Api(api)
    stuck = service("stuck", "LoadBalancer")
    stuck["metadata"]["finalizers"] = ["tests.example/never"]
    core.create_namespaced_service("default", stuck)

    left = cleanup.clean(kubeconfig, within=1, say=lambda _text: None)

    assert left == ["service default/stuck"]
    core.patch_namespaced_service("stuck", "default", {"metadata": {"finalizers": None}})


def test_a_cluster_that_does_not_answer_is_left_to_the_sweeper(kubeconfig: Path, tmp_path: Path) -> None:
    dead = tmp_path / "kubeconfig"
    document = yaml.safe_load(kubeconfig.read_text(encoding="utf-8"))
    document["clusters"][0]["cluster"]["server"] = "https://127.0.0.1:9"
    dead.write_text(yaml.safe_dump(document), encoding="utf-8")
    said: list[str] = []

    assert cleanup.clean(dead, within=5, say=said.append) == []
    assert "left to the sweeper" in said[0]


def test_without_a_kubeconfig_there_is_nothing_to_do(tmp_path: Path) -> None:
    assert cleanup.clean(tmp_path / "none", within=5, say=lambda _text: None) == []
