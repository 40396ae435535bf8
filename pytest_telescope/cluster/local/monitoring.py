"""What Prometheus scrapes in a local cluster, and how it is asked."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pytest_telescope.cluster.durable import private_folder
from pytest_telescope.cluster.durable import write_private
from pytest_telescope.cluster.local import network
from pytest_telescope.cluster.local.components import LOOPBACK
from pytest_telescope.cluster.local.layout import Layout
from pytest_telescope.cluster.monitoring_jobs import RULES
from pytest_telescope.cluster.monitoring_jobs import RULES_INTERVAL
from pytest_telescope.cluster.monitoring_jobs import metric_relabelling

INTERVAL = 5
"""Seconds between two scrapes of one target."""
WARM_UP = 1
"""Likewise until every target was up once: Prometheus spreads first scrapes over one whole interval."""
CONTROL_PLANE = ("kube-apiserver", "kube-controller-manager", "kube-scheduler")
NODE_PATHS = {
    "kubelet": "{node}/proxy/metrics",
    "cadvisor": "{node}/proxy/metrics/cadvisor",
    "containerd": f"http:{{node}}:{network.CONTAINERD_METRICS_PORT}/proxy/v1/metrics",
    "node": f"http:{{node}}:{network.NODE_EXPORTER_PORT}/proxy/metrics",
}
"""Job -> where the API server's node proxy has its metrics: kubelet asks for a certificate, the others for none."""


def write_config(layout: Layout, ports: Mapping[str, int], node: str | None, interval: int) -> Path:
    """Write prometheus.yml (JSON is YAML) and return its path."""
    document = {
        "global": {
            "scrape_interval": f"{interval}s",
            "scrape_timeout": f"{min(interval, INTERVAL)}s",
            "evaluation_interval": f"{RULES_INTERVAL}s",
        },
        "rule_files": [str(RULES)],
        "scrape_configs": [*_control_plane(layout, ports), *(_node_jobs(layout, ports, node) if node else [])],
    }
    return write_private(private_folder(layout.config) / "prometheus.yml", json.dumps(document, indent=2))


def write_web_config(layout: Layout) -> Path:
    """Write Prometheus' web configuration: TLS, and only for those who hold the harness' certificate."""
    document = {
        "tls_server_config": {
            "cert_file": str(layout.certificate("prometheus")),
            "key_file": str(layout.key("prometheus")),
            "client_ca_file": str(layout.certificate("prometheus-ca")),
            "client_auth_type": "RequireAndVerifyClientCert",
        }
    }
    return write_private(private_folder(layout.config) / "prometheus-web.yml", json.dumps(document, indent=2))


def targets(node: str | None) -> dict[str, int]:
    """Return job name -> number of targets."""
    return dict.fromkeys((*CONTROL_PLANE, "etcd", *(NODE_PATHS if node else ())), 1)


def _control_plane(layout: Layout, ports: Mapping[str, int]) -> list[dict[str, Any]]:
    jobs = [_job(layout, name, ports[name], authority="ca", client="scraper") for name in CONTROL_PLANE]
    return [*jobs, _job(layout, "etcd", ports["etcd"], authority="etcd-ca", client="etcd-scraper")]


def _node_jobs(layout: Layout, ports: Mapping[str, int], node: str) -> list[dict[str, Any]]:
    return [
        {
            **_job(layout, job, ports["kube-apiserver"], authority="ca", client="scraper", node=node),
            "metrics_path": f"/api/v1/nodes/{path.format(node=node)}",
        }
        for job, path in NODE_PATHS.items()
    ]


def _job(
    layout: Layout, name: str, port: int, *, authority: str, client: str, node: str | None = None
) -> dict[str, Any]:
    return {
        "job_name": name,
        "scheme": "https",
        "tls_config": {
            "ca_file": str(layout.certificate(authority)),
            "cert_file": str(layout.certificate(client)),
            "key_file": str(layout.key(client)),
        },
        "static_configs": [{"targets": [f"{LOOPBACK}:{port}"], "labels": {"node": node} if node else {}}],
        "metric_relabel_configs": metric_relabelling(name),
    }


def all_scraped(answer: Mapping[str, Any], expected: Mapping[str, int], interval: int, *, health: bool = True) -> bool:
    """Say whether `/api/v1/targets` shows every expected target, asked each `interval` seconds and, if asked, up."""
    good: dict[str, int] = {}
    for target in answer["data"]["activeTargets"]:
        fine = target["scrapeInterval"] == f"{interval}s" and (target["health"] == "up" or not health)
        job = target["labels"]["job"]
        good[job] = good.get(job, 0) + fine
    return good == dict(expected)


def scraper_role() -> list[tuple[str, dict[str, Any]]]:
    """Return path and object of the rights that reading a node's metrics through the API server needs."""
    api = "rbac.authorization.k8s.io"
    name = {"name": "telescope:node-metrics"}
    role = {
        "apiVersion": f"{api}/v1",
        "kind": "ClusterRole",
        "metadata": name,
        "rules": [{"apiGroups": [""], "resources": ["nodes/metrics", "nodes/proxy"], "verbs": ["get"]}],
    }
    binding = {
        "apiVersion": f"{api}/v1",
        "kind": "ClusterRoleBinding",
        "metadata": name,
        "roleRef": {"apiGroup": api, "kind": "ClusterRole", **name},
        "subjects": [{"apiGroup": api, "kind": "User", "name": "telescope:prometheus"}],
    }
    return [(f"/apis/{api}/v1/clusterroles", role), (f"/apis/{api}/v1/clusterrolebindings", binding)]
