"""Looking at a cluster before its Prometheus is made: what there is to scrape."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pytest_telescope.cluster.kube import Kube
from pytest_telescope.cluster.monitoring_manifests import Sights
from pytest_telescope.cluster.monitoring_manifests import providers
from pytest_telescope.errors import ProvisionError

SIMULATED = ("kwok.x-k8s.io/node", "fake")
"""Annotation of a node that kwok pretends: it has no kubelet."""
KUBELET_SIGNER = "kubernetes.io/kubelet-serving"
_SLICES = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices"


def look(kube: Kube, provider: str) -> Sights:
    """Return what a Prometheus in the cluster of `provider` can scrape.

    Raises:
        ProvisionError: the API server cannot be asked, or there is no node that really runs.
    """
    told = providers()[provider]
    found = _real(kube)
    nodes = tuple(sorted(node["metadata"]["name"] for node in found))
    if not nodes:
        raise ProvisionError(
            "there is no node on which Prometheus could run: every node is simulated, or none is there"
        )
    groups = {group["name"] for group in kube.get("/apis")["groups"]}
    served = tuple(job for job, group in told["served"].items() if group in groups)
    missing = {job: f"the cluster does not serve {told['served'][job]}" for job in told["served"] if job not in served}
    return Sights(
        api_server=_service(kube),
        replicas=_replicas(kube) if told["replicas"] else 0,
        nodes=nodes,
        kubelet_verified=told["kubelet_ca"] and _signed(kube, nodes),
        served=served,
        on_nodes=told["on_nodes"],
        ports=told["ports"],
        exporters=sum(map(_runs_exporter, found)),
        hidden={**told["hidden"], **missing},
    )


def _real(kube: Kube) -> list[dict[str, Any]]:
    """Return the nodes that really run."""
    key, value = SIMULATED
    items = kube.get("/api/v1/nodes?resourceVersion=0")["items"]
    return [item for item in items if _annotations(item).get(key) != value]


def _runs_exporter(node: Mapping[str, Any]) -> bool:
    """Say whether the DaemonSet of node_exporter (objects.yaml) has a pod for a node."""
    labels = node["metadata"].get("labels") or {}
    return (
        labels.get("kubernetes.io/os") == "linux"
        and labels.get("type") not in ("kwok", "virtual-kubelet")
        and labels.get("eks.amazonaws.com/compute-type") != "fargate"
    )


def _annotations(item: Mapping[str, Any]) -> Mapping[str, str]:
    return item["metadata"].get("annotations") or {}


def _service(kube: Kube) -> str:
    spec = kube.get("/api/v1/namespaces/default/services/kubernetes")["spec"]
    address = spec["clusterIP"]
    return f"[{address}]:{spec['ports'][0]['port']}" if ":" in address else f"{address}:{spec['ports'][0]['port']}"


def _replicas(kube: Kube) -> int:
    slices = kube.get(f"{_SLICES}?labelSelector=kubernetes.io/service-name=kubernetes")["items"]
    return sum(len(endpoint["addresses"]) for one in slices for endpoint in one.get("endpoints") or ())


def _signed(kube: Kube, nodes: tuple[str, ...]) -> bool:
    """Say whether the cluster's authority issued a serving certificate to the kubelet of every node."""
    items = kube.get("/apis/certificates.k8s.io/v1/certificatesigningrequests")["items"]
    holders = {
        item["spec"].get("username", "").removeprefix("system:node:")
        for item in items
        if item["spec"]["signerName"] == KUBELET_SIGNER and item.get("status", {}).get("certificate")
    }
    return set(nodes) <= holders
