"""What the names of test cases in CL2's junit.xml say; pure.

`<test> overall (<config>)` comes first, then `<test>: [step: NN] <step>` for a step of phases, or
`<test>: [step: NN] <step> [MM] - <identifier>` for each measurement call of a step. All names may hold anything, so
the neighbours tell where one ends.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from collections.abc import Sequence
from typing import NamedTuple

_OVERALL = " overall ("
_STEP = re.compile(r"\[step: ([0-9]{2,})\] (.*)", re.DOTALL)


class Place(NamedTuple):
    """Where a test case belongs; number 0 for the whole test."""

    step: str = ""
    number: int = 0
    measurement: str = ""


class _Step(NamedTuple):
    number: int
    rest: str


def places(names: Sequence[str]) -> list[Place]:
    """Return the place of each test case, by all names in the order of the file.

    A step with one case whose name holds ` [00] - ` twice is cut at the last.

    Raises:
        ValueError: a name is not one of CL2.
    """
    found: list[Place] = []
    group: list[_Step] = []
    for step in _steps(names):
        if group and (step is None or step.number != group[0].number):
            found += _group(group)
            group = []
        if step is None:
            found.append(Place())
        else:
            group.append(step)
    return [*found, *_group(group)]


def _steps(names: Sequence[str]) -> Iterator[_Step | None]:
    """Yield number and rest of each step, None for each whole test."""
    test: str | None = None
    for name, after in zip(names, [*names[1:], ""], strict=True):
        step = _step(name, test) if test is not None else None
        if step is None:
            test = _test(name, after)
        yield step


def _step(name: str, test: str) -> _Step | None:
    match = _STEP.fullmatch(name, len(test) + 2) if name.startswith(f"{test}: ") else None
    return _Step(int(match[1]), match[2]) if match else None


def _test(name: str, after: str) -> str:
    """Return the name of a test by its `overall` case and the case after that."""
    tests = [name[: found.start()] for found in re.finditer(re.escape(_OVERALL), name)]
    if not tests or not name.endswith(")"):
        raise ValueError(f"test case {name[:200]!r} is neither a test nor a step of the test before it")
    return next((test for test in reversed(tests) if _step(after, test)), tests[-1])


def _group(steps: Sequence[_Step]) -> list[Place]:
    """Return the places of all cases of one step."""
    if not steps:
        return []
    name = _common(steps)
    if name is None:
        return [Place(step.rest, step.number) for step in steps]
    skipped = [len(f"{name} [{index:02d}] - ") for index in range(len(steps))]
    return [Place(name, step.number, step.rest[cut:]) for step, cut in zip(steps, skipped, strict=True)]


def _common(steps: Sequence[_Step]) -> str | None:
    """Return the step's name by what all of its cases have before their numbers, None if they have none."""
    for cut in reversed([found.start() for found in re.finditer(re.escape(" [00] - "), steps[0].rest)]):
        name = steps[0].rest[:cut]
        if all(step.rest.startswith(f"{name} [{index:02d}] - ") for index, step in enumerate(steps)):
            return name
    return None
