"""What one process of CL2 left behind, read and put together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from pathlib import Path

from pytest_telescope.errors import LoadError
from pytest_telescope.load.clusterloader2 import junit
from pytest_telescope.load.clusterloader2 import summaries
from pytest_telescope.load.clusterloader2.generated import Generated
from pytest_telescope.load.clusterloader2.log import Line
from pytest_telescope.load.clusterloader2.model import Case
from pytest_telescope.load.clusterloader2.model import Entry
from pytest_telescope.load.clusterloader2.model import Summary
from pytest_telescope.load.clusterloader2.process import Ended


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryResult:
    """One entry's outcome.

    Attributes:
        cases: of junit.xml; None where there is none that can be read, and `no_junit` says why.
        lines: those of its log that mean something (see log.yaml), and those of level F.
        steps: step id -> (start, end), unix seconds.
        span: when its process began and ended, unix seconds.
        pods: how many pods our watch saw in its namespaces.
        stopped_in: id of the step under way when it ended, empty if none was.
    """

    entry: Entry
    generated: Generated
    ended: Ended
    lines: tuple[Line, ...]
    steps: Mapping[str, tuple[float, float]]
    span: tuple[float, float] = (0.0, 0.0)
    summaries: tuple[Summary, ...] = ()
    cases: tuple[Case, ...] | None = None
    no_junit: str = ""
    pods: int = 0
    stopped_in: str = ""
    facts: Mapping[str, float | int | str] = field(default_factory=dict)


def read_reports(reports: Path, config: str) -> tuple[tuple[Summary, ...], tuple[Case, ...] | None, str]:
    """Return the summaries, the cases of junit.xml or None, and why there are none."""
    found: tuple[Summary, ...] = ()
    try:
        found = summaries.read(reports, {config})
        return found, junit.read(reports / "junit.xml"), ""
    except LoadError as error:
        return found, None, str(error)
