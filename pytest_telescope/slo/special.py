"""Built-in SLOs that no single query can say."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from pytest_telescope.metrics.model import Series
from pytest_telescope.metrics.model import Window
from pytest_telescope.slo import queries
from pytest_telescope.slo.desk import Desk
from pytest_telescope.slo.elements import WORST
from pytest_telescope.slo.elements import judge_value
from pytest_telescope.slo.guards import InvalidError
from pytest_telescope.slo.guards import guard
from pytest_telescope.slo.histogram_guards import PODS
from pytest_telescope.slo.model import Element
from pytest_telescope.slo.model import Slo
from pytest_telescope.slo.model import Verdict
from pytest_telescope.slo.text import humanly
from pytest_telescope.slo.text import short

OURS = 'namespace=~"telescope-.*", container="consumer"'
CPU_USED = "container_cpu_usage_seconds_total"
MEMORY_USED = "container_memory_working_set_bytes"
CPU_ASKED = "telescope_load_asked_cpu_cores"
MEMORY_ASKED = "telescope_load_asked_memory_bytes"

CHECK = "telescope_cl2_check"
CHECKED = {"pass": Verdict.PASS, "violation": Verdict.FAIL, "error": Verdict.ERROR, "vacuous": Verdict.INVALID}
MOST_TOLD = 4
"""Findings of ClusterLoader2 that one line tells; all of them are elements of the judgement."""

MOST_PODS = 0.95
"""Share of the held pods that cAdvisor must have seen twice."""
LINGER = 30.0
"""Seconds after which a cAdvisor sample is of a container that is gone."""

Found = tuple[list[Element], str]


def pods_complete(slo: Slo, desk: Desk, _: Window, __: Mapping[str, int]) -> Found:
    """Judge the load's own account: pods that failed or never ran, with their reasons."""
    asked = f"sum by (state, reason) (last_over_time({PODS}[{desk.span.range}]))"
    states = [one for one in desk.ask(asked).series if one.labels.get("state") != "created"]
    if not states:
        raise InvalidError(desk.no_data(PODS, PODS))
    desk.notes["coverage"] = "written by the harness after the load"
    lost = [one for one in states if one.labels.get("state") != "running"]
    total, missing = sum(one.value for one in states), sum(one.value for one in lost)
    if total <= 0:
        raise InvalidError("the load made no pod")
    element = replace(judge_value(slo, (), missing), count=total)
    if not missing:
        return [element], f"{slo.id}: all {short(total)} pods ran"
    return [element], f"{slo.id}: {short(missing)} of {short(total)} pods did not run: {_reasons(lost)}"


def engine_thresholds(slo: Slo, desk: Desk, _: Window, __: Mapping[str, int]) -> Found:
    """Judge what became of every step of ClusterLoader2: violations FAIL, errors ERROR, empty greens INVALID."""
    checks = desk.ask(f"last_over_time({CHECK}[{desk.span.range}])").series
    if not checks:
        raise InvalidError(desk.no_data(CHECK, CHECK))
    desk.notes["coverage"] = "written by the harness after the load"
    elements = [_checked(one) for one in checks]
    bad = [one for one in elements if one.verdict is not Verdict.PASS]
    passed = len(elements) - len(bad)
    if not bad:
        return elements, f"{slo.id}: {passed} steps and measurements passed"
    mixed = len({one.verdict for one in bad}) > 1
    bad.sort(key=lambda one: WORST.index(one.verdict))
    told = [(f"{one.verdict} " if mixed else "") + _place(one) + one.message for one in bad]
    more = f"; and {len(told) - MOST_TOLD} more" if len(told) > MOST_TOLD else ""
    return elements, f"{slo.id}: {'; '.join(told[:MOST_TOLD])}{more} ({passed} passed)"


def _checked(one: Series) -> Element:
    verdict = CHECKED.get(one.labels.get("verdict", ""), Verdict.ERROR)
    labels = {name: one.labels[name] for name in ("entry", "step", "measurement") if one.labels.get(name)}
    value = 0.0 if verdict is Verdict.PASS else 1.0
    return Element(labels=labels, verdict=verdict, value=value, count=1.0, message=one.labels.get("text", ""))


def _place(one: Element) -> str:
    named = [one.labels[name] for name in ("step", "measurement") if name in one.labels]
    return f"{' / '.join(named)}: " if named else ""


def consumed_as_asked(slo: Slo, desk: Desk, window: Window, targets: Mapping[str, int]) -> Found:
    """Compare the CPU that cAdvisor saw our pods use in every hold with what they were told to use."""
    asked = _one(desk, f"max(max_over_time({CPU_ASKED}[{desk.span.range}]))", CPU_ASKED)
    holds = {name: _second_half(*when) for name, when in window.steps.items() if name.startswith("hold")}
    if asked <= 0:
        raise InvalidError("the load asked for no CPU: there is nothing to compare")
    if not holds:
        raise InvalidError("the load has no hold step, in which its use is steady")
    guard(slo, desk, [queries.selector(CPU_USED, OURS)], targets)
    ran = desk.ask(f'sum(last_over_time({PODS}{{state="running"}}[{desk.span.range}]))').series
    waves = sum(name.startswith("wave") for name in window.steps) or len(holds)
    held = ran[0].value / waves if ran else 0.0
    used = {name: _cpu(desk, name, when, held) for name, when in holds.items()}
    elements = [_deviation(slo, name, cores, asked) for name, cores in used.items()]
    name, cores = max(used.items(), key=lambda step: abs(step[1] / asked - 1))
    desk.notes["memory"] = _memory(desk, holds[name])
    off = f"{humanly(abs(cores / asked - 1), 'ratio')} off, bound {humanly(slo.bound.values[0], 'ratio')}"
    return elements, f"{slo.id}: {short(cores)} cores used of {short(asked)} asked in {name} ({off})"


def _second_half(start: float, end: float) -> tuple[float, float]:
    """Return the steady part of a hold: consume-cpu keeps its average since its start, so it first catches up."""
    return (start + end) / 2, end


JUDGES: Mapping[str, Callable[[Slo, Desk, Window, Mapping[str, int]], Found]] = {
    "pods-complete": pods_complete,
    "engine-thresholds": engine_thresholds,
    "consumed-as-asked": consumed_as_asked,
}


def _reasons(lost: list[Series]) -> str:
    ranked = sorted((one for one in lost if one.value), key=lambda one: -one.value)
    return ", ".join(
        " ".join((_word(one.labels.get("state", "")), one.labels.get("reason") or "without a reason", short(one.value)))
        for one in ranked
    )


def _word(state: str) -> str:
    return state.replace("_", " ")


def _deviation(slo: Slo, step: str, cores: float, asked: float) -> Element:
    return replace(judge_value(slo, (), abs(cores / asked - 1)), labels={"step": step})


def _cpu(desk: Desk, step: str, when: tuple[float, float], held: float) -> float:
    """Return the cores that our pods used in a step, from raw samples; fewer pods than were held are a problem."""
    selected = queries.selector(CPU_USED, OURS)
    pods = desk.samples(f"{selected}[{desk.span.with_baseline}]")
    cores = [slope for pod in pods if (slope := steady_rate(pod.values, *when)) is not None]
    if not cores:
        raise InvalidError(f"{selected} has no two samples around the {when[1] - when[0]:.1f} s of {step}")
    desk.notes[f"pods in {step}"] = f"{len(cores)} measured of {held:.0f} held"
    if len(cores) < MOST_PODS * held:
        desk.problem(f"cAdvisor covers {len(cores)} of {held:.0f} pods in {step}: hold longer than its 10 to 15 s")
    return sum(cores)


def steady_rate(values: Sequence[tuple[float, float]], start: float, end: float) -> float | None:
    """Return a counter's mean rate between `start` and `end`, from neighbouring samples; nothing is extrapolated.

    cAdvisor reads each container every 10 to 15 s and stamps its own time. Pairs of samples inside the interval are
    used where there are any; else those that reach into it, weighted by how far, which a start or an end of the use
    near the interval's edges makes smaller. None where no pair touches the interval.
    """
    pairs = [pair for pair in pairwise(values) if pair[1][1] >= pair[0][1] and _overlap(pair, start, end) > 0]
    inside = [pair for pair in pairs if pair[0][0] >= start and pair[1][0] <= end] or pairs
    seconds = sum(_overlap(pair, start, end) for pair in inside)
    return sum(_slope(pair) * _overlap(pair, start, end) for pair in inside) / seconds if inside else None


_Pair = tuple[tuple[float, float], tuple[float, float]]


def _overlap(pair: _Pair, start: float, end: float) -> float:
    return min(pair[1][0], end) - max(pair[0][0], start)


def _slope(pair: _Pair) -> float:
    (earlier, low), (later, high) = pair
    return (high - low) / (later - earlier)


def _memory(desk: Desk, step: tuple[float, float]) -> str:
    # cAdvisor stamps its own time, so containers that are gone linger for five minutes without a stale marker
    selected = f"{MEMORY_USED}{{{OURS}}}"
    used = desk.ask(f"sum({selected} and timestamp({selected}) > {step[1] - LINGER:.3f})", at=step[1]).series
    asked = desk.ask(f"max(max_over_time({MEMORY_ASKED}[{desk.span.range}]))").series
    if not used or not asked:
        return "not recorded"
    return f"{humanly(used[0].value, 'B')} working set of {humanly(asked[0].value, 'B')} asked"


def _one(desk: Desk, promql: str, metric: str) -> float:
    found = desk.ask(promql).series
    if not found:
        raise InvalidError(desk.no_data(metric, promql))
    return found[0].value
