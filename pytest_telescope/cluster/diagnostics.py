"""What explains a red run, collected before its cluster is destroyed: bounded in time and size, and it never raises."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Any

from pytest_telescope.cluster.model import Cluster
from pytest_telescope.cluster.model import Lease
from pytest_telescope.metrics.model import Endpoint

if TYPE_CHECKING:
    from kubernetes.client import CoreV1Api

SECONDS = 30.0
LIMIT = 1024**2
"""Bytes that are kept of one file."""
_REQUEST = (3, 8)
_CONFIGZ_NODES = 3

Job = tuple[str, Callable[[], bytes]]


def collect(cluster: Cluster, folder: Path, seconds: float = SECONDS) -> list[Path]:
    """Write logs, events, pods that are not ready, nodes, kubelet configuration and Prometheus' targets into `folder`.

    What cannot be had leaves a file `<name>.error` with the reason. At most `seconds` pass, plus one request.

    Returns:
        The files written.
    """
    end = time.monotonic() + seconds
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return [_write(folder, name, ask, end) for name, ask in _jobs(cluster)]
    except Exception as error:  # whatever it is: diagnostics must not hide what they are to explain
        return _give_up(folder, error)


def collect_logs(lease: Lease, folder: Path) -> list[Path]:
    """Write the ends of all logs below a lease's folder into `folder`: all there is when a cluster never came up."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        logs = sorted(lease.folder.rglob("*.log"))
        return [_write(folder, log.name, lambda log=log: _tail(log), math.inf) for log in logs]  # type: ignore[misc] # as below
    except OSError as error:
        return _give_up(folder, error)


def _give_up(folder: Path, error: Exception) -> list[Path]:
    try:
        file = folder / "diagnostics.error"
        file.write_text(f"{error!r}\n", encoding="utf-8")
    except OSError:
        return []
    return [file]


def _jobs(cluster: Cluster) -> Iterator[Job]:
    for log in cluster.logs:
        yield log.name, lambda log=log: _tail(log)  # type: ignore[misc] # mypy cannot infer lambdas with defaults
    yield "prometheus-targets.json", lambda: _ask_prometheus(cluster.prometheus, "/api/v1/targets")
    yield "events.json", lambda: _list(cluster, "list_event_for_all_namespaces")
    yield "pods-not-ready.json", lambda: _pods_not_ready(cluster)
    yield "nodes.json", lambda: _list(cluster, "list_node")
    if "kubelet-metrics" in cluster.capabilities:
        yield "kubelet-configz.json", lambda: _configz(cluster)


def _write(folder: Path, name: str, ask: Callable[[], bytes], end: float) -> Path:
    try:
        if time.monotonic() > end:
            raise TimeoutError("no time was left for this")
        content = ask()
    except Exception as error:  # as above
        name, content = f"{name}.error", f"{error!r}\n".encode()
    file = folder / name
    file.write_bytes(content[-LIMIT:])
    return file


def _tail(path: Path) -> bytes:
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - LIMIT))
        return file.read()


def _ask_prometheus(endpoint: Endpoint, path: str) -> bytes:
    from pytest_telescope.metrics.client import connect

    with connect(endpoint) as session:
        reply = session.get(endpoint.url + path, timeout=_REQUEST)
    reply.raise_for_status()
    content: bytes = reply.content
    return content


@contextmanager
def _core(cluster: Cluster) -> Iterator[CoreV1Api]:
    from kubernetes import config
    from kubernetes.client import CoreV1Api

    client = config.new_client_from_config(config_file=str(cluster.kubeconfig))  # type: ignore[no-untyped-call] # upstream
    with client:
        yield CoreV1Api(client)
        client.rest_client.pool_manager.clear()


def _list(cluster: Cluster, method: str) -> bytes:
    with _core(cluster) as core:
        answer = getattr(core, method)(_preload_content=False, _request_timeout=_REQUEST, limit=1000)
        content: bytes = answer.data
    return content


def _pods_not_ready(cluster: Cluster) -> bytes:
    pods = json.loads(_list(cluster, "list_pod_for_all_namespaces"))["items"]
    return json.dumps([pod for pod in pods if not _is_ready(pod)], indent=1).encode()


def _is_ready(pod: dict[str, Any]) -> bool:
    conditions = pod.get("status", {}).get("conditions") or []
    return any(condition["type"] == "Ready" and condition["status"] == "True" for condition in conditions)


def _configz(cluster: Cluster) -> bytes:
    nodes = json.loads(_list(cluster, "list_node"))["items"]
    real = [node["metadata"]["name"] for node in nodes if not _is_simulated(node)]
    with _core(cluster) as core:
        told = {name: _node_configz(core, name) for name in real[:_CONFIGZ_NODES]}
    return json.dumps(told, indent=1).encode()


def _node_configz(core: CoreV1Api, node: str) -> Any:
    ask = core.connect_get_node_proxy_with_path
    answer: Any = ask(node, "configz", _preload_content=False, _request_timeout=_REQUEST)
    return json.loads(answer.data)


def _is_simulated(node: dict[str, Any]) -> bool:
    return (node["metadata"].get("annotations") or {}).get("kwok.x-k8s.io/node") == "fake"
