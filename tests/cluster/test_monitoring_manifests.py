"""What is applied to a managed cluster, looked at without one."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from pytest_telescope.cluster import monitoring_manifests as manifests
from pytest_telescope.cluster import monitoring_wait
from pytest_telescope.cluster.kube import path_of
from pytest_telescope.cluster.monitoring_jobs import WHOLE_BOUNDS
from pytest_telescope.cluster.monitoring_manifests import Sights
from pytest_telescope.metrics.client import Target

LEASE = "0123abcd"
SIGHTS = Sights(api_server="10.0.0.1:443", replicas=0, nodes=("a", "b"), kubelet_verified=False, hidden={})


def made(sights: Sights = SIGHTS, *, own_pool: bool = False, nodes: int = 2) -> list[dict[str, Any]]:
    return manifests.objects(LEASE, sights, own_pool=own_pool, nodes=nodes, interval=5.0)


def the_pod(*, own_pool: bool = False, nodes: int = 2) -> dict[str, Any]:
    return next(body for body in made(own_pool=own_pool, nodes=nodes) if body["kind"] == "Pod")


def jobs(sights: Sights) -> dict[str, dict[str, Any]]:
    return {job["job_name"]: job for job in manifests.configuration(sights, 5.0)["scrape_configs"]}


def test_every_object_carries_the_lease_in_its_path() -> None:
    assert all(LEASE in path_of(body) for body in made())
    assert set(manifests.cluster_wide(LEASE).values()) == {
        path_of(body) for body in made() if body["kind"].startswith("ClusterRole")
    }


def test_no_placeholder_stays() -> None:
    assert "${" not in json.dumps(made())
    with pytest.raises(KeyError, match="absent"):
        manifests.fill("${absent}", {})


def test_nothing_listens_outside_the_cluster() -> None:
    assert not [body for body in made() if body["kind"] in ("Service", "Ingress")]
    assert "hostNetwork" not in the_pod()["spec"]


def test_jobs_are_those_of_a_local_cluster_with_its_spelling_of_bounds() -> None:
    found = jobs(SIGHTS)

    assert set(found) == {"kube-apiserver", "kubelet", "cadvisor"} == set(SIGHTS.targets())
    assert all(job["metric_relabel_configs"] == [WHOLE_BOUNDS] for job in found.values())
    assert found["cadvisor"]["metrics_path"] == "/metrics/cadvisor"
    assert SIGHTS.targets() == {"kube-apiserver": 1, "kubelet": 2, "cadvisor": 2}


def test_simulated_nodes_are_dropped_and_the_others_labelled() -> None:
    for job in ("kubelet", "cadvisor"):
        drop, label = jobs(SIGHTS)[job]["relabel_configs"]
        assert (drop["action"], drop["regex"]) == ("drop", "fake")
        assert label["target_label"] == "node"


def test_kubelets_are_taken_unseen_only_where_their_own_node_signed_for_them() -> None:
    assert jobs(SIGHTS)["kubelet"]["tls_config"] == {"insecure_skip_verify": True}
    assert "insecure_skip_verify" not in jobs(replace(SIGHTS, kubelet_verified=True))["kubelet"]["tls_config"]
    assert "insecure_skip_verify" not in jobs(SIGHTS)["kube-apiserver"]["tls_config"]


def test_eks_shows_its_control_plane_and_each_replica_of_the_api_server() -> None:
    served = tuple(manifests.providers()["eks"]["served"])
    sights = replace(SIGHTS, replicas=2, served=served)

    found = jobs(sights)

    assert sights.targets()["kube-apiserver"] == 2
    assert found["kube-apiserver"]["kubernetes_sd_configs"][0]["role"] == "endpointslice"
    assert found["kube-scheduler"]["metrics_path"] == "/apis/metrics.eks.amazonaws.com/v1/ksh/container/metrics"
    assert found["kube-controller-manager"]["metrics_path"].endswith("/kcm/container/metrics")


@pytest.mark.parametrize("provider", ["aks", "eks", "gke"])
def test_each_job_of_local_is_seen_served_or_declared_hidden(provider: str) -> None:
    told = manifests.providers()[provider]

    assert {"kube-scheduler", "kube-controller-manager", "etcd"} == {*told["served"], *told["hidden"]}


def test_a_pool_of_its_own_is_kept_to_and_no_other_taint_tolerated() -> None:
    spec = the_pod(own_pool=True)["spec"]

    assert spec["nodeSelector"] == {"telescope/prometheus": "true"}
    assert spec["tolerations"] == [{"key": "telescope/prometheus", "operator": "Exists"}]
    assert "nodeSelector" not in the_pod()["spec"]


def test_the_pod_never_asks_for_more_than_a_small_machine_has() -> None:
    small, large = (the_pod(nodes=nodes)["spec"]["containers"][0]["resources"] for nodes in (1, 5000))

    assert small["requests"] == {"cpu": "23m", "memory": "144Mi"}
    assert large == {"requests": {"cpu": "1000m", "memory": "2048Mi"}}


def test_the_image_is_the_pinned_release_unless_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(manifests.IMAGE, raising=False)
    assert manifests.image_reference().startswith("quay.io/prometheus/prometheus:v3.")

    monkeypatch.setenv(manifests.IMAGE, "registry.example/prometheus:v3")
    assert the_pod()["spec"]["containers"][0]["image"] == "registry.example/prometheus:v3"


def test_what_is_missing_names_job_target_and_reason() -> None:
    seen = [
        Target(job="kubelet", instance="a:10250", up=True, last_scrape=1.0, error=""),
        Target(job="kubelet", instance="b:10250", up=False, last_scrape=1.0, error="x509: unknown authority"),
    ]

    assert monitoring_wait.missing(seen, {"kubelet": 1}) == ""
    assert monitoring_wait.missing(seen, {"kubelet": 2}) == "kubelet 1 of 2 up (b:10250: x509: unknown authority)"
    assert monitoring_wait.missing(seen, {"cadvisor": 1}) == "cadvisor 0 of 1 up"
