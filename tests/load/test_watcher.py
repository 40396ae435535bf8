"""The watch ends, stalls and expires; every pod is seen all the same."""

from __future__ import annotations

import time
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
from contextlib import contextmanager
from typing import Any

import pytest

from pytest_telescope.errors import LoadError
from pytest_telescope.load.accounting import start_of
from pytest_telescope.load.api import Api
from pytest_telescope.load.tracker import Tracker
from pytest_telescope.load.tracker import Wave
from pytest_telescope.load.watcher import Watcher
from tests.load.objects import pod
from tests.load.scripted import Script
from tests.load.scripted import serving

PATH = "/api/v1/namespaces/x/pods?labelSelector=a%3Db"
EXPIRED = {"type": "ERROR", "object": {"kind": "Status", "code": 410, "message": "too old resource version"}}


def event(name: str, phase: str = "Running", version: int = 101, kind: str = "MODIFIED") -> dict[str, Any]:
    item = pod(name, "n", status={"phase": phase})
    item["metadata"]["resourceVersion"] = str(version)
    return {"type": kind, "object": item}


@contextmanager
def watching(script: Script, names: Sequence[str]) -> Iterator[tuple[Watcher, Wave]]:
    tracker = Tracker()
    wave = tracker.add(1, names)
    with serving(script) as credentials:
        api = Api(credentials)
        watcher = Watcher(api, PATH, tracker, time.time)
        watcher.start()
        try:
            yield watcher, wave
        finally:
            watcher.stop()
            api.close()


def eventually(condition: Callable[[], object], seconds: float = 5.0) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def test_a_watch_that_ends_is_resumed_where_it_was() -> None:
    script = Script([[event("a", version=105)], [event("b", version=106), None]])

    with watching(script, ["a", "b"]) as (watcher, wave):
        assert wave.settled.wait(5)

    assert "resourceVersion=100" in script.asked[1]
    assert "resourceVersion=105" in script.asked[2]
    assert (watcher.restarts, watcher.relists, watcher.gaps) == (1, 0, [])
    assert not any(start_of(each, 0).upper_bound for each in wave.pods)


def test_an_expired_watch_lists_again() -> None:
    script = Script([[event("a"), EXPIRED], [None]])
    script.pods = [event("a")["object"], event("b")["object"]]

    with watching(script, ["a", "b"]) as (watcher, wave):
        assert wave.settled.wait(5)

    assert watcher.relists == 1


def test_pods_first_seen_after_a_gap_are_marked_as_upper_bounds() -> None:
    script = Script([[event("a", version=105), 0.2], [event("b", version=106), None]])

    with watching(script, ["a", "b"]) as (watcher, wave):
        assert eventually(lambda: wave.running == 1)
        script.refuse_until = time.time() + 0.6
        assert wave.settled.wait(5)

    assert [start_of(each, 0).upper_bound for each in wave.pods] == [False, True]
    assert len(watcher.gaps) == 1
    assert watcher.gaps[0].end - watcher.gaps[0].start > 0.2


def test_a_stalled_watch_is_found_out_by_an_audit() -> None:
    script = Script([[event("a"), None], [None]])

    with watching(script, ["a", "b"]) as (watcher, wave):
        assert eventually(lambda: wave.running == 1)
        script.pods = [event("a")["object"], event("b")["object"]]
        right = watcher.audit()

    assert not right
    assert wave.settled.is_set()
    assert [start_of(each, 0).upper_bound for each in wave.pods] == [False, True]


def test_an_audit_of_a_watch_that_is_right_changes_nothing() -> None:
    script = Script([[event("a"), None]])

    with watching(script, ["a"]) as (watcher, wave):
        assert wave.settled.wait(5)
        script.pods = [event("a")["object"]]
        right = watcher.audit()

    assert right
    assert (watcher.restarts, watcher.relists) == (0, 0)


def test_a_pod_that_was_accepted_but_never_shown_makes_the_watch_suspicious() -> None:
    script = Script([[event("a"), None], [None]])

    with watching(script, ["a", "b"]) as (watcher, wave):
        assert eventually(lambda: wave.running == 1)
        script.pods = [event("a")["object"], event("b")["object"]]
        deadline = time.monotonic() + 10
        tracker = watcher._tracker
        assert isinstance(tracker, Tracker)
        tracker.accepted(wave.pods[1], time.time())
        while not wave.settled.wait(0.05) and time.monotonic() < deadline:
            watcher.check()

    assert wave.settled.is_set()
    assert watcher.relists == 1


def test_stopping_ends_the_thread_at_once() -> None:
    with watching(Script([[None]]), ["a"]) as (watcher, _):
        before = time.monotonic()
        watcher.stop()

    assert time.monotonic() - before < 1
    assert watcher.error == ""


def test_a_watch_whose_first_list_failed_can_be_stopped() -> None:
    with serving(Script([])) as credentials:
        nobody = Api(credentials)
    watcher = Watcher(nobody, PATH, Tracker(), time.time)

    with pytest.raises(LoadError, match="no answer"):
        watcher.start()
    watcher.stop()
