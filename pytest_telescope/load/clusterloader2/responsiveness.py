"""What cannot be in a summary of APIResponsivenessPrometheus: signs of a Prometheus that CL2 is not made for; pure.

CL2 reads recording rules of its own, and counts a call as fast by buckets that it spells `le="1"`. Where the rules are
missing every latency is 0, where Prometheus spells `le="1.0"` no call is ever slow, and both pass.
"""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping
from typing import Any

from pytest_telescope.load.clusterloader2.model import Sample
from pytest_telescope.load.clusterloader2.model import Summary

METHOD = "APIResponsivenessPrometheus"
LATENCY = "latency"
SLOW = "SlowCount"
Labels = tuple[tuple[str, str], ...]


def doubts(summary: Summary, params: Mapping[str, Any]) -> Iterator[str]:
    """Yield what speaks against the numbers of a summary, given the params of its measurement."""
    latencies = [sample for sample in summary.samples if sample.metric == LATENCY]
    if latencies and not any(sample.value for sample in latencies):
        yield "all latencies are 0: its Prometheus lacks the recording rules (or give it useSimpleLatencyQuery: true)"
    if _number(params.get("allowedSlowCalls")) > 0:
        yield from _never_slow(summary, latencies)


def _never_slow(summary: Summary, latencies: list[Sample]) -> Iterator[str]:
    slow = {_labels(sample): sample.value for sample in summary.samples if sample.metric == SLOW}
    for sample in latencies:
        if sample.stat == "Perc99" and sample.value > _fast(sample.labels) and not slow.get(_labels(sample)):
            yield (
                f"{sample.labels.get('Verb')} {sample.labels.get('Resource')} has a 99th percentile of "
                f"{sample.value:.3g} s and no slow call, so allowedSlowCalls forgives all of them "
                '(its Prometheus spells le="1.0"?)'
            )


def _labels(sample: Sample) -> Labels:
    return tuple(sorted(sample.labels.items()))


def _fast(labels: Mapping[str, str]) -> float:
    """Return the seconds up to which CL2 counts a call as fast."""
    if labels.get("Verb") != "LIST":
        return 1.0
    return 30.0 if labels.get("Scope") == "cluster" else 5.0


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        return 0.0
