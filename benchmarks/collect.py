"""What the plugin costs at collection: with 1,000 cells, and where there is nothing for it to do."""

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
CELLS = 1000
SLOS = ("pods-complete", "consumed-as-asked", "running")
PLAIN = f"""\
import pytest
CELLS = [f"local-many--r{{n}}" for n in range({CELLS})]
SLOS = {SLOS!r}
@pytest.fixture
def cell(request):
    return request.param
params = [pytest.param(c, id=c, marks=[pytest.mark.local]) for c in CELLS]
cells = pytest.mark.parametrize("cell", params, indirect=True)
slos = [pytest.param(c, s, id=f"{{c}}--{{s}}", marks=[pytest.mark.local]) for c in CELLS for s in SLOS]
@cells
def test_provision(cell): ...
@cells
def test_load(cell): ...
@pytest.mark.parametrize(("cell", "slo"), slos, indirect=["cell"])
def test_slo(cell, slo): ...
@cells
def test_destroy(cell): ...
"""
SCENARIO = """\
name: many
description: A thousand cells.
component: scheduler
cluster: {pools: {user: {count: 1}}}
matrix:
%s
load:
  default: resource-consumer
  resource-consumer: {pods: "${pods}", consume: {cpu: 0.01, memory: 16Mi}}
slos:
  - {use: pod-startup/running, p: 50, max: 60s}
"""


def measure(pairs: int = 5) -> Iterator[Pairs]:
    """Yield both figures."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        yield _thousand_cells(folder, pairs)
        yield _empty_folder(folder, pairs)


def _thousand_cells(folder: Path, pairs: int) -> Pairs:
    scenario, plain = folder / "scenarios" / "many", folder / "plain"
    scenario.mkdir(parents=True)
    plain.mkdir()
    rows = "\n".join(f"  r{number}: {{pods: {number % 100 + 1}}}" for number in range(CELLS))
    (scenario / "scenario.yaml").write_text(SCENARIO % rows)
    (plain / "test_plain.py").write_text(PLAIN)
    (plain / "pytest.ini").write_text("[pytest]\nmarkers =\n    local: a provider\n")
    found = [
        _collect(CHECKOUT, "-m", "local", "--scenario=many", TELESCOPE_SCENARIOS=str(scenario.parent)),
        _collect(plain, "-m", "local", "-p", "no:pytest_telescope.plugin"),
    ]
    assert found[0] == found[1] == CELLS * (3 + len(SLOS)), found
    return side_by_side(
        "collect 1,000 cells against plain pytest with as many items",
        lambda: _collect(CHECKOUT, "-m", "local", "--scenario=many", TELESCOPE_SCENARIOS=str(scenario.parent)),
        lambda: _collect(plain, "-m", "local", "-p", "no:pytest_telescope.plugin"),
        pairs=pairs,
        target=1.5,
    )


def _empty_folder(folder: Path, pairs: int) -> Pairs:
    empty = folder / "empty"
    empty.mkdir()
    (empty / "test_nothing.py").write_text("def test_nothing(): ...\n")
    (empty / "pytest.ini").write_text("[pytest]\n")
    return side_by_side(
        "a folder with one empty test, with the plugin against without",
        lambda: _collect(empty, "-p", "pytest_telescope.plugin"),
        lambda: _collect(empty, "-p", "no:pytest_telescope.plugin"),
        pairs=pairs,
        target=1.3,
    )


def _collect(folder: Path, *arguments: str, **environment: str) -> int:
    """Collect in a process of its own and return how many items were found."""
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", *arguments]
    everything = {**os.environ, "PYTHONPATH": str(CHECKOUT), **environment}
    result = subprocess.run(
        command, cwd=folder, env=everything, text=True, capture_output=True, timeout=300, check=True
    )
    return sum("::" in line for line in result.stdout.splitlines())
