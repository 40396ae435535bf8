from __future__ import annotations

import math
import time
from collections.abc import Mapping
from itertools import pairwise

import pytest

from pytest_telescope.load.accounting import account
from pytest_telescope.load.buckets import bounds
from pytest_telescope.load.model import LoadResult
from pytest_telescope.load.model import PodStart
from pytest_telescope.load.telemetry import openmetrics
from pytest_telescope.load.telemetry import sample_times

PEOPLE_USE = (
    *(0.01, 0.02, 0.05, 0.1, 0.2, 0.25, 0.5, 1, 1.5, 2, 2.5, 3, 4, 5, 6, 8),
    *(10, 15, 20, 30, 45, 60, 90, 120, 300, 600),
)
T = 1_700_000_000.0


def result(pods: int = 100, *, broken: int = 0) -> LoadResult:
    """Pod i is created at T + i and runs 0.5 s later, scheduled after 0.1 s; the last `broken` never do."""
    starts = tuple(
        PodStart(
            name=f"rc-{number}",
            node="n",
            created=T + number,
            scheduled=None if number >= pods - broken else T + number + 0.1,
            running=None if number >= pods - broken else T + number + 0.5,
            reason="Unschedulable" if number >= pods - broken else None,
        )
        for number in range(pods)
    )
    return LoadResult(
        outcome="incomplete" if broken else "complete",
        started=T,
        ended=T + pods + 20,
        steps={"wave-1": (T, T + pods), "hold-1": (T + pods, T + pods + 20)},
        pods=account(starts),
        starts=starts,
        asked_cpu=1.5,
        asked_memory=1000.0,
    )


def read(text: str) -> dict[str, dict[float, float]]:
    """Return series -> {timestamp: value}."""
    series: dict[str, dict[float, float]] = {}
    for line in text.splitlines():
        if not line.startswith("#"):
            head, value, stamp = line.rsplit(" ", 2)
            series.setdefault(head, {})[float(stamp)] = float(value)
    return series


def bucket(series: Mapping[str, dict[float, float]], phase: str, le: str) -> dict[float, float]:
    return series[
        f'telescope_pod_start_seconds_bucket{{job="telescope",instance="telescope",phase="{phase}",le="{le}"}}'
    ]


def test_buckets_are_narrow_and_hold_every_bound_that_people_use() -> None:
    edges = bounds()

    assert edges[0] == 0.01
    assert edges[-1] == 1000
    assert all(1 < above / below <= 1.05 + 1e-9 for below, above in pairwise(edges))
    assert set(PEOPLE_USE) <= set(edges)
    assert all(float(repr(edge)) == edge for edge in edges)


def test_counters_are_zero_at_the_start_and_whole_at_the_end() -> None:
    series = read(openmetrics(result(), start=T - 5, end=T + 130, step=5, offset=0.0))
    everything = bucket(series, "running", "+Inf")

    assert everything[T - 5] == 0
    assert everything[T + 130] == 100
    assert everything[T + 50] == 50  # pod 49 ran at T + 49.5
    assert all(values[T - 5] == 0 for name, values in series.items() if "pod_start_seconds" in name)


def test_a_pod_counts_from_the_bucket_of_its_time_on() -> None:
    series = read(openmetrics(result(), start=T - 5, end=T + 130, step=5, offset=0.0))

    assert bucket(series, "running", "0.49")[T + 130] == 0
    assert bucket(series, "running", "0.52")[T + 130] == 100
    assert bucket(series, "scheduled", "0.105")[T + 130] == 100
    total = series['telescope_pod_start_seconds_sum{job="telescope",instance="telescope",phase="running"}'][T + 130]
    assert total == pytest.approx(50)


def test_a_pod_that_never_ran_is_slower_than_every_bound() -> None:
    series = read(openmetrics(result(broken=7), start=T - 5, end=T + 130, step=5, offset=0.0))

    assert bucket(series, "running", "1000.0")[T + 130] == 93
    assert bucket(series, "running", "+Inf")[T + 130] == 100
    never = 'telescope_load_pods{job="telescope",instance="telescope",state="never_ran",reason="Unschedulable"}'
    assert series[never][T + 130] == 7
    assert series[never][T + 100] == 0


def test_the_states_add_up_at_the_end() -> None:
    series = read(openmetrics(result(broken=7), start=T - 5, end=T + 130, step=5, offset=0.0))

    def total(state: str) -> float:
        return sum(values[T + 130] for name, values in series.items() if f'state="{state}"' in name)

    assert total("created") == 100 == total("running") + total("failed") + total("never_ran")


def test_times_move_into_the_clock_of_prometheus() -> None:
    series = read(openmetrics(result(), start=T + 995, end=T + 1130, step=5, offset=1000.0))

    assert bucket(series, "running", "+Inf")[T + 1050] == 50
    assert series['telescope_load_step{job="telescope",instance="telescope",step="hold-1"}'][T + 1105] == 1


def test_what_is_asked_is_asked_during_holds_only() -> None:
    series = read(openmetrics(result(), start=T - 5, end=T + 130, step=5, offset=0.0))
    asked = series['telescope_load_asked_cpu_cores{job="telescope",instance="telescope"}']

    assert (asked[T + 50], asked[T + 110], asked[T + 125]) == (0, 1.5, 0)


@pytest.mark.parametrize(("end", "count"), [(T, 1), (T + 10, 3), (T + 12, 4), (T + 3, 2)])
def test_samples_reach_from_start_to_end_inclusive(end: float, count: int) -> None:
    times = sample_times(T, end, 5)

    assert (times[0], times[-1], len(times)) == (T, end, count)


def test_ten_thousand_pods_over_twenty_minutes_take_less_than_two_seconds() -> None:
    starts = tuple(
        PodStart(
            name=str(n), node="n", created=T + n / 10, scheduled=T + n / 10, running=T + n / 10 + math.sqrt(n) / 20
        )
        for n in range(10_000)
    )
    big = LoadResult(outcome="complete", started=T, ended=T + 1000, steps={}, pods=account(starts), starts=starts)

    before = time.process_time()
    openmetrics(big, start=T - 10, end=T + 1190, step=5, offset=0.0)

    assert time.process_time() - before < 2
