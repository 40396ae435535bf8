"""The PromQL that asks whether what was counted can be trusted: scrapes, processes, buckets, duplicates."""

from __future__ import annotations

from collections.abc import Iterable

from pytest_telescope.slo.queries import Span
from pytest_telescope.slo.queries import any_job
from pytest_telescope.slo.queries import by_labels
from pytest_telescope.slo.queries import is_job
from pytest_telescope.slo.queries import quoted
from pytest_telescope.slo.queries import since_baseline


def layouts(selected: str, span: Span) -> str:
    """B: live bucket bounds, each with the number of targets that have it."""
    return f"count by (le) (group by (job, instance, le) (last_over_time({selected}[{span.range}])))"


def layouts_of(selected: str, by: tuple[str, ...], span: Span) -> str:
    """B, for each label set of `by`."""
    one = f"group by ({', '.join(('job', 'instance', *by, 'le'))}) (last_over_time({selected}[{span.range}]))"
    return f"count by ({', '.join((*by, 'le'))}) ({one})"


def twice(selected: str, labels: Iterable[str], span: Span) -> str:
    """Targets of which the metric is there more than once, by the labels in which their `up` differs."""
    one = f"group by ({', '.join(('job', 'instance', *labels))}) (last_over_time({selected}[{span.range}]))"
    return f"count by (job, instance) ({one}) > 1"


def vanished(selected: str, span: Span) -> str:
    """How many series of a gauge were there in the window and are not at its end."""
    return f"count(last_over_time({selected}[{span.range}]) unless {selected})"


def up(jobs: Iterable[str], span: Span) -> str:
    """U, Z: every scrape of the jobs' targets, raw."""
    return f"up{{{any_job(jobs)}}}[{span.with_baseline}]"


def scraped(job: str, by: tuple[str, ...], span: Span) -> str:
    """Label sets of a job's targets that were scraped in the window."""
    return f"group{by_labels(by)} (max_over_time(up{{{is_job(job)}}}[{span.range}]) == 1)"


def process_starts(jobs: Iterable[str], span: Span) -> str:
    """L: start time of the targets' processes, the earliest of each."""
    return f"min_over_time(process_start_time_seconds{{{any_job(jobs)}}}[{span.with_baseline}])"


def process_changes(jobs: Iterable[str], span: Span) -> str:
    """L: how often the start time of a target's process changed, where it did: restarts, alternating replicas."""
    return f"({since_baseline('changes', f'process_start_time_seconds{{{any_job(jobs)}}}', span)}) > 0"


def process_history(instance: str, jobs: Iterable[str], span: Span) -> str:
    """L: every start time that one target's process said, raw."""
    chosen = f"instance={quoted(instance)}, {any_job(jobs)}"
    return f"process_start_time_seconds{{{chosen}}}[{span.with_baseline}]"
