"""What is sent to the API server, as bytes."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pytest_telescope.load.nodes import Toleration
from pytest_telescope.load.sizing import KIB
from pytest_telescope.load.sizing import Sizing

IMAGE = "registry.k8s.io/e2e-test-images/resource-consumer:1.13"
CONSUME_CPU = "/consume-cpu/consume-cpu"
MANAGED = "app.kubernetes.io/managed-by"
MANAGER = "pytest-telescope"
LEASE = "pytest-telescope/lease"
CELL = "pytest-telescope/cell"
WAVE = "pytest-telescope/wave"
GRACE_SECONDS = 1
_NAME = "@name@"


@dataclass(frozen=True, slots=True)
class Template:
    """A pod's manifest cut where its name goes: rendering one is two concatenations."""

    head: bytes
    tail: bytes

    def render(self, name: str) -> bytes:
        """Return the manifest of the pod `name`."""
        return self.head + name.encode() + self.tail


def pod_template(
    sizing: Sizing, *, wave: int, seconds: float, selector: Mapping[str, str], tolerations: tuple[Toleration, ...]
) -> Template:
    """Return the pod of a wave; it consumes for `seconds`, which must outlast the wave."""
    pod = pod_manifest(_NAME, command(sizing, seconds), sizing, wave=wave, selector=selector, tolerations=tolerations)
    head, _, tail = json.dumps(pod, separators=(",", ":")).encode().partition(_NAME.encode())
    return Template(head, tail)


def command(sizing: Sizing, seconds: float) -> list[str]:
    """Return what the container runs.

    consume-cpu keeps its own average since its start at what it is told. With memory to hold, stress is process 1 and
    consume-cpu its child: stress ends in an error as soon as any child dies, so that a pod of which half was killed
    is Failed and not silently half a load.
    """
    duration = math.ceil(seconds)
    cpu = f"{CONSUME_CPU} -millicores={sizing.millicores} -duration-sec={duration}"
    memory = f"stress --vm 1 --vm-bytes {sizing.memory // KIB}K --vm-hang 0 --timeout {duration}s"
    if sizing.memory and sizing.millicores:
        line = f"{cpu} & exec {memory}"
    elif sizing.memory:
        line = f"exec {memory}"
    elif sizing.millicores:
        line = f"exec {cpu}"
    else:
        line = f"exec sleep {duration}"
    return ["sh", "-c", line]


def pod_manifest(
    name: str,
    run: list[str],
    sizing: Sizing,
    *,
    wave: int,
    selector: Mapping[str, str],
    tolerations: tuple[Toleration, ...],
) -> dict[str, Any]:
    """Return one pod as an API object; no CPU limit, so that a pod that fell behind can catch up."""
    labels = {MANAGED: MANAGER, WAVE: str(wave)}
    container = {
        "name": "consumer",
        "image": IMAGE,
        "imagePullPolicy": "IfNotPresent",
        "command": run,
        "resources": {
            "requests": {"cpu": f"{sizing.millicores}m", "memory": f"{sizing.memory_request // KIB}Ki"},
        },
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": labels},
        "spec": {
            "restartPolicy": "Never",
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "terminationGracePeriodSeconds": GRACE_SECONDS,
            "nodeSelector": dict(selector),
            "tolerations": [toleration.manifest() for toleration in tolerations],
            "topologySpreadConstraints": [_spread(labels, even=sizing.even)],
            "containers": [container],
        },
    }


def _spread(labels: Mapping[str, str], *, even: bool) -> dict[str, Any]:
    # Nodes whose taints the pods do not tolerate would otherwise count as empty places and block the others.
    return {
        "maxSkew": 1,
        "topologyKey": "kubernetes.io/hostname",
        "whenUnsatisfiable": "DoNotSchedule" if even else "ScheduleAnyway",
        "nodeTaintsPolicy": "Honor",
        "labelSelector": {"matchLabels": dict(labels)},
    }


def namespace_manifest(name: str, *, lease: str, cell: str) -> bytes:
    """Return a namespace marked as ours."""
    metadata = {"name": name, "labels": {MANAGED: MANAGER, LEASE: lease}, "annotations": {CELL: cell}}
    return json.dumps({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}).encode()


def delete_options(grace: int | None) -> bytes:
    """Return the body of a delete; None keeps the pods' own grace period."""
    options: dict[str, Any] = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Background"}
    if grace is not None:
        options["gracePeriodSeconds"] = grace
    return json.dumps(options).encode()
