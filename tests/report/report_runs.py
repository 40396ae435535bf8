"""Three runs of one cell on two providers: green, a regression, a missing metric; judged for real from recordings."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from dataclasses import replace
from pathlib import Path

import pytest

from pytest_telescope.metrics.model import Window
from pytest_telescope.metrics.recording import save
from pytest_telescope.report import allure_metrics
from pytest_telescope.report.reading import read_results
from tests.report.busy_node import LATENCY
from tests.report.busy_node import SCENARIO
from tests.slo.conftest import record_world
from tests.slo.world import INTERVAL
from tests.slo.world import T0
from tests.slo.world import World

CHECKOUT = Path(__file__).parent.parent.parent
PROVIDERS = ("aks", "local")
SLO = "sandbox-create"
SLOS = f"""\
  - {{id: {SLO}, histogram: {LATENCY}, by: [node], p: 90, max: 2s, min_count: 20, job: kubelet,
     description: the sandbox}}
  - {{id: other, histogram: other_seconds, by: [node], p: 50, max: 5s, min_count: 20, job: kubelet}}
"""
WINDOW = Window(start=T0, end=T0 + 240, steps={"hold-1": (T0 + 10, T0 + 230)})
SCRAPES = tuple(T0 - 298 + INTERVAL * number for number in range(108))


@dataclass(frozen=True)
class Case:
    """What one run is to show."""

    run: str
    seconds: float | None
    """Latency in the recording; None: the metric is missing."""


CASES = (
    Case("20231114-221320-aaaa", 0.8),
    Case("20231115-221320-bbbb", 4.0),
    Case("20231116-221320-cccc", None),
)


_made: list[Path] = []


def three_runs(factory: pytest.TempPathFactory) -> Path:
    """Return the folder of all three runs, made once a session."""
    if not _made:
        base = factory.mktemp("telescope")
        for case in CASES:
            make_run(base, case)
        _made.append(base)
    return _made[0]


def cell(provider: str) -> str:
    """Return the one cell of a provider."""
    return f"{provider}-alpha--p10"


def make_run(base: Path, case: Case, providers: tuple[str, ...] = PROVIDERS) -> Path:
    """Return the folder of a run as it would be published, below `<base>/runs`."""
    scenario = base / "scenarios" / "alpha"
    scenario.mkdir(parents=True, exist_ok=True)
    (scenario / "scenario.yaml").write_text(SCENARIO + SLOS)
    (scenario / "README.md").write_text("# alpha\n")
    publish = base / "runs" / case.run / "publish"
    recording = replace(record_world(base / "worlds" / case.run, _world(case.seconds)), window=WINDOW)
    save(recording)
    for provider in providers:
        folder = publish / "cells" / cell(provider)
        folder.mkdir(parents=True)
        (folder / "cell.json").write_text(json.dumps(_about(provider)))
        shutil.copytree(recording.path, folder / "recording")
    _judge(base, case.run)
    shutil.copytree(base / "runs" / case.run / "replays" / "1", publish, dirs_exist_ok=True)
    shutil.rmtree(base / "runs" / case.run / "replays")
    _know(publish / "results.jsonl")
    allure_metrics.write(publish / "allure-results", case.run, read_results(publish / "results.jsonl"))
    return publish.parent


def _know(results: Path) -> None:
    """Give every number the same fingerprint, as runs of the same cell have; a replay may not know its own."""
    text = re.sub(r'"fingerprint": ?(null|"\w+")', '"fingerprint":"00000000ffffffff"', results.read_text())
    results.write_text(text)


def _judge(base: Path, run: str) -> None:
    results = base / "runs" / run / "replays" / "1" / "allure-results"
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", f"--telescope-dir={base}"]
    environment = {"TELESCOPE_SCENARIOS": f"{base}/scenarios", "TELESCOPE_STATE_DIR": f"{base}/state"}
    done = subprocess.run(
        [*command, "--replay", run, f"--alluredir={base}/allure/{run}"],
        cwd=CHECKOUT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode in (0, 1), done.stdout + done.stderr
    shutil.copytree(base / "allure" / run, results)


def _about(provider: str) -> dict[str, object]:
    return {
        "schema": 2,
        "cell": cell(provider),
        "provider": provider,
        "scenario": "alpha",
        "row": "p10",
        "engine": "resource-consumer",
        "values": {},
        "facts": {"nodes": ["n1", "n2"], "targets": {"kubelet": 2}},
        "functional": provider == "local",
        "fingerprint": "0" * 16,
        "parts": {"kubernetes": "v1.34.0"},
    }


def _world(seconds: float | None) -> str:
    made = World()
    for state in ("created", "running"):
        made.counter("telescope_load_pods", {"state": state, "reason": ""}, lambda _: 10.0, SCRAPES)
    for node in ("n1", "n2"):
        labels = {"job": "kubelet", "instance": node, "node": node}
        made.counter("up", labels, lambda _: 1.0, SCRAPES)
        made.counter("process_start_time_seconds", labels, lambda _: T0 - 3600, SCRAPES)
        every = [T0 + second for second in range(2, 236)]
        made.histogram("other_seconds", labels, [(when, 1.5) for when in every], scrapes=SCRAPES)
        if seconds is not None:
            made.histogram(LATENCY, labels, [(when, seconds) for when in every], scrapes=SCRAPES)
    return made.openmetrics()
