"""The fixtures of `scenarios/test_scenarios.py`, and the state of a session behind them."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import field
from typing import TYPE_CHECKING

import pytest

from pytest_telescope.errors import TelescopeError
from pytest_telescope.report.folder import CellFolder

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Iterable
    from pathlib import Path
    from typing import TypeVar

    from pytest_telescope.lifecycle import CellRun
    from pytest_telescope.lifecycle import ClusterHandle
    from pytest_telescope.options import Choice
    from pytest_telescope.report.folder import RunFolder
    from pytest_telescope.report.live import Follower
    from pytest_telescope.report.live import Live
    from pytest_telescope.sharing import Sharing
    from pytest_telescope.slo.model import Judgement
    from pytest_telescope.slo.planned import Planned

    T = TypeVar("T")


@dataclass(slots=True, kw_only=True)
class Session:
    """Everything one pytest process knows about the benchmark it runs."""

    choice: Choice
    plans: dict[str, Planned]
    folder: RunFolder
    live: Live
    keep: bool = False
    only_plan: bool = False
    replay: str | None = None
    """Where a replay writes, relative to the run folder; None for a live run."""
    allow_exec: bool = False
    maxfail: int = 0
    red: int = 0
    handles: dict[str, ClusterHandle] = field(default_factory=dict)
    runs: dict[str, CellRun] = field(default_factory=dict)
    selected: list[str] = field(default_factory=list)
    """Cells with at least one selected item."""
    reasons: list[str] = field(default_factory=list)
    """Why the run is red beyond its items."""
    follower: Follower | None = None

    @property
    def records_root(self) -> Path:
        """Where junit.xml, results.jsonl and verdict.json of this session go."""
        return self.folder.path / self.replay if self.replay else self.folder.publish

    def records_of(self, cell: str) -> CellFolder:
        """Return where this session writes what it finds out about a cell."""
        return CellFolder(self.records_root / "cells" / cell)

    def select(self, nodeids: Iterable[str]) -> None:
        """Take the cells of these items as the selected ones: all that a controller of pytest-xdist gets to know."""
        from pytest_telescope import scheduling

        found = {cell for node in nodeids for cell in scheduling.prefixes(node.partition("[")[2].rstrip("]"))}
        self.selected = [cell for cell in self.plans if cell in found]

    def follower_stop(self) -> None:
        """Stop following the workers' live lines."""
        if self.follower is not None:
            self.follower.stop()

    def say(self, cell: str, stage: str, text: str) -> None:
        """Tell what goes on with a cell's cluster: where the cell is under way it is a note of it."""
        run = self.runs.get(cell)
        if run is None:
            self.live.say(cell, stage, text)
        else:
            run.note(stage, text)

    def run_of(self, cell: str) -> CellRun:
        """Return the life of a cell, begun on first use."""
        if cell not in self.runs:
            self.runs[cell] = self._begin(self.plans[cell])
        return self.runs[cell]

    def _begin(self, planned: Planned) -> CellRun:
        from pytest_telescope.lifecycle import CellRun
        from pytest_telescope.load.engines import engine
        from pytest_telescope.report.fingerprint import cell_document

        return CellRun(
            engine=engine(planned.cell.engine, allow_exec=self.allow_exec),
            planned=planned,
            handle=self._handle(planned),
            folder=self.folder.cell(planned.cell.id),
            records=self.records_of(planned.cell.id),
            say=self.live.say,
            fingerprint=cell_document,
        )

    def _handle(self, planned: Planned) -> ClusterHandle:
        from pytest_telescope.cluster.providers import source
        from pytest_telescope.lifecycle import ClusterHandle

        if planned.cluster not in self.handles:
            users = [cell for cell in self.selected if self.plans[cell].cluster == planned.cluster]
            self.handles[planned.cluster] = ClusterHandle(
                provider=source(planned.cell.provider, self.choice.attach),
                run=self.folder.run_id,
                users=users,
                keep=self.keep,
                cells=tuple(self.plans[user].cell for user in users),
                say=self.say,
                sharing=self._sharing(planned),
            )
        return self.handles[planned.cluster]

    def _sharing(self, planned: Planned) -> Sharing:
        """Return who used the cluster before: nobody, unless the run is attached to one that was there."""
        from pytest_telescope.sharing import Sharing

        if self.choice.attach is None:
            return Sharing()
        return Sharing(existed=True, served=self.selected[: self.selected.index(planned.cell.id)])


SESSION = pytest.StashKey[Session]()


@dataclass(frozen=True, slots=True, repr=False)
class CellHandle:
    """What an item sees of its cell: the same stages, with every error turned into a red outcome or a skip."""

    run: CellRun

    def __repr__(self) -> str:
        """Return a short text: pytest asks for it at every red item, and a cell with all its plans is megabytes."""
        return f"<cell {self.run.id}>"

    def provision(self) -> None:
        """Bring the cluster up."""
        outcome(self.run.provision)

    def load(self) -> None:
        """Put the load on and record it."""
        outcome(self.run.load)

    def judge(self, slo: str) -> Judgement:
        """Judge one SLO."""
        return outcome(lambda: self.run.judge(slo))

    def destroy(self) -> None:
        """Clean up and destroy."""
        outcome(self.run.destroy)


def outcome(work: Callable[[], T]) -> T:
    """Run `work`; a known error becomes a red ERROR, a stage that was not reached a skip."""
    __tracebackhide__ = True
    from pytest_telescope.lifecycle import IncompleteError
    from pytest_telescope.lifecycle import NotReachedError
    from pytest_telescope.report.verdicts import Errored
    from pytest_telescope.report.verdicts import Failed

    try:
        return work()
    except NotReachedError as error:
        pytest.skip(str(error))
    except IncompleteError as error:
        raise Failed(str(error)) from error
    except TelescopeError as error:
        first, _, rest = str(error).partition("\n")
        raise Errored(first, rest) from error


def assert_passed(judgement: Judgement) -> None:
    """Raise the red outcome of a judgement that is not green.

    Raises:
        Failed, Invalid, Errored: by verdict; a `warn` or `info` SLO that FAILs is a warning only.
    """
    __tracebackhide__ = True
    from pytest_telescope.report.verdicts import RED
    from pytest_telescope.report.verdicts import details
    from pytest_telescope.slo.model import Verdict

    if judgement.verdict is Verdict.SKIP:
        pytest.skip(judgement.message)
    if judgement.verdict is Verdict.FAIL and judgement.level != "gate":
        import warnings

        warnings.warn(f"{judgement.level}: FAIL {judgement.message}", stacklevel=2)
    elif judgement.verdict is not Verdict.PASS:
        raise RED[judgement.verdict](judgement.message, details(judgement))


@pytest.fixture
def cell(request: pytest.FixtureRequest) -> CellHandle:
    """The cell of this item."""
    session = request.config.stash[SESSION]
    return CellHandle(session.run_of(request.param))
