"""A plugin (`-p tests.report.stub_cluster`) for tests of reports: clusters are folders, and a load copies a recording.

`STUB` is JSON: `recording` (folder), `at` ({stage: what happens there}), `files` ({path below the lease's or, with
`cell:` in front, the cell's folder: text}), `message` (of what fails).
"""

# ruff: noqa: ARG002 - a stub keeps the protocol's arguments and looks at few of them

from __future__ import annotations

import json
import os
import shutil
import signal
import time
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pytest_telescope.cluster import diagnostics
from pytest_telescope.cluster import providers
from pytest_telescope.cluster.model import Cluster
from pytest_telescope.cluster.model import Lease
from pytest_telescope.cluster.model import Leftover
from pytest_telescope.errors import DestroyError
from pytest_telescope.errors import ProvisionError
from pytest_telescope.lifecycle import CellRun
from pytest_telescope.load import engines
from pytest_telescope.load.model import LoadResult
from pytest_telescope.load.model import PodAccount
from pytest_telescope.metrics.model import Endpoint
from pytest_telescope.scenario.model import Cell
from pytest_telescope.scenario.model import ClusterSpec
from pytest_telescope.scenario.model import LoadSpec

STUB: dict[str, Any] = json.loads(os.environ["STUB"])
FACTS: dict[str, str | int | None] = {"kubernetes": "v1.36.3", "kernel": "6.18", "cores": 2, "region": None}


def happen(stage: str) -> None:
    """Let happen what the test asks for in a stage."""
    what = STUB.get("at", {}).get(stage)
    if what == "exit":
        os._exit(1)
    elif what in {"SIGINT", "SIGTERM"}:
        os.kill(os.getpid(), getattr(signal, what))
        time.sleep(20)
    elif what == "bug":
        raise RuntimeError(STUB["message"])


def write(root: Path, prefix: str) -> None:
    """Write the files of the test below a folder."""
    for name, text in STUB.get("files", {}).items():
        if name.startswith(prefix):
            file = root / name.removeprefix(prefix)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")


class StubProvider:
    """A provider whose clusters are folders."""

    name = "local"
    say: Callable[[str], None] = print
    approve: Callable[[Mapping[str, Any]], None] = staticmethod(lambda _plan: None)

    def lasting(self, loads: Iterable[LoadSpec]) -> float | None:
        return None

    def capabilities_of(self, spec: ClusterSpec) -> frozenset[str]:
        return frozenset()

    def tools_of(self, spec: ClusterSpec) -> tuple[str, ...]:
        return ()

    def preflight(self, spec: ClusterSpec) -> None:
        happen("preflight")

    def unavailable(self, spec: ClusterSpec) -> str | None:
        return None

    def provision(self, spec: ClusterSpec, lease: Lease) -> Cluster:
        write(lease.folder, "lease:")
        happen("provision")
        self.say(STUB.get("message", "a node is ready"))
        if STUB.get("at", {}).get("provision") == "error":
            raise ProvisionError(STUB["message"])
        return Cluster(
            name="stub",
            provider="local",
            kubeconfig=lease.folder / "kubeconfig",
            prometheus=Endpoint(url="http://127.0.0.1:9", scrape_interval=5.0),
            nodes=("n1", "n2"),
            capabilities=frozenset(),
            facts=FACTS,
            targets={"kubelet": 3},
        )

    def destroy(self, lease: Lease) -> None:
        happen("destroy")
        if STUB.get("at", {}).get("destroy") == "error":
            raise DestroyError(STUB["message"])

    def leftovers(self, lease: Lease) -> list[Leftover]:
        return []

    def renew(self, lease: Lease) -> None:
        """There is no time at which anything is deleted."""


class StubEngine:
    """An engine that has nothing to check and nothing to clean."""

    name = "resource-consumer"

    def check(self, cell: Cell, capabilities: frozenset[str]) -> None:
        happen("check")

    def clean(self, cluster: Cluster, cell: Cell) -> list[Leftover]:
        return []


def measured(run: CellRun, _cluster: Cluster) -> LoadResult:
    happen("load")
    write(run.folder.path, "cell:")
    run.note("load", STUB.get("message", "20 of 20 pods run"))
    shutil.copytree(STUB["recording"], run.folder.path / "recording")
    pods = PodAccount(created=20, running=20, failed=0, never_ran=0)
    return LoadResult(outcome="complete", started=0.0, ended=1.0, steps={}, pods=pods, starts=())


def collect(_cluster: Cluster, folder: Path) -> list[Path]:
    write(folder, "logs:")
    return []


providers.source = lambda _name, _attach: StubProvider()  # type: ignore[assignment]  # a stub of what is not tested
engines.engine = lambda _name, **_options: StubEngine()  # type: ignore[assignment]  # likewise
diagnostics.collect = collect  # type: ignore[assignment]  # likewise
CellRun._measured = measured  # type: ignore[method-assign, assignment]  # likewise
