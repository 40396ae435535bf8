"""What must be true of the data behind an SLO, whatever its form; what is not becomes a problem on its desk."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence

from pytest_telescope.metrics.client import Samples
from pytest_telescope.metrics.model import Series
from pytest_telescope.slo import duplicates
from pytest_telescope.slo import guard_queries
from pytest_telescope.slo import queries
from pytest_telescope.slo import sliced_queries
from pytest_telescope.slo.coverage import TELEMETRY_JOB
from pytest_telescope.slo.coverage import Coverage
from pytest_telescope.slo.coverage import coverage
from pytest_telescope.slo.desk import Desk
from pytest_telescope.slo.model import Slo
from pytest_telescope.slo.text import clock

ENOUGH_SCRAPES = 4
"""Scrape intervals that a window, or a slice of it, needs before a rate over it means anything."""
MOST_STEPS = 5000
"""Steps of a range query that looks for a moment; Prometheus answers 11,000."""


MOST_TOLD = 3
"""Targets that one line names."""
Scraped = tuple[Coverage, tuple[str, ...]]
"""Coverage of some jobs' targets, and the labels in which the `up` of targets that are scraped twice differ."""


class InvalidError(Exception):
    """There is nothing to judge; the message says why. Internal: the judge turns it into a verdict."""


def guard(slo: Slo, desk: Desk, selected: Sequence[str], targets: Mapping[str, int]) -> Coverage | None:
    """Note whether the targets behind `selected` were scraped, once each, through the window; gaps are problems.

    None where the harness wrote the series itself.
    """
    witnesses = {one: desk.ask(queries.witnesses(one, desk.span)).series for one in selected}
    jobs = {series.labels.get("job", "") for shown in witnesses.values() for series in shown}
    scraped = frozenset(jobs | ({slo.job} if slo.job else set())) - {TELEMETRY_JOB}
    if not scraped:
        desk.notes["coverage"] = "written by the harness after the load"
        return None
    found, differing = _coverage(desk, scraped, targets)
    desk.notes["coverage"] = found.summary
    desk.problem(*found.problems)
    if slo.job is None and "job" not in slo.by:
        desk.problem(*_jobs(desk, witnesses, scraped))
    _scraped_once(desk, selected, differing)
    return found


def _jobs(desk: Desk, witnesses: Mapping[str, Sequence[Series]], jobs: frozenset[str]) -> list[str]:
    """Return the instances that one metric shows under several jobs though they are one process."""
    suspects = [shown for one, shown in witnesses.items() if len(shown) > 1 and not duplicates.by_every_scraper(one)]
    if not suspects:
        return []
    starts = desk.ask(guard_queries.process_starts(jobs, desk.span)).series
    known = {duplicates.target_of(one.labels): one.value for one in starts}
    return [problem for shown in suspects for problem in duplicates.of_jobs(shown, known)]


def _coverage(desk: Desk, jobs: frozenset[str], targets: Mapping[str, int]) -> Scraped:
    def look(own: Desk) -> Scraped:
        ups = own.samples(guard_queries.up(jobs, own.span))
        found = coverage(ups, _starts(own, jobs), jobs=jobs, targets=targets, span=own.span)
        doubled = duplicates.of_targets(ups)
        return found, tuple(sorted({label for labels in doubled.values() for label in labels}))

    expected = [targets.get(job) for job in sorted(jobs)]
    return desk.once(f"coverage of {sorted(jobs)} {expected}", look)


def _starts(desk: Desk, jobs: frozenset[str]) -> list[Samples]:
    """Return what the targets' processes say of their start; every sample only of those that changed."""
    changed = desk.ask(guard_queries.process_changes(jobs, desk.span)).series
    first = desk.ask(guard_queries.process_starts(jobs, desk.span)).series
    instances = dict.fromkeys(one.labels.get("instance", "") for one in changed)
    histories = [
        history for name in instances for history in desk.samples(guard_queries.process_history(name, jobs, desk.span))
    ]
    return [*histories, *(Samples(labels=one.labels, values=((desk.span.end, one.value),)) for one in first)]


def _scraped_once(desk: Desk, selected: Sequence[str], differing: tuple[str, ...]) -> None:
    for one in selected if differing else ():
        found = desk.ask(guard_queries.twice(one, differing, desk.span)).series
        desk.problem(*(_twice(series, ", ".join(differing)) for series in found))


def _twice(series: Series, differing: str) -> str:
    where = f"target {series.labels.get('job', '')} {series.labels.get('instance', '')}"
    return f"{where} is scraped {series.value:.0f} times (its series differ in {differing}): sums count it as often"


def look_at_targets(slo: Slo, desk: Desk, targets: Mapping[str, int]) -> None:
    """Note which targets of the SLO's job are down: it may be why there is no data."""
    if slo.job is not None:
        guard(slo, desk, [], targets)


def grown(desk: Desk, selected: str, counter: str, by: tuple[str, ...]) -> tuple[Series, ...]:
    """Return what `selected` counted in the window; a reset of `counter` is a problem, and healed for the report."""
    if is_reset(desk, counter):
        return desk.ask(queries.born_safe_increase(selected, by, desk.span)).series
    return desk.ask(queries.delta(selected, by, desk.span)).series


def is_reset(desk: Desk, counter: str) -> bool:
    """Return whether a counter went backwards, which is a problem: which target's, and when."""
    found = desk.ask(queries.resets(counter, desk.span)).series
    if not found:
        desk.notes.setdefault("resets", "none")
        return False
    where, when = reset_targets(desk, counter, found)
    desk.notes["resets"] = f"{where}{when}"
    desk.problem(f"counters of {where} were reset in the window{when}: what was counted last before is lost")
    return True


def reset_targets(desk: Desk, counter: str, found: Sequence[Series]) -> tuple[str, str]:
    """Return the targets of resets, and about when they first happened, as ` (about 22:13:45 UTC)`."""
    seconds = max(desk.span.interval, desk.span.seconds / MOST_STEPS)
    promql = sliced_queries.resets(counter, seconds)
    steps = desk.ask_range(promql, desk.span.start + seconds, desk.span.end + seconds / 2, seconds)
    first = {duplicates.target_of(one.labels): one.values[0][0] for one in steps.series if one.values}
    reset = sorted(duplicates.target_of(one.labels) for one in found)[:MOST_TOLD]
    more = len(found) - len(reset)
    when = ", ".join(clock(first[target]) for target in reset if target in first)
    where = ", ".join(" ".join(target) for target in reset) + (f" and {more} more" if more > 0 else "")
    return where, f" (about {when})" if when else ""
