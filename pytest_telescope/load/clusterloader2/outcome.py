"""From what CL2 left behind to the result that the rest of the house knows; pure but for the findings' file."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_telescope.errors import LoadError
from pytest_telescope.load.accounting import account
from pytest_telescope.load.accounting import summary
from pytest_telescope.load.clusterloader2.findings import findings
from pytest_telescope.load.clusterloader2.model import Case
from pytest_telescope.load.clusterloader2.model import Finding
from pytest_telescope.load.clusterloader2.model import Sample
from pytest_telescope.load.clusterloader2.results import EntryResult
from pytest_telescope.load.model import Gauge
from pytest_telescope.load.model import LoadResult
from pytest_telescope.load.model import Outcome

if TYPE_CHECKING:
    from pytest_telescope.load.clusterloader2.running import Runner

CHECK = "telescope_cl2_check"
SAMPLE = "telescope_cl2_sample"
FINDINGS = "findings.json"
WHOLE = "whole-run"
RAW = frozenset({"MetricsForE2E"})
"""Summaries of ten thousands of numbers as scraped; the files are kept."""
_OWN = {"job", "instance", "entry", "summary", "metric", "stat", "unit"}


def load_result(results: Sequence[EntryResult], runner: Runner, *, judged_elsewhere: bool, folder: Path) -> LoadResult:
    """Return the result of all entries, and write what was found to `findings.json`.

    Raises:
        LoadError: no step of any entry began, so there is no window.
    """
    found = {one.entry.name: findings(one, judged_elsewhere=judged_elsewhere) for one in results}
    (folder / FINDINGS).write_text(json.dumps(_plain(results, found), indent=1) + "\n", encoding="utf-8")
    steps = _steps(results)
    if not steps:
        words = next((one.text for each in found.values() for one in each), "it said nothing")
        raise LoadError(f"clusterloader2 began no step: {words}")
    starts = runner.pods.starts()
    pods = account(starts)
    errors = [one for each in found.values() for one in each if one.kind == "error"]
    outcome: Outcome = "incomplete" if errors else "complete"
    return LoadResult(
        outcome=outcome,
        started=min(start for start, _ in steps.values()),
        ended=max(end for _, end in steps.values()),
        steps=steps,
        pods=pods,
        starts=starts,
        namespaces=tuple(dict.fromkeys(start.name.partition("/")[0] for start in starts)),
        message=_message(results, errors) + (f"; {summary(pods, starts)}" if starts else ""),
        facts=_facts(results, runner),
        gauges=(_checks(results, found), _samples(results)),
    )


def _plain(results: Sequence[EntryResult], found: Mapping[str, Sequence[Finding]]) -> list[dict[str, object]]:
    return [
        {
            "entry": one.entry.name,
            "exit_code": one.ended.code,
            "timed_out": one.ended.timed_out,
            "seconds": round(one.ended.seconds, 3),
            "findings": [asdict(finding) for finding in found[one.entry.name]],
            "cases": [asdict(case) for case in one.cases or ()],
            "samples": [asdict(sample) for sample in _results(one)],
        }
        for one in results
    ]


def _steps(results: Sequence[EntryResult]) -> dict[str, tuple[float, float]]:
    """Return the windows of all steps; where there are several entries, `<entry>-<step>`.

    A binary of one's own may log its steps otherwise: then its whole run is one step.
    """
    several = len(results) > 1
    return {
        f"{one.entry.name}-{name}" if several else name: window
        for one in results
        for name, window in (one.steps or ({WHOLE: one.span} if one.cases else {})).items()
    }


def _message(results: Sequence[EntryResult], errors: Sequence[Finding]) -> str:
    if errors:
        first = errors[0]
        where = f"step {first.step!r}: " if first.step else ""
        more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
        return f"clusterloader2: {where}{first.text}{more}"
    ran = sum(len(one.steps) for one in results)
    line = f"clusterloader2 ran {ran} steps in {sum(one.ended.seconds for one in results):.0f} s"
    if held := sum(int(one.facts["throttled_requests"]) for one in results):
        line += f"; CL2's own clients held {held} requests back: raise --k8s-clients-number or lower its rates"
    return line


def _facts(results: Sequence[EntryResult], runner: Runner) -> dict[str, float | int | str]:
    watcher = runner.watcher
    return {
        "cl2_cpu_seconds": round(sum(one.ended.cpu for one in results), 3),
        "cl2_memory_bytes": max(one.ended.memory for one in results),
        "cl2_seconds": round(sum(one.ended.seconds for one in results), 3),
        "cl2_clients": max(int(one.facts["clients"]) for one in results),
        "cl2_throttled_requests": sum(int(one.facts["throttled_requests"]) for one in results),
        "cl2_throttled_longest_seconds": max(float(one.facts["throttled_longest"]) for one in results),
        "harness_cpu_seconds": round(runner.cpu, 4),
        "watch_restarts": watcher.restarts,
        "watch_relists": watcher.relists,
        "watch_gaps": len(watcher.gaps),
        "watch_error": watcher.error,
    }


def _checks(results: Sequence[EntryResult], found: Mapping[str, Sequence[Finding]]) -> Gauge:
    """Every step and measurement call, and every finding, with its verdict: what `engine-thresholds` is made of."""
    series: dict[tuple[str, ...], tuple[Mapping[str, str], float]] = {}
    for one in results:
        for labels in (*_passed(one), *map(_finding, found[one.entry.name])):
            series.setdefault(tuple(labels.values()), (labels, 1.0))
    return Gauge(name=CHECK, help="A step of ClusterLoader2 and what became of it.", series=tuple(series.values()))


def _passed(one: EntryResult) -> Iterator[Mapping[str, str]]:
    for case in one.cases or ():
        if case.failure is None and case.number:
            yield _labels(one.entry.name, case.step, case.measurement, "pass", _took(case))


def _took(case: Case) -> str:
    return f"step {case.number}, {case.seconds:.3f} s"


def _finding(finding: Finding) -> Mapping[str, str]:
    return _labels(finding.entry, finding.step, finding.measurement, finding.kind, finding.text)


def _labels(entry: str, step: str, measurement: str, verdict: str, text: str) -> Mapping[str, str]:
    return {"entry": entry, "step": step, "measurement": measurement, "verdict": verdict, "text": text}


def _results(one: EntryResult) -> Iterator[Sample]:
    """Yield the numbers of all summaries but raw dumps of metrics, which Prometheus has itself."""
    for each in one.summaries:
        if each.name not in RAW:
            yield from each.samples


def _samples(results: Sequence[EntryResult]) -> Gauge:
    series: dict[tuple[tuple[str, str], ...], tuple[Mapping[str, str], float]] = {}
    for one in results:
        for sample in _results(one):
            labels = _sample_labels(one.entry.name, sample)
            series[tuple(sorted(item for item in labels.items() if item[1]))] = (labels, sample.value)
    return Gauge(name=SAMPLE, help="A number of a summary of ClusterLoader2.", series=tuple(series.values()))


def _sample_labels(entry: str, sample: Sample) -> Mapping[str, str]:
    own = {
        "entry": entry,
        "summary": sample.summary,
        "metric": sample.metric,
        "stat": sample.stat,
        "unit": sample.unit,
    }
    return {**{_label(name): value for name, value in sample.labels.items()}, **own}


def _label(name: str) -> str:
    """Return a label name that Prometheus takes and none of ours has."""
    plain = re.sub(r"[^a-zA-Z0-9_]", "_", name)
    return plain if re.match(r"[a-zA-Z]", plain) and plain not in _OWN else f"cl2_{plain}"
