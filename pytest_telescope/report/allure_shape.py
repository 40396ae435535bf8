"""What one item shows in an Allure report, as plain data: no Allure, no pytest, no files."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
from dataclasses import replace
from typing import Literal

Kind = Literal["text", "json", "yaml", "csv", "svg"]
Status = Literal["passed", "failed", "broken", "skipped"]

MOST_STEPS = 200
"""Steps below one step; a config of ClusterLoader2 may have thousands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attached:
    """One attachment."""

    name: str
    kind: Kind
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Something that was done or asked within an item; times in unix seconds, None where nobody took them."""

    name: str
    start: float | None = None
    stop: float | None = None
    status: Status = "passed"
    message: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)
    steps: tuple[Step, ...] = ()
    attached: tuple[Attached, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What is added to an item: parameters are observed values and never part of its identity."""

    steps: tuple[Step, ...] = ()
    attached: tuple[Attached, ...] = ()
    parameters: Mapping[str, str] = field(default_factory=dict)


def timeline(start: float, stop: float, marks: Sequence[tuple[float, str]]) -> tuple[Step, ...]:
    """Return steps one after the other: each lasts from its mark to the next one, the last to `stop`.

    Marks (unix seconds, name) are put in order and kept within the stage; the same name again goes on with its step.
    """
    found: list[Step] = []
    for when, name in sorted((min(max(when, start), stop), name) for when, name in marks):
        if found and found[-1].name == name:
            continue
        if found:
            found[-1] = replace(found[-1], stop=when)
        found.append(Step(name=name, start=when, stop=stop))
    return limited(found)


def limited(steps: Sequence[Step]) -> tuple[Step, ...]:
    """Return the first steps, and one that counts the others."""
    if len(steps) <= MOST_STEPS:
        return tuple(steps)
    left = len(steps) - MOST_STEPS
    return (*steps[:MOST_STEPS], Step(name=f"and {left} more, left out here"))


def ended(steps: Sequence[Step], outcome: str) -> tuple[Step, ...]:
    """Return the steps of a stage with the last one marked where the stage did not come to its end."""
    if not steps or outcome == "done" or outcome.startswith("skipped"):
        return tuple(steps)
    return (*steps[:-1], replace(steps[-1], status="broken", message=outcome))


def walk(steps: Sequence[Step]) -> Iterator[Step]:
    """Yield all steps, also those below others."""
    for step in steps:
        yield step
        yield from walk(step.steps)
