"""How long a stage still takes, and how it is said."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_telescope.cluster.progress import Line
from pytest_telescope.cluster.progress import Progress
from pytest_telescope.cluster.progress import counted
from pytest_telescope.cluster.progress import mark_of
from pytest_telescope.cluster.progress import progress_of
from pytest_telescope.report.folder import RunFolder
from pytest_telescope.report.progress import Counter
from pytest_telescope.report.progress import expected
from pytest_telescope.report.progress import how_far
from pytest_telescope.report.progress import roughly
from pytest_telescope.report.progress import span
from pytest_telescope.report.progress_allowance import Allowance
from pytest_telescope.report.progress_allowance import gap
from pytest_telescope.report.progress_allowance import what
from pytest_telescope.report.progress_history import History
from pytest_telescope.report.progress_notes import Notes


def pods(done: float, total: float = 60, *, even: bool = True) -> Progress:
    return Progress(done=done, total=total, unit="pods", even=even)


def after(first: Progress, latest: Progress) -> Counter:
    counter = Counter.seen(first, 100.0)
    counter.latest = latest
    return counter


def test_a_line_is_text_to_those_who_take_text_and_carries_how_far_it_is() -> None:
    line = counted("wave 1: 3 of 60", 3, 60, "pods")

    assert line == "wave 1: 3 of 60"
    assert progress_of(line) == pods(3)
    assert (progress_of("plain"), mark_of("plain"), mark_of(Line("x", mark="end"))) == (None, "", "end")


@pytest.mark.parametrize(
    ("counter", "now", "left"),
    [
        (after(pods(0), pods(30)), 130.0, 30.0),  # one a second
        (after(pods(20), pods(40)), 110.0, 10.0),  # what was there before it was looked at says nothing of the rate
        (after(pods(0), pods(60)), 130.0, 0.0),
        (after(pods(0), pods(30)), 101.0, None),  # too soon to tell
        (after(pods(0), pods(0)), 130.0, None),
        (after(pods(0, even=False), pods(30, even=False)), 130.0, None),  # the next one may be far longer
    ],
)
def test_what_is_left_comes_from_what_was_done_so_far(counter: Counter, now: float, left: float | None) -> None:
    assert counter.left(now) == left


def test_a_counter_that_stands_still_leaves_ever_more() -> None:
    counter = after(pods(0), pods(30))

    lefts = [counter.left(now) for now in (130.0, 160.0, 190.0)]

    assert lefts == [30.0, 60.0, 90.0]


def test_time_itself_runs_down_without_being_told_again() -> None:
    counter = Counter.seen(Progress(done=5, total=60, unit="s"), 100.0)

    assert [counter.left(now) for now in (100.0, 130.0, 200.0)] == [55.0, 25.0, 0.0]


def test_a_counter_that_goes_back_or_counts_others_is_another_one() -> None:
    counter = Counter.seen(pods(5), 100.0)

    assert counter.continues(pods(6))
    assert not counter.continues(pods(4))
    assert not counter.continues(pods(6, 70))


def test_an_expectation_is_the_median_of_the_last_five() -> None:
    assert expected([1000, 10, 20, 30, 40, 50]) == 30
    assert expected([]) is None


@pytest.mark.parametrize(
    ("seconds", "exact", "rough"),
    [
        (0.2, "0 s", "1 s"),
        (12.4, "12 s", "12 s"),
        (59.7, "1 min 00 s", "1 min 00 s"),
        (123, "2 min 03 s", "2 min 05 s"),
        (400, "6 min 40 s", "7 min"),
        (3590, "59 min 50 s", "1 h 00 min"),
        (4350, "1 h 12 min", "1 h 12 min"),
    ],
)
def test_times_are_told_in_at_most_two_units(seconds: float, exact: str, rough: str) -> None:
    assert (span(seconds), roughly(seconds)) == (exact, rough)


@pytest.mark.parametrize(
    ("counter", "usual", "said"),
    [
        (after(pods(0), pods(30)), 500.0, "50 %, about 30 s left"),
        (after(pods(0), pods(0)), 60.0, "0 %, for 40 s of usually 1 min 00 s"),
        (None, 60.0, "for 40 s of usually 1 min 00 s"),
        (None, 30.0, "for 40 s, longer than the usual 30 s"),
        (None, None, "for 40 s"),
        (after(Progress(done=0, total=90, unit="s"), Progress(done=30, total=90, unit="s")), None, "1 min 00 s left"),
    ],
)
def test_how_far_is_said_as_far_as_it_is_known(counter: Counter | None, usual: float | None, said: str) -> None:
    assert how_far(counter, began=90.0, usual=usual, now=130.0) == said


def test_lines_that_differ_in_numbers_alone_say_the_same_thing() -> None:
    assert what("wave 1/2: 3 of 60 pods") == what("wave 1/2: 44 of 60 pods")
    assert what("pool user lacks 1") != what("pool system lacks 1")


def test_a_counter_gets_quieter_the_longer_it_goes_on() -> None:
    assert [gap(elapsed) for elapsed in (0, 60, 10_000)] == [2.0, 6.0, 30.0]


def test_an_allowance_gives_a_burst_and_then_one_at_a_time() -> None:
    allowance = Allowance(burst=3, every=10.0)

    assert [allowance.take(now) for now in (0, 0, 0, 0, 9.0, 10.0, 11.0, 20.0)] == [
        *(True, True, True),
        *(False, False, True, False, True),
    ]


def status(base: Path, run: str, cell: str, *records: object) -> None:
    folder = RunFolder(base / run).cell(cell)
    for record in records:
        folder.append("status.jsonl", record)  # type: ignore[arg-type] # some are not of the right shape on purpose


def stage(seconds: float, outcome: str = "done") -> dict[str, object]:
    return {"stage": "load", "started": 10.0, "ended": 10.0 + seconds, "outcome": outcome}


def test_history_is_the_same_cell_in_earlier_runs_that_came_to_a_good_end(tmp_path: Path) -> None:
    for number, seconds in enumerate((900, 10, 20, 30, 40, 50)):
        status(tmp_path, f"20260101-00000{number}-aaaa", "local-cri", stage(seconds))
    status(tmp_path, "20260101-000006-aaaa", "local-cri", stage(7000, "failed: x"))
    status(tmp_path, "20260101-000007-aaaa", "aks-cri", stage(8000))
    status(tmp_path, "20260101-000009-aaaa", "local-cri", stage(9000))

    history = History(RunFolder(tmp_path / "20260101-000008-aaaa"))

    assert history("local-cri", "load") == 30
    assert history("local-cri", "provision") is None
    assert history("gke-cri", "load") is None


def test_a_run_of_another_shape_is_no_history(tmp_path: Path) -> None:
    status(tmp_path, "20260101-000000-aaaa", "local-cri", {"stage": "load"})
    status(tmp_path, "20260101-000001-aaaa", "local-cri", ["load"])
    (tmp_path / "20260101-000002-aaaa").write_text("no folder")

    assert History(RunFolder(tmp_path / "20260101-000008-aaaa"))("local-cri", "load") is None
    assert History(RunFolder(tmp_path / "nowhere" / "b"))("local-cri", "load") is None


def notes_of(tmp_path: Path, say: Callable[[Notes, Callable[[float], None]], None]) -> list[dict[str, object]]:
    now = [0.0]

    def at(seconds: float) -> None:
        now[0] = seconds

    folder = RunFolder(tmp_path).cell("local-cri")
    say(Notes(folder, clock=lambda: now[0]), at)
    file = folder.path / "notes.jsonl"
    return [json.loads(line) for line in file.read_text().splitlines()]


def test_notes_of_three_hours_are_fewer_than_two_thousand_lines_whatever_is_said(tmp_path: Path) -> None:
    def say(notes: Notes, at: Callable[[float], None]) -> None:
        for second in range(3 * 3600):
            at(second)
            notes.take("load", f"wave 1: {second} of 10800 pods")
            notes.take("provision", f"{'x' * (second % 50)}: something else")

    assert 500 < len(notes_of(tmp_path, say)) < 2000


def test_notes_keep_how_far_a_counter_came_before_something_else_began(tmp_path: Path) -> None:
    def say(notes: Notes, at: Callable[[float], None]) -> None:
        for tenth in range(25):
            at(tenth / 10)
            notes.take("load", counted(f"{tenth} of 24 pods", tenth, 24, "pods"))
        notes.take("load", Line("done after 2.5 s", mark="end"))

    texts = [one["text"] for one in notes_of(tmp_path, say)]

    assert texts == ["0 of 24 pods", "20 of 24 pods", "24 of 24 pods", "done after 2.5 s"]


def test_a_note_has_time_stage_and_text(tmp_path: Path) -> None:
    def say(notes: Notes, at: Callable[[float], None]) -> None:
        at(1.5)
        notes.take("load", "x")

    assert notes_of(tmp_path, say) == [{"time": 1.5, "stage": "load", "text": "x"}]
