"""What pricing costs a plan: `--plan` for 100 cells of the clouds against `telescope list` for the same cells."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.sidebyside import Pairs
from benchmarks.sidebyside import side_by_side

CHECKOUT = Path(__file__).parent.parent
ROWS = 33
CELLS = 100
PROVIDERS = ("aks", "eks", "gke")
PLAIN = ("-p", "no:cacheprovider", "-p", "no:hypothesispytest")
"""Without the plugin that only our own tests bring along: it imports all of hypothesis at the end of every session."""
SCENARIO = """\
name: priced
description: A hundred cells on clouds.
component: scheduler
cluster: {pools: {system: {count: 3}, user: {min: 1, max: "${most}"}}}
matrix:
%s
load:
  default: resource-consumer
  resource-consumer: {pods: "${pods}", rate: 10/s, consume: {cpu: 0.01, memory: 16Mi}, hold: 5m}
slos:
  - {use: pod-startup/running, p: 50, max: 60s}
budget: {cost: 400 USD, time: 3h}
on:
  local: false
  aks: {matrix: {%s}, cluster: {pools: {user: {machine: Standard_D8s_v5}}}}
  eks: {cluster: {pools: {user: {machine: m6i.2xlarge}}}}
  gke: {cluster: {pools: {user: {machine: n2-standard-8}}}}
"""


def measure(pairs: int = 9) -> Iterator[Pairs]:
    """Yield the figure."""
    with tempfile.TemporaryDirectory() as name:
        scenario = Path(name) / "priced"
        scenario.mkdir()
        rows = [f"r{number}: {{pods: {number * 10}, most: {number + 1}}}" for number in range(1, ROWS + 2)]
        text = SCENARIO % ("\n".join(f"  {row}" for row in rows[:ROWS]), ", ".join(rows))
        (scenario / "scenario.yaml").write_text(text)
        assert (found := _plan(name)) == CELLS, found
        _list(name)
        yield side_by_side(
            f"plan {CELLS} cells with their prices against listing them",
            lambda: _plan(name),
            lambda: _list(name),
            pairs=pairs,
            target=3.0,
        )


def _plan(scenarios: str) -> int:
    """Plan in a process of its own and return how many cells were told with a price."""
    command = ["pytest", "-m", " or ".join(PROVIDERS), "--scenario=priced", "--plan", *PLAIN]
    return sum("USD/h in" in line for line in _run(scenarios, *command))


def _list(scenarios: str) -> None:
    assert any("priced" in line for line in _run(scenarios, "pytest_telescope", "list"))


def _run(scenarios: str, *arguments: str) -> list[str]:
    environment = {**os.environ, "PYTHONPATH": str(CHECKOUT), "TELESCOPE_SCENARIOS": scenarios}
    environment.pop("TELESCOPE_PRICES", None)
    result = subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=CHECKOUT,
        env=environment,
        text=True,
        capture_output=True,
        timeout=300,
        check=True,
    )
    return result.stdout.splitlines()
