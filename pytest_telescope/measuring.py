"""The measured part of a cell: load inside a window of Prometheus' time, recording, and the judge over it."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from typing import TYPE_CHECKING
from typing import Any

from pytest_telescope.errors import LoadError

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_telescope.cluster.model import Cluster
    from pytest_telescope.load.model import Engine
    from pytest_telescope.load.model import LoadResult
    from pytest_telescope.load.model import Progress
    from pytest_telescope.metrics.model import Recording
    from pytest_telescope.report.folder import CellFolder
    from pytest_telescope.scenario.model import Cell
    from pytest_telescope.slo.judge import Judge
    from pytest_telescope.slo.model import Slo
    from pytest_telescope.slo.planned import Planned

SCRAPE_PATIENCE = 6
"""Scrape intervals that a target may take to be seen once more before the window is given up."""


def measure(
    *,
    engine: Engine,
    cluster: Cluster,
    cell: Cell,
    load_folder: Path,
    recording_folder: Path,
    progress: Progress,
    slos: Iterable[Slo] = (),
) -> LoadResult:
    """Prepare, see one scrape of every target, run, see two more, record.

    What the load does before its first step (CL2's own set-up) is not in the window. Where Prometheus holds more than
    a recording may, only what `slos` and the golden signals rest on is recorded.

    Raises:
        LoadError: the load broke.
        MetricsError: a target stopped being scraped, or Prometheus did not answer.
    """
    from pytest_telescope.metrics.client import Prometheus
    from pytest_telescope.metrics.clock import clock_offset
    from pytest_telescope.metrics.recording import record

    engine.prepare(cluster, cell, load_folder)
    prometheus = Prometheus(cluster.prometheus)
    offset = clock_offset(prometheus).seconds
    progress(f"waiting for one scrape of every target, {_every(cluster)}")
    start = _scraped(prometheus, cluster, after=time.time() + offset, count=1)
    result = engine.run(cluster, cell, load_folder, progress)
    if result.outcome == "broken":
        raise LoadError(f"the load broke: {result.message}")
    progress(f"waiting for two scrapes of every target, {_every(cluster)}")
    end = _scraped(prometheus, cluster, after=result.ended + offset, count=2)
    drift = clock_offset(prometheus).seconds - offset
    window = _window(result, start=max(start, result.started + offset), end=end, offset=offset)
    progress(f"recording {window.end - window.start:.0f} s of metrics")
    recording = record(
        cluster.prometheus,
        window,
        clock_offset=offset,
        clock_drift=drift,
        extra_openmetrics=_telemetry(result, cluster, window.start, window.end, offset),
        destination=recording_folder,
        wanted=wanted(slos),
    )
    _tell(recording, progress)
    return result


def _every(cluster: Cluster) -> str:
    return f"one every {cluster.prometheus.scrape_interval:g} s"


def wanted(slos: Iterable[Slo]) -> Iterator[str]:
    """Yield the selectors of everything that a cell's SLOs and the golden signals rest on."""
    from pytest_telescope.slo import golden
    from pytest_telescope.slo.needed import needed

    for slo in slos:
        if slo.skip is None:
            yield from needed(slo)
    yield from golden.selectors()


def _tell(recording: Recording, progress: Progress) -> None:
    if recording.selectors is not None:
        progress(f"{recording.why}: recorded are only the series of {len(recording.selectors)} selectors")


def _scraped(prometheus: Any, cluster: Cluster, *, after: float, count: int) -> float:
    """Wait for `count` scrapes of all targets; a target that stays away does not end the wait in an exception.

    The judge finds the gap in the recording and says INVALID for every SLO that rests on the target: that says more
    than a broken load.
    """
    from pytest_telescope.errors import MetricsError
    from pytest_telescope.metrics.scrapes import wait_for_scrapes

    patience = SCRAPE_PATIENCE * cluster.prometheus.scrape_interval
    try:
        return wait_for_scrapes(prometheus, cluster.targets, after=after, count=count, timeout=patience)
    except MetricsError:
        return prometheus.now()  # type: ignore[no-any-return]  # Prometheus is Any only to keep its import lazy


def _window(result: LoadResult, *, start: float, end: float, offset: float) -> Any:
    from pytest_telescope.metrics.model import Window

    steps = {name: (first + offset, last + offset) for name, (first, last) in result.steps.items()}
    return Window(start=start, end=end, steps=steps)


def _telemetry(result: LoadResult, cluster: Cluster, start: float, end: float, offset: float) -> str:
    from pytest_telescope.load.telemetry import openmetrics

    return openmetrics(result, start=start, end=end, step=cluster.prometheus.scrape_interval, offset=offset)


@contextlib.contextmanager
def judging(planned: Planned, folder: CellFolder) -> Iterator[Judge]:
    """Yield a judge of the cell's SLOs over its recording, which needs nothing but the cell's folder."""
    from pytest_telescope.metrics.recording import load
    from pytest_telescope.slo.judge import judge_over

    facts = cell_facts(folder)
    targets = facts.get("targets") or {}
    with judge_over(load(folder.path / "recording"), planned.slos, facts=facts, targets=targets) as judge:
        yield judge


def cell_facts(folder: CellFolder) -> Mapping[str, Any]:
    """Return the facts of the cluster a recording was made on."""
    document = folder.read("cell.json") or {}
    facts: Mapping[str, Any] = document.get("facts", {})
    return facts
