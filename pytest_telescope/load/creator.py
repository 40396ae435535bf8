"""Creates pods at a steady rate from a few threads, and accounts for every refusal."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Callable
from collections.abc import Sequence

from pytest_telescope.load.api import FAILURES
from pytest_telescope.load.api import Api
from pytest_telescope.load.api import Reply
from pytest_telescope.load.manifests import Template
from pytest_telescope.load.reasons import refusal_reason
from pytest_telescope.load.tracker import Pod
from pytest_telescope.load.tracker import Tracker

TRIES = 5
BACKOFF = 0.2
BACKOFF_MOST = 5.0
THREADS = 24
"""Enough for 300 creates/s at 80 ms an answer; more would only queue in the API server."""
NOT_CREATED = "NotCreated"


class Creator:
    """Creates the pods of one wave.

    Args:
        rate: pods a second; the i-th is sent no earlier than i / rate after the first.
        deadline: on `clock`; what was not sent by then is given up as `NotCreated`.
    """

    def __init__(
        self,
        api: Api,
        path: str,
        tracker: Tracker,
        template: Template,
        pods: Sequence[Pod],
        *,
        rate: float,
        deadline: float,
        clock: Callable[[], float],
    ) -> None:
        self._api, self._path, self._tracker, self._template, self._pods = api, path, tracker, template, pods
        self._rate, self._deadline, self._clock = rate, deadline, clock
        self._next = iter(range(len(pods)))
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._started = 0.0
        self._threads: list[threading.Thread] = []
        self.unanswered = 0
        self.retries = 0

    def start(self) -> None:
        """Begin; returns at once."""
        self._started = self._clock()
        for number in range(min(THREADS, len(self._pods))):
            thread = threading.Thread(target=self._work, name=f"telescope-create-{number}", daemon=True)
            self._threads.append(thread)
            thread.start()

    def stop(self) -> None:
        """Send no more and wait for what is under way."""
        self._stop.set()
        for thread in self._threads:
            thread.join(timeout=75)

    @property
    def done(self) -> bool:
        """Whether every pod was sent or given up."""
        return not any(thread.is_alive() for thread in self._threads)

    def _work(self) -> None:
        while not self._stop.is_set():
            with self._lock:
                index = next(self._next, None)
            if index is None:
                return
            self._wait_until(self._started + index / self._rate)
            self._create(self._pods[index])

    def _wait_until(self, due: float) -> None:
        left = min(due, self._deadline) - self._clock()
        if left > 0:
            self._stop.wait(left)

    def _create(self, pod: Pod) -> None:
        now = self._clock()
        if self._stop.is_set() or now >= self._deadline:
            pod.created = now
            self._tracker.refused(pod, (NOT_CREATED, "not sent before the wave's time was over"))
            return
        body = self._template.render(pod.name)
        pod.created = self._clock()
        why = ("NoAnswer", "")
        for attempt in range(TRIES):
            try:
                reply = self._api.request("POST", self._path, body)
            except FAILURES as error:
                why, wait = ("NoAnswer", f"{type(error).__name__}: {error}"), None
            else:
                if reply.status < http.client.BAD_REQUEST or (attempt and reply.status == http.client.CONFLICT):
                    self._tracker.accepted(pod, self._clock())
                    return
                why, wait = refusal_reason(reply.status, reply.json()), reply.retry_after
                if not _worth_another(reply):
                    break
            if attempt + 1 == TRIES or not self._pause(attempt, wait):
                break
        if why[0] == "NoAnswer":
            self.unanswered += 1
        self._tracker.refused(pod, why)

    def _pause(self, attempt: int, asked: float | None) -> bool:
        """Wait before another try; False when there is no time left for one."""
        wait = min(asked if asked is not None else BACKOFF * 2**attempt, BACKOFF_MOST)
        if self._clock() + wait >= self._deadline:
            return False
        self.retries += 1
        return not self._stop.wait(wait)


def _worth_another(reply: Reply) -> bool:
    return reply.status == http.client.TOO_MANY_REQUESTS or reply.status >= http.client.INTERNAL_SERVER_ERROR


def anchored_clock() -> Callable[[], float]:
    """Return unix seconds that never step: the wall clock now, carried on by the monotonic one."""
    offset = time.time() - time.monotonic()
    return lambda: time.monotonic() + offset
