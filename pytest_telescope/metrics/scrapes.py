"""Waiting until every target was scraped: the fences of a measured window."""

from __future__ import annotations

import time
from collections.abc import Callable
from collections.abc import Mapping
from typing import TYPE_CHECKING

from pytest_telescope.errors import MetricsError

if TYPE_CHECKING:
    from pytest_telescope.metrics.client import Prometheus

POLL = 0.15


def wait_for_scrapes(
    prom: Prometheus,
    targets: Mapping[str, int],
    *,
    after: float,
    count: int,
    timeout: float,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> float:
    """Wait until every target of `targets` (job -> number) is up and was scraped `count` times after `after`.

    Args:
        prom: the cluster's Prometheus.
        targets: job name -> number of targets expected.
        after: Prometheus' time, unix seconds.
        count: successful scrapes that each target needs.
        timeout: seconds until the wait gives up.
        clock: monotonic seconds.
        sleep: waits between two polls.

    Returns:
        Prometheus' time at which the condition was seen to hold.

    Raises:
        MetricsError: Prometheus is gone, or the time is up; the message names what is missing or down.
    """
    deadline = clock() + timeout
    while True:
        now = prom.now()
        short = {job: need for job, need in _shortfall(prom, targets, after, count, now).items() if need > 0}
        if not short:
            return now
        if clock() >= deadline:
            raise MetricsError(_explain(prom, targets, short, count))
        sleep(POLL)


def _shortfall(prom: Prometheus, targets: Mapping[str, int], after: float, count: int, now: float) -> dict[str, int]:
    """Return job -> number of targets that still lack scrapes."""
    jobs = "|".join(sorted(targets))
    span = max(1, round((now - after) * 1000))
    done = dict.fromkeys(targets, 0)
    for found in prom.samples(f'up{{job=~"{jobs}"}}[{span}ms]', now):
        ups = [value for _, value in found.values]
        if ups and ups[-1] == 1.0 and sum(ups) >= count:
            done[found.labels["job"]] += 1
    return {job: expected - done[job] for job, expected in targets.items()}


def _explain(prom: Prometheus, targets: Mapping[str, int], short: Mapping[str, int], count: int) -> str:
    seen = prom.targets()
    parts = []
    for job, missing in short.items():
        mine = [target for target in seen if target.job == job]
        down = [f"{t.instance} is down: {t.error or 'not scraped yet'}" for t in mine if not t.up]
        what = "; ".join(down) or f"only {len(mine)} of {targets[job]} targets are known"
        if not down and len(mine) >= targets[job]:
            what = f"not {count} scrapes yet"
        parts.append(f"{job}: {missing} of {targets[job]} not scraped {count} times ({what})")
    return "targets were not scraped in time: " + "; ".join(parts)
