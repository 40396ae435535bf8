"""Object templates: what CL2 cannot read of them, and whether they make pods; pure but for the reading."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from pytest_telescope.load.clusterloader2.lint_walk import Call
from pytest_telescope.load.clusterloader2.lint_walk import Reach
from pytest_telescope.load.clusterloader2.methods import method
from pytest_telescope.load.clusterloader2.model import Hint
from pytest_telescope.load.clusterloader2.source import read_objects

_MAKE_PODS = frozenset(
    {"Pod", "Deployment", "ReplicaSet", "ReplicationController", "StatefulSet", "DaemonSet", "Job", "CronJob"}
)
_KUBERNETES = re.compile(r"(?:(?:apps|autoscaling|batch|policy|[a-z.]*\.k8s\.io)/)?v\d\w*")
_MAY_MAKE_ANYTHING = frozenset({"Exec"})
_GREEDY = "CL2 cuts out all from the first {{ to the last }} of a line to find the kind, "


def unreadable(path: Path) -> Iterator[Hint]:
    """Yield a warning where CL2 cannot find out what an object template makes."""
    found = read_objects(path)
    if found.problem:
        text = (
            f"{_GREEDY}and what is left is no YAML ({found.problem}): write flow style as blocks, or a space before }}"
        )
        yield Hint(level="warning", file=path, line=max(found.line, 1), text=text)
    elif not all(version and kind for version, kind in found.kinds):
        text = f"{_GREEDY}so `kind` and `apiVersion` must be there without a template"
        yield Hint(level="warning", file=path, line=1, text=text)


def may_make_pods(reach: Reach) -> bool:
    """Return False only where it is certain that nothing reached makes pods or is about pods."""
    if not reach.whole or any(_call_makes_pods(call) for call in reach.calls()):
        return True
    templates = [path for path, file in reach.files.items() if file.role == "template"]
    return any(_object_makes_pods(path) for path in templates)


def _call_makes_pods(call: Call) -> bool:
    if call.method is None or call.method.templated:
        return True
    name = call.method.text
    known = method(name)
    if name == "WaitForGenericK8sObjects":
        return any(value.templated or value.text == "pods" for value in call.named("objectResource"))
    return known is None or known.pods or name in _MAY_MAKE_ANYTHING


def _object_makes_pods(path: Path) -> bool:
    found = read_objects(path)
    return not found.kinds or any(
        not kind or kind in _MAKE_PODS or not _of_kubernetes(version) for version, kind in found.kinds
    )


def _of_kubernetes(version: str) -> bool:
    """Return whether an apiVersion is Kubernetes' own: what a controller makes of any other is not known."""
    return _KUBERNETES.fullmatch(version) is not None
