"""Keys that CL2 does not know: it decodes without case and drops the rest without a word; pure."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping

from pytest_telescope.load.clusterloader2.lint_words import near
from pytest_telescope.load.clusterloader2.model import Hint
from pytest_telescope.load.clusterloader2.source import Node
from pytest_telescope.load.clusterloader2.source import Source

ANYTHING = ""
_DURATION = {"timeLimit": ANYTHING}

SCHEMA: Mapping[str, Mapping[str, str]] = {
    "config": {
        "name": ANYTHING,
        "dependencies": "dependency",
        "automanagedNamespaces": ANYTHING,
        "namespace": "namespace",
        "steps": "step",
        "tuningSets": "tuningSet",
        "chaosMonkey": "chaosMonkey",
    },
    "module": {"steps": "step"},
    "suite": {"identifier": ANYTHING, "configPath": ANYTHING, "overridePaths": ANYTHING},
    "dependency": {"name": ANYTHING, "method": ANYTHING, "timeout": ANYTHING, "params": ANYTHING},
    "namespace": {
        "number": ANYTHING,
        "prefix": ANYTHING,
        "deleteStaleNamespaces": ANYTHING,
        "deleteAutomanagedNamespaces": ANYTHING,
        "enableExistingNamespaces": ANYTHING,
        "deleteNamespaceTimeout": ANYTHING,
    },
    "step": {"name": ANYTHING, "phases": "phase", "measurements": "measurement", "module": "reference"},
    "reference": {"path": ANYTHING, "params": ANYTHING},
    "phase": {
        "namespaceRange": "range",
        "namespaceList": ANYTHING,
        "replicasPerNamespace": ANYTHING,
        "tuningSet": ANYTHING,
        "objectBundle": "object",
    },
    "range": {"min": ANYTHING, "max": ANYTHING, "basename": ANYTHING},
    "object": {
        "basename": ANYTHING,
        "objectTemplatePath": ANYTHING,
        "templateFillMap": ANYTHING,
        "listUnknownObjectOptions": "listOptions",
    },
    "listOptions": {"labelSelector": "selector"},
    "selector": {"matchLabels": ANYTHING, "matchExpressions": "expression"},
    "expression": {"key": ANYTHING, "operator": ANYTHING, "values": ANYTHING},
    "measurement": {"method": ANYTHING, "params": ANYTHING, "identifier": ANYTHING, "instances": "instance"},
    "instance": {"identifier": ANYTHING, "params": ANYTHING},
    "tuningSet": {
        "name": ANYTHING,
        "initialDelay": ANYTHING,
        "qpsLoad": "qpsLoad",
        "randomizedLoad": "randomizedLoad",
        "steppedLoad": "steppedLoad",
        "timeLimitedLoad": "timeLimitedLoad",
        "randomizedTimeLimitedLoad": "randomizedTimeLimitedLoad",
        "parallelismLimitedLoad": "parallelismLimitedLoad",
        "globalQPSLoad": "globalQPSLoad",
        "poissonLoad": "poissonLoad",
    },
    "qpsLoad": {"qps": ANYTHING},
    "randomizedLoad": {"averageQps": ANYTHING},
    "steppedLoad": {"burstSize": ANYTHING, "stepDelay": ANYTHING},
    "timeLimitedLoad": _DURATION,
    "randomizedTimeLimitedLoad": _DURATION,
    "parallelismLimitedLoad": {"parallelismLimit": ANYTHING},
    "globalQPSLoad": {"qps": ANYTHING, "burst": ANYTHING},
    "poissonLoad": {"expectedActionsPerSecond": ANYTHING},
    "chaosMonkey": {"nodeFailure": "nodeFailure", "excludedNodes": ANYTHING},
    "nodeFailure": {
        "failureRate": ANYTHING,
        "interval": ANYTHING,
        "jitterFactor": ANYTHING,
        "simulatedDowntime": ANYTHING,
    },
}
"""Type -> its keys -> the type of what is below a key, or of its items; `ANYTHING` where CL2 takes what comes."""

_SPELLED = {kind: {key.lower(): key for key in keys} for kind, keys in SCHEMA.items()}


def unknown_keys(source: Source, kind: str) -> Iterator[Hint]:
    """Yield a hint for each key that CL2 drops: an error where it is a typo of one it knows."""
    if source.root is not None:
        yield from _walk(source, source.root, kind)


def _walk(source: Source, node: Node, kind: str) -> Iterator[Hint]:
    for item in node.items:
        yield from _walk(source, item, kind)
    for key, value in node.pairs:
        name = _SPELLED[kind].get(key.text.lower())
        if name is None:
            yield from _unknown(source, node, key, kind)
        elif below := SCHEMA[kind][name]:
            yield from _walk(source, value, below)


def _unknown(source: Source, node: Node, key: Node, kind: str) -> Iterator[Hint]:
    if key.templated or key.form != "scalar":
        return
    meant = near(key.text, SCHEMA[kind])
    taken = meant is not None and any(node.fields(meant))
    text = f"{key.text}: CL2 knows no such key of a {_shown(kind)} and ignores it"
    if meant is None or taken:
        yield Hint(level="warning", file=source.path, line=key.line, text=f"{text}; it knows {', '.join(SCHEMA[kind])}")
    else:
        yield Hint(level="error", file=source.path, line=key.line, text=f"{text}; did you mean {meant}?")


def _shown(kind: str) -> str:
    return {"reference": "module", "suite": "suite's scenario"}.get(kind, kind)
