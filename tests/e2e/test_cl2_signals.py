"""However a run with ClusterLoader2 dies, nothing goes on or is left, and JUnit says what was interrupted."""

from __future__ import annotations

import shutil
import signal
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import field
from pathlib import Path
from string import Template

import pytest

from pytest_telescope.cluster import processes
from pytest_telescope.toolchain import tool
from tests.e2e.conftest import Harness
from tests.e2e.conftest import Run
from tests.e2e.conftest import at
from tests.e2e.conftest import send
from tests.e2e.conftest import traces
from tests.e2e.machine import Machine
from tests.e2e.watched import loaders

pytestmark = pytest.mark.e2e

DATA = Path(__file__).parent / "data" / "signals"
SOON = 5.0
QUICK = {"prometheus": "false", "missing": "0", "rest": "100ms", "late": "100ms"}
SLOW_TO_COMPILE = """\
#!{python}
import os, sys, time
if "--dry-run=true" in sys.argv:
    time.sleep(60)
os.execv("{program}", ["clusterloader2", *sys.argv[1:]])
"""


@dataclass(frozen=True, kw_only=True)
class Phase:
    """A phase of a load.

    Attributes:
        line: of the output; after it and `delay` seconds the phase is under way.
        item: the test of the benchmark that it belongs to, empty before the first one.
        says: what the run's record says of the interruption.
        lasts: what makes it last.
        chosen: what is run.
    """

    line: str
    item: str = "test_load[local-one]"
    says: str = "interrupted"
    lasts: dict[str, str] = field(default_factory=dict)
    delay: float = 0.3
    chosen: tuple[str, ...] = ("--scenario=one",)


PHASES = {
    "check": Phase(line="collected", item="", delay=1.0),
    "prepare": Phase(line="load       started", lasts={"prometheus": "true"}, delay=0.6),
    "start": Phase(
        line="clusterloader2 starts", says="interrupted in: clusterloader2 starts", lasts={"prometheus": "true"}
    ),
    "create": Phase(line="step 2/5 create", says="interrupted in: step 2/5 create"),
    "wait": Phase(line="step 3/5 wait", says="interrupted in: step 3/5 wait", lasts={"missing": "1"}),
    "rest": Phase(line="step 4/5 rest", says="interrupted in: step 4/5 rest", lasts={"rest": "10m"}),
    "gather": Phase(line="step 5/5 gather", says="interrupted in: step 5/5 gather", lasts={"late": "10m"}),
    "ended": Phase(line="waiting for two scrapes", says="interrupted in: waiting for two scrapes"),
    "clean": Phase(
        line="destroy    started",
        item="test_destroy[local-cut--unborn]",
        delay=2.0,
        chosen=("--scenario=cut", "--row=unborn,whole"),
    ),
}


@pytest.fixture(autouse=True)
def nothing_is_left(harness: Harness) -> Iterator[None]:
    """Compare the machine with before, whatever became of the run."""
    before = Machine.seen(harness.root)
    yield
    assert before.left() == []


def phases(*quick: str) -> list[object]:
    """Return every phase; those not in `quick` are long."""
    return [pytest.param(name, marks=[] if name in quick else [pytest.mark.long]) for name in PHASES]


def set_up(harness: Harness, phase: str) -> dict[str, str]:
    """Write scenarios in which the phase lasts, and return the environment."""
    one = Template((DATA / "one.yaml").read_text()).substitute(QUICK | PHASES[phase].lasts)
    for name, text in (("one", one), ("cut", (DATA / "rows.yaml").read_text())):
        shutil.copytree(DATA, harness.scenario(name, text) / "clusterloader2")
    if phase != "check":
        return {}
    program = harness.root / "clusterloader2"
    program.write_text(SLOW_TO_COMPILE.format(python=sys.executable, program=tool("clusterloader2")))
    program.chmod(0o755)
    return {"TELESCOPE_TOOL_CLUSTERLOADER2": str(program), "TMPDIR": str(harness.root)}


def run(harness: Harness, name: str, number: signal.Signals) -> Run:
    """Run, and send the signal in the phase."""
    phase, environment = PHASES[name], set_up(harness, name)
    when = at(phase.line, send(number), phase.delay)
    return harness.run("-m", "local", *phase.chosen, when=when, environment=environment)


@pytest.mark.parametrize("name", phases("check", "start"))
def test_a_terminated_run_ends_cl2_and_says_where(harness: Harness, name: str) -> None:
    ended = run(harness, name, signal.SIGTERM)

    assert ended.code == 2, ended.output
    assert loaders(harness.root) == []
    assert traces(ended.state) == []
    red = {case.name: case.red or "" for case in ended.cases if case.red is not None}
    if PHASES[name].item:
        leak, hit = sorted(red)
        assert (hit, leak.partition("[")[0]) == (PHASES[name].item, "leak"), ended.output
        assert red[hit].startswith("ERROR interrupted")
        assert red[leak].startswith("ERROR leak")
        (cell,) = ended.folder.cells()
        *_, last = ended.folder.cell(cell).records("status.jsonl")
        assert str(last["outcome"]).startswith(PHASES[name].says)
    else:
        assert red["check"].startswith("ERROR interrupted")


@pytest.mark.parametrize("name", phases("rest"))
def test_a_killed_run_takes_cl2_along_and_reap_does_the_rest(harness: Harness, name: str) -> None:
    ended = run(harness, name, signal.SIGKILL)
    goes_on = not processes.wait_until(lambda: loaders(harness.root) == [], SOON)
    reaped = harness.telescope("reap")

    assert ended.code == -signal.SIGKILL, ended.output
    assert not goes_on
    assert reaped.returncode == 0, reaped.stdout
    assert traces(ended.state) == []
