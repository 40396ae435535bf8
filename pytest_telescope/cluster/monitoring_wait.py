"""Waiting for a lease's Prometheus, with the reason at hand when it does not come."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping
from typing import Any

from pytest_telescope.cluster.kube import Kube
from pytest_telescope.cluster.progress import counted
from pytest_telescope.errors import MetricsError
from pytest_telescope.errors import ProvisionError
from pytest_telescope.metrics.client import Prometheus
from pytest_telescope.metrics.client import Target

POLL = 0.5
IMAGE_PATIENCE = 60.0
"""Seconds for which an image may fail to come: a registry that throttles answers within that."""
_NO_IMAGE = ("ErrImagePull", "ImagePullBackOff")
_HOPELESS = ("InvalidImageName", "ErrImageNeverPull", "CreateContainerConfigError")
_SHOWN = 5
Progress = Callable[[str], None]


def pod(kube: Kube, path: str, deadline: float, progress: Progress) -> dict[str, Any]:
    """Return the pod at `path` once it is ready; `deadline` in monotonic seconds.

    Raises:
        ProvisionError: it is not ready in time, or cannot become so; says why.
    """
    told, no_image_since = "", None
    while True:
        found: dict[str, Any] = kube.get(path)
        if _ready(found):
            return found
        reason, why = state(found)
        if why != told:
            progress(f"Prometheus: {why}")
            told = why
        now = time.monotonic()
        no_image_since = (no_image_since or now) if reason in _NO_IMAGE else None
        lost = no_image_since is not None and now - no_image_since > IMAGE_PATIENCE
        if lost or reason in _HOPELESS or now >= deadline:
            raise ProvisionError(f"Prometheus did not become ready in the cluster: {why}{_events(kube, path)}")
        time.sleep(POLL)


def _ready(found: Mapping[str, Any]) -> bool:
    return any(one["type"] == "Ready" and one["status"] == "True" for one in _conditions(found))


def _conditions(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    conditions: list[dict[str, Any]] = found.get("status", {}).get("conditions") or []
    return conditions


def state(found: Mapping[str, Any]) -> tuple[str, str]:
    """Return the one-word reason why a pod is not ready, and a sentence."""
    status = found.get("status", {})
    for one in status.get("containerStatuses") or ():
        waiting = one["state"].get("waiting") or {}
        if waiting.get("reason") not in (None, "ContainerCreating"):
            image = found["spec"]["containers"][0]["image"]
            return waiting["reason"], f"{waiting['reason']} of {image}: {waiting.get('message', 'no more is known')}"
    for one in _conditions(found):
        if one["type"] == "PodScheduled" and one["status"] != "True":
            return one.get(
                "reason", ""
            ), f"no node takes its pod: {one.get('message', 'the scheduler has not said why')}"
    node = found["spec"].get("nodeName")
    return "", f"its pod is {status.get('phase', 'Pending')} on {node}" if node else "its pod waits for the scheduler"


def _events(kube: Kube, path: str) -> str:
    """Return the last warnings about the pod, for the end of a message; empty where there are none."""
    items = kube.get(f"{path.rpartition('/pods/')[0]}/events")["items"]
    warnings = [f"{item['reason']}: {item['message']}" for item in items if item["type"] == "Warning"]
    return "".join(f"\n  {one}" for one in list(dict.fromkeys(warnings))[-_SHOWN:])


def targets(prometheus: Prometheus, expected: Mapping[str, int], deadline: float, progress: Progress) -> None:
    """Wait until each job of `expected` has so many targets up.

    Raises:
        ProvisionError: they are not up in time; names those that are not, and why.
    """
    told, seen = "", tuple[Target, ...]()
    while True:
        try:
            why = missing(seen := prometheus.targets(), expected)
        except MetricsError as error:  # the way through the API server may open a little later than the pod
            why = str(error)
        if not why:
            return
        if why != told:
            progress(counted(f"waiting for metrics: {why}", up(seen, expected), sum(expected.values()), "targets"))
            told = why
        if time.monotonic() >= deadline:
            raise ProvisionError(f"Prometheus does not reach everything in the cluster: {why}")
        time.sleep(POLL)


def up(seen: Iterable[Target], expected: Mapping[str, int]) -> int:
    """Return how many of the expected targets are up."""
    found = Counter(target.job for target in seen if target.up)
    return sum(min(found[job], count) for job, count in expected.items())


def missing(seen: Iterable[Target], expected: Mapping[str, int]) -> str:
    """Return what of `expected` (job -> targets) is not up; empty if nothing."""
    found = list(seen)
    words = []
    for job, count in expected.items():
        mine = [target for target in found if target.job == job]
        up = sum(target.up for target in mine)
        if up < count:
            down = [f"{one.instance}: {one.error}" for one in mine if one.error][:_SHOWN]
            words.append(f"{job} {up} of {count} up" + (f" ({'; '.join(down)})" if down else ""))
    return ", ".join(words)
