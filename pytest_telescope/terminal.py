"""What a person sees of a benchmark: live lines while it runs, the plan or the closing table at its end, its verdict.

`-q`: no live lines, only what is red, the tables and the verdict; `-qq`: the verdict alone; `-v`: also pytest's lines
of items; `-vv`: also guards and queries in the tables. `--no-summary` leaves the tables out, never the verdict.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Callable
from collections.abc import Iterator
from typing import TYPE_CHECKING
from typing import Any

import pytest

from pytest_telescope.report import folding
from pytest_telescope.report.live import Live

if TYPE_CHECKING:
    from pytest_telescope.fixtures import Session
    from pytest_telescope.report.folder import RunFolder
    from pytest_telescope.report.live import Ticker
    from pytest_telescope.report.progress_screen import Screen

TICK = 1.0
"""Seconds between two drawings of the status line."""


def follow_workers(session: Session) -> None:
    """Print the live lines that pytest-xdist workers write."""
    from pytest_telescope.report.live import Follower

    session.follower = Follower(session.folder.path / "private" / "live.log", session.live.receive)
    session.follower.start()


def live(config: pytest.Config, folder: RunFolder) -> Live:
    """Return the live lines: straight to the terminal, from an xdist worker through a file the controller follows."""
    from pytest_telescope.report.live import FileWriter
    from pytest_telescope.report.progress_board import Board
    from pytest_telescope.report.progress_history import History

    quiet = verbosity(config) < 0
    if hasattr(config, "workerinput"):
        return Live(
            write=FileWriter(folder.path / "private" / "live.log"),
            started=config.workerinput.get("telescope_started", 0.0),
            hand_on=True,
            quiet=quiet,
        )
    screen = _screen()
    made = Live(
        write=_printer(config),
        uncaptured=_uncaptured(config) if screen is None else contextlib.nullcontext,
        started=time.monotonic(),
        quiet=quiet,
        board=Board(usual=History(folder), in_place=screen is not None and screen.in_place),
        show=_shower(screen),
    )
    front = Front(made, screen)
    made.command = front.command
    if not getattr(config.option, "numprocesses", None):  # the lines of several workers are mixed
        made.fold = front.service
    config.pluginmanager.register(front, "telescope-front")
    return made


def verbosity(config: pytest.Config) -> int:
    """Return how much a person wants to hear; under `-p no:terminal` there is no such option, nor anybody to hear."""
    found: int = config.getoption("verbose", 0)
    return found


def _screen() -> Screen | None:
    """Return the terminal's own stream, None where standard output is no file."""
    from pytest_telescope.report.progress_screen import Screen
    from pytest_telescope.report.progress_screen import may_draw

    shield = folding.Shield() if folding.service(os.environ) is not None else None
    try:
        return Screen(sys.stdout, in_place=may_draw(sys.stdout, os.environ), shield=shield)
    except (OSError, ValueError, AttributeError):
        return None


def _printer(config: pytest.Config) -> Callable[[str], None]:
    from pytest_telescope.report.colours import coloured

    def write(text: str) -> None:
        reporter = config.pluginmanager.get_plugin("terminalreporter")
        if reporter is not None:
            reporter.ensure_newline()
            reporter.write_line(coloured(text) if reporter.hasmarkup else text, flush=True)

    return write


def _uncaptured(config: pytest.Config) -> Callable[[], contextlib.AbstractContextManager[None]]:
    def uncaptured() -> contextlib.AbstractContextManager[None]:
        capture = config.pluginmanager.get_plugin("capturemanager")
        return capture.global_and_fixture_disabled() if capture is not None else contextlib.nullcontext()

    return uncaptured


def _shower(screen: Screen | None) -> Callable[[Callable[[int], str]], None]:
    def show(status: Callable[[int], str]) -> None:
        if screen is not None and screen.in_place:
            screen.status(status(screen.columns - 1))

    return show


class Front:
    """Stands between pytest's terminal reporter and the terminal, from the session's start to its end.

    Attributes:
        service: whose log the output goes to.
        judged: (verdict, level) of every SLO, once the tables were made.
    """

    def __init__(self, live: Live, screen: Screen | None) -> None:
        self._live, self._screen = live, screen
        self.service = folding.service(os.environ)
        self.judged: tuple[tuple[str, str], ...] | None = None
        self._reporter: pytest.TerminalReporter | None = None
        self._stdout: Any = sys.stdout
        self._ticker: Ticker | None = None

    def command(self, text: str) -> None:
        """Write a line that a service reads."""
        if self._reporter is None:
            return
        if self._screen is None:
            self._reporter.write_line(text, flush=True)
        else:
            self._reporter.ensure_newline()
            self._screen.command(text)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self, session: pytest.Session) -> None:
        """Take the reporter's place at the terminal, before its first word."""
        reporter = session.config.pluginmanager.get_plugin("terminalreporter")
        if reporter is None:
            self._live.quiet = True
            return
        self._reporter = reporter
        self._colour(session.config, reporter)
        if verbosity(session.config) <= 0:  # live lines or nothing; a share of all items says little of hours
            reporter._show_progress_info = False
        if self._screen is not None and reporter._tw._file is self._stdout:  # the writer's file has no public name
            self._stdout.flush()
            reporter._tw._file = self._screen
            self._start_ticker()

    def _start_ticker(self) -> None:
        from pytest_telescope.report.live import Ticker

        if not self._live.quiet:
            self._ticker = Ticker(self._live, TICK)
            self._ticker.start()

    def _colour(self, config: pytest.Config, reporter: pytest.TerminalReporter) -> None:
        """Have colours in the log of a service, which shows them though it is no terminal, unless told otherwise."""
        told = config.option.color != "auto" or any(os.environ.get(name) for name in ("NO_COLOR", "PY_COLORS"))
        if self.service is not None and not told:
            reporter._tw.hasmarkup = reporter.hasmarkup = True

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Take over the lines of the run from pytest's dots, unless -v or -q ask for pytest's own."""
        if self._reporter is not None and verbosity(session.config) == 0:
            self._reporter.showfspath = False

    @pytest.hookimpl(tryfirst=True)
    def pytest_report_teststatus(
        self, report: pytest.TestReport | pytest.CollectReport, config: pytest.Config
    ) -> tuple[str, str, str] | None:
        """Count an item without a dot: the live lines say more, and -q asks for less."""
        is_result = isinstance(report, pytest.TestReport) and (report.when == "call" or not report.passed)
        return (report.outcome, "", report.outcome.upper()) if is_result and verbosity(config) <= 0 else None

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Iterator[None]:
        """Have the verdict as the very last line, below all that pytest says."""
        from pytest_telescope.fixtures import SESSION

        self._live.judged()
        if verbosity(session.config) < -1 and self._reporter is not None:
            self._reporter.reportchars = ""
            session.config.option.tbstyle = "no"
            session.config.option.disable_warnings = True
        try:
            return (yield)
        finally:
            self._live.close()
            if self._ticker is not None:
                self._ticker.stop()
            benchmark = session.config.stash.get(SESSION, None)
            if benchmark is not None and self._reporter is not None:
                self._end(self._reporter, benchmark)

    def _end(self, reporter: pytest.TerminalReporter, session: Session) -> None:
        if session.only_plan or reporter.config.getoption("collectonly") or not session.selected:
            return
        from pytest_telescope.report import progress_verdict

        document = progress_verdict.read(session.records_root / "verdict.json")
        if self.service is not None:
            for line in progress_verdict.errors(self.service, document):
                self.command(line)
        judged = self.judged
        if judged is None:
            judged = progress_verdict.judged_in(session.records_of(cell) for cell in session.selected)
        colour = {"PASS": {"green": True}}.get(document.get("verdict", ""), {"red": True, "bold": True})
        reporter.ensure_newline()
        reporter.write_line(progress_verdict.verdict_line(document, judged), **colour)

    def pytest_unconfigure(self) -> None:
        """Give the terminal back."""
        if self._ticker is not None:
            self._ticker.stop()
        if self._screen is not None:
            if self._reporter is not None and self._reporter._tw._file is self._screen:
                self._reporter._tw._file = self._stdout
            self._screen.close()
            self._screen = None


def summarise(reporter: pytest.TerminalReporter, session: Session) -> None:
    """Print the plan, or the closing table and where everything is."""
    if session.only_plan:
        from pytest_telescope.report.plan import plan_lines

        reporter.section("telescope plan: nothing was built")
        for text in plan_lines((session.plans[cell] for cell in session.selected), session.choice.attach):
            reporter.write_line(text)
    elif session.selected and not reporter.config.getoption("collectonly"):
        _close(reporter, session)


def _close(reporter: pytest.TerminalReporter, session: Session) -> None:
    compared = _compared(reporter, session)  # always: it also stores what an A/A session found
    if verbosity(reporter.config) >= -1 and not reporter.config.option.no_summary:
        reporter.section("telescope")
        _tables(reporter, session)
        if compared:
            _write(reporter, f"\n{compared}")
        reporter.write_line("")
        reporter.write_line(f"run folder: {session.records_root}")
        reporter.write_line(f"look further: telescope report {session.folder.run_id}")
    for reason in session.reasons:
        reporter.write_line(f"red: {reason}", red=True)
    for line in _kept(session):
        reporter.write_line(line, yellow=True)


def _compared(reporter: pytest.TerminalReporter, session: Session) -> str:
    """Return what ends a session of arms; empty for every other one."""
    from pytest_telescope import arms
    from pytest_telescope.errors import TelescopeError

    if session.choice.comparison is None:
        return ""
    try:
        return arms.closing(session, width=reporter._tw.fullwidth, colour=reporter.hasmarkup)
    except TelescopeError as error:
        return f"the arms cannot be compared: {error}"


def _write(reporter: pytest.TerminalReporter, text: str) -> None:
    """Write a table, in ASCII where the terminal has nothing else."""
    from pytest_telescope.report.sparkline import is_unicode
    from pytest_telescope.report.sparkline import plain

    encoding = getattr(reporter._tw._file, "encoding", None)
    reporter.write((text if is_unicode(encoding) else plain(text)) + "\n")


def _tables(reporter: pytest.TerminalReporter, session: Session) -> None:
    from pytest_telescope.report.table import closing_table

    closing = closing_table(
        [(cell, session.records_of(cell)) for cell in session.selected],
        width=reporter._tw.fullwidth,
        colour=reporter.hasmarkup,
        detailed=verbosity(reporter.config) > 1,
    )
    front = reporter.config.pluginmanager.get_plugin("telescope-front")
    if front is not None:
        front.judged = closing.judged
    _write(reporter, closing.text)


def _kept(session: Session) -> list[str]:
    """Return a line for every cluster that stays: read from the ledger, which knows those of workers too."""
    if not session.keep:
        return []
    from pytest_telescope.cluster import kept
    from pytest_telescope.cluster import ledger

    return kept.lines(one for one in ledger.entries() if one.lease.run == session.folder.run_id)
