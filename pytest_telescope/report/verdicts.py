"""How a verdict becomes the outcome of a pytest item.

FAIL is an AssertionError (Allure: failed); INVALID and ERROR are not (Allure: broken). All three are JUnit failures
whose message begins with the verdict.
"""

from __future__ import annotations

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
    """Return the lines under an SLO's verdict: how much, where, whether to believe it, what to look at, queries."""
    from pytest_telescope.report.failure_text import laid_out
    from pytest_telescope.report.failure_text import sections

    return laid_out(sections(judgement))
