"""What must be true of a histogram before its percentile means anything; doubts go to the desk."""

from __future__ import annotations

import math
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence

from pytest_telescope.errors import UsageError
from pytest_telescope.metrics.model import Series
from pytest_telescope.slo import guard_queries
from pytest_telescope.slo import queries
from pytest_telescope.slo.bounds import snap
from pytest_telescope.slo.buckets import Buckets
from pytest_telescope.slo.buckets import Key
from pytest_telescope.slo.buckets import key_of
from pytest_telescope.slo.desk import Desk
from pytest_telescope.slo.duplicates import target_of
from pytest_telescope.slo.guards import InvalidError
from pytest_telescope.slo.guards import look_at_targets
from pytest_telescope.slo.guards import reset_targets
from pytest_telescope.slo.model import Bound
from pytest_telescope.slo.model import Slo
from pytest_telescope.slo.text import humanly
from pytest_telescope.slo.text import short

STARTS = "telescope_pod_start_seconds"
PODS = "telescope_load_pods"
CLOCK, SYNCED = "node_timex_offset_seconds", "node_timex_sync_status"


def why_none(slo: Slo, desk: Desk, targets: Mapping[str, int]) -> str:
    """Say why no histogram of the SLO has classic buckets in the window."""
    look_at_targets(slo, desk, targets)
    for metric in slo.metrics:
        if metric not in desk.metric_names():
            continue
        chosen = queries.selector(metric, queries.is_job(slo.job), slo.where)
        summary = queries.with_matcher(chosen, 'quantile!=""')
        if desk.ask(f"count(last_over_time({summary}[{desk.span.range}]))").series:
            return f"{metric} is a summary: its quantiles cannot be added up or counted; take a histogram"
        return (
            f"{metric} was recorded without buckets, as a native histogram: set always_scrape_classic_histograms: true "
            "in the scrape config of Prometheus"
        )
    first = slo.metrics[0]
    return desk.no_data(f"{first}_bucket", queries.selector(f"{first}_bucket", queries.is_job(slo.job), slo.where))


def live_bound(slo: Slo, desk: Desk, bucket: str) -> Bound:
    """Return the bound on a bucket that is there.

    Raises:
        InvalidError: targets disagree on the buckets, or the bound is none of them.
    """
    found = _targets(desk.ask(guard_queries.layouts(bucket, desk.span)).series, ())
    where = "the same on all targets"
    if _disagree(found) and slo.by:
        found = _targets(desk.ask(guard_queries.layouts_of(bucket, slo.by, desk.span)).series, slo.by)
        where = f"not the same for each {' and '.join(slo.by)}"
    if _disagree(found):
        raise InvalidError(f"targets disagree on the buckets of {bucket}: they cannot be added up")
    edges = sorted({edge for targets in found.values() for edge in targets})
    desk.notes["buckets"] = f"{len(edges)} bounds, {where}"
    try:
        return snap(slo.bound, edges, bucket)
    except UsageError as error:
        raise InvalidError(str(error)) from error


def _targets(series: Iterable[Series], by: tuple[str, ...]) -> dict[Key, dict[float, float]]:
    """Return for each label set how many targets have a bound; 1 and 1.0 are one."""
    found: dict[Key, dict[float, float]] = {}
    for one in series:
        mine, edge = found.setdefault(key_of(one.labels, by), {}), float(one.labels.get("le", "nan"))
        mine[edge] = mine.get(edge, 0.0) + one.value
    return found


def _disagree(found: Mapping[Key, Mapping[float, float]]) -> bool:
    return any(len(set(targets.values())) > 1 for targets in found.values())


def counted_once(desk: Desk, selected: Mapping[str, str]) -> None:
    """Targets that count under two names of one histogram are a problem; `selected` are its buckets by name."""
    counting: dict[tuple[str, str], list[str]] = {}
    for metric, bucket in selected.items():
        total = queries.with_matcher(bucket, 'le="+Inf"')
        for one in desk.ask(queries.delta(total, ("job", "instance"), desk.span)).series:
            if one.value:
                counting.setdefault(target_of(one.labels), []).append(metric)
    desk.problem(
        *(
            f"target {' '.join(target)} counts under {' and '.join(metrics)}, which would add up: name one of them"
            for target, metrics in counting.items()
            if len(metrics) > 1
        )
    )


def look_at_sum(desk: Desk, selected: str, metric: str, found: Mapping[Key, Buckets]) -> None:
    """Negative observations are a problem; a mean beyond the last finite bucket is told."""
    if f"{metric}_sum" not in desk.metric_names():
        desk.notes["sum"] = f"{metric}_sum was not recorded: negative observations would not be seen"
        return
    falling = desk.ask(queries.resets(selected, desk.span)).series
    if falling and desk.notes.get("resets") == "none":
        where, when = reset_targets(desk, selected, falling)
        desk.problem(f"{metric}_sum of {where} fell{when} while its count did not: negative values were observed")
    elif not falling:
        _tell_overflow(desk, selected, metric, found)


def _tell_overflow(desk: Desk, selected: str, metric: str, found: Mapping[Key, Buckets]) -> None:
    sound = [one for one in found.values() if not one.broken() and one.total > 0]
    total, beyond = sum(one.total for one in sound), sum(one.beyond()[0] for one in sound)
    if not beyond:
        return
    last = max(one.beyond()[1] for one in sound)
    sums = desk.ask(queries.delta(selected, (), desk.span)).series
    mean = sums[0].value / total if sums else math.nan
    where = ", beyond the last bucket: the value is a lower bound" if mean > last else ""
    overflow = f"{short(beyond)} of {short(total)} above {_unit(metric, last)}"
    desk.notes["overflow"] = f"{overflow}; the mean of all is {_unit(metric, mean)}{where}"


def _unit(metric: str, value: float) -> str:
    return humanly(value, "s") if metric.endswith("_seconds") else short(value)


def look_at_population(slo: Slo, desk: Desk, seen: Sequence[str], found: Mapping[Key, Buckets]) -> None:
    """Tell how much was observed and how well nodes know the time; a pod without a start-up time is a problem."""
    sound = [one for one in found.values() if not one.broken()]
    desk.observed = sum(one.total for one in sound)
    lowest = sum(one.lowest() for one in sound)
    if desk.observed and lowest > desk.observed / 2:
        desk.notes["lowest bucket"] = f"holds {humanly(lowest / desk.observed, 'ratio')}: nothing in it is told apart"
    if STARTS in seen:
        _every_pod(desk, found, slo)
    _tell_clocks(desk)


def _every_pod(desk: Desk, found: Mapping[Key, Buckets], slo: Slo) -> None:
    """Start-up times must cover every pod that the load counts: a pod without a time is no fast pod."""
    pods = desk.ask(f'sum(last_over_time({PODS}{{state!="created"}}[{desk.span.range}]))').series
    if not pods:
        raise InvalidError(f"{PODS} was not recorded: nothing says how many pods there were")
    timed = sum(buckets.total for buckets in found.values())
    phases = max(1, len({key[slo.by.index("phase")] for key in found})) if "phase" in slo.by else 1
    desk.notes["pods"] = f"{timed / phases:.0f} of {pods[0].value:.0f} have a time"
    if timed < phases * pods[0].value:
        desk.problem(f"telemetry covers {timed / phases:.0f} of {pods[0].value:.0f} pods")


def _tell_clocks(desk: Desk) -> None:
    """Latencies between two clocks are as good as both: tell how far node_timex saw them off, where it is recorded."""
    if CLOCK not in desk.metric_names():
        return
    span = desk.span.range
    ahead = desk.ask(f"max(max_over_time({CLOCK}[{span}]))").series
    behind = desk.ask(f"-min(min_over_time({CLOCK}[{span}]))").series
    off = max((one.value for one in (*ahead, *behind)), default=math.nan)
    desk.notes["node clocks"] = f"at most {humanly(off, 's')} off their time servers'"
    if any(one.value == 0 for one in desk.ask(f"min(min_over_time({SYNCED}[{span}]))").series):
        desk.notes["node clocks"] += "; some are not synchronised"
