"""500 SLOs over an hour of 200 kubelets, and a finished run of them that can be judged again."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.kubelets import NODES
from benchmarks.kubelets import PODS
from benchmarks.kubelets import STEPS
from benchmarks.kubelets import bound
from benchmarks.kubelets import document
from benchmarks.kubelets import node
from benchmarks.kubelets import recording

COUNT = 500
SCENARIO = "kubelets"
CELL = f"local-{SCENARIO}"
FACTS: dict[str, Any] = {
    "nodes": [node(number) for number in range(NODES)],
    "targets": {"kubelet": NODES},
    "kubernetes": "v1.36.3",
    "kubernetes_version": "v1.36.3",
}


def slos() -> list[dict[str, Any]]:
    """Return 500 SLOs as in scenario.yaml: by node and over all nodes, over the hour and over its steps."""
    found = document()
    sets = [
        (name, labels, found["layouts"][family["layout"]])
        for name, family in found["histograms"].items()
        if name.endswith("_seconds")
        for labels in family["labels"]
    ]
    steps = [f"wave-{number + 1}" for number in range(STEPS)]
    made = [_of_histogram(*one, by, p) for one in sets for by in ([], ["node"]) for p in (50, 90, 99)]
    made += [{**_of_histogram(*one, [], 90), "during": step} for one in sets for step in steps]
    made += [{**_of_histogram(*one, ["node"], 90), "during": step} for one in sets for step in steps[:2]]
    made += [*_ratios(found), *_queries(found), *_counters(found)]
    return [{"id": f"slo-{number:03}", **one} for number, one in enumerate(made[:COUNT])]


def _of_histogram(
    name: str, labels: Mapping[str, str], edges: Sequence[float], by: list[str], p: int
) -> dict[str, Any]:
    return {"histogram": name, "where": _where(labels), "job": "kubelet", "by": by, "p": p, "max": f"{bound(edges)!r}s"}


def _ratios(found: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    total = "kubelet_runtime_operations_total"
    bad = total.replace("_total", "_errors_total")
    for labels in found["others"][total]:
        for by in ([], ["node"]):
            where = {"where": _where(labels), "job": "kubelet", "by": by}
            yield {"bad": bad, "total": total, **where, "max": "1%", "absent": {"bad": "zero"}}


def _queries(found: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    not_gauges = ("_total", "_count", "_errors", "_seconds", "_node_name")
    gauges = [name for name in found["others"] if not name.endswith(not_gauges)]
    for name in gauges[:18]:
        over = f"max_over_time({name}[${{w}}])"
        yield {"query": f"max by (node) ({over})", "by": ["node"], "unit": _unit(name), "max": _large(name)}
        yield {"query": f"sum({over})", "unit": _unit(name), "max": _large(name)}


def _unit(name: str) -> str:
    return "ratio" if name.endswith("percent") else "count"


def _large(name: str) -> Any:
    return "100000%" if name.endswith("percent") else 100_000


def _counters(found: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    errors = [name for name in found["others"] if "errors" in name]
    for name in errors:
        for by in ([], ["node"]):
            yield {"counter": name, "job": "kubelet", "by": by, "max": 0}


def _where(labels: Mapping[str, str]) -> str:
    return ", ".join(f'{name}="{value}"' for name, value in labels.items())


def run_folder(root: Path) -> tuple[Path, Path]:
    """Make a finished run of one cell below `root`; returns it and the folder of its scenario.

    The recording is hard-linked from the cache.
    """
    scenario = root / "scenarios" / SCENARIO
    scenario.mkdir(parents=True)
    (scenario / "scenario.yaml").write_text(_scenario(), encoding="utf-8")
    cell = root / "run" / "publish" / "cells" / CELL
    cell.mkdir(parents=True)
    keys: dict[str, Any] = {
        "provider": "local",
        "scenario": SCENARIO,
        "row": None,
        "engine": "resource-consumer",
        "values": {},
    }
    text = json.dumps({"schema": 1, "cell": CELL, **keys, "facts": FACTS, "fingerprint": "0" * 16})
    (cell / "cell.json").write_text(text, encoding="utf-8")
    shutil.copytree(recording().path, cell / "recording")
    return root / "run", scenario.parent


def _scenario() -> str:
    load = {"pods": PODS, "rate": "1/s", "hold": "0s", "waves": STEPS, "consume": {"cpu": 0.01, "memory": "16Mi"}}
    keys: dict[str, Any] = {
        "name": SCENARIO,
        "description": "An hour of 200 kubelets.",
        "component": "kubelet",
        "cluster": {"pools": {"user": {"count": NODES}}},
        "load": {"default": "resource-consumer", "resource-consumer": load},
        "slos": slos(),
    }
    return json.dumps(keys, indent=1)
