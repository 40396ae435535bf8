"""From a trial to OpenMetrics text."""

from __future__ import annotations

import math
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence

from pytest_telescope.slo.promql import selectors
from pytest_telescope.slo.trials.model import HistogramOf
from pytest_telescope.slo.trials.model import Trial
from pytest_telescope.slo.trials.notation import expand

BEGIN = 1_700_000_000.0
"""Unix seconds of the first scrape."""
UP_BEFORE = 3600.0
"""Seconds that the processes of `targets` ran before the first scrape."""
Samples = list[tuple[float, float]]


def openmetrics(trial: Trial) -> str:
    """Return all series of a trial as OpenMetrics text with timestamps.

    Raises:
        UsageError: a series whose values are not of promtool's notation.
    """
    made = dict(_everything(trial))
    lines = [f"{name} {value!r} {when:.3f}" for name in sorted(made) for when, value in made[name]]
    return "\n".join([*(_spelt(line) for line in lines), "# EOF", ""])


def scrapes(trial: Trial) -> int:
    """Return the number of scrapes: of the longest series, or enough for the window."""
    longest = max((len(expand(text)) for text in trial.series.values()), default=0)
    return max(longest, int(trial.window[1] / trial.interval) + 1)


def _everything(trial: Trial) -> Iterator[tuple[str, Samples]]:
    times = [BEGIN + number * trial.interval for number in range(scrapes(trial))]
    for job, instances in trial.targets.items():
        for instance in instances:
            labels = f'{{instance="{instance}",job="{job}"}}'
            yield f"up{labels}", [(when, 1.0) for when in times]
            yield f"process_start_time_seconds{labels}", [(when, BEGIN - UP_BEFORE) for when in times]
    for histogram in trial.histograms:
        yield from _histogram(histogram, times)
    for name, text in trial.series.items():
        pairs = zip(times, expand(text), strict=False)
        yield _normal(name), [(when, value) for when, value in pairs if value is not None]


def _histogram(written: HistogramOf, times: Sequence[float]) -> Iterator[tuple[str, Samples]]:
    seen = [when for when in times if when >= BEGIN + (written.born or 0.0)]
    for edge in (*sorted(written.buckets), math.inf):
        labels = {**written.labels, "le": "+Inf" if math.isinf(edge) else f"{edge:g}"}
        yield _name(f"{written.name}_bucket", labels), [(when, _until(written, when, edge)) for when in seen]
    yield _name(f"{written.name}_count", written.labels), [(when, _until(written, when, math.inf)) for when in seen]
    yield _name(f"{written.name}_sum", written.labels), [(when, _sum(written, when)) for when in seen]


def _until(written: HistogramOf, when: float, edge: float) -> float:
    return written.before + float(
        sum(one.count for one in written.observations if BEGIN + one.at <= when and one.value <= edge)
    )


def _sum(written: HistogramOf, when: float) -> float:
    return sum(one.count * one.value for one in written.observations if BEGIN + one.at <= when)


def _name(metric: str, labels: Mapping[str, str]) -> str:
    inner = ",".join(f'{key}="{value}"' for key, value in labels.items())
    return f"{metric}{{{inner}}}"


def _normal(written: str) -> str:
    """Return `name{labels}` as OpenMetrics wants it: always with braces, without spaces."""
    found = selectors(written)
    return f"{found[0].name}{{{found[0].matchers}}}" if found else written


def _spelt(line: str) -> str:
    return line.replace(" inf ", " +Inf ").replace(" -inf ", " -Inf ").replace(" nan ", " NaN ")
