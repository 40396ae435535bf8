"""Our own watch of our pods: started before the first create, resumed when it ends, never trusted blindly."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from typing import Protocol

from pytest_telescope.errors import LoadError
from pytest_telescope.load.api import FAILURES
from pytest_telescope.load.api import Api
from pytest_telescope.load.api import Stream
from pytest_telescope.load.tracker import Object

GAP = 0.2
"""Seconds without a watch from which on start-up times are marked as upper bounds."""
CATCH_UP = 0.5
"""Seconds after a resumption in which events may be old; and that an event may be on its way after a list."""
UNSEEN = 2.0
QUIET = 5.0
QUIET_MOST = 40.0
BACKOFF = 0.05
BACKOFF_MOST = 1.0
GONE = 410
OK = 200


class Expired(Exception):
    """The watch cannot go on from the version it was at."""


@dataclass(frozen=True, slots=True)
class Gap:
    """An interval in which transitions could not be seen when they happened."""

    start: float
    end: float
    cause: str


class Observer(Protocol):
    """What is told of pods: it keeps those that it knows or cares for."""

    last_event: float

    def observe(self, kind: str, item: Object, when: float, *, late: bool = False) -> None:
        """Take in one watch event or, with kind `LIST`, one pod of a list."""

    def relist(self, items: Iterable[Object], when: float, *, late: bool) -> None:
        """Take in a whole list: what it does not hold is gone."""

    def behind(self, items: Sequence[Object]) -> int:
        """Return how many pods a list shows further on than the watch has told."""

    def unseen_since(self) -> float | None:
        """Return since when a pod is known that the watch has not shown, or None."""

    def awaiting(self) -> bool:
        """Say whether any event is due, so that a quiet watch is suspicious."""

    def glance(self, line: bytes, when: float, *, late: bool) -> str | None:
        """Take in one raw watch event without parsing all of it; return its resource version, None to parse it."""


class Watcher:
    """Feeds an observer with the pods of one namespace, or of all, until it is stopped.

    Args:
        api: the API server.
        pods: path of the pod list with a query, e.g. `/api/v1/namespaces/x/pods?labelSelector=y`.
        tracker: told of every event.
        clock: unix seconds that never step.
        pace: seconds by which an event may be told late, so that a burst is read in few pieces.
    """

    def __init__(
        self, api: Api, pods: str, tracker: Observer, clock: Callable[[], float], *, pace: float = 0.0
    ) -> None:
        self._pace = pace
        self._api, self._pods, self._tracker, self._clock = api, pods, tracker, clock
        self._stop = threading.Event()
        self._relist = threading.Event()
        self._stream: Stream | None = None
        self._thread = threading.Thread(target=self._run, name="telescope-watch", daemon=True)
        self._version = ""
        self._alive = 0.0
        self._late_until = 0.0
        self._checked = 0.0
        self._patience = QUIET
        self._events_at_check = 0.0
        self.restarts = 0
        self.relists = 0
        self.gaps: list[Gap] = []
        self.error = ""

    def start(self) -> None:
        """List once and watch from there on.

        Raises:
            LoadError: the pods cannot be listed.
        """
        self._version = self._list()[1]
        self._alive = self._checked = self._clock()
        self._thread.start()

    def stop(self) -> None:
        """End the watch and its thread, if it was ever started."""
        self._stop.set()
        self._interrupt()
        if self._thread.ident is not None:
            self._thread.join(timeout=10)

    def check(self) -> None:
        """Ask for the truth when the watch is suspiciously quiet; to be called now and then while something is due."""
        now, unseen = self._clock(), self._tracker.unseen_since()
        if self._tracker.last_event > self._events_at_check:
            self._events_at_check, self._patience = self._tracker.last_event, QUIET
        overdue = unseen is not None and now - unseen > UNSEEN and now - self._checked > UNSEEN
        quiet = now - max(self._tracker.last_event, self._checked) > self._patience
        if overdue or (quiet and self._tracker.awaiting()):
            self.audit()
            self._checked, self._patience = self._clock(), min(self._patience * 2, QUIET_MOST)

    def audit(self) -> bool:
        """Compare the watch with a list; if it is behind, list again and resume. Returns whether it was right."""
        try:
            items = self._list()[0]
        except LoadError as error:
            self.error = str(error)
            return False
        if self._caught_up(items):
            return True
        self._relist.set()
        self._interrupt()
        deadline = time.monotonic() + 10
        while self._relist.is_set() and time.monotonic() < deadline and not self._stop.is_set():
            time.sleep(0.01)
        return False

    def _caught_up(self, items: Sequence[Object]) -> bool:
        for _ in range(int(CATCH_UP / 0.05) + 1):
            if not self._tracker.behind(items):
                return True
            time.sleep(0.05)
        return False

    def _interrupt(self) -> None:
        if (stream := self._stream) is not None:
            stream.stop()

    def _list(self) -> tuple[list[dict[str, Any]], str]:
        pages = list(self._api.pages(self._pods))
        self._version_listed = pages[0]["metadata"]["resourceVersion"]
        return [item for page in pages for item in page["items"]], self._version_listed

    def _run(self) -> None:
        wait, expired, cause = BACKOFF, False, ""
        while not self._stop.is_set():
            try:
                if expired or self._relist.is_set():
                    self._resume_from_list(cause)
                    expired = False
                cause = self._follow(cause)
                wait = BACKOFF
            except Expired as error:
                expired, cause = True, str(error)
            except (*FAILURES, LoadError, ValueError) as error:
                if self._stop.is_set() or self._relist.is_set():
                    cause = "the watch had stalled"
                    continue
                cause = self.error = f"{type(error).__name__}: {error}"
                self._stop.wait(wait)
                wait = min(wait * 2, BACKOFF_MOST)
            self.restarts += 1

    def _resume_from_list(self, cause: str) -> None:
        items, version = self._list()
        now = self._clock()
        late = self._note_gap(now, cause or "the watch had stalled")
        self._tracker.relist(items, now, late=late)
        self._version, self._alive = version, now
        self.relists += 1
        self._relist.clear()

    def _note_gap(self, now: float, cause: str) -> bool:
        if now - self._alive <= GAP:
            return False
        self.gaps.append(Gap(self._alive, now, cause))
        return True

    def _follow(self, cause: str) -> str:
        """Read one stream to its end; returns why it ended."""
        query = f"&watch=1&allowWatchBookmarks=true&resourceVersion={self._version}"
        with contextlib.closing(self._api.stream(self._pods + query)) as stream:
            if stream.status != OK:
                self._raise(stream.status, stream.body())
            self._stream = stream
            now = self._clock()
            self._late_until = now + CATCH_UP if cause and self._note_gap(now, cause) else 0.0
            self._alive = now
            try:
                self._read(stream)
            finally:
                self._stream = None
        self._alive = self._clock() if not self._relist.is_set() else self._alive
        return "the server ended the watch"

    def _read(self, stream: Stream) -> None:
        rest = b""
        for chunk in self._until_told(stream):
            self._alive = now = self._clock()
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                if line:
                    self._line(line, now)

    def _until_told(self, stream: Stream) -> Iterator[bytes]:
        """Yield chunks until told to stop or to list; told before the stream was known, nobody could end it."""
        chunks = stream.chunks(self._pace)
        while not (self._stop.is_set() or self._relist.is_set()):
            if (chunk := next(chunks, None)) is None:
                return
            yield chunk

    def _line(self, line: bytes, now: float) -> None:
        version = self._tracker.glance(line, now, late=now < self._late_until)
        if version is None:
            self._event(json.loads(line), now)
        else:
            self._version = version

    def _event(self, event: dict[str, Any], now: float) -> None:
        item = event["object"]
        if event["type"] == "ERROR":
            self._raise(int(item.get("code", 0)), json.dumps(item).encode())
        self._version = item["metadata"]["resourceVersion"]
        if event["type"] != "BOOKMARK":
            self._tracker.observe(event["type"], item, now, late=now < self._late_until)

    def _raise(self, status: int, body: bytes) -> None:
        text = body[:300].decode(errors="replace")
        if status == GONE:
            raise Expired(f"the watch expired: {text}")
        raise LoadError(f"the watch was refused: HTTP {status} {text}")
