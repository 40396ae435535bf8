"""How a verdict becomes the outcome of a pytest item.

FAIL is an AssertionError (Allure: failed); INVALID and ERROR are not (Allure: broken). All three are JUnit failures
whose message begins with the verdict.
"""

from __future__ import annotations

from collections.abc import Mapping

from pytest_telescope.slo.model import Judgement
from pytest_telescope.slo.model import Verdict


class VerdictError(Exception):
    """A red outcome; `str()` is its one line, `details` what a person needs to act on it."""

    verdict = Verdict.ERROR

    def __init__(self, message: str, details: str = "") -> None:
        super().__init__(message)
        self.details = details

    @property
    def line(self) -> str:
        """The message with the verdict in front, as JUnit shows it."""
        return f"{self.verdict} {self}"


class Failed(VerdictError, AssertionError):
    """The bound is violated."""

    verdict = Verdict.FAIL


class Invalid(VerdictError):
    """There are too few or no data to judge by."""

    verdict = Verdict.INVALID


class Errored(VerdictError):
    """It could not be done or asked."""

    verdict = Verdict.ERROR


RED: dict[Verdict, type[VerdictError]] = {Verdict.FAIL: Failed, Verdict.INVALID: Invalid, Verdict.ERROR: Errored}


def details(judgement: Judgement) -> str:
    """Return the lines under a red SLO's message: elements, guards, what to look at, queries ready to paste."""
    lines = [f"worst of {len(judgement.elements)} judged:" if len(judgement.elements) > 1 else "judged:"]
    lines += [f"  {e.verdict} {_labels(e.labels)} {e.message}".rstrip() for e in judgement.elements[:5]]
    if not judgement.elements:
        lines = []
    lines += [f"guard {name}: {finding}" for name, finding in judgement.guards.items()]
    if judgement.look_at:
        lines.append(f"look at: {judgement.look_at}")
    if judgement.queries:
        lines.append(f"queries at time {judgement.time}:" if judgement.time else "queries:")
        lines += [f"  {query}" for query in judgement.queries]
    return "\n".join(lines)


def _labels(labels: Mapping[str, str]) -> str:
    return ", ".join(f"{name}={value}" for name, value in labels.items())
