"""Why a pod does not run, in one word and one sentence, from its raw status; pure."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping
from typing import Any

Object = Mapping[str, Any]
Why = tuple[str, str]
"""(reason, detail): `("Unschedulable", "0/3 nodes are available: …")`."""


def pending_reason(pod: Object) -> Why:
    """Return why a pod that exists does not run yet."""
    status = pod.get("status", {})
    for state in _states(status):
        waiting = state.get("waiting") or {}
        if waiting.get("reason") not in (None, "ContainerCreating", "PodInitializing"):
            return waiting["reason"], waiting.get("message", "")
    for condition in status.get("conditions", ()):
        if condition["type"] == "PodScheduled" and condition["status"] == "False":
            return condition.get("reason", "Unscheduled"), condition.get("message", "")
    if not pod["spec"].get("nodeName"):
        return "Unscheduled", "the scheduler has not said anything about it"
    return "Pending", f"on node {pod['spec']['nodeName']}, phase {status.get('phase', 'unknown')}"


def ended_reason(pod: Object) -> Why:
    """Return why a pod of phase Failed or Succeeded ended."""
    status = pod["status"]
    if reason := status.get("reason"):
        return reason, status.get("message", "")
    for state in _states(status):
        if ended := state.get("terminated"):
            code = f"exit code {ended.get('exitCode')}"
            return ended.get("reason") or "Error", " ".join(filter(None, (code, ended.get("message"))))
    return status.get("phase", "Ended"), status.get("message", "")


def gone_reason(pod: Object) -> Why:
    """Return why a pod was deleted that we did not delete."""
    for condition in pod.get("status", {}).get("conditions", ()):
        if condition["type"] == "DisruptionTarget" and condition["status"] == "True":
            return condition.get("reason", "Disrupted"), condition.get("message", "")
    return "Deleted", "deleted by somebody else"


def refusal_reason(status: int, answer: Object) -> Why:
    """Return why the API server refused to create a pod."""
    message = str(answer.get("message", ""))
    if "exceeded quota" in message:
        return "QuotaExceeded", message
    return str(answer.get("reason") or f"HTTP{status}"), message or f"HTTP {status}"


def _states(status: Object) -> Iterator[Object]:
    for kind in ("initContainerStatuses", "containerStatuses"):
        for container in status.get(kind) or ():
            yield container.get("state") or {}
