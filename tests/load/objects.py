"""API objects for the tests, as the API server writes them."""

from __future__ import annotations

from typing import Any


def node(name: str, *, cpu: str = "4", memory: str = "8Gi", pods: str = "110", **more: Any) -> dict[str, Any]:
    """Return a Ready node; `more` is merged into metadata (`annotations`, `labels`) or spec (`taints`, …)."""
    metadata = {"name": name} | {key: more.pop(key) for key in ("annotations", "labels") if key in more}
    ready = {"type": "Ready", "status": more.pop("ready", "True")}
    allocatable = {"cpu": cpu, "memory": memory, "pods": pods}
    return {"metadata": metadata, "spec": more, "status": {"allocatable": allocatable, "conditions": [ready]}}


def pod(
    name: str = "other", node_name: str = "", requests: dict[str, str] | None = None, **more: Any
) -> dict[str, Any]:
    """Return a pod with one container; `more` is merged into spec, `status` apart."""
    status = more.pop("status", {"phase": "Running"})
    container = {"name": "main", "resources": {"requests": requests or {}}}
    spec = {"containers": [container]} | more
    if node_name:
        spec["nodeName"] = node_name
    return {"metadata": {"name": name, "resourceVersion": "1"}, "spec": spec, "status": status}
