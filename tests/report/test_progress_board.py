"""Which lines of what cells say are printed, and what the status line shows."""

from __future__ import annotations

import contextlib
import os
import select
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

import pytest

from pytest_telescope.cluster.progress import Line
from pytest_telescope.cluster.progress import Mark
from pytest_telescope.cluster.progress import Progress
from pytest_telescope.report.folding import Shield
from pytest_telescope.report.live import FileWriter
from pytest_telescope.report.live import Follower
from pytest_telescope.report.live import Live
from pytest_telescope.report.live import Ticker
from pytest_telescope.report.progress_board import Board
from pytest_telescope.report.progress_board import Event
from pytest_telescope.report.progress_board import cut
from pytest_telescope.report.progress_board import read
from pytest_telescope.report.progress_screen import ERASE
from pytest_telescope.report.progress_screen import Screen
from pytest_telescope.report.progress_screen import may_draw

CELL = "local-cri"


def event(at: float, text: str, done: float | None = None, mark: Mark = "", *, cell: str = CELL) -> Event:
    progress = Progress(done=done, total=60, unit="pods") if done is not None else None
    return Event(at=at, cell=cell, stage="load", text=text, progress=progress, mark=mark)


def begun(board: Board, at: float = 0.0, cell: str = CELL) -> Board:
    board.take(event(at, "started", mark="begin", cell=cell))
    return board


def texts(lines: list[str]) -> list[str]:
    return [line.partition("load       ")[2] for line in lines]


def test_news_are_printed_at_once_and_what_counts_on_now_and_then() -> None:
    board = begun(Board())

    printed = [line for second in range(61) for line in board.take(event(second, f"{second} of 60 pods", done=second))]

    shown = [int(text.partition(" ")[0]) for text in texts(printed)]
    assert shown == [0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 23, 26, 29, 33, 37, 42, 47, 53, 59, 60]
    assert texts(printed)[-2:] == ["59 of 60 pods  (98 %, about 1 s left)", "60 of 60 pods  (100 %)"]
    assert len(board.take(event(61, "holding 60 pods"))) == 1


def test_a_stage_that_says_nothing_is_told_to_be_at_it_every_thirty_seconds() -> None:
    board = begun(Board(usual=lambda _cell, _stage: 60.0))
    board.take(event(1, "waiting for Terraform"))

    told = [line for second in range(100) for line in board.tick(float(second))]

    assert texts(told) == [
        "waiting for Terraform  (for 31 s of usually 1 min 00 s)",
        "waiting for Terraform  (for 1 min 01 s of usually 1 min 00 s)",
        "waiting for Terraform  (for 1 min 31 s, longer than the usual 1 min 00 s)",
    ]


def test_nothing_is_told_of_a_stage_that_ended() -> None:
    board = begun(Board())

    board.take(event(1, "done after 1.0 s", mark="end"))

    assert board.tick(500.0) == []
    assert board.status(500.0, 100) == ""


def test_a_stage_begins_with_how_long_it_usually_takes() -> None:
    lines = Board(usual=lambda _cell, _stage: 61.0).take(event(0, "started", mark="begin"))

    assert texts(lines) == ["started, usually 1 min 00 s"]


def test_ever_new_lines_are_let_through_only_so_fast() -> None:
    board = begun(Board())
    words = [f"{chr(97 + n % 26)}{chr(97 + n // 26 % 26)}{chr(97 + n // 676)}" for n in range(3000)]

    printed = [line for number, word in enumerate(words) for line in board.take(event(number / 100, word))]

    assert 60 <= len(printed) <= 76


def test_where_a_status_line_counts_on_only_news_are_printed() -> None:
    board = begun(Board(in_place=True))

    printed = [line for second in range(40) for line in board.take(event(second, f"{second} of 60 pods", done=second))]

    assert len(printed) == 1
    assert board.tick(1000.0) == []
    assert board.status(45.0, 100) == "   45.0s  local-cri  load       39 of 60 pods  (65 %, about 25 s left)"


def test_several_cells_share_the_status_line() -> None:
    board = begun(begun(Board(in_place=True)), at=5.0, cell="local-api")

    board.take(event(6.0, "3 of 60 pods", done=3, cell="local-api"))

    assert board.status(10.0, 100) == "   10.0s  local-api load 5 %, for 5 s; local-cri load for 10 s"
    assert board.status(10.0, 40) == "   10.0s  local-api load 5 %, for 5 s..."


def slo(at: float, text: str, done: float | None = None, mark: Mark = "") -> Event:
    progress = Progress(done=done, total=2, unit="SLOs") if done is not None else None
    return Event(at=at, cell=CELL, stage="slo", text=text, progress=progress, mark=mark)


def test_every_verdict_is_printed_and_the_last_one_ends_the_judging() -> None:
    board = Board()
    asked = [slo(0, "judging a", 0, "brief"), slo(1, "judging b", 1, "brief")]

    printed = [board.take(one) for one in (asked[0], slo(0.5, "PASS a"), asked[1])]
    there = board.status(1.0, 80)
    printed.append(board.take(slo(1.5, "PASS b")))

    assert [len(lines) for lines in printed] == [0, 1, 0, 1]
    assert "judging b" in there
    assert board.status(2.0, 80) == ""


def test_judging_that_is_cut_short_is_over_with_the_last_item() -> None:
    status: list[str] = []
    live = Live(write=print, show=lambda of: status.append(of(80)))
    live.say(CELL, "slo", Line("judging a", Progress(done=0, total=2, unit="SLOs"), "brief"))

    live.judged()

    assert "judging a" in status[0]
    assert status[-1] == ""


def test_an_event_survives_its_way_through_a_file() -> None:
    sent = event(1.25, "3 of 60 pods", done=3, mark="brief")

    assert read(sent.dumps()) == sent
    assert [read(text) for text in ("", "{", "[1, 2]", "null", '"x"')] == [None] * 5


def test_only_the_first_line_of_a_text_is_shown() -> None:
    assert Event.of(0.0, CELL, "load", "first\nsecond").text == "first"


def test_what_does_not_fit_ends_in_dots() -> None:
    assert (cut("abcdef", 6), cut("abcdefg", 6), cut("abc", 2)) == ("abcdef", "abc...", "...")


@pytest.fixture
def terminal() -> Iterator[tuple[TextIO, int]]:
    """A terminal: what programs write to, and what a person reads from."""
    reader, writer = os.openpty()
    with contextlib.ExitStack() as stack:
        stack.callback(os.close, reader)
        yield stack.enter_context(os.fdopen(writer, "w", encoding="utf-8")), reader


def shown(reader: int) -> str:
    found = b""
    while select.select([reader], [], [], 0.5)[0]:  # a terminal hands on what was written in pieces
        found += os.read(reader, 1 << 16)
    return found.decode().replace("\r\n", "\n")


def test_the_status_line_stays_below_what_is_written(terminal: tuple[TextIO, int]) -> None:
    screen = Screen(terminal[0], in_place=True)

    screen.status("at it")
    screen.write("news\n")
    screen.write("half")
    screen.write(" a line\n")
    screen.close()

    assert shown(terminal[1]) == f"at it{ERASE}news\nat it{ERASE}half a line\nat it{ERASE}"


def test_where_nothing_may_be_drawn_there_are_no_control_characters(tmp_path: Path) -> None:
    with (tmp_path / "log").open("w") as stream:
        screen = Screen(stream, in_place=False)
        screen.status("at it")
        screen.write("news\n")
        screen.close()

    assert (tmp_path / "log").read_text() == "news\n"


def test_what_a_stream_cannot_show_is_an_error_as_with_the_stream_itself(tmp_path: Path) -> None:
    with (tmp_path / "log").open("w", encoding="ascii") as stream:
        screen = Screen(stream, in_place=False)

        with pytest.raises(UnicodeEncodeError):
            screen.write("▁")
        screen.close()


@pytest.mark.parametrize(
    ("environ", "drawn"),
    [
        ({"TERM": "xterm"}, True),
        ({"TERM": "xterm", "CI": "false"}, True),
        ({}, False),
        ({"TERM": "dumb"}, False),
        ({"TERM": "xterm", "NO_COLOR": "1"}, False),
        ({"TERM": "xterm", "CI": "true"}, False),
        ({"TERM": "xterm", "TF_BUILD": "True"}, False),
        ({"TERM": "xterm", "GITHUB_ACTIONS": "true"}, False),
    ],
)
def test_a_line_is_drawn_in_place_on_a_persons_terminal_alone(
    environ: dict[str, str], drawn: bool, terminal: tuple[TextIO, int], tmp_path: Path
) -> None:
    with (tmp_path / "log").open("w") as stream:
        assert not may_draw(stream, environ)

    assert may_draw(terminal[0], environ) is drawn


def test_writers_in_several_threads_do_not_tear_lines(tmp_path: Path) -> None:
    with (tmp_path / "log").open("w") as stream:
        screen = Screen(stream, in_place=False, shield=Shield())
        threads = [threading.Thread(target=lambda: [screen.write(f"{'x' * 99}\n") for _ in range(200)]) for _ in "1234"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=30)
        screen.close()

    assert set((tmp_path / "log").read_text().splitlines()) == {"x" * 99}


def test_a_worker_hands_on_what_the_controller_prints(tmp_path: Path) -> None:
    printed: list[str] = []
    controller = Live(write=printed.append)
    worker = Live(write=FileWriter(tmp_path / "live.log"), hand_on=True)
    follower = Follower(tmp_path / "live.log", controller.receive, interval=0.01)
    follower.start()

    worker.say(CELL, "load", Line("started", mark="begin"))
    worker.say(CELL, "load", "holding 3 pods")
    worker.say(CELL, "slo", "PASS running")
    worker.say(CELL, "load", Line("done after 1.0 s", mark="end"))
    follower.stop()

    assert texts(printed) == ["started", "holding 3 pods", "done after 1.0 s"]


def test_a_line_that_is_being_written_is_handed_on_when_it_is_whole(tmp_path: Path) -> None:
    seen: list[str] = []
    file = tmp_path / "live.log"
    file.write_text("one\ntw")
    first = Follower(file, seen.append, interval=60)
    first.start()
    first.stop()

    assert seen == ["one"]


def test_a_quiet_run_prints_nothing() -> None:
    printed: list[str] = []

    Live(write=printed.append, quiet=True).say(CELL, "load", "x")

    assert printed == []


def test_the_lines_of_a_stage_fold_and_its_end_is_outside() -> None:
    out: list[str] = []
    live = Live(write=out.append, fold="azure", command=out.append)

    live.say(CELL, "load", Line("started", mark="begin"))
    live.say(CELL, "load", "holding 3 pods")
    live.say(CELL, "load", Line("done after 1.0 s", mark="end"))

    assert [text.partition("]")[0] if text.startswith("##") else text.split("load       ")[1] for text in out] == [
        *("##[group", "holding 3 pods"),
        *("##[endgroup", "done after 1.0 s"),
    ]


def test_what_must_not_be_shown_is_in_no_line_group_or_status() -> None:
    out: list[str] = []
    live = Live(
        write=out.append,
        fold="azure",
        command=out.append,
        show=lambda status: out.append(status(200)),
        mask=lambda text: text.replace("secret", "***"),
    )

    live.say(CELL, "load", Line("a secret begins", mark="begin"))
    live.say(CELL, "load", Line("a secret", Progress(done=1, total=2, unit="pods")))
    live.tick()

    assert "***" in "".join(out)
    assert "secret" not in "".join(out)


@pytest.mark.parametrize("ends", ["signal", "close"])
def test_a_group_is_closed_before_a_signal_is_told_and_at_the_end(ends: str) -> None:
    out: list[str] = []
    live = Live(write=out.append, fold="github", command=out.append)
    live.say(CELL, "load", Line("started", mark="begin"))

    if ends == "signal":
        live.say("telescope", "signal", "SIGTERM: stopping")
    live.close()

    assert out.count("::endgroup::") == 1
    assert out[1] == "::endgroup::"


def test_time_passes_by_itself_until_the_ticker_stops() -> None:
    ticked = threading.Event()

    class Watched(Live):
        def tick(self) -> None:
            ticked.set()

    ticker = Ticker(Watched(write=print), interval=0.01)
    ticker.start()

    assert ticked.wait(10)
    ticker.stop()
