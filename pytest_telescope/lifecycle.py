"""A cell's life: provision, load, judge, destroy. No pytest here; `scenarios/test_scenarios.py` calls it."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from pytest_telescope.alarm import OutOfBudgetError
from pytest_telescope.cluster.progress import Line
from pytest_telescope.cluster.progress import Progress
from pytest_telescope.errors import LeakError
from pytest_telescope.errors import LoadError
from pytest_telescope.errors import TelescopeError
from pytest_telescope.sharing import Sharing

if TYPE_CHECKING:
    from pytest_telescope.cluster.model import Cluster
    from pytest_telescope.cluster.model import Lease
    from pytest_telescope.cluster.model import Provider
    from pytest_telescope.cluster.renewing import Renewer
    from pytest_telescope.load.model import Engine
    from pytest_telescope.load.model import LoadResult
    from pytest_telescope.paying import Paying
    from pytest_telescope.report.folder import CellFolder
    from pytest_telescope.report.progress_notes import Notes
    from pytest_telescope.scenario.model import Cell
    from pytest_telescope.slo.judge import Judge
    from pytest_telescope.slo.model import Judgement
    from pytest_telescope.slo.planned import Planned

KEPT = 5
"""Elements of a judgement that stay in memory, the worst; judgements.jsonl has them all."""
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
    cells: tuple[Cell, ...] = ()
    """All cells of the cluster, in their order."""
    say: Say = lambda _cell, _stage, _text: None
    paying: Paying | None = None
    renewer: Renewer | None = None
    sharing: Sharing = field(default_factory=Sharing)

    def up(self, planned: Planned) -> Cluster:
        """Return the ready cluster, made on first use.

        Raises:
            ProvisionError: it did not come up; every later call says so too.
        """
        if self.cluster is None:
            self._make(planned)
        assert self.cluster is not None
        self.sharing.use(planned.cell.id)
        return self.cluster

    def _make(self, planned: Planned) -> None:
        if self.error is not None:
            raise NotReachedError(f"not provisioned: {self.error}")
        try:
            self._begin(planned)
        except TelescopeError as error:
            self.error = str(error).partition("\n")[0]
            raise

    def _begin(self, planned: Planned) -> None:
        """Ask, write down, then make."""
        from pytest_telescope.cluster import ledger
        from pytest_telescope.cluster.renewing import Renewer
        from pytest_telescope.paying import paying

        spec, cells = planned.cell.cluster, self.cells or (planned.cell,)
        say = partial(self.say, planned.cell.id)
        self.provider.say = partial(say, "provision")
        self.paying = paying(self.provider, cells, self.provider.say)
        self.provider.preflight(spec)
        lasting = self.provider.lasting([cell.load for cell in cells])
        self.lease = ledger.open_lease(self.provider.name, planned.cluster, self.run, spec, lasting=lasting)
        self.renewer = Renewer(self.provider, self.lease, partial(say, "renew"))
        self.renewer.start()
        cluster = self.provider.provision(spec, self.lease)
        self._note(cluster, self.lease)
        self.cluster = cluster

    def _note(self, cluster: Cluster, lease: Lease) -> None:
        """Write down what a kept cluster is for a later `--attach`, and a shared one for the proof between its rows."""
        from pytest_telescope.cluster import kept

        if self.keep:
            kept.remember(cluster, lease)
        if len(self.users) > 1:
            self.sharing.begin(cluster, lease, self.provider.say)

    def ending(self) -> contextlib.AbstractContextManager[None]:
        """Return what ends a load whose budget is used up but for the teardown."""
        if self.paying is None or self.lease is None:
            return contextlib.nullcontext()
        return self.paying.ending(self.lease)

    def price(self) -> dict[str, object]:
        """Return what is known of the money, flat; {} where nothing is paid."""
        return self.paying.record(self.lease) if self.paying is not None and self.lease is not None else {}

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
        self.provider.say = partial(self.say, self.lease.cell, "destroy")
        try:
            self.provider.destroy(self.lease)
            if left := self.provider.leftovers(self.lease):
                raise LeakError(f"{len(left)} left of lease {self.lease.id}: " + "; ".join(map(str, left)))
        finally:
            if self.renewer is not None:
                self.renewer.stop()
        ledger.close(self.lease)
        self.lease = None

    def give_up(self) -> None:
        """Part with a dirty cluster, so that the next cell gets a fresh one; it is destroyed, unless all are kept.

        Raises:
            DestroyError, LeakError: see `down`; then no later cell gets a cluster, and the lease stays open.
        """
        self.cluster, self.sharing = None, Sharing()
        self.error = "the cluster was dirty, and its destroy failed"
        if not self.keep:
            self.down()
        self.lease, self.error, self.finished = None, None, False


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
    asked: int = 0
    """SLOs that will be judged, counted once."""
    judged: int = 0
    judgements: dict[str, Judgement] = field(default_factory=dict)
    """SLO -> judgement of the item under way alone: judgements.jsonl has them all."""
    notes: Notes = field(init=False)
    _judge: Judge | None = None
    _open: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)

    def __post_init__(self) -> None:
        """Have a place for what the cell says."""
        from pytest_telescope.report.progress_notes import Notes

        self.notes = Notes(self.folder)

    @property
    def id(self) -> str:
        """The cell's id."""
        return self.planned.cell.id

    @contextlib.contextmanager
    def _stage(self, name: str) -> Iterator[None]:
        started = time.time()
        self.note(name, Line("started", mark="begin"))
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
            first = outcome.partition("\n")[0]
            self._tell(name, Line(f"{first} after {time.time() - started:.1f} s", mark="end"))

    def note(self, stage: str, text: str) -> None:
        """Tell the person in front of the terminal, and notes.jsonl, what is going on."""
        self.doing = str(text)
        self._tell(stage, text)

    def _tell(self, stage: str, text: str) -> None:
        self.notes.take(stage, text)
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
                )
                | self.handle.sharing.record(self.id),
            )
            self._write_price()

    def _write_price(self) -> None:
        if price := self.handle.price():
            self.folder.write("cost.json", price)

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
            except OutOfBudgetError as error:
                self.load_error = str(error)
                raise LoadError(f"the load was ended: {error}") from error
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

        with self.handle.ending():
            return measure(
                engine=self.engine,
                cluster=cluster,
                cell=self.planned.cell,
                load_folder=self.folder.sub("load"),
                recording_folder=self.folder.path / "recording",
                slos=self.planned.slos,
                progress=lambda text: self.note("load", text),
            )

    def judge(self, slo_id: str) -> Judgement:
        """Judge one SLO over the recording; the Prometheus that answers serves all SLOs of the cell."""
        self.asked = self.asked or sum(slo.skip is None for slo in self.planned.slos)
        count = Progress(done=self.judged, total=self.asked, unit="SLOs")
        self.say(self.id, "slo", Line(f"judging {slo_id}", count, mark="brief"))
        if self._judge is None:
            self._judge = self._open.enter_context(self._judging())
        judgement = self._judge(slo_id)
        self.red = self.red or judgement.verdict in {"FAIL", "INVALID", "ERROR"}
        self.judged += 1
        self.judgements = {slo_id: replace(judgement, elements=judgement.elements[:KEPT], signals=())}
        self.records.append("judgements.jsonl", judgement_record(judgement))
        self._draw(judgement, self._judge.recording.window.steps)
        return judgement

    def _draw(self, judgement: Judgement, steps: Mapping[str, tuple[float, float]]) -> None:
        """Write the picture of a judgement that has lines over the window; a picture never costs a verdict."""
        from pytest_telescope.report.attachments import picture_file
        from pytest_telescope.report.picture import picture

        with contextlib.suppress(ArithmeticError, ValueError):
            if judgement.traces and (drawn := picture(judgement, steps)):
                self.records.sub("pictures")
                picture_file(self.records, judgement.slo).write_text(drawn, encoding="utf-8")

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
        if self.handle.finished:
            raise NotReachedError("the destroy of the cluster failed before; it is tried again at the end of the run")
        with self._stage("destroy"):
            self.close()
            self.diagnose()
            self._write_price()
            left = self._clean()
            self.handle.users = [user for user in self.handle.users if user != self.id]
            self.handle.sharing.busy = None
            if self.handle.users:
                left = self._handed_on(left)
            elif not self.handle.keep:
                self.handle.down()
            if left:
                raise LeakError("leak: the load left " + "; ".join(left))
        if self.handle.keep:
            raise NotReachedError(f"kept as asked: `telescope reap --run {self.handle.run}` destroys it")

    def _handed_on(self, left: list[str]) -> list[str]:
        """Return `left` and how else the cluster is not as it was before its first row; a dirty one is given up."""
        cluster, lease = self.handle.cluster, self.handle.lease
        if cluster is None or lease is None:
            return left
        self.note("destroy", "comparing the cluster with what it was before its first row")
        if not (dirt := [*left, *self.handle.sharing.dirt(cluster, lease)]):
            return []
        self.note("destroy", f"the cluster is dirty, so the next row gets a fresh one: {'; '.join(dirt)}")
        try:
            self.handle.give_up()
        except TelescopeError as error:
            dirt.append(f"the dirty cluster is not gone: {error}")
        return dirt

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
        if self.handle.cluster is None or self.cleaned or not (others or self.handle.provider.name != "local"):
            return []
        self.cleaned = True
        return [str(left) for left in self.engine.clean(self.handle.cluster, self.planned.cell)]


def judgement_record(judgement: Judgement) -> dict[str, object]:
    """Return a judgement as plain JSON data."""
    from dataclasses import asdict

    return asdict(judgement)
