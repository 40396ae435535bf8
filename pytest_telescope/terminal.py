"""What a person sees of a benchmark: live lines while it runs, the plan or the closing table at its end."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING

from pytest_telescope.report.live import Live

if TYPE_CHECKING:
    import pytest

    from pytest_telescope.fixtures import Session
    from pytest_telescope.report.folder import RunFolder


def follow_workers(session: Session) -> None:
    """Print the live lines that pytest-xdist workers write."""
    from pytest_telescope.report.live import Follower

    session.follower = Follower(session.folder.path / "private" / "live.log", session.live.write)
    session.follower.start()


def live(config: pytest.Config, folder: RunFolder) -> Live:
    """Return the live lines: straight to the terminal, from an xdist worker through a file the controller follows."""
    from pytest_telescope.report.live import FileWriter

    if hasattr(config, "workerinput"):
        return Live(
            write=FileWriter(folder.path / "private" / "live.log"),
            started=config.workerinput.get("telescope_started", 0.0),
        )

    def write(text: str) -> None:
        reporter = config.pluginmanager.get_plugin("terminalreporter")
        if reporter is not None:
            reporter.ensure_newline()
            reporter.write_line(text, flush=True)

    def uncaptured() -> contextlib.AbstractContextManager[None]:
        capture = config.pluginmanager.get_plugin("capturemanager")
        return capture.global_and_fixture_disabled() if capture is not None else contextlib.nullcontext()

    return Live(write=write, uncaptured=uncaptured, started=time.monotonic(), quiet=config.getoption("verbose") < 0)


def summarise(reporter: pytest.TerminalReporter, session: Session) -> None:
    """Print the plan, or the closing table and where everything is."""
    if session.only_plan:
        from pytest_telescope.report.plan import plan_lines

        reporter.section("telescope plan: nothing was built")
        for text in plan_lines((session.plans[cell] for cell in session.selected), session.choice.attach):
            reporter.write_line(text)
    elif session.selected:
        _close(reporter, session)


def _close(reporter: pytest.TerminalReporter, session: Session) -> None:
    from pytest_telescope.report.sparkline import is_unicode
    from pytest_telescope.report.sparkline import plain
    from pytest_telescope.report.table import closing_table

    if reporter.config.getoption("collectonly"):
        return
    reporter.section("telescope")
    cells = [(cell, session.records_of(cell)) for cell in session.selected]
    text = closing_table(cells, width=reporter._tw.fullwidth, colour=reporter.hasmarkup)
    encoding = getattr(reporter._tw._file, "encoding", None)
    reporter.write((text if is_unicode(encoding) else plain(text)) + "\n")
    for reason in session.reasons:
        reporter.write_line(f"red: {reason}", red=True)
    for line in _kept(session):
        reporter.write_line(line, yellow=True)
    reporter.write_line(f"run folder: {session.records_root}")


def _kept(session: Session) -> list[str]:
    """Return a line for every cluster that stays: read from the ledger, which knows those of workers too."""
    if not session.keep:
        return []
    from pytest_telescope.cluster import kept
    from pytest_telescope.cluster import ledger

    return kept.lines(one for one in ledger.entries() if one.lease.run == session.folder.run_id)
