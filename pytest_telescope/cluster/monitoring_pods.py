"""Scrape jobs by pods: components of the cluster, and the lease's own node_exporter on every node."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Mapping
from functools import cache
from typing import Any

from pytest_telescope.cluster.monitoring_jobs import MANIFESTS

TABLE = MANIFESTS / "components.yaml"
NODE = "node"
"""Job of node_exporter."""
EXPORTER = "node-exporter"
"""Name of its DaemonSet and container."""
_POD = "__meta_kubernetes_pod"


@cache
def table() -> dict[str, Any]:
    """Return the whole table of components."""
    import yaml

    found: dict[str, Any] = yaml.safe_load(TABLE.read_text(encoding="utf-8"))
    return found


def components() -> dict[str, dict[str, Any]]:
    """Return job -> how its pods are told and where they serve metrics."""
    found: dict[str, dict[str, Any]] = table()["components"]
    return found


def jobs(ports: Mapping[str, int]) -> list[dict[str, Any]]:
    """Return the scrape configs of all components, and of node_exporter.

    Args:
        ports: component -> port, where it is not the usual one.
    """
    found = [_job(name, _of(one, ports.get(name, one["port"]))) for name, one in components().items()]
    return [_job(NODE, [_keep(f"{_POD}_container_name", EXPORTER)]), *found]


def _job(name: str, own: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Return a scrape config; discovery is the same for all jobs, so that Prometheus watches the pods once."""
    spaces = {"own_namespace": True, "names": table()["namespaces"]}
    return {
        "job_name": name,
        "kubernetes_sd_configs": [{"role": "pod", "namespaces": spaces, "attach_metadata": {"node": True}}],
        "keep_dropped_targets": 1,
        "relabel_configs": [
            *own,
            _keep(f"{_POD}_phase", "Running"),
            {
                "source_labels": ["__meta_kubernetes_node_annotation_kwok_x_k8s_io_node"],
                "regex": "fake",
                "action": "drop",
            },
            {"source_labels": [f"{_POD}_node_name"], "target_label": "node"},
        ],
    }


def _of(component: Mapping[str, Any], port: int) -> list[dict[str, Any]]:
    """Return the relabelling of one component."""
    address, annotated = f"{_POD}_ip", f"{_POD}_annotation_prometheus_io_port"
    return [
        _keep(f"{_POD}_container_name", component["container"]),
        *(_keep(f"{_POD}_label_{label}", value) for label, value in component.get("labels", {}).items()),
        *addresses(address, port),
        _address([address, annotated], r"([^:]+);(\d+)", "$1:$2"),
        _address([address, annotated], r"(.*:.*);(\d+)", "[$1]:$2"),
    ]


def addresses(label: str, port: int) -> list[dict[str, Any]]:
    """Return the relabelling that scrapes a port of the address in `label`; one of IPv6 stands in brackets."""
    return [_address([label], "(.+)", f"$1:{port}"), _address([label], "(.*:.*)", f"[$1]:{port}")]


def _keep(label: str, regex: str) -> dict[str, Any]:
    return {"source_labels": [label], "regex": regex, "action": "keep"}


def _address(sources: list[str], regex: str, replacement: str) -> dict[str, Any]:
    return {"source_labels": sources, "regex": regex, "target_label": "__address__", "replacement": replacement}


def versions(targets: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Return fact -> version of each component, by the tags of its images; several are joined.

    Args:
        targets: rows of `/api/v1/targets`, with the labels that discovery found.
    """
    found: dict[str, set[str]] = {}
    for target in targets:
        component = components().get(target["labels"].get("job", ""))
        tag = tag_of(target["discoveredLabels"].get(f"{_POD}_container_image", ""))
        if component is not None and tag:
            found.setdefault(component["fact"], set()).add(tag)
    return {fact: ", ".join(sorted(tags)) for fact, tags in found.items()}


def tag_of(image: str) -> str:
    """Return the tag of an image's name, empty where it has none."""
    return image.partition("@")[0].rpartition("/")[2].partition(":")[2]
