"""Judging cases: their worlds in as few TSDBs as can be, the real judge and the plain queries over them."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from contextlib import ExitStack
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from pytest_telescope.metrics.client import Prometheus
from pytest_telescope.metrics.model import Recording
from pytest_telescope.metrics.recording import backfill
from pytest_telescope.metrics.serving import serve
from pytest_telescope.scenario.model import Budget
from pytest_telescope.scenario.model import Cell
from pytest_telescope.scenario.model import ClusterSpec
from pytest_telescope.scenario.model import Place
from pytest_telescope.scenario.model import ResourceConsumerSpec
from pytest_telescope.scenario.model import SloSpec
from pytest_telescope.slo.judge import judge
from pytest_telescope.slo.model import Judgement
from pytest_telescope.slo.model import Slo
from pytest_telescope.slo.resolve import resolve
from tests.slo.corpus import staleness
from tests.slo.corpus.model import Case
from tests.slo.world import INTERVAL
from tests.slo.world import WINDOW
from tests.slo.world import World

CAPABILITIES = frozenset({"real-nodes", "kubelet-metrics"})
"""What the library's entries among the cases require."""


@contextmanager
def served(cases: Iterable[Case]) -> Iterator[Mapping[str, Prometheus]]:
    """Serve the worlds of all cases; by name, the Prometheus that holds each."""
    every = tuple(cases)
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="telescope-corpus-")))
        shared = [case for case in every if not case.own and not case.marked]
        found = _all(shared, stack.enter_context(_backfilled(shared, scratch / "shared")))
        for case in every:
            if case.own:
                found |= _all([case], stack.enter_context(_backfilled([case], scratch / case.name)))
        if several := [case for case in every if case.marked]:
            found |= _all(several, stack.enter_context(_written(several, scratch / "marked")))
        yield found


def resolved(case: Case) -> Slo:
    """Return a case's SLO, resolved as a scenario's would be.

    Raises:
        UsageError: it has mistakes.
    """
    keys = {"id": case.name, "job": case.name, **yaml.safe_load(case.slo)}
    if "query" in keys:
        keys["query"] = case.here(keys["query"])
    spec = SloSpec(**{key: value for key, value in keys.items() if value is not None})
    return next(slo for slo in resolve(_cell(spec, case.kubernetes), CAPABILITIES) if slo.id == case.name)


def judged(case: Case, prom: Prometheus, memory: dict[str, Any]) -> Judgement:
    """Judge a case; `memory` is shared by the cases of one Prometheus."""
    return judge(
        resolved(case),
        prom,
        case.window,
        facts=case.facts,
        scrape_interval=case.interval,
        targets={case.name: case.targets},
        drift=case.drift,
        memory=memory,
    )


def _all(cases: Iterable[Case], prom: Prometheus) -> dict[str, Prometheus]:
    return {case.name: prom for case in cases}


@contextmanager
def _backfilled(cases: Iterable[Case], folder: Path) -> Iterator[Prometheus]:
    folder.mkdir()
    together = World()
    for case in cases:
        together.series.update(_world(case).series)
    backfill(together.openmetrics(), folder)
    recording = Recording(
        path=folder, window=WINDOW, scrape_interval=INTERVAL, clock_offset=0.0, prometheus_version="unknown"
    )
    with serve(recording) as prom:
        yield prom


@contextmanager
def _written(cases: Iterable[Case], folder: Path) -> Iterator[Prometheus]:
    folder.mkdir()
    with staleness.receiving(folder) as (prom, writer):
        for case in cases:
            writer.write(staleness.series(_world(case), case.interval, case.window.end))
        yield prom


def _world(case: Case) -> World:
    job = case.job()
    case.write(job)
    return job.world


def _cell(spec: SloSpec, kubernetes: str | None) -> Cell:
    place = Place(Path("corpus/scenario.yaml"), 1)
    return Cell(
        id="local-corpus",
        provider="local",
        scenario="corpus",
        row=None,
        engine="resource-consumer",
        description="",
        component="kubelet",
        values={},
        cluster=ClusterSpec(kubernetes_version=kubernetes),
        load=ResourceConsumerSpec(pods=1),
        slos=(spec,),
        budget=Budget(),
        folder=place.file.parent,
        place=place,
    )
