"""How long a cell is expected to keep its cluster, for the estimate that a person reads."""

from __future__ import annotations

from collections.abc import Iterable

from pytest_telescope.scenario.model import ClusterLoader2Spec
from pytest_telescope.scenario.model import LoadSpec

BEGIN_AND_END = 2700.0
"""Seconds from the first resource to the last one gone, beside the load: half an hour to come up with Prometheus
(EKS is the slowest) and a quarter to go. A guess: it was never measured on a cloud."""


def expected_seconds(loads: Iterable[LoadSpec], budget: float | None = None) -> float:
    """Return for how long a cluster that `loads` run on one after the other is paid, at most `budget` seconds.

    A ClusterLoader2 load counts with its time-out, as nothing else tells how long its config takes.
    """
    seconds = BEGIN_AND_END + sum(map(_load, loads))
    return seconds if budget is None else min(seconds, budget)


def _load(load: LoadSpec) -> float:
    if isinstance(load, ClusterLoader2Spec):
        return load.timeout
    waves = range(1, load.waves + 1)
    return sum(load.pods / load.rate + load.hold_of(wave) for wave in waves)
