"""Runs the harness in a process of its own, on stub clusters (see `stub_cluster`) and a real recording."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from typing import Protocol
from xml.etree import ElementTree

from tests.report.busy_node import LATENCY

CHECKOUT = Path(__file__).parent.parent.parent
CELL = "local-alpha"
SCENARIO = """\
name: alpha
description: A small scenario of the tests.
component: kubelet
cluster:
  pools:
    user: {count: 2, labels: {tests: "true"}}
load:
  default: resource-consumer
  resource-consumer:
    pods: 10
    rate: 20/s
    consume: {cpu: 0.01, memory: 16Mi}
    selector: {tests: "true"}
slos:
"""
GREEN = f"  - {{id: green, histogram: {LATENCY}, by: [node], p: 90, max: 5s, min_count: 20, job: kubelet}}\n"
RED = f"""\
  - {{id: slow, histogram: {LATENCY}, by: [node], p: 90, max: 2s, min_count: 20, job: kubelet,
     description: DESCRIPTION}}
  - {{id: too-few, histogram: {LATENCY}, by: [node], p: 99, max: 5s, job: kubelet}}
  - {{id: absent, query: 'max(last_over_time(no_such_metric[${{w}}]))', unit: count, max: 1}}
  - {{id: refused, query: 'max_over_time(up[${{w}}]) * on(job) max_over_time(up[${{w}}])', unit: count, max: 1}}
"""
PROGRAM = (
    "import signal, sys, pytest; signal.signal(2, signal.default_int_handler); sys.exit(pytest.main(sys.argv[1:]))"
)


@dataclass(frozen=True, kw_only=True)
class Done:
    """A session that is over."""

    code: int
    text: str
    run: Path

    @property
    def junit(self) -> Path:
        return self.run / "publish" / "junit.xml"

    def cases(self) -> dict[str, ElementTree.Element]:
        return {one.get("name", ""): one for one in ElementTree.parse(self.junit).iter("testcase")}

    def red(self) -> dict[str, str]:
        """Return the message of every red case."""
        found = {name: case.find("failure") for name, case in self.cases().items()}
        return {name: one.get("message", "") for name, one in found.items() if one is not None}


class Run(Protocol):
    """Runs a session in the test's own folder."""

    def __call__(self, *arguments: str, **more: object) -> Done: ...


def session(
    root: Path,
    recording: Path,
    *arguments: str,
    slos: str = GREEN,
    stub: Mapping[str, Any] | None = None,
    environment: Mapping[str, str] | None = None,
    scenarios: tuple[str, ...] = ("alpha",),
) -> Done:
    """Run the cells of `scenarios`, all alike but for their names."""
    for name in scenarios:
        folder = root / "scenarios" / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "scenario.yaml").write_text(SCENARIO.replace("alpha", name) + slos, encoding="utf-8")
    before = set((root / "telescope" / "runs").glob("*"))
    done = subprocess.run(
        [
            *(sys.executable, "-c", PROGRAM, "-p", "tests.report.stub_cluster", "-p", "no:cacheprovider"),
            *("-m", "local", f"--scenario={','.join(scenarios)}", f"--telescope-dir={root}/telescope", *arguments),
        ],
        cwd=CHECKOUT,
        env={
            **{name: value for name, value in os.environ.items() if not name.startswith("SYSTEM_")},
            "STUB": json.dumps({"recording": str(recording), **(stub or {})}),
            "TELESCOPE_SCENARIOS": f"{root}/scenarios",
            "TELESCOPE_STATE_DIR": f"{root}/state",
            "PYTHONPATH": str(CHECKOUT),
            "COLUMNS": "140",
            **(environment or {}),
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=120,
        check=False,
    )
    new = set((root / "telescope" / "runs").glob("*")) - before
    text = done.stdout.decode("utf-8", errors="replace")
    return Done(code=done.returncode, text=text, run=next(iter(new), root / "none"))
