"""Real child processes: followed line by line, bounded, and gone afterwards."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from pytest_telescope.errors import LoadError
from pytest_telescope.load.clusterloader2 import process
from pytest_telescope.load.clusterloader2.process import Ended

SHELL = "/bin/sh"
MEGA = 1 << 20
NAMES = {"clusterloader2-wait", "clusterloader2-log"}
Run = Callable[..., Ended]


@pytest.fixture(autouse=True)
def _nothing_is_left() -> Iterator[None]:
    yield
    assert not [thread for thread in threading.enumerate() if thread.name in NAMES]
    assert not [child for child in psutil.Process().children(recursive=True) if child.status() == psutil.STATUS_ZOMBIE]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    def run(
        *command: str,
        timeout: float = 30,
        on_line: Callable[[str], None] = lambda _: None,
        on_tick: Callable[[], None] = lambda: None,
    ) -> Ended:
        return process.run(
            list(command),
            environment={"MARK": "seen", "PATH": os.environ["PATH"]},
            cwd=tmp_path / "cwd",
            log=tmp_path / "log",
            timeout=timeout,
            on_line=on_line,
            on_tick=on_tick,
        )

    return run


def shell(script: str) -> tuple[str, str, str]:
    return SHELL, "-c", script


def python(script: str) -> tuple[str, str, str]:
    return sys.executable, "-c", script


@pytest.mark.parametrize("code", [0, 1, 3, 255])
def test_the_exit_code_is_told(run: Run, code: int) -> None:
    ended = run(*shell(f"exit {code}"))

    assert (ended.code, ended.timed_out) == (code, False)


@pytest.mark.parametrize("name", ["KILL", "TERM", "ABRT"])
def test_a_signal_is_a_negative_code(run: Run, name: str) -> None:
    assert run(*shell(f"kill -{name} $$")).code == -getattr(signal, f"SIG{name}")


def test_it_sees_only_what_it_is_given_and_runs_where_it_is_told(run: Run, tmp_path: Path) -> None:
    ended = run(*shell("echo $MARK ${HOME-none} >&2; pwd >&2; touch here; cat >&2"))

    assert ended.tail == ("seen none", str(tmp_path / "cwd"))
    assert (tmp_path / "cwd" / "here").exists()


def test_lines_are_told_while_it_runs_and_kept_in_the_log(run: Run, tmp_path: Path) -> None:
    lines: list[str] = []
    script = 'echo one >&2; while [ ! -e go ]; do sleep 0.01; done; printf "two\\r\\n\\nlast" >&2; echo out'

    def on_line(line: str) -> None:
        lines.append(line)
        (tmp_path / "cwd" / "go").touch()  # it goes on only once its first line was told

    ended = run(*shell(script), on_line=on_line)

    assert lines == ["one", "two", "", "last"]
    assert list(ended.tail) == lines
    assert (tmp_path / "log").read_bytes() == b"one\ntwo\r\n\nlast"


def test_the_tail_has_the_last_lines(run: Run) -> None:
    ended = run(*shell("i=0; while [ $i -lt 40 ]; do echo $i; i=$((i+1)); done >&2"))

    assert ended.tail == tuple(str(number) for number in range(40 - process.TAIL, 40))


def test_a_huge_line_is_one_line(run: Run, tmp_path: Path) -> None:
    lines: list[str] = []

    run(*python("import sys; sys.stderr.write('x' * 5_000_000 + '\\ny\\n')"), on_line=lines.append)

    assert [len(line) for line in lines] == [5_000_000, 1]
    assert (tmp_path / "log").stat().st_size == 5_000_003


def test_bytes_that_are_no_text_do_no_harm(run: Run, tmp_path: Path) -> None:
    ended = run(*shell(r"printf '\377\376 x\000y\n' >&2"))

    assert ended.tail == ("\ufffd\ufffd x\x00y",)
    assert (tmp_path / "log").read_bytes() == b"\xff\xfe x\x00y\n"


def test_one_that_closes_its_log_early_is_waited_for(run: Run) -> None:
    ended = run(*shell("echo one >&2; exec 2>&-; sleep 0.2; exit 4"))

    assert (ended.code, ended.tail) == (4, ("one",))


def test_time_over_ends_it_even_if_it_ignores_signals(run: Run) -> None:
    pids: list[str] = []
    script = "trap '' TERM INT HUP; echo $$ >&2; while :; do sleep 0.05; done"

    ended = run(*shell(script), timeout=0.6, on_line=pids.append)

    assert ended.timed_out
    assert ended.code == -signal.SIGKILL
    assert not psutil.pid_exists(int(pids[0]))


def test_no_time_at_all_ends_it_at_once(run: Run) -> None:
    ended = run(*shell("sleep 60"), timeout=0)

    assert (ended.timed_out, ended.code) == (True, -signal.SIGKILL)


def test_what_it_started_ends_with_it(run: Run) -> None:
    pids: list[str] = []

    ended = run(*shell("sleep 60 & echo $! >&2; exit 0"), on_line=pids.append)

    assert ended.code == 0
    assert _gone(int(pids[0]))


def _gone(pid: int) -> bool:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return True  # a zombie is left to whoever took it over
        threading.Event().wait(0.01)
    return False


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError("tick")])
def test_what_ends_the_call_ends_the_process(run: Run, error: BaseException) -> None:
    pids: list[str] = []

    def on_tick() -> None:
        if pids:
            raise error

    with pytest.raises((KeyboardInterrupt, RuntimeError)):
        run(*shell("echo $$ >&2; exec sleep 60"), on_line=pids.append, on_tick=on_tick)

    assert not psutil.pid_exists(int(pids[0]))


def test_a_listener_that_fails_ends_it_and_is_told(run: Run) -> None:
    def on_line(line: str) -> None:
        raise RuntimeError(f"cannot show {line}")

    with pytest.raises(LoadError, match="cannot be followed: cannot show one"):
        run(*shell("while :; do echo one >&2 || exit 1; done"), on_line=on_line)


def test_a_log_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(LoadError, match=r"cannot be followed: .*no/log"):
        process.run(
            [*shell("while :; do echo one >&2 || exit 1; done")],
            environment={"PATH": os.environ["PATH"]},
            cwd=tmp_path,
            log=tmp_path / "no" / "log",
            timeout=30,
            on_line=lambda _: None,
        )


@pytest.mark.parametrize("kind", ["missing", "folder", "not executable"])
def test_what_cannot_be_started_is_told(run: Run, tmp_path: Path, kind: str) -> None:
    program = tmp_path / "program"
    if kind == "folder":
        program.mkdir()
    elif kind == "not executable":
        program.write_text("")

    with pytest.raises(LoadError, match="program cannot be started"):
        run(str(program))


BUSY = """
import os, sys, time
while time.process_time() < {cpu}: pass
held = bytearray(b"x") * {memory}
print("ready", file=sys.stderr, flush=True)
while not os.path.exists("go"): time.sleep(0.01)
"""


def busy(folder: Path, cpu: float, memory: int) -> Ended:
    """Run one that uses so much, and ends once it was looked at."""
    ready: list[str] = []
    looks: list[bool] = []

    def on_tick() -> None:
        looks.append(bool(ready))
        if sum(looks) > 1:
            (folder / "go").touch()

    return process.run(
        [*python(BUSY.format(cpu=cpu, memory=memory))],
        environment={},
        cwd=folder,
        log=folder / "log",
        timeout=60,
        on_line=ready.append,
        on_tick=on_tick,
    )


def test_cpu_and_memory_are_those_of_each_process_alone(tmp_path: Path) -> None:
    own = bytearray(b"x") * (200 * MEGA)  # of the harness itself, which a fork shares

    with ThreadPoolExecutor(2) as pool:
        small, great = pool.map(busy, (tmp_path / "small", tmp_path / "great"), (0.05, 0.8), (MEGA, 100 * MEGA))

    assert len(own) > great.memory > 100 * MEGA > small.memory > MEGA
    assert great.cpu >= 0.8 > small.cpu >= 0.05


def test_one_that_ends_at_once_is_seen_whole(run: Run) -> None:
    for _ in range(5):
        lines: list[str] = []

        ended = run(*shell("echo a >&2; echo b >&2"), on_line=lines.append)

        assert (ended.code, lines) == (0, ["a", "b"])
