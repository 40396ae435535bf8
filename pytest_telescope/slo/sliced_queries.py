"""The PromQL of a window in slices: asked once as a range query, each step the end of one slice."""

from __future__ import annotations

from collections.abc import Iterable

from pytest_telescope.slo.model import Slices
from pytest_telescope.slo.queries import Span
from pytest_telescope.slo.queries import by_labels
from pytest_telescope.slo.queries import known_at

MOST_GAP = 0.5
"""Share of a slice's length that may lie between two scrapes of a target: what it counts is told to half a slice."""


def millis(seconds: float) -> int:
    """Return whole milliseconds, as PromQL counts."""
    return round(seconds * 1000)


def ends(slices: Slices, span: Span) -> tuple[int, ...]:
    """Return the end of every slice, unix milliseconds; none where the window is shorter than one.

    They stand `step` apart from `length` after the window's start on, so none looks before it; the last one ends with
    the window, whatever the step, so that nothing goes unjudged.
    """
    first, step = span.start_ms + millis(slices.length), millis(slices.step)
    if first > span.end_ms:
        return ()
    grid = range(first, span.end_ms + 1, step)
    return tuple(grid) if grid[-1] == span.end_ms else (*grid, span.end_ms)


def delta(selected: str, by: Iterable[str], slices: Slices) -> str:
    """What a counter counted in each slice, exact: value at its end minus the last value known at its start."""
    length = millis(slices.length)
    last = f"last_over_time({selected}[{length}ms])"
    return f"sum{by_labels(by)} ({last} - ({known_at(selected, f'offset {length}ms')} or {last} * 0))"


def resets(selected: str, seconds: float) -> str:
    """Targets with the number of resets in steps of about `seconds`, to find when one happened."""
    return f"max by (job, instance) (resets({selected}[{millis(2.5 * seconds)}ms])) > 0"
