"""A cell's life: provision, load, judge, destroy. No pytest here; `scenarios/test_scenarios.py` calls it."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import field
from typing import TYPE_CHECKING

from pytest_telescope.errors import LeakError
from pytest_telescope.errors import TelescopeError

if TYPE_CHECKING:
    from pytest_telescope.cluster.model import Cluster
    from pytest_telescope.cluster.model import Lease
    from pytest_telescope.cluster.model import Provider
    from pytest_telescope.load.model import Engine
    from pytest_telescope.load.model import LoadResult
    from pytest_telescope.report.folder import CellFolder
    from pytest_telescope.slo.judge import Judge
    from pytest_telescope.slo.model import Judgement
    from pytest_telescope.slo.planned import Planned

Say = Callable[[str, str, str], None]
"""Told (cell, stage, what happened)."""


class IncompleteError(Exception):
    """The load was measured, but not all of what was asked happened: the item is a FAIL, the SLOs are still judged."""


class NotReachedError(Exception):
    """An earlier stage failed, so this one has nothing to work on: a skip, not a failure of its own."""


@dataclass(slots=True, kw_only=True)
class ClusterHandle:
    """One cluster and the cells that use it; the cluster is made by the first `up` and gone after the last `down`."""

    provider: Provider
    run: str
    users: list[str]
    keep: bool = False
    lease: Lease | None = None
    cluster: Cluster | None = None
    error: str | None = None
    finished: bool = False
    """The destroy ran to its end, well or not; it is not tried again by an item."""

    def up(self, planned: Planned) -> Cluster:
        """Return the ready cluster, made on first use.

        Raises:
            ProvisionError: it did not come up; every later call says so too.
        """
        if self.cluster is None:
            self._make(planned)
        assert self.cluster is not None
        return self.cluster

    def _make(self, planned: Planned) -> None:
        from pytest_telescope.cluster import ledger

        if self.error is not None:
            raise NotReachedError(f"not provisioned: {self.error}")
        spec = planned.cell.cluster
        self.provider.preflight(spec)
        try:
            self.lease = ledger.open_lease(provider=self.provider.name, cell=planned.cluster, run=self.run, spec=spec)
            self.cluster = self.provider.provision(spec, self.lease)
        except TelescopeError as error:
            self.error = str(error).partition("\n")[0]
            raise

    def down(self) -> None:
        """Destroy the cluster and strike the lease out when nothing is left.

        Raises:
            DestroyError: the destroy failed; the lease stays open.
            LeakError: something is left; the lease stays open.
        """
        from pytest_telescope.cluster import ledger

        if self.lease is None or self.finished:
            return
        self.finished = True
        self.provider.destroy(self.lease)
        if left := self.provider.leftovers(self.lease):
            raise LeakError(f"{len(left)} left of lease {self.lease.id}: " + "; ".join(map(str, left)))
        ledger.close(self.lease)
        self.lease = None


@dataclass(slots=True, kw_only=True)
class CellRun:
    """One cell on its way through the stages.

    Attributes:
        folder: the cell's published folder; everything that must outlive the process is written there.
        records: where judgements go: the same folder, or a replay's own.
        red: whether any item of the cell was red, so that diagnostics are worth collecting.
        doing: what the stage under way said last; it stays when the stage is interrupted.
    """

    planned: Planned
    handle: ClusterHandle
    folder: CellFolder
    records: CellFolder
    say: Say
    fingerprint: Callable[[Planned, dict[str, object]], dict[str, object]]
    engine: Engine
    red: bool = False
    doing: str = ""
    result: LoadResult | None = None
    load_error: str | None = None
    checked: bool = False
    cleaned: bool = False
    diagnosed: bool = False
    judgements: dict[str, Judgement] = field(default_factory=dict)
    _judge: Judge | None = None
    _open: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)

    @property
    def id(self) -> str:
        """The cell's id."""
        return self.planned.cell.id

    @contextlib.contextmanager
    def _stage(self, name: str) -> Iterator[None]:
        started = time.time()
        self.note(name, "started")
        self.doing, outcome = "", "interrupted"
        try:
            yield
            outcome = "done"
        except NotReachedError as error:
            outcome = f"skipped: {error}"
            raise
        except Exception as error:
            self.red, outcome = True, f"failed: {error}"
            raise
        finally:
            if outcome == "interrupted" and self.doing:
                outcome = f"interrupted in: {self.doing}"
            self.folder.append(
                "status.jsonl", {"stage": name, "started": started, "ended": time.time(), "outcome": outcome}
            )
            self.say(self.id, name, f"{outcome.partition(chr(10))[0]} after {time.time() - started:.1f} s")

    def note(self, stage: str, text: str) -> None:
        """Tell the person in front of the terminal what is going on."""
        self.doing = text
        self.say(self.id, stage, text)

    def provision(self) -> None:
        """Bring the cluster up and write down what it is."""
        with self._stage("provision"):
            if self.handle.error is None:
                self.check()
            cluster = self.handle.up(self.planned)
            facts = dict(cluster.facts)
            self.folder.write(
                "cell.json",
                self.fingerprint(
                    self.planned, {**facts, "nodes": list(cluster.nodes), "targets": dict(cluster.targets)}
                ),
            )

    def load(self) -> None:
        """Put the load on, record its window and everything the judge needs.

        Raises:
            LoadError: there is no window to judge.
        IncompleteError: not all of what was asked happened; the window can be judged.
        """
        cluster = self._cluster()
        with self._stage("load"):
            try:
                self.result = self._measured(cluster)
            except TelescopeError as error:
                self.load_error = str(error).partition("\n")[0]
                raise
            if self.result.message:
                self.note("load", self.result.message)
            if self.result.outcome != "complete":
                raise IncompleteError(f"the load is {self.result.outcome}: {self.result.message}")

    def check(self) -> None:
        """Find out, once, whether the load can run at all on the cluster that would be made.

        Raises:
            UsageError, ToolError: it cannot; nothing was built.
        """
        if self.checked or self.planned.skip is not None:
            return
        for line in self.planned.notes:
            self.note("check", line)
        capabilities = self.handle.provider.capabilities_of(self.planned.cell.cluster)
        self.engine.check(self.planned.cell, capabilities)
        self.checked = True

    def _cluster(self) -> Cluster:
        if self.handle.cluster is None:
            raise NotReachedError(f"not provisioned: {self.handle.error or 'test_provision did not run'}")
        return self.handle.cluster

    def _measured(self, cluster: Cluster) -> LoadResult:
        from pytest_telescope.measuring import measure

        cell = self.planned.cell
        return measure(
            engine=self.engine,
            cluster=cluster,
            cell=cell,
            load_folder=self.folder.sub("load"),
            recording_folder=self.folder.path / "recording",
            progress=lambda text: self.note("load", text),
        )

    def judge(self, slo_id: str) -> Judgement:
        """Judge one SLO over the recording; the Prometheus that answers serves all SLOs of the cell."""
        if self._judge is None:
            self._judge = self._open.enter_context(self._judging())
        judgement = self._judge(slo_id)
        self.red = self.red or judgement.verdict in {"FAIL", "INVALID", "ERROR"}
        self.judgements[slo_id] = judgement
        self.records.append("judgements.jsonl", judgement_record(judgement))
        return judgement

    def _judging(self) -> contextlib.AbstractContextManager[Judge]:
        from pytest_telescope.measuring import judging

        if self.load_error is not None:
            raise NotReachedError(f"nothing was measured: {self.load_error}")
        if not (self.folder.path / "recording" / "recording.json").exists():
            raise NotReachedError("nothing was measured: test_load did not come to an end")
        return judging(self.planned, self.folder)

    def close(self) -> None:
        """Stop the Prometheus that answers."""
        self._judge = None
        self._open.close()

    def destroy(self) -> None:
        """Clean the load up, then destroy the cluster after its last cell.

        Raises:
            DestroyError, LeakError: see `ClusterHandle.down`.
        """
        if self.handle.lease is None:
            raise NotReachedError("nothing was built")
        with self._stage("destroy"):
            self.close()
            self.diagnose()
            left = self._clean()
            self.handle.users = [user for user in self.handle.users if user != self.id]
            if not self.handle.users and not self.handle.keep:
                self.handle.down()
            if left:
                raise LeakError("the load left " + "; ".join(left))
        if self.handle.keep:
            raise NotReachedError(f"kept as asked: `telescope reap --run {self.handle.run}` destroys it")

    def diagnose(self) -> None:
        """Collect what explains a red cell before its cluster is gone."""
        from pytest_telescope.cluster.diagnostics import collect
        from pytest_telescope.cluster.diagnostics import collect_logs

        if not self.red or self.diagnosed:
            return
        self.diagnosed = True
        self.note("destroy", "collecting events, pods and logs, since the cell is red")
        if self.handle.cluster is not None:
            collect(self.handle.cluster, self.folder.sub("logs"))
        elif self.handle.lease is not None:
            collect_logs(self.handle.lease, self.folder.sub("logs"))

    def _clean(self) -> list[str]:
        """Delete the load's objects where the cluster lives on; a cluster about to be destroyed takes them along."""
        others = [user for user in self.handle.users if user != self.id]
        if self.handle.cluster is None or self.cleaned or not (others or self.planned.cell.provider != "local"):
            return []
        self.cleaned = True
        return [str(left) for left in self.engine.clean(self.handle.cluster, self.planned.cell)]


def judgement_record(judgement: Judgement) -> dict[str, object]:
    """Return a judgement as plain JSON data."""
    from dataclasses import asdict

    return asdict(judgement)
