"""The objects of one lease's Prometheus, from the templates in modules/manifests/prometheus."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from functools import cache
from typing import Any

from pytest_telescope.cluster import monitoring_pods
from pytest_telescope.cluster import node_exporter
from pytest_telescope.cluster.monitoring_jobs import MANIFESTS
from pytest_telescope.cluster.monitoring_jobs import RULES
from pytest_telescope.cluster.monitoring_jobs import RULES_INTERVAL
from pytest_telescope.cluster.monitoring_jobs import metric_relabelling

IMAGE = "TELESCOPE_PROMETHEUS_IMAGE"
"""Environment variable that names another image, e.g. the copy in a registry of one's own."""
REPOSITORY = "quay.io/prometheus/prometheus"
EXPORTER_IMAGE = "TELESCOPE_NODE_EXPORTER_IMAGE"
"""Likewise for node_exporter."""
EXPORTER_REPOSITORY = "quay.io/prometheus/node-exporter"
EXPORTER_PORTS = range(20000, 30000)
"""Below node ports and outgoing connections, and off 9100, which somebody else's node_exporter may have."""
POD = "prometheus"
PORT = 9090
SCRAPE_TIMEOUT = 5.0
"""Seconds that one scrape may take at most."""
MIB = 1024 * 1024
_PLACEHOLDER = re.compile(r"\$\{(\w+)\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sights:
    """What there is to scrape in one cluster.

    Attributes:
        api_server: `address:port` of the service `kubernetes`.
        replicas: number of the service's endpoints, where each is scraped by itself; else 0.
        nodes: names of the nodes that really run, sorted.
        kubelet_verified: whether the kubelets' certificates are checked.
        served: jobs beyond the common ones that the cluster serves.
        on_nodes: jobs that every node's image serves: name -> port and path.
        ports: component -> port, where it is not the usual one.
        exporters: number of nodes that run node_exporter.
        hidden: job -> why nothing in the cluster can see it.
    """

    api_server: str
    replicas: int
    nodes: tuple[str, ...]
    kubelet_verified: bool
    served: tuple[str, ...] = ()
    on_nodes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    ports: Mapping[str, int] = field(default_factory=dict)
    exporters: int = 0
    hidden: Mapping[str, str]

    def targets(self) -> dict[str, int]:
        """Return job name -> number of targets, of the jobs without which a cluster is not ready."""
        nodes = dict.fromkeys(("kubelet", "cadvisor"), len(self.nodes))
        return {"kube-apiserver": self.replicas or 1, **nodes, **dict.fromkeys(self.served, 1)}


def image_reference() -> str:
    """Return the image of the pinned Prometheus, or what `TELESCOPE_PROMETHEUS_IMAGE` names.

    Prometheus' Go module of release 3.13.5 has the version v0.313.5.
    """
    if named := os.environ.get(IMAGE):
        return named
    from pytest_telescope.toolchain.recipes import recipe

    found = re.fullmatch(r"v0\.(\d+)(\d\d)\.(\d+)", recipe("prometheus").version)
    if found is None:
        raise ValueError(f"no release of Prometheus has the module version {recipe('prometheus').version}")
    major, minor, patch = map(int, found.groups())
    return f"{REPOSITORY}:v{major}.{minor}.{patch}"


def exporter_image() -> str:
    """Return the image of the pinned node_exporter by its tag, or what `TELESCOPE_NODE_EXPORTER_IMAGE` names."""
    if named := os.environ.get(EXPORTER_IMAGE):
        return named
    from pytest_telescope.toolchain.recipes import recipe

    return f"{EXPORTER_REPOSITORY}:{recipe('node_exporter').version}"


def exporter_port(lease: str) -> int:
    """Return the port of a lease's node_exporter on each node: leases that share a cluster seldom have the same."""
    return EXPORTER_PORTS[int.from_bytes(lease.encode()) % len(EXPORTER_PORTS)]


@cache
def providers() -> dict[str, dict[str, Any]]:
    """Return provider -> what Prometheus finds there, as providers.yaml says."""
    import yaml

    found: dict[str, dict[str, Any]] = yaml.safe_load((MANIFESTS / "providers.yaml").read_text(encoding="utf-8"))
    return found


def namespace_of(lease: str) -> str:
    """Return the namespace of a lease's Prometheus."""
    return f"telescope-monitoring-{lease}"


def cluster_wide(lease: str) -> dict[str, str]:
    """Return kind -> path of what a lease has outside its namespace."""
    root = "/apis/rbac.authorization.k8s.io/v1"
    kinds = {"ClusterRoleBinding": "clusterrolebindings", "ClusterRole": "clusterroles"}
    return {kind: f"{root}/{plural}/telescope:prometheus:{lease}" for kind, plural in kinds.items()}


def objects(lease: str, sights: Sights, *, own_pool: bool, nodes: int, interval: float) -> list[dict[str, Any]]:
    """Return the objects of a lease's Prometheus in the order in which they are applied.

    Args:
        lease: id; part of all names.
        sights: what there is to scrape.
        own_pool: whether the pod goes to a pool of its own.
        nodes: of the whole cluster; the pod asks for room by it.
        interval: seconds between two scrapes of one target.
    """
    import yaml

    text = (MANIFESTS / "objects.yaml").read_text(encoding="utf-8")
    port = exporter_port(lease)
    own = {"exporter_image": exporter_image(), "exporter_port": str(port)}
    values = {"lease": lease, "image": image_reference(), **own, **_room(nodes)}
    found: list[dict[str, Any]] = list(yaml.safe_load_all(fill(text, values)))
    for body in found:
        if body["kind"] == "DaemonSet":
            container = body["spec"]["template"]["spec"]["containers"][0]
            # Brackets do no harm to an address of IPv4.
            container["args"] = list(node_exporter.arguments(f"[$(NODE_ADDRESS)]:{port}", "/host/root"))
        if body["kind"] == "ConfigMap":
            body["data"] = _files(sights, interval)
        if body["kind"] == "Pod":
            body["spec"].update(_placement(own_pool=own_pool))
    return found


def fill(text: str, values: Mapping[str, str]) -> str:
    """Replace each `${name}`; one without a value is a KeyError, so that no template is applied half filled."""
    return _PLACEHOLDER.sub(lambda found: values[found[1]], text)


def _room(nodes: int) -> dict[str, str]:
    """Return what the pod asks for: a request that still fits the smallest machines, and no limit to run into."""
    return {"cpu": f"{min(20 + 3 * nodes, 1000)}m", "memory": f"{min(128 + 16 * nodes, 2048)}Mi"}


def _placement(*, own_pool: bool) -> dict[str, Any]:
    import yaml

    found: dict[str, dict[str, Any]] = yaml.safe_load((MANIFESTS / "placement.yaml").read_text(encoding="utf-8"))
    return found["own-pool" if own_pool else "any-node"]


def _files(sights: Sights, interval: float) -> dict[str, str]:
    return {
        "prometheus.yml": json.dumps(configuration(sights, interval), indent=1),
        RULES.name: RULES.read_text(encoding="utf-8"),
    }


def configuration(sights: Sights, interval: float) -> dict[str, Any]:
    """Return Prometheus' configuration for one cluster."""
    import yaml

    text = (MANIFESTS / "scrape.yaml").read_text(encoding="utf-8")
    values = {
        "api_server": sights.api_server,
        "interval": _duration(interval),
        "timeout": _duration(min(interval, SCRAPE_TIMEOUT)),
        "rules_interval": _duration(RULES_INTERVAL),
    }
    found: dict[str, Any] = yaml.safe_load(fill(text, values))
    server = "kube-apiserver-replicas" if sights.replicas else "kube-apiserver-service"
    jobs = found.pop("jobs")
    chosen = [jobs[name] for name in (server, "kubelet", "cadvisor", *sights.served)]
    chosen += [_on_node(jobs["on-node"], name, told) for name, told in sights.on_nodes.items()]
    chosen += monitoring_pods.jobs(sights.ports)
    return {**found, "scrape_configs": [_finished(job, sights) for job in chosen]}


def _on_node(job: Mapping[str, Any], name: str, told: Mapping[str, Any]) -> dict[str, Any]:
    address = "__meta_kubernetes_node_address_InternalIP"
    relabelling = [*job["relabel_configs"], *monitoring_pods.addresses(address, told["port"])]
    return {**job, "job_name": name, "metrics_path": told["path"], "relabel_configs": relabelling}


def _finished(job: Mapping[str, Any], sights: Sights) -> dict[str, Any]:
    """Add what every job has; a kubelet whose certificate its own node signed cannot be verified."""
    done = {**job, "metric_relabel_configs": metric_relabelling(job["job_name"])}
    if job["job_name"] in ("kubelet", "cadvisor") and not sights.kubelet_verified:
        done["tls_config"] = {"insecure_skip_verify": True}
    return done


def _duration(seconds: float) -> str:
    return f"{round(seconds * 1000)}ms"
