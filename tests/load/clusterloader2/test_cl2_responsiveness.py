"""Numbers about API calls that cannot be, and those that can."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_telescope.load.clusterloader2.model import Sample
from pytest_telescope.load.clusterloader2.model import Summary
from pytest_telescope.load.clusterloader2.responsiveness import doubts

NAME = "APIResponsivenessPrometheus"
PODS = {"Verb": "POST", "Resource": "pods", "Subresource": "", "Scope": "resource"}
NODES = {"Verb": "GET", "Resource": "nodes", "Subresource": "", "Scope": "resource"}
FORGIVING = {"allowedSlowCalls": 5}


def sample(metric: str, value: float, stat: str = "value", labels: dict[str, str] = PODS) -> Sample:
    return Sample(summary=NAME, metric=metric, stat=stat, value=value, unit="s", labels=labels)


def latency(value: float, stat: str = "Perc99", labels: dict[str, str] = PODS) -> Sample:
    return sample("latency", value, stat, labels)


def slow(count: float, labels: dict[str, str] = PODS) -> Sample:
    return sample("SlowCount", count, labels=labels)


def told(*samples: Sample, **params: object) -> list[str]:
    summary = Summary(name=NAME, config="load", file=Path("x.json"), samples=samples)
    return list(doubts(summary, params))


def test_calls_that_took_time_are_believed() -> None:
    assert told(latency(0.02), latency(0.0, "Perc50"), sample("Count", 9), slow(0), **FORGIVING) == []


def test_calls_that_took_no_time_at_all_are_not() -> None:
    (text,) = told(latency(0.0), latency(0.0, "Perc50"), sample("Count", 9), sample("Count", 9, labels=NODES))

    assert text.startswith("all latencies are 0: its Prometheus lacks the recording rules")


def test_without_calls_there_is_nothing_to_doubt() -> None:
    assert told(**FORGIVING) == []
    assert told(sample("Count", 0.0)) == []


def test_a_high_percentile_without_a_slow_call_cannot_be() -> None:
    (text,) = told(latency(1.5), slow(0), latency(0.5, labels=NODES), slow(0, NODES), **FORGIVING)

    assert text.startswith("POST pods has a 99th percentile of 1.5 s and no slow call")
    assert 'le="1.0"' in text


@pytest.mark.parametrize("allowed", [None, 0, "0.0", -1, "many", [5], "nan"])
def test_slow_calls_are_looked_at_only_where_they_are_forgiven(allowed: object) -> None:
    assert told(latency(1.5), slow(0), allowedSlowCalls=allowed) == []
    assert told(latency(1.5), slow(0)) == []


@pytest.mark.parametrize("allowed", [1, "5", 2.0])
def test_slow_calls_may_be_forgiven_in_any_spelling(allowed: object) -> None:
    assert len(told(latency(1.5), slow(0), allowedSlowCalls=allowed)) == 1


def test_calls_that_are_counted_as_slow_are_believed() -> None:
    assert told(latency(1.5), slow(1), **FORGIVING) == []


def test_slow_calls_of_others_count_for_nobody_else() -> None:
    assert len(told(latency(1.5), slow(1, NODES), **FORGIVING)) == 1


def test_other_percentiles_are_not_looked_at() -> None:
    assert told(latency(1.5, "Perc50"), latency(0.9), slow(0), **FORGIVING) == []


@pytest.mark.parametrize(
    ("verb", "scope", "fast"),
    [("GET", "resource", 1.0), ("POST", "cluster", 1.0), ("LIST", "namespace", 5.0), ("LIST", "cluster", 30.0)],
)
def test_what_is_fast_depends_on_the_call(verb: str, scope: str, fast: float) -> None:
    labels = PODS | {"Verb": verb, "Scope": scope}

    assert told(latency(fast, labels=labels), **FORGIVING) == []
    assert len(told(latency(fast * 1.01, labels=labels), **FORGIVING)) == 1
