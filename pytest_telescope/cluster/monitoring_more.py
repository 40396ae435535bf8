"""Jobs that a cluster may have or not: waited for a little, and what does not come is said, not fatal.

An SLO that rests on such a job is INVALID without it (`slo.coverage`), whether the job is expected or not; one that
declares what it `requires` is SKIP where the provider promises no such metrics.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pytest_telescope.cluster import monitoring_pods as pods

POLL = 0.5
WITHIN = 20.0
"""Seconds for which they are waited for, once all that must be there is."""
Progress = Callable[[str], None]
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class More:
    """What was found of such jobs.

    Attributes:
        targets: job -> number of targets that are expected from now on; a job of which no target is up is not here.
        lacking: job -> why not all of its targets are up.
        versions: fact -> version.
    """

    targets: Mapping[str, int]
    lacking: Mapping[str, str]
    versions: Mapping[str, str]


def wait(look: Callable[[], Iterable[Row]], least: Mapping[str, int], known: Iterable[str], progress: Progress) -> More:
    """Wait until every target that discovery found is up, at most `WITHIN` seconds.

    Args:
        look: returns the rows of `/api/v1/targets`.
        least: job -> number of targets that there must be, whatever discovery found so far.
        known: jobs that are looked after elsewhere.
        progress: told what is waited for.
    """
    deadline, told, known = time.monotonic() + WITHIN, "", frozenset(known)
    while True:
        rows = [row for row in look() if row["labels"].get("job") not in known]
        found = sort(rows, least)
        why = "; ".join(f"{job}: {text}" for job, text in found.lacking.items())
        if not why or time.monotonic() >= deadline:
            return found
        if why != told:
            progress(f"waiting for metrics that a cluster need not have: {why}")
            told = why
        time.sleep(POLL)


def sort(rows: Iterable[Row], least: Mapping[str, int]) -> More:
    """Return what the targets of optional jobs amount to; where some are up, all must stay so."""
    by_job: dict[str, list[Row]] = {job: [] for job in least}
    for row in rows:
        by_job.setdefault(row["labels"]["job"], []).append(row)
    wanted = {job: max(len(found), least.get(job, 0)) for job, found in by_job.items()}
    up = {job: sum(row["health"] == "up" for row in found) for job, found in by_job.items()}
    return More(
        targets={job: wanted[job] for job in sorted(wanted) if up[job]},
        lacking={job: _why(by_job[job], up[job], wanted[job]) for job in sorted(wanted) if up[job] < wanted[job]},
        versions=pods.versions(row for found in by_job.values() for row in found),
    )


def _why(rows: Iterable[Row], up: int, wanted: int) -> str:
    errors = list(dict.fromkeys(row["lastError"] for row in rows if row["lastError"]))
    return f"{up} of {wanted} up" + (f" ({errors[0]})" if errors else "")
