"""`telescope doctor`: what this machine can run, what is missing, and the command that mends it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TextIO

from pytest_telescope.doctor.model import Check

__all__ = ["Check", "bench_choice", "checks", "run"]


def run(stream: TextIO) -> int:
    """Print every check and what `make bench` would run; return 1 if not even a simulated cluster can run, else 0."""
    found = checks()
    for line in lines(found):
        print(line, file=stream)
    lacking = [check.name for check in found if check.state == "missing"]
    if lacking:
        print(f"\nnothing can run before this is mended: {', '.join(lacking)}", file=stream)
        return 1
    scenario, why = bench_choice()
    print(f"\nmake bench runs the scenario {scenario}, because {why}", file=stream)
    return 0


def checks() -> list[Check]:
    """Return every check; only those of Python and its libraries if one of these fails."""
    from pytest_telescope.doctor import leases
    from pytest_telescope.doctor import machine
    from pytest_telescope.doctor import node
    from pytest_telescope.doctor import software

    basics = software.basics()
    if any(check.state == "missing" for check in basics):
        return basics  # the other checks need the dependencies themselves
    programs = software.checks()
    return [*basics, *programs, *machine.checks(unbuilt=software.unbuilt()), leases.leases(), *node.checks()]


def bench_choice() -> tuple[str, str]:
    """Return the scenario that `make bench` runs on this machine, and why."""
    from pytest_telescope.doctor.node import why_not

    reason = why_not()
    if reason is None:
        return "cri", "a real node (kubelet and containerd) is possible here"
    return "pod-startup", f"it needs simulated nodes only, and a real node is not possible here: {reason}"


def lines(checks: Iterable[Check]) -> Iterable[str]:
    """Yield the report, a line a check and one more for what mends it."""
    found = list(checks)
    width = max(len(check.name) for check in found)
    for check in found:
        yield f"{check.state:<7}  {check.name:<{width}}  {check.found}"
        if check.mend:
            yield f"{'':<7}  {'':<{width}}  mend: {check.mend}"
