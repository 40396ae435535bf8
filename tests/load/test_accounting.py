from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies

from pytest_telescope.load.accounting import account
from pytest_telescope.load.accounting import start_of
from pytest_telescope.load.accounting import summary
from pytest_telescope.load.model import PodStart
from pytest_telescope.load.tracker import Tracker
from tests.load.objects import pod

PHASES: dict[str, dict[str, Any]] = {
    "pending": {"phase": "Pending"},
    "unschedulable": {
        "phase": "Pending",
        "conditions": [
            {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/3 nodes are available"}
        ],
    },
    "pulling": {"phase": "Pending", "containerStatuses": [{"state": {"waiting": {"reason": "ErrImagePull"}}}]},
    "running": {"phase": "Running"},
    "oom": {
        "phase": "Failed",
        "containerStatuses": [{"state": {"terminated": {"reason": "OOMKilled", "exitCode": 137}}}],
    },
    "evicted": {"phase": "Failed", "reason": "Evicted", "message": "The node was low on resource: memory."},
    "completed": {
        "phase": "Succeeded",
        "containerStatuses": [{"state": {"terminated": {"reason": "Completed", "exitCode": 0}}}],
    },
}
MOVES = strategies.tuples(strategies.integers(0, 4), strategies.sampled_from([*PHASES, "accept", "refuse", "delete"]))


def start(tracker: Tracker, name: str) -> PodStart:
    return start_of(next(each for each in tracker.pods if each.name == name), given_up=99.0)


def tracked(*events: tuple[str, str]) -> PodStart:
    """Return what becomes of one accepted pod by (kind, phase) events, one a second."""
    tracker = Tracker()
    wave = tracker.add(1, ["rc"])
    wave.pods[0].created = 0.0
    tracker.accepted(wave.pods[0], 0.1)
    for when, (kind, phase) in enumerate(events, 1):
        node_name = "" if phase == "unschedulable" else "n"
        tracker.observe(kind, pod("rc", node_name, status=PHASES[phase]), float(when))
    return start(tracker, "rc")


def test_times_are_those_of_the_first_event_that_shows_the_transition() -> None:
    found = tracked(
        ("ADDED", "unschedulable"), ("MODIFIED", "pending"), ("MODIFIED", "running"), ("MODIFIED", "running")
    )

    assert (found.created, found.scheduled, found.running, found.reason) == (0.0, 2.0, 3.0, None)


def test_a_pod_that_never_ran_says_what_the_scheduler_or_the_kubelet_said_last() -> None:
    assert tracked(("ADDED", "unschedulable")).detail == "0/3 nodes are available"
    assert tracked(("ADDED", "unschedulable")).reason == "Unschedulable"
    assert tracked(("ADDED", "pending"), ("MODIFIED", "pulling")).reason == "ErrImagePull"
    assert tracked(("ADDED", "pending")).reason == "Pending"
    assert tracked().reason == "Unknown"


def test_a_pod_that_runs_after_its_wave_was_given_up_never_ran() -> None:
    tracker = Tracker()
    wave = tracker.add(1, ["rc"])
    tracker.observe("ADDED", pod("rc", status=PHASES["unschedulable"]), 1.0)

    tracker.give_up(wave)
    tracker.observe("MODIFIED", pod("rc", "n", status=PHASES["running"]), 9.0)

    found = start(tracker, "rc")
    assert (found.running, found.reason) == (None, "Unschedulable")
    assert (account([found]).never_ran, wave.running) == (1, 0)


def test_a_pod_that_ran_and_ended_within_the_window_failed() -> None:
    for phase, reason in (("oom", "OOMKilled"), ("evicted", "Evicted"), ("completed", "Completed")):
        found = tracked(("ADDED", "pending"), ("MODIFIED", "running"), ("MODIFIED", phase))

        assert (found.running, found.reason) == (2.0, reason)
        assert account([found]).failed == 1


def test_a_pod_that_somebody_else_deleted_counts() -> None:
    found = tracked(("ADDED", "pending"), ("MODIFIED", "running"), ("DELETED", "running"))

    assert (found.reason, account([found]).failed) == ("Deleted", 1)


def test_a_pod_that_is_gone_from_a_list_counts_as_deleted() -> None:
    tracker = Tracker()
    tracker.add(1, ["rc"])
    tracker.observe("ADDED", pod("rc", "n", status=PHASES["running"]), 1.0)

    tracker.relist([], 2.0, late=True)

    assert start(tracker, "rc").reason == "Deleted"


def test_pods_that_we_drain_have_not_failed() -> None:
    tracker = Tracker()
    wave = tracker.add(1, ["rc"])
    tracker.accepted(wave.pods[0], 0.5)
    tracker.observe("ADDED", pod("rc", "n", status=PHASES["running"]), 1.0)

    tracker.drain(wave)
    tracker.observe("MODIFIED", pod("rc", "n", status=PHASES["oom"]), 2.0)
    tracker.observe("DELETED", pod("rc", "n", status=PHASES["oom"]), 3.0)

    assert start(tracker, "rc").reason is None
    assert wave.empty.is_set()


def test_the_summary_has_each_reason_with_its_count_and_first_words() -> None:
    starts = [tracked(("ADDED", "unschedulable")), tracked(("ADDED", "running")), tracked(("ADDED", "unschedulable"))]

    line = summary(account(starts), starts)

    assert line == "1 of 3 pods ran; 2 Unschedulable (0/3 nodes are available)"


@given(strategies.lists(MOVES, max_size=60))
def test_created_is_running_plus_failed_plus_never_ran_whatever_happens(moves: list[tuple[int, str]]) -> None:
    tracker = Tracker()
    wave = tracker.add(1, [str(number) for number in range(5)])
    for when, (number, move) in enumerate(moves):
        each = wave.pods[number]
        if move == "accept":
            tracker.accepted(each, when)
        elif move == "refuse":
            tracker.refused(each, ("QuotaExceeded", ""))
        else:
            phase = "running" if move == "delete" else move
            item = pod(str(number), "n", status=PHASES[phase])
            tracker.observe("DELETED" if move == "delete" else "MODIFIED", item, when)

    starts = [start_of(each, 100.0) for each in tracker.pods]
    counted = account(starts)

    assert counted.created == counted.running + counted.failed + counted.never_ran == 5
    assert sum(counted.reasons.values()) == counted.failed + counted.never_ran
    assert wave.settled.is_set() == all(each.running is not None or each.why for each in wave.pods) or not moves
    assert wave.running == counted.running
