"""The objects of one lease's Prometheus, from the templates in modules/manifests/prometheus."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from pytest_telescope.cluster.monitoring_jobs import MANIFESTS
from pytest_telescope.cluster.monitoring_jobs import RULES
from pytest_telescope.cluster.monitoring_jobs import RULES_INTERVAL
from pytest_telescope.cluster.monitoring_jobs import WHOLE_BOUNDS

IMAGE = "TELESCOPE_PROMETHEUS_IMAGE"
"""Environment variable that names another image, e.g. the copy in a registry of one's own."""
REPOSITORY = "quay.io/prometheus/prometheus"
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
        hidden: job -> why nothing in the cluster can see it.
    """

    api_server: str
    replicas: int
    nodes: tuple[str, ...]
    kubelet_verified: bool
    served: tuple[str, ...] = ()
    hidden: Mapping[str, str]

    def targets(self) -> dict[str, int]:
        """Return job name -> number of targets."""
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
    values = {"lease": lease, "image": image_reference(), **_room(nodes)}
    found: list[dict[str, Any]] = list(yaml.safe_load_all(fill(text, values)))
    for body in found:
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
    return {**found, "scrape_configs": [_finished(job, sights) for job in chosen]}


def _finished(job: Mapping[str, Any], sights: Sights) -> dict[str, Any]:
    """Add what every job has; a kubelet whose certificate its own node signed cannot be verified."""
    done = {**job, "metric_relabel_configs": [WHOLE_BOUNDS]}
    if job["job_name"] in ("kubelet", "cadvisor") and not sights.kubelet_verified:
        done["tls_config"] = {"insecure_skip_verify": True}
    return done


def _duration(seconds: float) -> str:
    return f"{round(seconds * 1000)}ms"
