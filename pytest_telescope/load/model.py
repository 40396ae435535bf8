"""What a load is to the rest of the house."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from pathlib import Path
from typing import Literal
from typing import Protocol

from pytest_telescope.cluster.model import Cluster
from pytest_telescope.cluster.model import Leftover
from pytest_telescope.scenario.model import Cell

Outcome = Literal["complete", "incomplete", "broken"]
Progress = Callable[[str], None]
"""Told a short line (`wave 1/2: 40 of 60 pods running`) whenever something changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PodStart:
    """One pod's way to Running as the controller saw it.

    Times are unix seconds on the controller's clock with sub-second resolution, None if it never happened:
    `created` just before the create call was sent, or when the watch first showed the pod where another client made
    it (`stamped` is then set); `scheduled` and `running` when the watch event arrived.
    """

    name: str
    node: str | None
    created: float
    scheduled: float | None
    running: float | None
    reason: str | None = None
    """Why it failed or never ran, e.g. `Unschedulable`, `OOMKilled`, `ErrImagePull`; None when it ran."""
    detail: str = ""
    """The sentence to `reason`: the scheduler's, the kubelet's or the API server's own words."""
    upper_bound: bool = False
    """Its transitions were first seen after a gap in the watch: the times are upper bounds."""
    wave: int = 1
    stamped: float | None = None
    """`creationTimestamp`, whole seconds on the API server's clock; told where somebody else created the pod."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PodAccount:
    """created = running + failed + never_ran, always. `reasons` counts failed and never-run pods by reason."""

    created: int
    running: int
    failed: int
    never_ran: int
    reasons: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gauge:
    """A metric that an engine adds to the recording at the end of its window; `job` and `instance` are added.

    Attributes:
        series: (labels, value); no label set twice.
    """

    name: str
    help: str
    series: tuple[tuple[Mapping[str, str], float], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadResult:
    """What a load left behind for judging.

    Attributes:
        outcome: `complete`; `incomplete`: measured, but not all of what was asked happened; `broken`: no window.
        started, ended: controller's clock, unix seconds; first create call and last measured event.
        steps: named parts (`wave-1`, `hold-1`) as (start, end) on the controller's clock.
        pods: every pod the load made, all waves.
        starts: one entry a pod.
        asked_cpu: cores that all pods of a wave were told to consume; 0 where nothing really runs (kwok).
        asked_memory: bytes, likewise.
        namespaces: namespaces of ours, for clean-up and for PromQL.
        message: one line for the terminal and JUnit.
        files: what to keep under `load/` of the run folder.
        facts: what the load says of itself (`achieved_rate`, `harness_cpu_seconds`, `watch_restarts`, …).
        gauges: what only this engine knows, for the recording.
    """

    outcome: Outcome
    started: float
    ended: float
    steps: Mapping[str, tuple[float, float]]
    pods: PodAccount
    starts: tuple[PodStart, ...]
    asked_cpu: float = 0.0
    asked_memory: float = 0.0
    namespaces: tuple[str, ...] = ()
    message: str = ""
    files: tuple[Path, ...] = ()
    facts: Mapping[str, float | int | str] = field(default_factory=dict)
    gauges: tuple[Gauge, ...] = ()


class Engine(Protocol):
    """Something that puts a load on a cluster and says what became of it."""

    name: str

    def check(self, cell: Cell, capabilities: frozenset[str]) -> None:
        """Find out without a cluster whether the load can run.

        Args:
            cell: what would be run.
            capabilities: of the cluster that would be made.

        Raises:
            UsageError: it cannot; nothing was built.
        """

    def prepare(self, cluster: Cluster, cell: Cell, folder: Path) -> None:
        """Make what the load needs and must not be measured (namespaces, images, rendered configs).

        Raises:
            LoadError: it cannot be made.
        """

    def run(self, cluster: Cluster, cell: Cell, folder: Path, progress: Progress) -> LoadResult:
        """Put the load on and return when its last measured event has been seen; bounded by the spec's time-outs.

        Raises:
            LoadError: the load broke and there is nothing to judge.
        """

    def clean(self, cluster: Cluster, cell: Cell) -> list[Leftover]:
        """Delete every object of the load, wait for it to go, and list what is still there."""
