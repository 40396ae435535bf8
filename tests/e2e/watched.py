"""Acts on a run at lines of its output, and looks into its only cluster meanwhile."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from dataclasses import field
from http import HTTPStatus
from pathlib import Path
from typing import Any

import psutil

from pytest_telescope.cluster import processes
from pytest_telescope.load.api import Api

RBAC = "/apis/rbac.authorization.k8s.io/v1"
LOOKED_AT = (
    "/api/v1/namespaces",
    "/api/v1/nodes",
    "/api/v1/namespaces/default/serviceaccounts",
    "/api/v1/namespaces/kube-system/services",
    "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
    "/apis/scheduling.k8s.io/v1/priorityclasses",
    "/apis/storage.k8s.io/v1/storageclasses",
    f"{RBAC}/clusterroles",
    f"{RBAC}/clusterrolebindings",
)
SOON = 30.0
LINE_OF_PEM = 32
"""Characters from which on a line of a certificate or key is sure to be nothing else."""


@dataclass
class Watched:
    """A run of the harness below `root`.

    Attributes:
        plan: what to do at which line of its output, in this order.
    """

    root: Path
    plan: list[tuple[str, Callable[[Watched], None]]] = field(default_factory=list)

    def __call__(self, line: str) -> None:
        """Take in a line of output."""
        if self.plan and self.plan[0][0] in line:
            self.plan.pop(0)[1](self)

    @contextmanager
    def standing_still(self) -> Iterator[None]:
        """Stop pytest for a while."""
        (harness,) = _naming(f"--telescope-dir={self.root / 'telescope'}")
        harness.suspend()
        try:
            yield
        finally:
            harness.resume()

    def loader(self) -> psutil.Process:
        """Return the process of CL2 that puts the load on."""
        (found,) = loaders(self.root)
        return found

    @property
    def lease(self) -> Path:
        """The folder of the only lease."""
        (found,) = (self.root / "state" / "leases").iterdir()
        return found

    @contextmanager
    def api(self) -> Iterator[Api]:
        """Yield the API server of the only cluster."""
        with Api.from_kubeconfig(self.lease / "kubeconfig") as api:
            yield api

    def objects(self) -> set[str]:
        """Return the paths of what a load could leave."""
        with self.api() as api:
            return {f"{path}/{item['metadata']['name']}" for path in LOOKED_AT for item in api.get(path)["items"]}

    def wait_for(self, *texts: str) -> None:
        """Wait until the path of some object has each of the texts."""
        assert processes.wait_until(lambda: _has_all(self.objects(), texts), SOON, poll=0.2)

    def wait_for_pod(self, namespace: str) -> None:
        """Wait until a pod runs."""
        path = f"/api/v1/namespaces/{namespace}/pods?fieldSelector=status.phase%3DRunning"
        with self.api() as api:
            assert processes.wait_until(lambda: api.get(path)["items"] != [], SOON, poll=0.1)

    def make(self, path: str, document: dict[str, Any]) -> None:
        """Make an object."""
        with self.api() as api:
            assert api.request("POST", path, json.dumps(document).encode()).status == HTTPStatus.CREATED


def _has_all(paths: set[str], texts: tuple[str, ...]) -> bool:
    return all(any(text in path for path in paths) for text in texts)


def loaders(root: Path) -> list[psutil.Process]:
    """Return the processes of CL2 that put load on a cluster below `root`, or are about to."""
    return [one for one in _naming(f"{root}/") if any("clusterloader2" in part for part in one.info["cmdline"][:6])]


def _naming(text: str) -> list[psutil.Process]:
    found = psutil.process_iter(["cmdline"])
    return [one for one in found if text in " ".join(one.info["cmdline"] or []) and one.pid != psutil.Process().pid]


def secrets(kubeconfig: Path) -> set[bytes]:
    """Return everything in a kubeconfig that proves who one is, as it is there and as it is decoded, line by line."""
    found = set()
    for key, value in _leaves(json.loads(kubeconfig.read_text())):
        if key.endswith("-data") or key in {"token", "password"}:
            lines = base64.b64decode(value).splitlines() if key.endswith("-data") else []
            found |= {value.encode(), *(line for line in lines if len(line) >= LINE_OF_PEM)}
    return found


def _leaves(document: Any, key: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(document, dict):
        for name, value in document.items():
            yield from _leaves(value, name)
    elif isinstance(document, list):
        for value in document:
            yield from _leaves(value, key)
    elif isinstance(document, str):
        yield key, document
