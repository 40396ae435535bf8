"""The three forms: how histogram, ratio and query become judged elements."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from pytest_telescope.errors import UsageError
from pytest_telescope.metrics.model import Series
from pytest_telescope.slo import queries
from pytest_telescope.slo.bounds import snap
from pytest_telescope.slo.coverage import coverage
from pytest_telescope.slo.desk import Desk
from pytest_telescope.slo.elements import Buckets
from pytest_telescope.slo.elements import Key
from pytest_telescope.slo.elements import histograms
from pytest_telescope.slo.elements import judge_histogram
from pytest_telescope.slo.elements import judge_ratio
from pytest_telescope.slo.elements import judge_value
from pytest_telescope.slo.elements import key_of
from pytest_telescope.slo.elements import pooled
from pytest_telescope.slo.model import Bound
from pytest_telescope.slo.model import Element
from pytest_telescope.slo.model import Slo
from pytest_telescope.slo.promql import selectors
from pytest_telescope.slo.promql import split

STARTS = "telescope_pod_start_seconds"
PODS = "telescope_load_pods"
ENOUGH_SCRAPES = 4
"""Scrape intervals that a window needs before a rate over it means anything."""


class InvalidError(Exception):
    """There is nothing to judge; the message says why. Internal: the judge turns it into a verdict."""


def by_histogram(slo: Slo, desk: Desk, targets: Mapping[str, int]) -> tuple[Slo, list[Element]]:
    """Judge each label set of a histogram; returns the SLO with its bound on a live bucket too."""
    found: dict[Key, Buckets] = {}
    seen: list[str] = []
    for metric in slo.metrics:
        bucket = queries.selector(f"{metric}_bucket", queries.is_job(slo.job), slo.where)
        if not desk.ask(queries.witnesses(bucket, desk.span)).series:
            continue
        count = queries.selector(f"{metric}_count", queries.is_job(slo.job), slo.where)
        guard(desk, [bucket], slo.job, targets)
        slo = replace(slo, bound=_live_bound(slo, desk, bucket))
        grown = histograms(_grown(desk, bucket, count, (*slo.by, "le")), slo.by)
        for key, buckets in grown.items():
            found[key] = found[key].plus(buckets) if key in found else buckets
        seen.append(metric)
    if not seen:
        first = slo.metrics[0]
        chosen = queries.selector(f"{first}_bucket", queries.is_job(slo.job), slo.where)
        _look_at_targets(slo, desk, targets)
        raise InvalidError(desk.no_data(f"{first}_bucket", chosen))
    if STARTS in seen:
        _every_pod(desk, found, slo)
    judged = pooled(slo, found)
    if not judged:
        raise InvalidError(f"no observations of {' and '.join(seen)} in the window")
    desk.observed = sum(buckets.total for buckets in found.values() if not buckets.broken())
    return slo, [judge_histogram(slo, key, buckets) for key, buckets in judged.items()]


def _look_at_targets(slo: Slo, desk: Desk, targets: Mapping[str, int]) -> None:
    """Note which targets of the SLO's job are down: it may be why there is no data."""
    if slo.job is not None:
        guard(desk, [], slo.job, targets)


def by_ratio(slo: Slo, desk: Desk, targets: Mapping[str, int]) -> list[Element]:
    """Judge bad / total for each label set of the total."""
    bad, total = (_counter(slo, written) for written in (slo.bad, slo.total))
    if not desk.ask(queries.witnesses(total, desk.span)).series:
        _look_at_targets(slo, desk, targets)
        raise InvalidError(desk.no_data(_metric(slo.total), total))
    has_bad = bool(desk.ask(queries.witnesses(bad, desk.span)).series)
    if not has_bad and not slo.absent_zero:
        raise InvalidError(desk.no_data(_metric(slo.bad), bad))
    guard(desk, [total, bad] if has_bad else [total], slo.job, targets)
    if not has_bad:
        desk.notes["absent"] = f"{slo.bad} has no series: zero, witnessed by {slo.total}"
    totals = _keyed(_grown(desk, total, total, slo.by), slo)
    bads = _keyed(_grown(desk, bad, bad, slo.by), slo) if has_bad else {}
    if lost := bads.keys() - totals.keys():
        raise InvalidError(f"{slo.bad} counts {min(lost)}, which {slo.total} does not know")
    alive = {key: value for key, value in totals.items() if value != 0 or bads.get(key)}
    if not alive:
        raise InvalidError(f"{slo.total} did not count anything in the window")
    return [judge_ratio(slo, key, bads.get(key), value) for key, value in alive.items()]


def by_query(slo: Slo, desk: Desk, targets: Mapping[str, int], facts: Mapping[str, object]) -> list[Element]:
    """Judge each element of a raw query's answer."""
    promql = queries.fill(slo.query, desk.span, facts)
    _needs_scrapes(desk)
    chosen = {queries.selector(one.name, one.matchers): one.name for one in selectors(promql)}
    shown = []
    for selected, metric in chosen.items():
        if desk.ask(queries.witnesses(selected, desk.span)).series:
            shown.append(selected)
        elif not slo.absent_zero:
            raise InvalidError(desk.no_data(metric, selected))
        else:
            desk.notes["absent"] = f"{metric} has no series: zero, witnessed by job {slo.job}"
    guard(desk, shown, slo.job, targets)
    answer = desk.ask(promql).series
    if not answer and slo.absent_zero and not slo.by:
        answer = (Series(labels={}, value=0.0),)
    if not answer:
        raise InvalidError("no data: the query's answer is empty")
    return [judge_value(slo, key, value) for key, value in _keyed(answer, slo, strict=True).items()]


def guard(desk: Desk, selected: list[str], job: str | None, targets: Mapping[str, int]) -> None:
    """Note whether the targets behind `selected` were scraped through the window; gaps are problems."""
    jobs = {job} if job else set()
    for one in selected:
        jobs.update(series.labels.get("job", "") for series in desk.ask(queries.witnesses(one, desk.span)).series)
    scraped = frozenset(jobs) - {"telescope"}
    if not scraped:
        desk.notes["coverage"] = "written by the harness after the load"
        return
    found = coverage(
        desk.samples(queries.up(scraped, desk.span)),
        desk.samples(queries.process_starts(scraped, desk.span)),
        jobs=scraped,
        targets=targets,
        span=desk.span,
    )
    desk.notes["coverage"] = found.summary
    desk.problems.extend(problem for problem in found.problems if problem not in desk.problems)


def _grown(desk: Desk, selected: str, counter: str, by: tuple[str, ...]) -> tuple[Series, ...]:
    """Return what `selected` counted in the window; a reset of `counter` is a problem, and healed for the report."""
    reset = desk.ask(queries.resets(counter, desk.span)).series
    if not reset:
        desk.notes.setdefault("resets", "none")
        return desk.ask(queries.delta(selected, by, desk.span)).series
    where = ", ".join(sorted(f"{s.labels.get('job', '')} {s.labels.get('instance', '')}" for s in reset))
    desk.notes["resets"] = where
    desk.problems.append(f"counters of {where} were reset in the window: what was counted last before is lost")
    return desk.ask(queries.born_safe_increase(selected, by, desk.span)).series


def _live_bound(slo: Slo, desk: Desk, bucket: str) -> Bound:
    found = desk.ask(queries.layouts(bucket, desk.span)).series
    counts = {series.value for series in found}
    edges = [float(series.labels.get("le", "nan")) for series in found]
    if len(counts) > 1:
        raise InvalidError(f"targets disagree on the buckets of {bucket}: they cannot be added up")
    desk.notes["buckets"] = f"{len(edges)} bounds, the same on all targets"
    try:
        return snap(slo.bound, edges, bucket)
    except UsageError as error:
        raise InvalidError(str(error)) from error


def _every_pod(desk: Desk, found: Mapping[Key, Buckets], slo: Slo) -> None:
    """Start-up times must cover every pod that the load counts: a pod without a time is no fast pod."""
    pods = desk.ask(f'sum(last_over_time({PODS}{{state!="created"}}[{desk.span.range}]))').series
    if not pods:
        raise InvalidError(f"{PODS} was not recorded: nothing says how many pods there were")
    timed = sum(buckets.total for buckets in found.values())
    phases = max(1, len({key[slo.by.index("phase")] for key in found})) if "phase" in slo.by else 1
    desk.notes["pods"] = f"{timed / phases:.0f} of {pods[0].value:.0f} have a time"
    if timed < phases * pods[0].value:
        desk.problems.append(f"telemetry covers {timed / phases:.0f} of {pods[0].value:.0f} pods")


def _needs_scrapes(desk: Desk) -> None:
    if desk.span.seconds < ENOUGH_SCRAPES * desk.span.interval:
        desk.problems.append(
            f"the window of {desk.span.seconds:.1f} s is shorter than "
            f"{ENOUGH_SCRAPES} scrapes of {desk.span.interval:g} s"
        )


def _keyed(series: tuple[Series, ...], slo: Slo, *, strict: bool = False) -> dict[Key, float]:
    found: dict[Key, float] = {}
    for one in series:
        extra = one.labels.keys() - {*slo.by, "__name__"}
        if strict and extra:
            raise InvalidError(f"the query's answer has the label {min(extra)}, which is not in by")
        key = key_of(one, slo.by)
        if key in found:
            raise InvalidError(f"the query's answer has {key} twice")
        found[key] = one.value
    return found


def _counter(slo: Slo, written: str) -> str:
    name, inner = split(written)
    return queries.selector(name, queries.is_job(slo.job), inner, slo.where)


def _metric(written: str) -> str:
    return split(written)[0]
