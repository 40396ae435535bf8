"""The log of CL2 becomes events and steps, whatever it holds."""

from __future__ import annotations

import calendar
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from pytest_telescope.load.clusterloader2 import log
from pytest_telescope.load.clusterloader2.log import Line
from pytest_telescope.load.clusterloader2.log import Steps

settings.register_profile("ci", deadline=None)
settings.load_profile("ci")  # no time limit an example: these machines are busy

LOGS = Path(__file__).parent / "data" / "logs"
NOW = float(calendar.timegm((2026, 11, 25, 20, 0, 0)))
REAL = {path.stem: path.read_text(encoding="utf-8").splitlines() for path in sorted(LOGS.glob("*.log"))}
ALL = [line for lines in REAL.values() for line in lines]
HEAD = "I1125 18:30:09.051392   20942 simple_test_executor.go:162] "
NAMES = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1, max_size=30)


def followed(lines: list[str], now: float = NOW) -> Steps:
    """The steps as the engine follows them: line by line, as they come."""
    steps = Steps()
    for text in lines:
        if (line := log.parse_line(text, now=now)) is not None:
            steps.take(line)
    return steps


def only(text: str, now: float = NOW) -> Line:
    line = log.parse_line(text, now=now)
    assert line is not None
    return line


def started(number: int, name: str, second: int = 0) -> str:
    return (
        f'I1125 18:30:{second:02d}.000000   1 simple_test_executor.go:162] Step "[step: {number:02d}] {name}" started'
    )


def ended(number: int, name: str, second: int = 0) -> str:
    return started(number, name, second).removesuffix("started") + "ended"


def test_steps_of_a_real_log_have_their_windows() -> None:
    steps = followed(REAL["steps"])

    assert list(steps.windows) == [
        "create-all-pods-step-07-ended",
        "wait",
        "create-services",
        "wait-2",
        "gr-e-n-step-step-01-x-started",
    ]
    assert steps.running is None
    starts, ends = zip(*steps.windows.values(), strict=True)
    assert list(starts) == sorted(starts)
    assert all(start <= end <= after for start, end, after in zip(starts, ends, [*starts[1:], math.inf], strict=True))
    assert steps.windows["wait-2"][1] - steps.windows["wait-2"][0] == pytest.approx(1.0, abs=0.1)


def test_a_real_log_tells_what_was_skipped_and_held_back() -> None:
    events = [line.event for line in log.parse(REAL["steps"], now=NOW) if line.event]

    assert [events.count(name) for name in ("step-started", "step-ended", "skipped", "throttled")] == [5, 5, 1, 6]


@pytest.mark.parametrize(
    ("file", "event", "fields"),
    [
        ("steps", "skipped", {"what": "Skipped"}),
        ("broken", "skipped", {"what": "Generic"}),
        ("dry-run", "dry-run-done", {}),
    ],
)
def test_events_of_real_logs_have_their_fields(file: str, event: str, fields: dict[str, str]) -> None:
    found = [line for line in log.parse(REAL[file], now=NOW) if line.event == event]

    assert [dict(line.fields) for line in found] == [fields]


def test_what_was_held_back_says_how_long() -> None:
    found = [line for line in log.parse(REAL["steps"], now=NOW) if line.event == "throttled"]

    assert all(0.05 < log.delay_seconds(line.fields["delay"]) < 0.2 for line in found)


def test_lines_without_a_header_go_on_with_the_message_before() -> None:
    last = list(log.parse(REAL["refused"], now=NOW))[-1]

    assert (last.level, last.event) == ("F", "")
    assert last.text.startswith("Test compilation failed: [tuningSets[0].qpsLoad.qps: Invalid value: 0")
    assert last.text.endswith("tuning set referenced has not been declared]")
    assert last.text.count("\n") == 4


def test_errors_of_a_step_are_told_with_all_their_lines() -> None:
    head = "Got errors during step execution: "
    found = [line for line in log.parse(REAL["broken"], now=NOW) if line.text.startswith(head)]

    assert {line.level for line in found} == {"W"}
    (several,) = [line.text for line in found if "Exec - second" in line.text]
    assert several.startswith(f"{head}[measurement call Exec - Fails error: command [sh -c echo one;\n")
    assert several.endswith("]")
    assert several.count("measurement call") == 4


def test_every_line_of_a_real_log_is_a_message_or_goes_on_with_one() -> None:
    for lines in REAL.values():
        headed = [line for line in lines if log.parse_line(line, now=NOW)]
        messages = list(log.parse(lines, now=NOW))

        assert len(messages) == len(headed)
        assert sum(message.text.count("\n") + 1 for message in messages) == len(lines)


def test_a_time_is_utc_to_the_microsecond() -> None:
    line = only("W1231 23:59:59.999999       7 a.go:1] x")

    assert line.time == pytest.approx(calendar.timegm((2026, 12, 31, 23, 59, 59)) + 0.999999, abs=1e-6)
    assert (line.level, line.text) == ("W", "x")


@pytest.mark.parametrize(
    ("now", "stamp", "when"),
    [
        ((2027, 1, 1, 0, 0, 1), "1231 23:59:59", (2026, 12, 31, 23, 59, 59)),
        ((2026, 12, 31, 23, 59, 59), "0101 00:00:01", (2027, 1, 1, 0, 0, 1)),
        ((2028, 3, 1, 0, 0, 0), "0229 12:00:00", (2028, 2, 29, 12, 0, 0)),
        ((2027, 3, 1, 0, 0, 0), "0301 00:00:00", (2027, 3, 1, 0, 0, 0)),
    ],
)
def test_the_year_is_the_one_that_is_nearest(now: tuple[int, ...], stamp: str, when: tuple[int, ...]) -> None:
    line = only(f"I{stamp}.000000 1 a.go:1] x", now=float(calendar.timegm(now)))

    assert line.time == calendar.timegm(when)


def test_a_step_over_new_year_has_a_length() -> None:
    lines = [
        'I1231 23:59:58.000000 1 a.go:1] Step "[step: 01] x" started',
        'I0101 00:00:03.500000 1 a.go:1] Step "[step: 01] x" ended',
    ]

    for now in ((2026, 12, 31, 23, 59, 59), (2027, 1, 1, 0, 0, 4)):
        start, end = followed(lines, now=float(calendar.timegm(now))).windows["x"]
        assert end - start == 5.5


@pytest.mark.parametrize("stamp", ["1340 25:61:61.000000", "0000 00:00:00.000000", "9999 99:99:99.999999"])
def test_a_date_that_is_none_does_no_harm(stamp: str) -> None:
    assert math.isfinite(only(f"I{stamp} 1 a.go:1] x").time)


def test_a_step_whose_clock_stepped_back_has_no_negative_length() -> None:
    start, end = followed([started(1, "x", 9), ended(1, "x", 4)]).windows["x"]

    assert end == start


def test_names_that_come_again_get_their_number() -> None:
    lines = [text for number, name in enumerate(["x", "x 2", "X", "x"], start=1) for text in _whole(number, name)]

    assert list(followed(lines).windows) == ["x", "x-2", "x-3", "x-4"]


def _whole(number: int, name: str) -> tuple[str, str]:
    return started(number, name, 2 * number), ended(number, name, 2 * number + 1)


def test_the_step_under_way_ends_with_the_run() -> None:
    steps = followed([*_whole(1, "a"), started(2, "b", 9)])
    running = steps.running
    assert running is not None

    steps.stop(running[2] + 4)

    assert running[:2] == (2, "b")
    assert steps.windows["b"] == (running[2], running[2] + 4)


def test_an_end_without_a_start_is_no_step() -> None:
    assert followed([ended(1, "x")]).windows == {}


@pytest.mark.parametrize("name", ['a "b" c', "x started", 'x" ended', "[step: 09] y", "größe", "…", "a\\nb", " "])
def test_any_name_of_a_step_is_one_step(name: str) -> None:
    steps = followed([started(3, name), ended(3, name, 5)])

    assert list(steps.windows) == [log.step_id(name)]


@given(NAMES)
def test_the_id_of_a_step_is_lower_case_words_with_dashes(name: str) -> None:
    found = log.step_id(name)

    assert found
    assert set(found) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
    assert not found.startswith("-")
    assert not found.endswith("-")
    assert log.step_id(found) == found


@given(st.lists(NAMES, max_size=8))
def test_as_many_steps_as_began_and_each_once(names: list[str]) -> None:
    lines = [text for number, name in enumerate(names, start=1) for text in _whole(number, name)]

    assert len(followed(lines).windows) == len(names)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1.5s", 1.5),
        ("50.374634ms", 0.050374634),
        ("1m2.5s", 62.5),
        ("2h3m4s", 7384.0),
        ("110µs", 110e-6),
        ("110us", 110e-6),
        ("9ns", 9e-9),
        ("0s", 0.0),
        ("", 0.0),
        ("5", 0.0),
        ("1..5s", 0.0),
        (".s", 0.0),
        ("1.5 s", 0.0),
        ("-1s", 0.0),
        ("1d", 0.0),
    ],
)
def test_go_durations(text: str, seconds: float) -> None:
    assert log.delay_seconds(text) == pytest.approx(seconds)


@given(st.text("0123456789.hmsnuµ ", max_size=20) | st.text())
def test_no_text_of_a_duration_raises(text: str) -> None:
    assert log.delay_seconds(text) >= 0


def known_steps(line: str) -> bool:
    return 'Step "' in line


@given(
    st.lists(st.text() | st.sampled_from([line for line in ALL if not known_steps(line)]), max_size=30),
    st.floats(0, 4e9),
)
def test_no_text_raises_and_none_but_a_step_is_one(lines: list[str], now: float) -> None:
    for message in log.parse(lines, now=now):
        assert math.isfinite(message.time)
        assert len(message.text) <= log.LONGEST

    assert followed(lines, now).windows == {}
    assert followed(lines, now).running is None


@given(st.lists(st.sampled_from(ALL), min_size=1, max_size=20), st.data())
def test_cut_and_changed_real_lines_never_raise_and_make_no_steps_of_their_own(
    lines: list[str], data: st.DataObject
) -> None:
    broken = [_changed(line, data) for line in lines]

    steps = followed(broken)
    list(log.parse(broken, now=NOW))

    assert len(steps.windows) + bool(steps.running) <= sum("] Step" in line and "started" in line for line in broken)


def _changed(line: str, data: st.DataObject) -> str:
    start, end = sorted((data.draw(st.integers(0, len(line))), data.draw(st.integers(0, len(line)))))
    return data.draw(
        st.sampled_from(
            [line[start:], line[:end], line[:start] + line[end:], line[:start] + data.draw(st.text()) + line[end:]]
        )
    )


@given(st.integers(0, 99), st.integers(0, 99), st.integers(0, 99), st.floats(0, 4e9))
def test_no_date_raises(month: int, day: int, hour: int, now: float) -> None:
    line = only(f"I{month:02d}{day:02d} {hour:02d}:00:00.000000 1 a.go:1] x", now=now)

    assert abs(line.time - now) < 2 * 366 * 86400


def test_a_very_long_message_is_kept_in_part() -> None:
    lines = [HEAD + "x" * 10_000, *("y" * 100 for _ in range(10_000))]

    (message,) = log.parse(lines, now=NOW)

    assert len(message.text) == log.LONGEST


def test_a_line_of_a_log_ends_with_or_without_a_line_end() -> None:
    texts = {only(f"{HEAD}x{end}").text for end in ("", "\n", "\r\n")}

    assert texts == {"x"}
