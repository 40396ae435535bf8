"""The namespace of a load: made, marked as ours, deleted, and seen to be gone."""

from __future__ import annotations

import hashlib
import http.client
import time
from collections.abc import Callable
from urllib.parse import quote

from pytest_telescope.cluster.model import Leftover
from pytest_telescope.errors import LoadError
from pytest_telescope.load.api import FAILURES
from pytest_telescope.load.api import Api
from pytest_telescope.load.manifests import MANAGED
from pytest_telescope.load.manifests import MANAGER
from pytest_telescope.load.manifests import delete_options
from pytest_telescope.load.manifests import namespace_manifest
from pytest_telescope.load.nodes import KWOK

PREFIX = "telescope-"
LONGEST = 63
ACCOUNT_SECONDS = 60.0
GONE_SECONDS = 120.0
POLL = 0.05
POLL_MOST = 0.5


def namespace_of(cell: str) -> str:
    """Return the namespace of a cell: `telescope-` and its id, shortened by a hash where it is too long."""
    name = PREFIX + cell
    if len(name) <= LONGEST:
        return name
    return f"{name[: LONGEST - 9].rstrip('-')}-{hashlib.sha256(cell.encode()).hexdigest()[:8]}"


def pods_path(namespace: str) -> str:
    """Return the path of our pods in `namespace`, ending in a query."""
    return f"/api/v1/namespaces/{namespace}/pods?labelSelector={quote(f'{MANAGED}={MANAGER}')}"


def make_namespace(api: Api, name: str, *, lease: str, cell: str) -> None:
    """Make the namespace and wait for its default service account, without which no pod is admitted.

    One of ours left from before is deleted first.

    Raises:
        LoadError: a namespace of that name is not ours or does not go, or the new one gets no service account.
    """
    _make_way(api, name)
    reply = api.request("POST", "/api/v1/namespaces", namespace_manifest(name, lease=lease, cell=cell))
    if reply.status != http.client.CREATED:
        raise LoadError(f"cannot create namespace {name}: HTTP {reply.status} {reply.json().get('message', '')}")
    account = f"/api/v1/namespaces/{name}/serviceaccounts/default"
    if not _until(lambda: api.request("GET", account).status == http.client.OK, ACCOUNT_SECONDS):
        raise LoadError(
            f"namespace {name} got no default service account within {ACCOUNT_SECONDS:.0f} s: "
            "is the controller manager running?"
        )


def _make_way(api: Api, name: str) -> None:
    found = api.request("GET", f"/api/v1/namespaces/{name}")
    if found.status == http.client.NOT_FOUND:
        return
    if found.status != http.client.OK:
        raise LoadError(f"cannot look for namespace {name}: HTTP {found.status} {found.json().get('message', '')}")
    if not _is_ours(found.json()):
        raise LoadError(
            f"namespace {name} exists and lacks the label {MANAGED}={MANAGER}, so it is not ours to delete: "
            "delete or rename it, or use another cluster"
        )
    if left := remove_namespace(api, name):
        raise LoadError(
            f"namespace {name} is left from an earlier load and does not go: {'; '.join(map(str, left))}; "
            f"see `kubectl get namespace {name} -o yaml`"
        )


def _is_ours(namespace: dict[str, object]) -> bool:
    metadata = namespace.get("metadata")
    labels = metadata.get("labels", {}) if isinstance(metadata, dict) else {}
    return bool(labels.get(MANAGED) == MANAGER)


def remove_namespace(api: Api, name: str, seconds: float = GONE_SECONDS) -> list[Leftover]:
    """Delete the namespace and our pods in it, and wait until they are gone; returns what is still there.

    The namespace is told first: its controller waits 5 s before it begins, in which the pods can go, and no late
    create gets in. Pods get their grace, so that a kubelet can say that the containers ended; after half of the time
    they are deleted by force. Simulated pods have no containers and need no grace.
    """
    path = f"/api/v1/namespaces/{name}"
    try:
        found = api.request("GET", path)
        if found.status == http.client.NOT_FOUND or (found.status == http.client.OK and not _is_ours(found.json())):
            return []
        api.request("DELETE", path, delete_options(None))
        delete_pods(api, pods_path(name), grace=1 if _has_kubelet(api) else 0)
        if _gone(api, path, seconds / 2):
            return []
        delete_pods(api, pods_path(name), grace=0)
        return [] if _gone(api, path, seconds / 2) else _left(api, name)
    except (*FAILURES, LoadError) as error:
        return [Leftover(kind="namespace", name=name, detail=f"cannot ask the API server: {error}")]


def delete_pods(api: Api, path: str, *, grace: int | None) -> None:
    """Delete the pods of a list path; a server that runs out of its own time is asked to go on.

    Raises:
        OSError, http.client.HTTPException: no answer came.
        LoadError: it refused.
    """
    for _ in range(100):
        reply = api.request("DELETE", path, delete_options(grace))
        if reply.status in (http.client.OK, http.client.ACCEPTED, http.client.NOT_FOUND):
            return
        if reply.status < http.client.INTERNAL_SERVER_ERROR and reply.status != http.client.TOO_MANY_REQUESTS:
            break
        time.sleep(min(reply.retry_after or POLL_MOST, 5.0))
    raise LoadError(f"DELETE {path}: HTTP {reply.status} {reply.json().get('message', '')}")


def _has_kubelet(api: Api) -> bool:
    return any(
        KWOK not in node["metadata"].get("annotations", {})
        for page in api.pages("/api/v1/nodes")
        for node in page["items"]
    )


def _gone(api: Api, path: str, seconds: float) -> bool:
    return _until(lambda: api.request("GET", path).status == http.client.NOT_FOUND, seconds)


def _until(condition: Callable[[], bool], seconds: float) -> bool:
    deadline, wait = time.monotonic() + seconds, POLL
    while not condition():
        if time.monotonic() >= deadline:
            return False
        time.sleep(wait)
        wait = min(wait * 1.5, POLL_MOST)
    return True


def _left(api: Api, name: str) -> list[Leftover]:
    namespace = api.request("GET", f"/api/v1/namespaces/{name}").json()
    conditions = namespace.get("status", {}).get("conditions", ())
    said = "; ".join(each.get("message", "") for each in conditions if each.get("status") == "True")
    left = [Leftover(kind="namespace", name=name, detail=said)]
    for page in api.pages(pods_path(name)):
        left += [Leftover(kind="pod", name=f"{name}/{item['metadata']['name']}") for item in page["items"]]
    return left
