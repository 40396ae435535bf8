"""A pod object that stands for the harness' Prometheus, so that CL2's own Prometheus measurements run against it.

CL2 asks Prometheus through the API server's service proxy only, and that proxy goes to pods only. So a simulated node
has the address at which the API server reaches Prometheus, and a pod on it is the endpoint of CL2's own Service.
"""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from pytest_telescope.cluster.model import Leftover
from pytest_telescope.cluster.processes import wait_until
from pytest_telescope.errors import LoadError
from pytest_telescope.load.api import FAILURES
from pytest_telescope.load.api import Api
from pytest_telescope.load.api import Reply
from pytest_telescope.load.clusterloader2.tables import table
from pytest_telescope.load.manifests import delete_options
from pytest_telescope.load.namespaces import make_namespace
from pytest_telescope.load.namespaces import remove_namespace

NAMESPACE = "monitoring"
SERVICE = f"/api/v1/namespaces/{NAMESPACE}/services/http:prometheus-k8s:9090/proxy"
"""Where CL2 sends its queries."""
LEAST_TARGETS = 4
"""CL2 waits for so many targets, and for all of them to be up."""
READY_WITHIN = 30.0
GONE_WITHIN = 60.0
POLL = 0.1


def flags() -> tuple[str, ...]:
    """Return what CL2 must be called with: it sets up a Prometheus of which no pod runs, and `remove` takes it away."""
    return (
        "--enable-prometheus-server=true",
        "--tear-down-prometheus-server=false",
        "--prometheus-ready-timeout=2m",
    )


def overrides() -> dict[str, bool]:
    """Return what must stand in an override file of CL2."""
    return {"PROMETHEUS_SCRAPE_KUBE_PROXY": False, "CL2_PROMETHEUS_PVC_ENABLED": False}


def make(api: Api, address: tuple[str, int], *, lease: str = "", cell: str = "") -> None:
    """Make namespace, node, Service and pod, and wait until CL2's way to Prometheus works.

    Args:
        api: the API server.
        address: where that server reaches Prometheus (`Cluster.prometheus_from_apiserver`).
        lease: id for the label of the namespace.
        cell: id for the annotation of the namespace.

    Raises:
        LoadError: namespace `monitoring` is somebody else's, an object is refused, or Prometheus is not reached.
        OSError, http.client.HTTPException: the API server does not answer (see `api.FAILURES`).
    """
    make_namespace(api, NAMESPACE, lease=lease, cell=cell)
    for entry in objects(address):
        made = _write(api, "POST", entry["path"], entry["object"])
        if made.get("kind") == "Pod":
            path = f"{entry['path']}/{made['metadata']['name']}/status"
            _write(api, "PUT", path, {**made, "status": pod_status(address[0])})
    _wait(api, address)


def objects(address: tuple[str, int]) -> list[dict[str, Any]]:
    """Return API path and object of all that `make` makes, in order."""
    host, port = address
    made: list[dict[str, Any]] = deepcopy(_data()["made"])
    for entry in made:
        if entry["object"]["kind"] == "Node":
            entry["object"]["status"]["addresses"] = [{"type": "InternalIP", "address": host}]
        if entry["object"]["kind"] == "Pod":
            entry["object"]["spec"]["containers"][0]["ports"][0] |= {"containerPort": port, "hostPort": port}
    return made


def pod_status(host: str) -> dict[str, Any]:
    """Return the status of a pod that runs and is Ready at `host`."""
    return {
        "phase": "Running",
        "conditions": [{"type": kind, "status": "True"} for kind in ("PodScheduled", "ContainersReady", "Ready")],
        "hostIP": host,
        "podIP": host,
        "podIPs": [{"ip": host}],
    }


def _data() -> Mapping[str, Any]:
    found: Mapping[str, Any] = table("monitoring_objects")
    return found


def _write(api: Api, method: str, path: str, document: Mapping[str, Any]) -> dict[str, Any]:
    """Write an object; a node left from before is as good as a new one."""
    reply = api.request(method, path, json.dumps(document).encode())
    if reply.status not in {http.client.OK, http.client.CREATED, http.client.CONFLICT}:
        raise LoadError(f"{method} {path}: HTTP {reply.status} {reply.json().get('message', '')}")
    return reply.json()


def _wait(api: Api, address: tuple[str, int]) -> None:
    last = Reply(0, b"")

    def ready() -> bool:
        nonlocal last
        last = api.request("GET", f"{SERVICE}/api/v1/targets?state=active")
        return last.status == http.client.OK and healthy(last.json())

    if not wait_until(ready, READY_WITHIN, POLL):
        raise LoadError(
            f"the API server does not reach a Prometheus with {LEAST_TARGETS} targets that are up at "
            f"{address[0]}:{address[1]} within {READY_WITHIN:.0f} s; its last answer: HTTP {last.status} "
            f"{last.body[:300].decode(errors='replace')}"
        )


def healthy(answer: Mapping[str, Any]) -> bool:
    """Say whether CL2 takes this answer of `/api/v1/targets` for a Prometheus that works."""
    active = answer.get("data", {}).get("activeTargets", ())
    return len(active) >= LEAST_TARGETS and all(target["health"] == "up" for target in active)


def remove(api: Api) -> list[Leftover]:
    """Remove what `make` made and what CL2 made for its Prometheus; return what does not go.

    Only for a cluster of the harness: CL2 uses fixed names, and whatever has them is removed.
    """
    paths: list[str] = _data()["left"]
    try:
        for path in paths:
            api.request("DELETE", path, delete_options(0))
        left = remove_namespace(api, NAMESPACE)
        wait_until(lambda: not _still_there(api, paths), GONE_WITHIN, POLL)
        return left + [_leftover(path, "does not go") for path in _still_there(api, paths)]
    except FAILURES as error:
        return [_leftover(f"/api/v1/namespaces/{NAMESPACE}", f"cannot ask the API server: {error}")]


def _still_there(api: Api, paths: list[str]) -> list[str]:
    return [path for path in paths if api.request("GET", path).status != http.client.NOT_FOUND]


def _leftover(path: str, detail: str) -> Leftover:
    kind, name = path.rsplit("/", 2)[-2:]
    return Leftover(kind=kind, name=name, detail=detail)
