"""The namespaces of the harness in somebody's cluster: which are a lease's, which are another's, and their end."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from collections.abc import Collection
from collections.abc import Iterator
from collections.abc import Mapping
from pathlib import Path

from pytest_telescope.cluster import ledger
from pytest_telescope.cluster.kube import Kube
from pytest_telescope.cluster.kube import access
from pytest_telescope.cluster.model import Lease
from pytest_telescope.errors import DestroyError

MANAGED = ("app.kubernetes.io/managed-by", "pytest-telescope")
LEASE = "pytest-telescope/lease"
PREFIX = "telescope-"
SURE = 41
"""Letters of a namespace's name that no engine cuts: longer ones end in a digest after them."""
GONE_WITHIN = 180.0
POLL = 0.5
Labels = Mapping[str, Mapping[str, str]]


def in_use(namespaces: Labels) -> list[str]:
    """Return why nobody else may put a load on the cluster now: a live run's namespaces, or those of another machine.

    What a dead run of this machine left is no reason: its reaper or the next load removes it.
    """
    dead = {entry.lease.id for entry in ledger.entries() if entry.orphaned}
    return [
        f"namespace {name} is of lease {labels.get(LEASE, '?')}, which another run has open: wait for its end, or "
        "delete the namespace if that run is dead"
        for name, labels in namespaces.items()
        if labels.get(MANAGED[0]) == MANAGED[1] and labels.get(LEASE, "").removeprefix(PREFIX) not in dead
    ]


def ours(kubeconfig: Path, lease: Lease, before: Collection[str]) -> list[str]:
    """Return the namespaces of a lease that are there, sorted.

    Raises:
        ProvisionError: the API server cannot be asked.
    """
    with Kube(access(kubeconfig)) as kube:
        return _ours(kube, lease, before)


def _ours(kube: Kube, lease: Lease, before: Collection[str]) -> list[str]:
    items = kube.get("/api/v1/namespaces")["items"]
    labels = {one["metadata"]["name"]: one["metadata"].get("labels") or {} for one in items}
    return sorted(chosen(labels, lease, before))


def chosen(namespaces: Labels, lease: Lease, before: Collection[str]) -> Iterator[str]:
    """Yield those that carry the lease's label, or its cell's name with no lease's label and were not there before.

    ClusterLoader2 makes namespaces by name alone: `telescope-<cell>-<number>`.
    """
    head = PREFIX + lease.cell
    pattern = re.compile(re.escape(head[:SURE]) + (r".*" if len(head) > SURE else r"(-e\d+)?(-\d+)?") + r"\Z")
    for name, labels in namespaces.items():
        told = labels.get(LEASE)
        if told == lease.id or (told is None and name not in before and pattern.match(name)):
            yield name


def remove(kubeconfig: Path, lease: Lease, before: Collection[str], *, say: Callable[[str], None]) -> None:
    """Delete the lease's namespaces and wait until they are gone; safe to call again.

    Raises:
        ProvisionError: the API server cannot be asked.
        DestroyError: one is still there after `GONE_WITHIN` seconds.
    """
    end = time.monotonic() + GONE_WITHIN
    with Kube(access(kubeconfig)) as kube:
        for name in _ours(kube, lease, before):
            say(f"deleting namespace {name}")
            kube.delete(f"/api/v1/namespaces/{name}")
        while left := _ours(kube, lease, before):
            if time.monotonic() >= end:
                raise DestroyError(
                    f"still there after {GONE_WITHIN:g} s: namespace {', '.join(left)}; "
                    f"see `kubectl get namespace {left[0]} -o yaml`"
                )
            time.sleep(POLL)
