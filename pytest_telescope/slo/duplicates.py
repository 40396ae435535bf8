"""Targets that are scraped twice: sums over them count double, percentiles look right; pure."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence

from pytest_telescope.metrics.client import Samples
from pytest_telescope.metrics.model import Series

Target = tuple[str, str]
"""Job and instance."""


def target_of(labels: Mapping[str, str]) -> Target:
    """Return job and instance of a series."""
    return labels.get("job", ""), labels.get("instance", "")


def by_every_scraper(selected: str) -> bool:
    """Return whether Prometheus itself makes the metric, once for each job that scrapes an instance."""
    name = selected.partition("{")[0]
    return name == "up" or name.startswith("scrape_")


def of_jobs(witnesses: Iterable[Series], starts: Mapping[Target, float]) -> list[str]:
    """Return the instances that show one metric under several jobs, each as a problem.

    Several processes may share an address (behind a proxy): where their `starts`, unix seconds, differ, they are no
    duplicates.
    """
    jobs: dict[str, set[str]] = {}
    for one in witnesses:
        job, instance = target_of(one.labels)
        jobs.setdefault(instance, set()).add(job)
    return [
        f"instance {instance} is scraped by the jobs {' and '.join(sorted(found))}, sums count it "
        f"{'twice' if len(found) == 2 else f'{len(found)} times'}: say which job"
        for instance, found in sorted(jobs.items())
        if instance and len({starts.get((job, instance)) for job in found}) < len(found)
    ]


def of_targets(ups: Sequence[Samples]) -> Mapping[Target, tuple[str, ...]]:
    """Return the targets of which `up` has several series, with the labels in which those differ."""
    seen: dict[Target, list[Mapping[str, str]]] = {}
    for one in ups:
        seen.setdefault(target_of(one.labels), []).append(one.labels)
    return {target: _differing(labels) for target, labels in seen.items() if len(labels) > 1}


def _differing(series: Sequence[Mapping[str, str]]) -> tuple[str, ...]:
    names = sorted({name for labels in series for name in labels})
    return tuple(name for name in names if len({labels.get(name) for labels in series}) > 1)
