"""Running trials: each world served by the pinned Prometheus, each judgement held against what is expected."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterable
from collections.abc import Iterator
from pathlib import Path

from pytest_telescope.metrics.model import Recording
from pytest_telescope.metrics.model import Window
from pytest_telescope.metrics.recording import backfill
from pytest_telescope.scenario.units import read_quantity
from pytest_telescope.slo.judge import judge_all
from pytest_telescope.slo.model import Judgement
from pytest_telescope.slo.text import humanly
from pytest_telescope.slo.trials.model import Expected
from pytest_telescope.slo.trials.reading import Plan
from pytest_telescope.slo.trials.world import BEGIN
from pytest_telescope.slo.trials.world import openmetrics

CLOSE = 0.005
"""How far, relatively, a value may be from the expected one: three digits."""
Finding = tuple[str, str, str]
"""Trial, SLO, and what is wrong; empty where nothing is."""


def run(plans: Iterable[Plan]) -> Iterator[Finding]:
    """Judge every SLO of every trial and yield what came of each.

    Raises:
        MetricsError: Prometheus cannot read or serve the series.
        ToolError: Prometheus or promtool cannot be had.
    """
    for plan in plans:
        for judgement in _judged(plan):
            yield plan.name, judgement.slo, _against(plan.trial.expect[judgement.slo], judgement)


def _judged(plan: Plan) -> list[Judgement]:
    trial = plan.trial
    steps = {name: (BEGIN + start, BEGIN + end) for name, (start, end) in trial.steps.items()}
    window = Window(start=BEGIN + trial.window[0], end=BEGIN + trial.window[1], steps=steps)
    facts = {"kubernetes_version": trial.kubernetes, **trial.facts} if trial.kubernetes else dict(trial.facts)
    with tempfile.TemporaryDirectory(prefix="telescope-trial-") as scratch:
        folder = Path(scratch, "recording")
        folder.mkdir()
        backfill(openmetrics(trial), folder)
        recording = Recording(
            path=folder, window=window, scrape_interval=trial.interval, clock_offset=0.0, prometheus_version="unknown"
        )
        targets = {job: len(instances) for job, instances in trial.targets.items()}
        return judge_all(plan.slos, recording, facts, targets)


def _against(expected: Expected, found: Judgement) -> str:
    wrong = []
    if found.verdict != expected.verdict:
        wrong.append(f"expected {expected.verdict}, found {found.verdict}")
    if expected.value is not None and not _is_value(expected.value, found):
        shown = humanly(found.value, found.unit) if found.value is not None else "none"
        wrong.append(f"expected the value {expected.value}, found {shown}")
    if expected.count is not None and expected.count != found.count:
        wrong.append(f"expected {expected.count:g} samples, found {found.count}")
    if expected.says is not None and expected.says not in found.message:
        wrong.append(f"expected the words {expected.says!r}")
    return f"{'; '.join(wrong)} ({found.message})" if wrong else ""


def _is_value(expected: object, found: Judgement) -> bool:
    if found.value is None:
        return False
    parts = expected if isinstance(expected, list | tuple) else [expected]
    values = [read_quantity(part)[0] for part in parts]
    if len(values) == 2:
        return values[0] <= found.value <= values[1]
    return math.isclose(found.value, values[0], rel_tol=CLOSE, abs_tol=1e-12)
