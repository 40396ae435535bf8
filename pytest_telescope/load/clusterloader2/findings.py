"""Why CL2's own thresholds are not met, or why its green means nothing; pure."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator
from collections.abc import Sequence

from pytest_telescope.load.clusterloader2 import responsiveness
from pytest_telescope.load.clusterloader2.expected import ALWAYS
from pytest_telescope.load.clusterloader2.expected import Measurement
from pytest_telescope.load.clusterloader2.expected import measurements_of
from pytest_telescope.load.clusterloader2.log import Line
from pytest_telescope.load.clusterloader2.model import Case
from pytest_telescope.load.clusterloader2.model import Finding
from pytest_telescope.load.clusterloader2.model import FindingKind
from pytest_telescope.load.clusterloader2.model import Summary
from pytest_telescope.load.clusterloader2.results import EntryResult

LONGEST = 500
_CALL = re.compile(r"^measurement call .+? - .*? error: ", re.DOTALL)
"""How CL2 begins what a measurement says; the finding names it anyway."""
NO_SAMPLES = "query returned no samples"
"""CL2 calls it a violation; nothing was compared."""
SUBSETS = ("StatelessPodStartupLatency_", "StatefulPodStartupLatency_")
"""One of the two is about pods that may not exist."""
MAY_BE_ZERO = frozenset(
    {"GenericPrometheusQuery", "APIResponsivenessPrometheus", "Timer", "ContainerRestarts"}
    | {"ClusterOOMsTracker", "SystemPodMetrics", "TestMetrics"}
)
"""Methods whose numbers can truly be 0: counts, and what PromQL says."""
GATES_NOTHING = ("ResourceUsageSummary", "SystemPodMetrics", "MetricsForE2E", "SchedulingMetrics", "EtcdMetrics")
"""Parts of TestMetrics that only inform: simulated nodes and managed control planes leave them empty."""
Measurements = Sequence[Measurement]


def findings(result: EntryResult, *, judged_elsewhere: bool) -> tuple[Finding, ...]:
    """Return every reason against calling this run green, the gravest kind first.

    Args:
        result: of one entry.
        judged_elsewhere: the scenario has SLOs of its own, so a config without any threshold is no empty green.
    """
    measured = measurements_of(result.generated)
    found = [
        *_process(result),
        *_cases(result),
        *_not_run(result),
        *_skipped(result, measured),
        *_thresholds(result, measured),
        *_pods(result, measured),
        *_waits(result),
        *_missing(result, measured),
        *_empty(result, measured),
        *([] if judged_elsewhere else _nothing(result, measured)),
    ]
    order: dict[FindingKind, int] = {"error": 0, "violation": 1, "vacuous": 2}
    return tuple(sorted(dict.fromkeys(found), key=lambda one: order[one.kind]))


def _process(result: EntryResult) -> Iterator[Finding]:
    """What the end of the process says, where there is no junit.xml that says more."""
    ended, where = result.ended, f" in step {result.stopped_in}" if result.stopped_in else ""
    if ended.timed_out:
        yield _one(result, "error", f"ended by the time-out after {ended.seconds:.0f} s{where}", step=result.stopped_in)
    elif ended.code < 0:
        yield _one(result, "error", f"ended by {_signal(-ended.code)}{where}", step=result.stopped_in)
    elif result.cases is None:
        yield _one(result, "error", f"exit code {ended.code}{where}: {_last_words(result)}")
    elif ended.code != 0 and all(case.failure is None for case in result.cases):
        yield _one(result, "error", f"exit code {ended.code}, though no step failed: {_last_words(result)}")
    if result.cases is None and ended.code >= 0 and not ended.timed_out:
        yield _one(result, "error", result.no_junit)


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _last_words(result: EntryResult) -> str:
    fatal = [line.text for line in result.lines if line.level == "F"]
    words = fatal[-1] if fatal else next(iter(reversed(result.ended.tail)), "it said nothing")
    return " ".join(words.split())[:LONGEST]


def _cases(result: EntryResult) -> Iterator[Finding]:
    """Failed steps; the case of the whole test repeats them, and tells what failed outside of any."""
    cases = result.cases or ()
    told: set[str] = set()
    for case in sorted(cases, key=lambda one: one.number == 0):
        for text in (*case.violations, *case.errors):
            if case.number or text not in told:
                yield _failure(result, case, text)
            told.add(text)


def _failure(result: EntryResult, case: Case, text: str) -> Finding:
    kind: FindingKind = "violation" if text in case.violations else "error"
    if NO_SAMPLES in text:
        kind = "vacuous"
    return _one(
        result, kind, _CALL.sub("", text) if case.measurement else text, step=case.step, measurement=case.measurement
    )


def _not_run(result: EntryResult) -> Iterator[Finding]:
    if result.cases is None:
        return
    ran = {case.number for case in result.cases}
    for number, name in enumerate(result.generated.steps, start=1):
        if number not in ran:
            yield _one(result, "error", "the step did not run", step=name)


def _skipped(result: EntryResult, measured: Measurements) -> Iterator[Finding]:
    for line, one in _skips(result, measured):
        if one.gates or one.method.needs:
            yield _one(result, "vacuous", f"skipped: {line.text}", measurement=one.identifier)


def _skips(result: EntryResult, measured: Measurements) -> Iterator[tuple[Line, Measurement]]:
    """Yield what says that it measured nothing, and which it is: told by its identifier, of probes by their Method."""
    for line in result.lines:
        if line.event == "skipped":
            what = line.fields["what"]
            exactly = [one for one in measured if one.identifier == what]
            yield from ((line, one) for one in exactly or [one for one in measured if one.method.name == what])


def _thresholds(result: EntryResult, measured: Measurements) -> Iterator[Finding]:
    for one in measured:
        if one.thresholds and not one.enforced:
            told = ", ".join(one.thresholds)
            text = f"{one.method.name}: its thresholds ({told}) are not enforced: give it enableViolations: true"
            yield _one(result, "vacuous", text, measurement=one.identifier)
        for text in _says_nothing(one):
            yield _one(result, "vacuous", f"{one.method.name}: {text}", measurement=one.identifier)


def _says_nothing(one: Measurement) -> Iterator[str]:
    """What the config asks for in a way in which CL2 never looks at it."""
    if one.misplaced:
        yield f"its thresholds ({', '.join(one.misplaced)}) stand at an action that does not read them"
    if one.compares_nothing:
        yield "enableViolations, but there is no threshold: nothing is compared"
    for switch, lacking in one.idle.items():
        what = "its thresholds say" if switch == ALWAYS else f"{switch} says"
        yield f"{what} nothing without {' and '.join(f'{name}: true' for name in lacking)}"
    if one.never_gathered and (one.gates or one.method.pods):
        yield "started, but never gathered"


def _pods(result: EntryResult, measured: Measurements) -> Iterator[Finding]:
    about = [one for one in measured if one.method.pods]
    if about and not result.pods:
        names = ", ".join(dict.fromkeys(one.method.name for one in about))
        yield _one(result, "vacuous", f"no pod was seen in its namespaces, though it measures pods ({names})")


def _waits(result: EntryResult) -> Iterator[Finding]:
    """Barriers that found nothing to wait for, and Jobs that failed: CL2 counts those as finished."""
    for line in result.lines:
        if line.event == "waited-for-none":
            yield _one(result, "vacuous", f"{line.fields['what']} found no object (is its selector right?)")
        if line.event == "jobs-finished" and int(line.fields["failed"]):
            failed, count = line.fields["failed"], line.fields["count"]
            yield _one(result, "error", f"{failed} of {count} Jobs failed; WaitForFinishedJobs calls them finished")


def _missing(result: EntryResult, measured: Measurements) -> Iterator[Finding]:
    """Summary files that are not there: CL2 loses one now and then, or overwrites one of the same name and second."""
    failed = _failed(result, measured)
    if result.cases is None:
        return
    wanted: dict[str, list[str]] = {}
    for one in measured:
        for name, known in one.summaries() if one.gates and one.identifier not in failed else ():
            if not (one.method.parts and name.template in GATES_NOTHING):
                wanted.setdefault(name.pattern(known).pattern, []).append(one.identifier)
    names = [summary.name for summary in result.summaries]
    for pattern, identifiers in wanted.items():
        found = sum(re.fullmatch(pattern, name) is not None for name in names)
        if found < len(identifiers):
            text = f"{found} of {len(identifiers)} summary files {_plain(pattern)} were written"
            yield _one(result, "vacuous", text, measurement=", ".join(dict.fromkeys(identifiers)))


def _failed(result: EntryResult, measured: Measurements) -> set[str]:
    """Identifiers whose measurement failed or was skipped: that is said already."""
    failed = {case.measurement for case in result.cases or () if case.failure is not None}
    return failed | {one.identifier for _, one in _skips(result, measured)}


def _plain(pattern: str) -> str:
    return pattern.replace("\\", "")


def _empty(result: EntryResult, measured: Measurements) -> Iterator[Finding]:
    """Summary files without numbers, or with zeros only."""
    failed = _failed(result, measured)
    for one in measured:
        if not one.gates or one.identifier in failed:
            continue
        for summary in _written(one, result.summaries):
            for text in _doubts(one, summary):
                yield _one(result, "vacuous", f"{summary.name}: {text}", measurement=one.identifier)


def _written(one: Measurement, found: Sequence[Summary]) -> Iterator[Summary]:
    patterns = [name.pattern(known) for name, known in one.summaries()]
    for summary in found:
        if any(pattern.fullmatch(summary.name) for pattern in patterns):
            yield summary


def _doubts(one: Measurement, summary: Summary) -> Iterator[str]:
    """Yield what speaks against the numbers of a summary."""
    if one.method.parts and summary.name in GATES_NOTHING:
        return
    yield from summary.problems
    if not summary.samples and not summary.problems:
        yield "it holds no number"
    told = {sample.stat for sample in summary.samples} | {sample.metric for sample in summary.samples}
    yield from (f"query {name!r} gave no number" for name in one.queries() if name not in told)
    if one.method.name == responsiveness.METHOD:
        yield from responsiveness.doubts(summary, one.params)
    if one.method.name not in MAY_BE_ZERO and not summary.name.startswith(SUBSETS) and _all_zero(summary):
        yield "all its numbers are 0, so it saw nothing (is its selector right?)"


def _all_zero(summary: Summary) -> bool:
    return bool(summary.samples) and not any(sample.value for sample in summary.samples)


def _nothing(result: EntryResult, measured: Measurements) -> Iterator[Finding]:
    if not any(one.can_fail for one in measured):
        yield _one(
            result, "vacuous", "the config has no measurement that can fail, and the scenario has no slos of its own"
        )


def _one(result: EntryResult, kind: FindingKind, text: str, *, step: str = "", measurement: str = "") -> Finding:
    return Finding(
        kind=kind, text=" ".join(text.split())[:LONGEST], entry=result.entry.name, step=step, measurement=measurement
    )
