"""When a sweeper may delete a cluster: after every time-out of its cells, and later while they run."""

from __future__ import annotations

from collections.abc import Iterable

from pytest_telescope.cluster.clouds.pace import Pace
from pytest_telescope.scenario.model import ClusterLoader2Spec
from pytest_telescope.scenario.model import LoadSpec
from pytest_telescope.scenario.model import ResourceConsumerSpec

SLACK = 1800.0
"""Seconds on top: tools, scrapes, recording and judging, which are bounded by minutes each."""


def lasting(loads: Iterable[LoadSpec], pace: Pace | None = None) -> float:
    """Return for how many seconds a lease whose cells put `loads` on one cluster may last at most."""
    times = pace or Pace()
    tries = len(times.backoff) + 1
    terraform = tries * times.apply + sum(times.backoff) + times.nodes
    end = times.cleanup + 3 * times.destroy + sum(times.backoff) + times.gone
    return terraform + sum(map(load_within, loads)) + end + SLACK


def load_within(load: LoadSpec) -> float:
    """Return the seconds after which a load has ended, by itself or by its time-outs."""
    if isinstance(load, ClusterLoader2Spec):
        return load.timeout
    return sum(_wave(load, number) for number in range(1, load.waves + 1))


def _wave(load: ResourceConsumerSpec, number: int) -> float:
    """One wave: its pods are made at their rate, run within the time-out, are kept, and go within the time-out."""
    return load.pods / load.rate + load.timeout + load.hold_of(number) + load.timeout
