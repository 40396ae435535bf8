"""The end of a session: nothing left running, every number written down, one verdict."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING

import pytest

from pytest_telescope.errors import TelescopeError
from pytest_telescope.report import outcomes

if TYPE_CHECKING:
    from pytest_telescope.fixtures import Session
    from pytest_telescope.lifecycle import ClusterHandle

GIVE_UP = 3
"""Signals after which even the destroy is given up; the ledger then holds what is left."""


def finish(config: pytest.Config, session: Session) -> list[str]:
    """Destroy what is left, write the run's records, and return why the run is red beyond its items."""
    with _patient(session):
        for run in session.runs.values():
            run.close()
        leaks = [leak for handle in session.handles.values() if (leak := _finish_handle(session, handle))]
        if not hasattr(config, "workerinput"):
            outcomes.report_lost(config)
            leaks += _finish_run(session)
    for cell, message in leaks:
        nodeid = f"scenarios/test_scenarios.py::leak[{cell}]"
        outcomes.report_extra(config, nodeid, ("scenarios/test_scenarios.py", 0, f"leak[{cell}]"), message)
    if hasattr(config, "workerinput"):
        return []
    return [f"leak {cell}" for cell, _ in leaks] + judged_nothing(session)


def judged_nothing(session: Session) -> list[str]:
    """Return the selected cells without a single judgement: never green because nothing was measured."""
    return [
        f"{cell} judged nothing"
        for cell in session.selected
        if not any(session.records_of(cell).records("judgements.jsonl"))
    ]


def _finish_handle(session: Session, handle: ClusterHandle) -> tuple[str, str] | None:
    """Destroy a cluster that no test_destroy destroyed; return (cell, message) of the leak case."""
    if handle.lease is None or handle.keep:
        return None
    cell, lease = handle.lease.cell, handle.lease.id
    session.live.say(cell, "destroy", f"lease {lease} is still open: destroying it now")
    handle.finished = False
    waiting = handle.sharing.busy is None and bool(handle.users)
    try:
        handle.down()
    except TelescopeError as error:
        return (
            cell,
            f"ERROR leak: lease {lease} is not destroyed: `telescope reap --run {session.folder.run_id}`: {error}",
        )
    if waiting:  # between two rows: the next one was to have it, but the run ended before
        return None
    return (
        cell,
        f"ERROR leak: lease {lease} outlived its cell; it was destroyed at the end of the run, nothing is left",
    )


def _finish_run(session: Session) -> list[tuple[str, str]]:
    """Destroy what workers left, which the ledger knows by this run's id."""
    from pytest_telescope.cluster import ledger
    from pytest_telescope.cluster import reaper

    run = session.folder.run_id
    tried = {handle.lease.id for handle in session.handles.values() if handle.lease is not None}
    open_leases = (
        [] if session.keep else [lease for lease in ledger.leases() if lease.run == run and lease.id not in tried]
    )
    if not open_leases:
        return []
    reaper.reap(run=run, report=lambda text: session.live.say(run, "reap", text))
    still = {lease.id for lease in ledger.leases()}
    return [(lease.cell, _reaped(lease.id, lease.id in still, run)) for lease in open_leases]


def _reaped(lease: str, is_open: bool, run: str) -> str:
    if is_open:
        return f"ERROR leak: lease {lease} is still open after the run: `telescope reap --run {run}`"
    return f"ERROR leak: lease {lease} outlived its worker; it was destroyed at the end of the run, nothing is left"


@contextmanager
def _patient(session: Session) -> Iterator[None]:
    """Ignore the first signals while clusters are destroyed, and say so."""
    count = 0

    def on_signal(signum: int, _frame: FrameType | None) -> None:
        nonlocal count
        count += 1
        name = signal.Signals(signum).name
        if count >= GIVE_UP:
            raise KeyboardInterrupt(f"{name} for the {count}th time")
        session.live.say(
            "telescope",
            "destroy",
            f"{name}: still destroying clusters; {GIVE_UP - count} more give up and leave the rest to `telescope reap`",
        )

    before = {number: signal.signal(number, on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def write_records(config: pytest.Config, session: Session) -> None:
    """Write results.jsonl and verdict.json."""
    from pytest_telescope.report import records

    root = session.records_root
    lines = [
        record
        for cell in session.selected
        for record in records.cell_records(session.folder.run_id, cell, session.records_of(cell))
    ]
    records.write_lines(root / "results.jsonl", lines)
    listener = config.pluginmanager.get_plugin("telescope-outcomes")
    verdict = records.verdict(listener.red if listener is not None else {}, session.reasons)
    (root / "verdict.json").write_text(json.dumps(verdict, indent=1) + "\n")
