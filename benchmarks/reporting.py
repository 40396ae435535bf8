"""A session of 1,000 judged items with all of its reporting against the same session with none of it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.sidebyside import Pairs
from benchmarks.sidebyside import side_by_side
from pytest_telescope.metrics.model import Recording
from pytest_telescope.metrics.model import Window
from pytest_telescope.metrics.recording import backfill
from pytest_telescope.metrics.recording import save

CHECKOUT = Path(__file__).parent.parent
ITEMS = 1000
RED = 20
"""Of them, as many as a bad run has."""
SCENARIO, CELL = "thousand", "local-thousand"
START, INTERVAL, SCRAPES = 1_700_000_000, 5, 24
OFF = ("-p", "benchmarks.unreported", "-p", "no:allure_pytest", "--tb=native", "-rN")


def measure(pairs: int = 5) -> Iterator[Pairs]:
    """Yield the figure: judged from a small recording, where Prometheus' own time hides least of ours."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        run = _run_folder(folder)
        yield side_by_side(
            f"a session of {ITEMS:,} items with JUnit, Allure, records, pictures and live lines against none of them",
            lambda: _session(folder, run, f"--alluredir={folder / 'allure'}"),
            lambda: _session(folder, run, *OFF),
            pairs=pairs,
            target=1.3,
        )


def _run_folder(root: Path) -> Path:
    """Make a finished run of one cell with as many SLOs, and its scenario."""
    scenario, cell = root / "scenarios" / SCENARIO, root / "run" / "publish" / "cells" / CELL
    scenario.mkdir(parents=True)
    cell.mkdir(parents=True)
    (scenario / "scenario.yaml").write_text(json.dumps(_scenario()), encoding="utf-8")
    keys: dict[str, Any] = {
        "provider": "local",
        "scenario": SCENARIO,
        "row": None,
        "engine": "resource-consumer",
        "values": {},
    }
    facts = {"nodes": ["n1"], "targets": {"kubelet": 1}, "kubernetes": "v1.36.3", "kubernetes_version": "v1.36.3"}
    text = json.dumps({"schema": 1, "cell": CELL, **keys, "facts": facts, "fingerprint": "0" * 16})
    (cell / "cell.json").write_text(text, encoding="utf-8")
    _record(cell / "recording")
    return root / "run"


def _scenario() -> dict[str, Any]:
    return {
        "name": SCENARIO,
        "description": "A thousand numbers.",
        "component": "kubelet",
        "cluster": {"pools": {"user": {"count": 1}}},
        "load": {
            "default": "resource-consumer",
            "resource-consumer": {"pods": 1, "consume": {"cpu": 0.01, "memory": "16Mi"}},
        },
        "slos": [_slo(number) for number in range(ITEMS)],
    }


def _slo(number: int) -> dict[str, Any]:
    """Return an SLO on a series of its own, so that none is answered out of the judge's memory."""
    query = f'max(max_over_time(kubelet_running_pods{{n="{number}"}}[${{w}}]))'
    return {"id": f"number-{number:04}", "query": query, "unit": "count", "max": 5 if number < RED else 100}


def _record(folder: Path) -> None:
    folder.mkdir()
    times = [START + INTERVAL * number for number in range(SCRAPES)]
    lines = ["# TYPE up gauge", *(f'up{{job="kubelet",instance="n1"}} 1 {when}' for when in times)]
    lines.append("# TYPE kubelet_running_pods gauge")
    for number in range(ITEMS):
        labels = f'{{job="kubelet",instance="n1",n="{number}"}}'
        lines += [f"kubelet_running_pods{labels} {10 + (when + number) % 7} {when}" for when in times]
    backfill("\n".join([*lines, "# EOF", ""]), folder)
    window = Window(start=times[1], end=times[-1], steps={})
    save(
        Recording(path=folder, window=window, scrape_interval=INTERVAL, clock_offset=0.0, prometheus_version="unknown")
    )


def _session(root: Path, run: Path, *arguments: str) -> None:
    """Judge every item in a process of its own; some are red, which is no error."""
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", f"--replay={run}", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(CHECKOUT), "TELESCOPE_SCENARIOS": str(root / "scenarios")}
    done = subprocess.run(
        command, cwd=CHECKOUT, env=environment, capture_output=True, text=True, timeout=900, check=False
    )
    assert done.returncode == 1, done.stdout[-3000:] + done.stderr[-3000:]
    assert f"{ITEMS - RED} passed" in done.stdout, done.stdout[-3000:]
    shutil.rmtree(run / "replays")
