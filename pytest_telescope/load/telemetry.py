"""What the load knows of itself as OpenMetrics text with timestamps, for the recording; pure.

SLOs on it are PromQL like all others. All series carry `job="telescope"` and `instance="telescope"`.
"""

from __future__ import annotations

from bisect import bisect_left
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from itertools import accumulate

from pytest_telescope.load.buckets import bounds
from pytest_telescope.load.model import Gauge
from pytest_telescope.load.model import LoadResult
from pytest_telescope.load.model import PodStart

START_SECONDS = "telescope_pod_start_seconds"
COMMON = 'job="telescope",instance="telescope"'


def openmetrics(result: LoadResult, *, start: float, end: float, step: float, offset: float) -> str:
    """Return `result` as OpenMetrics, ending in `# EOF`.

    Args:
        result: what the load left behind, on the controller's clock.
        start: of the window in Prometheus' time, unix seconds; counters are zero here.
        end: of the window; counters are whole here.
        step: seconds between two samples.
        offset: Prometheus' clock minus the controller's, seconds; moves all times of `result`.
    """
    times = sample_times(start, end, step)
    own = [float("-inf"), *(time - offset for time in times[1:-1]), float("inf")]
    steps = {name: (first + offset, last + offset) for name, (first, last) in result.steps.items()}
    stamps = [f"{time:.3f}" for time in times]
    held = _held(steps, times)
    families = (
        _gauge("up", {COMMON: [1] * len(times)}, stamps, "The load generator was there."),
        _histogram(result, own, stamps),
        _gauge("telescope_load_pods", _states(result, own), stamps, "Pods of the load by state."),
        _gauge("telescope_load_asked_cpu_cores", {COMMON: [result.asked_cpu * on for on in held]}, stamps, "In holds."),
        _gauge(
            "telescope_load_asked_memory_bytes",
            {COMMON: [result.asked_memory * on for on in held]},
            stamps,
            "In holds.",
        ),
        _gauge("telescope_load_step", _steps(steps, times), stamps, "1 while the load is in the step."),
        *(_at_the_end(gauge, stamps[-1]) for gauge in result.gauges),
    )
    return "\n".join([*(line for family in families for line in family), "# EOF", ""])


def sample_times(start: float, end: float, step: float) -> list[float]:
    """Return `start`, every `step` seconds after it, and `end`; at least two, or one where they are the same."""
    count = max(int((end - start) / step), 0)
    times = [start + index * step for index in range(count + 1)]
    if end - times[-1] > 1e-3:
        times.append(end)
    elif count:
        times[-1] = end
    return times


def _gauge(name: str, series: Mapping[str, Sequence[float]], stamps: Sequence[str], text: str) -> Iterator[str]:
    yield f"# HELP {name} {text}"
    yield f"# TYPE {name} gauge"
    for labels, values in series.items():
        head = f"{name}{{{labels}}} "
        yield from (f"{head}{value} {stamp}" for value, stamp in zip(values, stamps, strict=True))


def _at_the_end(gauge: Gauge, stamp: str) -> Iterator[str]:
    yield f"# HELP {gauge.name} {gauge.help}"
    yield f"# TYPE {gauge.name} gauge"
    for labels, value in gauge.series:
        told = "".join(f',{name}="{_escaped(text)}"' for name, text in labels.items())
        yield f"{gauge.name}{{{COMMON}{told}}} {value} {stamp}"


def _histogram(result: LoadResult, own: Sequence[float], stamps: Sequence[str]) -> Iterator[str]:
    yield f"# HELP {START_SECONDS} From just before the create call to the watch event; +Inf: it never came."
    yield f"# TYPE {START_SECONDS} histogram"
    yield f"# UNIT {START_SECONDS} seconds"
    for phase in ("scheduled", "running"):
        labels = f'{COMMON},phase="{phase}"'
        events = [(pod.created, getattr(pod, phase)) for pod in result.starts]
        yield from _phase(labels, events, result.ended, own, stamps)


def _phase(
    labels: str,
    events: Iterable[tuple[float, float | None]],
    given_up: float,
    own: Sequence[float],
    stamps: Sequence[str],
) -> Iterator[str]:
    """Yield one histogram's lines; a pod without the event counts in +Inf only, from the end of the load on."""
    edges = bounds()
    counts = [[0] * (len(edges) + 1) for _ in own]
    sums = [0.0] * len(own)
    for created, seen in events:
        first = bisect_left(own, given_up if seen is None else seen)
        took = None if seen is None else seen - created
        counts[first][len(edges) if took is None else bisect_left(edges, took)] += 1
        sums[first] += took or 0.0
    rows = [list(accumulate(column)) for column in zip(*counts, strict=True)]
    # now rows[bucket][time] grows with time; buckets are still apart
    columns = [list(accumulate(at)) for at in zip(*rows, strict=True)]
    for place, edge in enumerate((*map(repr, edges), "+Inf")):
        head = f'{START_SECONDS}_bucket{{{labels},le="{edge}"}} '
        yield from (f"{head}{column[place]} {stamp}" for column, stamp in zip(columns, stamps, strict=True))
    for suffix, values in (("count", [column[-1] for column in columns]), ("sum", list(accumulate(sums)))):
        head = f"{START_SECONDS}_{suffix}{{{labels}}} "
        yield from (f"{head}{value} {stamp}" for value, stamp in zip(values, stamps, strict=True))


def _states(result: LoadResult, own: Sequence[float]) -> dict[str, list[float]]:
    """Return the account over time; how pods ended is only known at the end, so it is told at the last sample."""
    created = sorted(pod.created for pod in result.starts)
    running = sorted(pod.running for pod in result.starts if pod.running is not None)
    pods = result.pods
    whole = {"created": pods.created, "running": pods.running, "failed": pods.failed, "never_ran": pods.never_ran}
    seen = {
        "created": [bisect_right(created, time) for time in own[:-1]],
        "running": [bisect_right(running, time) for time in own[:-1]],
    }
    quiet = [0] * (len(own) - 1)
    series: dict[str, list[float]] = {
        _state(state, ""): [*seen.get(state, quiet), whole[state]] for state in ("created", "running")
    }
    by_reason = _reasons(result.starts)
    for state in ("failed", "never_ran"):
        series[_state(state, "")] = [*quiet, whole[state] - sum(by_reason[state].values())]
        for reason, count in sorted(by_reason[state].items()):
            series[_state(state, reason)] = [*quiet, count]
    return series


def _reasons(starts: Iterable[PodStart]) -> dict[str, Counter[str]]:
    found: dict[str, Counter[str]] = {"failed": Counter(), "never_ran": Counter()}
    for pod in starts:
        if pod.reason:
            found["never_ran" if pod.running is None else "failed"][pod.reason] += 1
    return found


def _state(state: str, reason: str) -> str:
    return f'{COMMON},state="{state}",reason="{_escaped(reason)}"'


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _held(steps: Mapping[str, tuple[float, float]], times: Sequence[float]) -> list[bool]:
    holds = [span for name, span in steps.items() if name.startswith("hold-")]
    return [any(first <= time <= last for first, last in holds) for time in times]


def _steps(steps: Mapping[str, tuple[float, float]], times: Sequence[float]) -> dict[str, list[float]]:
    return {
        f'{COMMON},step="{name}"': [1 if first <= time <= last else 0 for time in times]
        for name, (first, last) in steps.items()
    }
