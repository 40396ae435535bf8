"""The measured part of a resource-consumer load: waves of pods, held, drained."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from threading import Event
from urllib.parse import quote

from pytest_telescope.cluster.progress import Line
from pytest_telescope.cluster.progress import counted
from pytest_telescope.errors import LoadError
from pytest_telescope.load.api import FAILURES
from pytest_telescope.load.api import Api
from pytest_telescope.load.creator import Creator
from pytest_telescope.load.manifests import WAVE
from pytest_telescope.load.manifests import pod_template
from pytest_telescope.load.model import Progress
from pytest_telescope.load.namespaces import delete_pods
from pytest_telescope.load.namespaces import pods_path
from pytest_telescope.load.nodes import Toleration
from pytest_telescope.load.sizing import Sizing
from pytest_telescope.load.store import SAMPLE
from pytest_telescope.load.tracker import Tracker
from pytest_telescope.load.tracker import Wave
from pytest_telescope.load.watcher import Watcher
from pytest_telescope.scenario.model import ResourceConsumerSpec

TICK = 0.25
"""Seconds between two looks at what a wait cannot see by itself; the awaited event ends it at once."""
TELL = 1.0
MARGIN = 600.0
"""Seconds that a pod goes on consuming after its wave should be over."""


class Waves:
    """Runs the waves of one load; what happened is in `tracker`, `steps` and `watcher` afterwards.

    Args:
        clock: unix seconds that never step.
    """

    def __init__(
        self,
        *,
        api: Api,
        namespace: str,
        spec: ResourceConsumerSpec,
        sizing: Sizing,
        tolerations: tuple[Toleration, ...],
        folder: Path,
        progress: Progress,
        clock: Callable[[], float],
    ) -> None:
        self._api, self._spec, self._sizing, self._tolerations = api, spec, sizing, tolerations
        self.namespace, self._folder, self._progress, self._clock = namespace, folder, progress, clock
        self.tracker = Tracker()
        self.watcher = Watcher(api, pods_path(namespace), self.tracker, clock)
        self.steps: dict[str, tuple[float, float]] = {}
        self.creators: list[Creator] = []
        self.undrained = 0
        self._create_seconds = 0.0

    def run(self) -> None:
        """Run all waves; whatever ends it, no thread of it goes on.

        Raises:
            LoadError: the pods cannot be listed, or no create call was answered.
        """
        try:
            self.watcher.start()
            for number in range(1, self._spec.waves + 1):
                wave = self._wave(number)
                self._hold(wave)
                if number < self._spec.waves:
                    self._drain(wave)
        finally:
            for creator in self.creators:
                creator.stop()
            self.watcher.stop()

    def _wave(self, number: int) -> Wave:
        spec, start = self._spec, self._clock()
        names = [f"rc-{number}-{index:05d}" for index in range(spec.pods)]
        wave = self.tracker.add(number, names)
        template = pod_template(
            self._sizing,
            wave=number,
            seconds=spec.timeout + spec.hold_of(number) + MARGIN,
            selector=spec.selector,
            tolerations=self._tolerations,
        )
        if number == 1:
            (self._folder / SAMPLE).write_bytes(template.render(names[0]) + b"\n")
        creator = Creator(
            self._api,
            f"/api/v1/namespaces/{self.namespace}/pods",
            self.tracker,
            template,
            wave.pods,
            rate=spec.rate,
            deadline=start + spec.timeout,
            clock=self._clock,
        )
        self.creators.append(creator)
        creator.start()
        told = f"wave {number}/{spec.waves}"
        self._await(
            wave.settled,
            start + spec.timeout,
            lambda: counted(
                f"{told}: {wave.running} of {spec.pods} pods running"
                + (f", {wave.failed} failed" if wave.failed else ""),
                wave.running + wave.failed,
                spec.pods,
                "pods",
            ),
        )
        creator.stop()
        if creator.unanswered == len(wave.pods):
            raise LoadError(f"the API server answered none of {len(wave.pods)} create calls: {wave.pods[0].why}")
        sent = [pod.created for pod in wave.pods if pod.created is not None]
        self._create_seconds += max(sent) - min(sent)
        # settled by the watch, the wave ends at its last event; else the truth is asked once more, and it ends now
        if wave.settled.is_set():
            end = max(pod.running or pod.created or start for pod in wave.pods)
        else:
            self.watcher.audit()
            self.tracker.give_up(wave)
            end = self._clock()
        self.steps[f"wave-{number}"] = (start, end)
        return wave

    @property
    def achieved_rate(self) -> float:
        """Pods created a second, over all waves."""
        intervals = len(self.tracker.pods) - len(self.creators)
        return round(intervals / self._create_seconds, 3) if self._create_seconds else 0.0

    def _hold(self, wave: Wave) -> None:
        start = self._clock()
        if seconds := self._spec.hold_of(wave.number):
            self._await(Event(), start + seconds, lambda: self._held(wave, start, seconds))
            self.steps[f"hold-{wave.number}"] = (start, self._clock())
        self.watcher.audit()

    def _held(self, wave: Wave, start: float, seconds: float) -> Line:
        done = min(self._clock() - start, seconds)
        return counted(f"holding {wave.running} pods of wave {wave.number}", done, seconds, "s")

    def _drain(self, wave: Wave) -> None:
        start = self._clock()
        deadline = start + self._spec.timeout
        self.tracker.drain(wave)
        path = pods_path(self.namespace) + quote(f",{WAVE}={wave.number}")
        while not wave.empty.is_set() and self._clock() < deadline:
            try:
                delete_pods(self._api, path, grace=None)
            except (*FAILURES, LoadError) as error:
                self._progress(f"wave {wave.number}: deleting pods: {error}")
            # a pod whose create was under way when the wave was given up may have come after the first delete
            self._await(wave.empty, min(deadline, self._clock() + 30), lambda: self._to_go(wave))
        self.undrained += wave.left
        self.steps[f"drain-{wave.number}"] = (start, self._clock())

    def _to_go(self, wave: Wave) -> Line:
        gone = len(wave.pods) - wave.left
        return counted(f"wave {wave.number}: {wave.left} to go", gone, len(wave.pods), "pods")

    def _await(self, event: Event, deadline: float, line: Callable[[], str]) -> None:
        """Wait for `event` until `deadline`, looking after the watch and telling what changed."""
        told, last = float("-inf"), ""
        while True:
            left = deadline - self._clock()
            reached = event.wait(min(TICK, max(left, 0.0)))
            now = time.monotonic()
            if (now - told >= TELL or reached) and (text := line()) != last:
                self._progress(text)
                told, last = now, text
            if reached or left <= 0:
                return
            self.watcher.check()
