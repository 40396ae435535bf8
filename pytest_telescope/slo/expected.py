"""What an SLO expects to see, and whether it was seen."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from collections.abc import Mapping

from pytest_telescope.metrics.model import Window
from pytest_telescope.slo import queries
from pytest_telescope.slo.desk import Desk
from pytest_telescope.slo.elements import unseen
from pytest_telescope.slo.model import Element
from pytest_telescope.slo.model import Slo
from pytest_telescope.slo.model import Verdict


def look_at_expected(slo: Slo, desk: Desk, facts: Mapping[str, object], elements: Iterable[Element]) -> None:
    """Values of `expect` without an element, or that nothing is known of, are problems."""
    wanted = {label: _wanted(value, facts) for label, value in slo.expect.items()}
    for label, values in wanted.items():
        if not values:
            desk.problem(f"expect: nothing is known that {label} should be ({slo.expect[label]})")
    merged = (Element(labels=one, verdict=Verdict.PASS, value=None) for one in desk.merged)
    if missing := unseen(wanted, [*elements, *merged]):
        desk.problem(f"no observations of {', '.join(missing)}, which is expected")


def _wanted(value: object, facts: Mapping[str, object]) -> tuple[str, ...]:
    if isinstance(value, str) and value.startswith("${") and value.endswith("}"):
        value = facts.get(value[2:-1])
    return queries.names(value)


def no_step(slo: Slo, window: Window) -> str:
    """Say that the load had no such step, and which it had."""
    near = difflib.get_close_matches(slo.during, window.steps, 1)
    hint = f"; did you mean {near[0]}?" if near else ""
    return f"{slo.id}: the load had no step {slo.during!r}: it had {', '.join(window.steps) or 'none'}{hint}"
