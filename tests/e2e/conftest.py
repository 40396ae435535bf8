"""Runs the harness as a person would, and looks at what it leaves behind."""

from __future__ import annotations

import functools
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import psutil
import pytest

from pytest_telescope.cluster.local import host
from pytest_telescope.report.folder import RunFolder

CHECKOUT = Path(__file__).parent.parent.parent
PATIENCE = 400.0

SMALL = """\
name: {name}
description: A small scenario of the tests.
component: scheduler
cluster:
  pools:
    user: {{count: 3, labels: {{tests: "true"}}}}
load:
  default: resource-consumer
  resource-consumer:
    pods: 20
    rate: 20/s
    hold: {hold}
    consume: {{cpu: 0.01, memory: 16Mi}}
    selector: {{tests: "true"}}
    timeout: 15s
slos:
  - {{use: pod-startup/running, p: 50, max: 60s, min_count: 20}}
"""


@dataclass(frozen=True, kw_only=True)
class Case:
    """One `<testcase>` of junit.xml; `red` is the first line of its failure."""

    name: str
    red: str | None
    error: bool
    skipped: str | None
    properties: dict[str, str]
    out: str


@dataclass(frozen=True, kw_only=True)
class Run:
    """A finished run of the harness."""

    code: int
    output: str
    folder: RunFolder
    state: Path

    @property
    def cases(self) -> list[Case]:
        file = self.folder.publish / "junit.xml"
        return [_case(node) for node in ElementTree.parse(file).iter("testcase")]

    def case(self, name: str) -> Case:
        return next(case for case in self.cases if case.name == name)

    def judgements(self, cell: str) -> dict[str, dict[str, Any]]:
        return {one["slo"]: one for one in self.folder.cell(cell).records("judgements.jsonl")}


def _case(node: ElementTree.Element) -> Case:
    failure, skipped = node.find("failure"), node.find("skipped")
    return Case(
        name=node.get("name", ""),
        red=failure.get("message", "").partition("\n")[0] if failure is not None else None,
        error=node.find("error") is not None,
        skipped=skipped.get("message") if skipped is not None else None,
        properties={p.get("name", ""): p.get("value", "") for p in node.iter("property")},
        out=node.findtext("system-out") or "",
    )


When = Callable[[str], Callable[[subprocess.Popen[str]], None] | None]
"""Given a line of output, what to do to the process, once; None for nothing yet."""


@dataclass(frozen=True, kw_only=True)
class Harness:
    """Runs pytest from the checkout with folders of its own; `extra` is added to its environment."""

    root: Path
    extra: Mapping[str, str] = field(default_factory=dict)

    @property
    def state(self) -> Path:
        return self.root / "state"

    def scenario(self, name: str, text: str) -> Path:
        folder = self.root / "scenarios" / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "scenario.yaml").write_text(text)
        return folder

    def environment(self, extra: Mapping[str, str] | None = None) -> dict[str, str]:
        own = {"TELESCOPE_STATE_DIR": str(self.state)}
        if (self.root / "scenarios").exists():
            own["TELESCOPE_SCENARIOS"] = str(self.root / "scenarios")
        return {**os.environ, **own, **self.extra, **(extra or {})}

    def run(
        self,
        *arguments: str,
        when: When | None = None,
        prefix: tuple[str, ...] = (),
        environment: Mapping[str, str] | None = None,
    ) -> Run:
        """Run `pytest *arguments`; `when` may act on the process at a line of its output."""
        base = self.root / "telescope"
        before = set((base / "runs").glob("*"))
        command = [
            *prefix,
            sys.executable,
            "-m",
            "pytest",
            "-p",
            "no:cacheprovider",
            f"--telescope-dir={base}",
            *arguments,
        ]
        _hear_signals()
        process = subprocess.Popen(
            command,
            cwd=CHECKOUT,
            env=self.environment(environment),
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        with process:
            lines = _follow(process, when)
            code = process.wait(timeout=PATIENCE)
        new = sorted(set((base / "runs").glob("*")) - before)
        folder = RunFolder(new[0] if new else base / "none")
        return Run(code=code, output="".join(lines), folder=folder, state=self.state)

    def telescope(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the `telescope` command."""
        return subprocess.run(
            [sys.executable, "-m", "pytest_telescope", *arguments],
            cwd=CHECKOUT,
            env=self.environment(),
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=120,
            check=False,
        )


def _hear_signals() -> None:
    """Let children hear SIGINT: a background shell hands it down as ignored, and what is ignored stays so."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN and threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _follow(process: subprocess.Popen[str], when: When | None) -> list[str]:
    assert process.stdout is not None
    lines: list[str] = []
    end = time.monotonic() + PATIENCE
    for line in process.stdout:
        lines.append(line)
        action = when(line) if when is not None else None
        if action is not None:
            action(process)
            when = None
        if time.monotonic() > end:
            process.kill()
    return lines


def at(text: str, action: Callable[[subprocess.Popen[str]], None], delay: float = 0.3) -> When:
    """Act `delay` seconds after a line that holds `text`."""

    def act(process: subprocess.Popen[str]) -> None:
        time.sleep(delay)
        action(process)

    return lambda line: act if text in line else None


def send(number: signal.Signals) -> Callable[[subprocess.Popen[str]], None]:
    return lambda process: process.send_signal(number)


def component(state: Path, name: str) -> psutil.Process:
    """Return the process of a control-plane component of the only cluster below `state`."""
    found = [
        process
        for process in psutil.process_iter(["cmdline"])
        if (line := process.info["cmdline"] or []) and Path(line[0]).name == name and str(state) in " ".join(line)
    ]
    assert len(found) == 1, f"{name}: {found}"
    return found[0]


def traces(state: Path) -> list[str]:
    """Return what is left of the clusters below `state`: processes, files, leases."""
    processes = []
    for process in psutil.process_iter(["cmdline"]):
        line = " ".join(process.info["cmdline"] or [])
        if str(state) in line and process.pid != os.getpid():
            processes.append(f"process {process.pid} {line[:80]}")
    files = [str(path) for folder in ("ledger", "leases") for path in (state / folder).glob("*")]
    return processes + files


@pytest.fixture
def harness(tmp_path: Path) -> Harness:
    return Harness(root=tmp_path)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Harness:
    """One harness for all tests of a module."""
    return Harness(root=tmp_path_factory.mktemp("shared"))


Shipped = Callable[[str], Run]
"""Returns the run of a shipped scenario on `local`."""


@pytest.fixture(scope="session")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Shipped:
    """Return what runs a shipped scenario on this machine, once a session."""
    harness = Harness(root=tmp_path_factory.mktemp("shipped"))
    return functools.cache(lambda name: harness.run("-m", "local", f"--scenario={name}"))


@pytest.fixture(autouse=True)
def _untouched_host() -> Any:
    """Compare mounts, links, routes, rules, sysctls and cgroups of the host with before."""
    before = host.snapshot()
    yield
    assert host.compare(before) == []
