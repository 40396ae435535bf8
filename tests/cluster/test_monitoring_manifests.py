"""What is applied to a managed cluster, looked at without one."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from pytest_telescope.cluster import managed
from pytest_telescope.cluster import monitoring_manifests as manifests
from pytest_telescope.cluster import monitoring_pods
from pytest_telescope.cluster import monitoring_wait
from pytest_telescope.cluster import node_exporter
from pytest_telescope.cluster.clouds import aws_words
from pytest_telescope.cluster.clouds import azure_words
from pytest_telescope.cluster.clouds import gcp_words
from pytest_telescope.cluster.kube import path_of
from pytest_telescope.cluster.monitoring_jobs import NO_CGROUPS
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


def the_exporter(lease: str = LEASE) -> dict[str, Any]:
    bodies = manifests.objects(lease, SIGHTS, own_pool=False, nodes=2, interval=5.0)
    spec: dict[str, Any] = next(body for body in bodies if body["kind"] == "DaemonSet")["spec"]["template"]["spec"]
    return spec


def test_node_exporter_sees_the_node_and_may_do_nothing_to_it() -> None:
    spec = the_exporter()
    (container,) = spec["containers"]

    assert (spec["hostNetwork"], spec["hostPID"], spec["automountServiceAccountToken"]) == (True, True, False)
    assert spec["securityContext"]["runAsNonRoot"]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert [mount["readOnly"] for mount in container["volumeMounts"]] == [True]
    assert container["image"].startswith("quay.io/prometheus/node-exporter:v1.")


def test_node_exporter_listens_on_the_internal_address_at_the_port_that_the_scheduler_keeps() -> None:
    (container,) = the_exporter()["containers"]

    (port,) = (one["containerPort"] for one in container["ports"])
    assert f"--web.listen-address=[$(NODE_ADDRESS)]:{port}" in container["args"]
    assert container["env"] == [{"name": "NODE_ADDRESS", "valueFrom": {"fieldRef": {"fieldPath": "status.hostIP"}}}]
    assert port in manifests.EXPORTER_PORTS
    assert manifests.exporter_port("0a0b0c0d") != manifests.exporter_port("0a0b0c0e")


def test_node_exporter_has_the_same_collectors_on_a_local_node() -> None:
    (container,) = the_exporter()["containers"]

    local = node_exporter.arguments("198.18.0.1:9100")

    assert set(container["args"]) ^ set(local) == {
        "--path.rootfs=/host/root",
        "--path.rootfs=/",
        container["args"][0],
        "--web.listen-address=198.18.0.1:9100",
    }
    assert {"--collector.cpu", "--collector.pressure"} < set(local)
    assert "--collector.processes" not in local


def test_containerd_is_scraped_where_the_nodes_serve_it_without_the_cgroups_of_containers() -> None:
    sights = replace(SIGHTS, on_nodes=manifests.providers()["aks"]["on_nodes"])

    job = jobs(sights)["containerd"]

    assert job["metrics_path"] == "/v1/metrics"
    assert NO_CGROUPS in job["metric_relabel_configs"]
    assert {"node", "__address__"} <= {one.get("target_label") for one in job["relabel_configs"]}
    assert "containerd" not in jobs(SIGHTS)


def test_a_component_has_the_port_of_its_provider() -> None:
    def port(name: str) -> str:
        found = jobs(replace(SIGHTS, ports=manifests.providers()[name]["ports"]))["cilium-agent"]
        return next(str(one["replacement"]) for one in found["relabel_configs"] if "replacement" in one)

    assert port("aks") == "$1:9962"
    assert port("gke") == "$1:9990"


def test_all_jobs_of_components_share_one_watch() -> None:
    found = [jobs(SIGHTS)[name]["kubernetes_sd_configs"] for name in ("node", *monitoring_pods.components())]

    assert all(one == found[0] for one in found)


@pytest.mark.parametrize(
    ("image", "tag"),
    [
        ("mcr.microsoft.com/oss/kubernetes/coredns:v1.11.3-8", "v1.11.3-8"),
        ("registry.example:5000/karpenter/controller:1.2.1@sha256:00ff", "1.2.1"),
        ("registry.example:5000/karpenter/controller@sha256:00ff", ""),
    ],
)
def test_the_version_of_a_component_is_the_tag_of_its_image(image: str, tag: str) -> None:
    assert monitoring_pods.tag_of(image) == tag


def test_jobs_are_those_of_a_local_cluster_with_its_spelling_of_bounds() -> None:
    found = jobs(SIGHTS)

    assert set(found) == {"kube-apiserver", "kubelet", "cadvisor", "node", *monitoring_pods.components()}
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

    all_jobs = {"kube-scheduler", "kube-controller-manager", "etcd", "containerd", *monitoring_pods.components()}
    assert all_jobs >= {*told["served"], *told["hidden"], *told["on_nodes"]}
    promised = {job for job in all_jobs for network in (None, *managed.table()[provider]["network"])
                if f"{job}-metrics" in managed.declared(provider, network)}  # fmt: skip
    assert all_jobs == {*told["served"], *told["hidden"], *told["on_nodes"], *promised}


@pytest.mark.parametrize(
    ("provider", "words"), [("aks", azure_words.words), ("eks", aws_words.words), ("gke", gcp_words.words)]
)
def test_every_network_of_a_provider_is_declared(provider: str, words: Callable[[], dict[str, Any]]) -> None:
    told = managed.table()[provider]

    assert set(told["network"]) == set(words()["networks"])
    assert told["default"] == words()["defaults"]["network"]


def test_what_a_cluster_promises_follows_its_network() -> None:
    plain, cilium = (managed.declared("aks", name) for name in (None, "azure-cni-overlay-cilium"))

    assert "kube-proxy-metrics" in plain - cilium
    assert "cilium-agent-metrics" in cilium - plain
    assert plain & cilium >= {"node-metrics", "containerd-metrics", "coredns-metrics", "azure-cns-metrics"}
    assert "containerd-metrics" not in managed.declared("eks", None)


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
