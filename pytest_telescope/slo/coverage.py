"""Whether the targets were really scraped through the whole window; pure, over raw `up` samples."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from pytest_telescope.metrics.client import Samples
from pytest_telescope.slo.queries import Span
from pytest_telescope.slo.text import clock

LEAST = 0.95
"""Share of a target's scrapes that must have worked."""
STALE = 2
"""Scrape intervals: an end further away than this from the last good scrape saw neither of the two after the load."""
FRESH = 1.25
"""Scrape intervals: a start further away than this from the last scrape would count what came before the load."""
TELEMETRY_JOB = "telescope"
"""Written by the harness itself, all of it after the load: there is no scrape to cover."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """What was found: `problems` make an SLO INVALID, `summary` goes to its guards.

    `gap` is the longest time in seconds between two good scrapes of one target, the one before the window and the
    window's end included, and `gap_of` that target.
    """

    problems: tuple[str, ...]
    summary: str
    gap: float = 0.0
    gap_of: str = ""


def coverage(
    scrapes: Sequence[Samples],
    starts: Sequence[Samples],
    *,
    jobs: frozenset[str],
    targets: Mapping[str, int],
    span: Span,
) -> Coverage:
    """Check that each target of `jobs` was up at the start, at the end and through at least 95 % of the window.

    Args:
        scrapes: `up` of the jobs over the window and two scrapes before it.
        starts: `process_start_time_seconds`, likewise.
        jobs: jobs that the SLO rests on.
        targets: job -> number of targets expected.
        span: the window.
    """
    jobs = jobs - {TELEMETRY_JOB}
    born = {_key(one): min(value for _, value in one.values) for one in starts if one.values}
    problems = [*_missing(scrapes, jobs, targets), *_restarts(starts, span)]
    shares = []
    for target in scrapes:
        share, found = _target(target, born.get(_key(target)), span)
        shares.append(share)
        problems.extend(f"{_name(target)} {finding}" for finding in found)
    lowest = f"{min(shares):.2f}" if shares else "none"
    gap, gap_of = max(((_gap(target, span), _name(target)) for target in scrapes), default=(0.0, ""))
    summary = f"min up {lowest} over {len(scrapes)} targets"
    return Coverage(problems=tuple(problems), summary=summary, gap=gap, gap_of=gap_of)


def _missing(scrapes: Sequence[Samples], jobs: frozenset[str], targets: Mapping[str, int]) -> list[str]:
    found = []
    for job in sorted(jobs):
        seen = sum(1 for target in scrapes if target.labels.get("job") == job)
        expected = max(1, targets.get(job, 1))
        if seen < expected:
            found.append(f"job {job}: {seen} of {expected} targets were scraped")
    return found


def _target(target: Samples, process_start: float | None, span: Span) -> tuple[float, list[str]]:
    start = span.start
    before = [(when, value) for when, value in target.values if when <= start]
    inside = [(when, value) for when, value in target.values if when > start]
    good = [when for when, value in inside if value == 1.0]
    is_born = not before and process_start is not None and process_start >= span.start
    begin = inside[0][0] if is_born and inside else span.start
    expected = max(1, int((span.end - begin) / span.interval - 0.1))
    share = min(1.0, len(good) / expected)
    found = []
    if not before and not is_born:
        found.append("was not scraped at the start")
    if before and before[-1][1] != 1.0:
        found.append("was down at the start")
    elif before and span.start - before[-1][0] > FRESH * span.interval:
        found.append(f"was last scraped {span.start - before[-1][0]:.1f} s before the start")
    if not good:
        found.append("was never scraped in the window")
    elif span.end - good[-1] >= STALE * span.interval:
        found.append(f"was last scraped {span.end - good[-1]:.1f} s before the end")
    elif share < LEAST:
        found.append(f"was scraped {len(good)} of {expected} times ({share:.0%})")
    return share, found


def _gap(target: Samples, span: Span) -> float:
    good, start = [when for when, value in target.values if value == 1.0], span.start
    return max((later - earlier for earlier, later in pairwise([*good, span.end]) if later > start), default=0.0)


def _restarts(starts: Sequence[Samples], span: Span) -> list[str]:
    return [f"{_name(process)} {finding}" for process in starts if (finding := _restart(process, span))]


def _restart(process: Samples, span: Span) -> str:
    """Say how a target's process changed since the baseline: replicas behind one address come back, others do not."""
    before = sum(1 for when, _ in process.values if when <= span.start)
    samples = process.values[max(0, before - 1) :]
    values = [value for _, value in samples]
    changed = [when for (_, one), (when, other) in pairwise(samples) if one != other]
    distinct = list(dict.fromkeys(values))
    if not changed:
        return ""
    if len(changed) > len(distinct) - 1:
        since = ", ".join(clock(start) for start in distinct[:3])
        seen = f"first seen at {clock(changed[0])}, {len(changed)} times"
        return f"alternates between {len(distinct)} processes (a load balancer?; started {since}; {seen})"
    times = "" if len(changed) == 1 else f" {len(changed)} times"
    return f"restarted{times} in the window (at {', '.join(clock(start) for start in distinct[1:4])})"


def _key(series: Samples) -> tuple[str, str]:
    return series.labels.get("job", ""), series.labels.get("instance", "")


def _name(series: Samples) -> str:
    job, instance = _key(series)
    return f"target {job} {instance}"
