"""The measured part: CL2's processes one after the other, their logs followed, their pods watched."""

from __future__ import annotations

import resource
import time
from collections import deque
from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import replace
from pathlib import Path

from pytest_telescope.cluster.model import Cluster
from pytest_telescope.cluster.progress import Line
from pytest_telescope.cluster.progress import counted
from pytest_telescope.load.api import FAILURES
from pytest_telescope.load.api import TABLE
from pytest_telescope.load.api import Api
from pytest_telescope.load.clusterloader2 import leftovers
from pytest_telescope.load.clusterloader2 import log
from pytest_telescope.load.clusterloader2 import process
from pytest_telescope.load.clusterloader2.command import Invocation
from pytest_telescope.load.clusterloader2.generated import Generated
from pytest_telescope.load.clusterloader2.model import Entry
from pytest_telescope.load.clusterloader2.pods import PATH
from pytest_telescope.load.clusterloader2.pods import Pods
from pytest_telescope.load.clusterloader2.results import EntryResult
from pytest_telescope.load.clusterloader2.results import read_reports
from pytest_telescope.load.model import Progress
from pytest_telescope.load.watcher import Watcher

LOG = "clusterloader2.log"
TELL = 1.0
PACE = 0.005
"""Seconds by which an event may be told late; half the first bucket of `telescope_pod_start_seconds`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One entry, ready to be started.

    Attributes:
        generated: its config as compiled.
        invocation: how it is started.
        folder: where its files go.
    """

    entry: Entry
    generated: Generated
    invocation: Invocation
    folder: Path


class Runner:
    """Runs entries; `pods`, `watcher` and `cpu` tell afterwards what our own side saw and cost."""

    def __init__(
        self,
        *,
        cluster: Cluster,
        progress: Progress,
        clock: Callable[[], float],
        environment: Mapping[str, str],
    ) -> None:
        self._progress, self._clock, self._environment = progress, clock, environment
        self._api = Api.from_kubeconfig(cluster.kubeconfig)
        self.pods = Pods()
        self.watcher = Watcher(self._api, PATH, self.pods, clock, pace=PACE)
        self._began = _own_cpu()
        self.cpu = 0.0

    def run_all(self, parts: Sequence[Part], *, timeout: float, extra: tuple[str, ...]) -> list[EntryResult]:
        """Run every entry, at most `timeout` seconds in all; one that is ended by the time-out ends the row.

        Raises:
            LoadError: the pods cannot be watched, or CL2 cannot be started.
        """
        self.pods.follow(part.invocation.prefix for part in parts)
        self.watcher.start()
        deadline = time.monotonic() + timeout
        results: list[EntryResult] = []
        for part in parts:
            if results:
                self._between(parts[: len(results)])
            results.append(self._run(part, max(deadline - time.monotonic(), 0.0), extra))
            if results[-1].ended.timed_out:
                break
        self._audit()
        return results

    def _audit(self) -> None:
        """Compare the watch with a list: first by names and states only, in full where that differs."""
        there: dict[str, str] = {}
        for namespace in self.pods.namespaces():
            there |= pod_states(self._api, namespace)
        if not self.pods or self.pods.lacks(there):
            self.watcher.audit()

    def stop(self) -> None:
        """End the watch."""
        self.watcher.stop()
        self._api.close()
        self.cpu = _own_cpu() - self._began

    def _between(self, done: Sequence[Part]) -> None:
        """Take the objects of the entries before away, so that they are no load on the next one."""
        self._progress("removing the objects of the entry before")
        leftovers.remove(self._api, None, [part.invocation.prefix for part in done], ())

    def _run(self, part: Part, timeout: float, extra: tuple[str, ...]) -> EntryResult:
        follower = Following(part.entry, part.generated, self._progress, self.pods, self._clock)
        known, began = len(self.pods), self._clock()
        invocation = replace(part.invocation, extra=extra)
        ended = process.run(
            invocation.command(),
            environment=self._environment,
            cwd=part.folder,
            log=part.folder / LOG,
            timeout=timeout,
            on_line=follower.take,
            on_tick=self._tick(follower),
        )
        follower.tell()
        result = self._result(part, ended, follower, pods=len(self.pods) - known)
        return replace(result, span=(began, self._clock()))

    def _tick(self, follower: Following) -> Callable[[], None]:
        def tick() -> None:
            self.watcher.check()
            follower.tell()

        return tick

    def _result(self, part: Part, ended: process.Ended, follower: Following, *, pods: int) -> EntryResult:
        stopped_in = follower.steps.running[1] if follower.steps.running else ""
        follower.steps.stop(self._clock())
        found, cases, no_junit = read_reports(part.invocation.reports, part.generated.name)
        return EntryResult(
            entry=part.entry,
            generated=part.generated,
            ended=ended,
            lines=tuple(follower.lines),
            steps=dict(follower.steps.windows),
            summaries=found,
            cases=cases,
            no_junit=no_junit,
            pods=pods,
            stopped_in=stopped_in,
            facts=follower.facts() | {"clients": part.invocation.clients},
        )


def pod_states(api: Api, namespace: str) -> dict[str, str]:
    """Return `namespace/name` -> what kubectl shows as STATUS; empty where the server does not say."""
    try:
        reply = api.request("GET", f"/api/v1/namespaces/{namespace}/pods?includeObject=None", accept=TABLE)
    except FAILURES:
        return {}
    document = reply.json()
    columns = [column.get("name") for column in document.get("columnDefinitions", ())]
    if not {"Name", "Status"} <= set(columns):
        return {}
    name, status = columns.index("Name"), columns.index("Status")
    return {f"{namespace}/{row['cells'][name]}": row["cells"][status] for row in document.get("rows", ())}


@dataclass(slots=True)
class _Throttled:
    count: int = 0
    longest: float = 0.0


class Following:
    """Takes in the log of one process while it runs: steps, what matters later, and lines for the terminal.

    `take` is called by the thread that reads the log, `tell` by the one that waits: only that one speaks.
    """

    def __init__(
        self, entry: Entry, compiled: Generated, progress: Progress, pods: Pods, clock: Callable[[], float]
    ) -> None:
        self._entry, self._compiled, self._progress, self._pods, self._clock = entry, compiled, progress, pods, clock
        self.steps = log.Steps()
        self.lines: list[log.Line] = []
        self._throttled = _Throttled()
        self._known = len(pods)
        self._ran = pods.running
        self._news: deque[Line] = deque()
        self._told = ("", 0.0)

    def take(self, text: str) -> None:
        """Take in one line."""
        line = log.parse_line(text, now=self._clock())
        if line is None:
            return
        self.steps.take(line)
        if line.event == "throttled":
            self._throttled.count += 1
            self._throttled.longest = max(self._throttled.longest, log.delay_seconds(line.fields["delay"]))
        elif line.event or line.level == "F":
            self.lines.append(line)
        if line.event == "step-started":
            self._news.append(self._text())

    def tell(self) -> None:
        """Say which steps began, and how the one under way goes on, at most once a second."""
        while self._news:
            self._say(self._news.popleft())
        if time.monotonic() - self._told[1] >= TELL and (text := self._text()) != self._told[0]:
            self._say(text)

    def _say(self, text: Line) -> None:
        self._told = (text, time.monotonic())
        self._progress(text)

    def _text(self) -> Line:
        head = "" if self._entry.name == "main" else f"{self._entry.name}: "
        if (running := self.steps.running) is None:
            return Line(f"{head}{'clusterloader2 ends' if self.steps.windows else 'clusterloader2 starts'}")
        number, name, _ = running
        made, ran = len(self._pods) - self._known, self._pods.running - self._ran
        pods = f": {ran} of {made} pods ran" if made else ""
        steps = len(self._compiled.steps)
        return counted(f"{head}step {number}/{steps} {name}{pods}", number - 1, steps, "steps", even=False)

    def facts(self) -> dict[str, float | int | str]:
        """Return what CL2's own client held back."""
        return {"throttled_requests": self._throttled.count, "throttled_longest": self._throttled.longest}


def _own_cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
