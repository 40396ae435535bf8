"""Runs pytest with the plugin as a person would: in a process of its own, on scenarios of the test's own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from collections.abc import Mapping
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parent.parent.parent
SCENARIO = """\
name: {name}
description: A small scenario of the tests.
component: scheduler
cluster:
  pools:
    user: {{count: 2, labels: {{tests: "true"}}}}
matrix:
  p10: {{pods: 10}}
  p20: {{pods: 20}}
load:
  default: resource-consumer
  resource-consumer:
    pods: ${{pods}}
    rate: 20/s
    consume: {{cpu: 0.01, memory: 16Mi}}
    selector: {{tests: "true"}}
slos:
  - {{use: pod-startup/running, p: 50, max: 60s, min_count: 10}}
"""

Runner = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def scenario_root(tmp_path: Path) -> Path:
    """A folder with the scenarios `alpha` and `beta`."""
    root = tmp_path / "scenarios"
    for name in ("alpha", "beta"):
        write_scenario(root, name, SCENARIO.format(name=name))
    return root


def write_scenario(root: Path, name: str, text: str) -> Path:
    folder = root / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "scenario.yaml").write_text(text)
    (folder / "README.md").write_text(f"# {name}\n")
    return folder / "scenario.yaml"


@pytest.fixture
def state_root(tmp_path: Path) -> Path:
    """Where the ledger of the run under test is."""
    return tmp_path / "state"


@pytest.fixture
def run(scenario_root: Path, state_root: Path, tmp_path: Path) -> Runner:
    """Call `run(*arguments)` to run pytest from the checkout on `scenario_root`."""
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("SYSTEM_")},  # of an agent
        "TELESCOPE_SCENARIOS": str(scenario_root),
        "TELESCOPE_STATE_DIR": str(state_root),
    }

    def call(
        *arguments: str, timeout: float = 120, variables: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", f"--telescope-dir={tmp_path}/telescope"]
        return subprocess.run(
            [*command, *arguments],
            cwd=CHECKOUT,
            env={**environment, **(variables or {})},
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=timeout,
            check=False,
        )

    return call
