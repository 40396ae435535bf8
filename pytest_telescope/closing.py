"""The end of a session: nothing left running, every number written down, one verdict."""

from __future__ import annotations

import contextlib
import json
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING
from typing import Any
from xml.etree import ElementTree

import pytest

from pytest_telescope.errors import TelescopeError
from pytest_telescope.report import outcomes

if TYPE_CHECKING:
    from pytest_telescope.cluster.model import Lease
    from pytest_telescope.fixtures import Session
    from pytest_telescope.lifecycle import ClusterHandle
    from pytest_telescope.report.secrets import Secrets

GIVE_UP = 3
"""Signals after which even the destroy is given up; the ledger then holds what is left."""


def finish(config: pytest.Config, session: Session) -> list[str]:
    """Destroy what is left, write the run's records, and return why the run is red beyond its items."""
    learn(config, session)
    with _patient(session):
        if _open_leases(session):  # the destroy takes minutes, and an agent that cancels a job does not give them
            write_unfinished(config, session)
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


def listen(config: pytest.Config, session: Session) -> None:
    """Let SIGINT and SIGTERM write down what is known before they interrupt what is going on.

    An agent that cancels a job kills ten seconds after the first signal, and Terraform alone may need longer to stop.
    """

    def on_signal(signum: int, _frame: FrameType | None) -> None:
        name = signal.Signals(signum).name
        with contextlib.suppress(Exception):  # whatever was being written in this very moment: the interrupt must come
            _tell_interrupted(config, session, name)
        raise KeyboardInterrupt(name)

    signal.signal(signal.SIGTERM, on_signal)
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # else it is ignored, or a worker's own
        signal.signal(signal.SIGINT, on_signal)


def _tell_interrupted(config: pytest.Config, session: Session, name: str) -> None:
    if hasattr(config, "workerinput"):
        return
    write_unfinished(config, session)
    run = session.folder.run_id
    session.live.say("telescope", "signal", f"{name}: stopping, then destroying; `telescope reap --run {run}` ends it")


def write_unfinished(config: pytest.Config, session: Session) -> None:
    """Write junit.xml as if the run ended here: what runs is cut, what is open leaks; written again at the end."""
    from _pytest.junitxml import xml_key  # no public name; the plugin itself has none

    from pytest_telescope.report import unfinished

    xml = config.stash.get(xml_key, None)
    listener = config.pluginmanager.get_plugin("telescope-outcomes")
    if xml is None or listener is None or hasattr(config, "workerinput"):
        return
    cut = dict.fromkeys(listener.running, "ERROR interrupted: the run ended in this stage")
    command = f"`telescope reap --run {session.folder.run_id}`"
    leaks = {
        f"scenarios/test_scenarios.py::leak[{lease.cell}]": f"ERROR leak: lease {lease.id} is not destroyed: {command}"
        for lease in _open_leases(session)
    }
    file = Path(xml.logfile)
    with _written_to(xml, file.with_suffix(".unfinished")) as beside:  # whoever kills us now finds all of it or nothing
        xml.pytest_sessionfinish()
        unfinished.add_cases(beside, {**cut, **leaks})
        with contextlib.suppress(Exception):  # its shape is worth less than that it is there
            settle(session, beside, listener.secrets)
        beside.replace(file)


@contextmanager
def _written_to(xml: Any, file: Path) -> Iterator[Path]:
    """Let pytest's JUnit reporter write to another file for a while."""
    before, xml.logfile = xml.logfile, str(file)
    try:
        yield file
    finally:
        xml.logfile = before


def _open_leases(session: Session) -> list[Lease]:
    """Return what the ledger still has of this run and what is not to be kept."""
    return [] if session.keep else _leases(session)


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
    waiting = handle.cluster is not None and handle.sharing.busy is None and bool(handle.users)
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
    open_leases = [lease for lease in _open_leases(session) if lease.id not in tried]
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
            f"{name}: still destroying clusters; {GIVE_UP - count} more gives up and leaves the rest to "
            f"`telescope reap --run {session.folder.run_id}`",
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
    lines = (
        record
        for cell in session.selected
        for record in records.cell_records(
            session.folder.run_id, cell, session.records_of(cell), session.plans[cell].slos
        )
    )
    session.reasons += records.write_results(root, lines)
    listener = config.pluginmanager.get_plugin("telescope-outcomes")
    verdict = records.verdict(listener.red if listener is not None else {}, session.reasons)
    (root / "verdict.json").write_text(json.dumps(verdict, indent=1) + "\n")


def learn(config: pytest.Config, session: Session) -> None:
    """Learn what must not be published, before the folders of the clusters that hold it are gone."""
    from pytest_telescope.report import secret_sources

    folders = [lease.folder for lease in _leases(session)]
    found = {secret for folder in folders for secret in secret_sources.of_folder(folder)}
    outcomes.secrets_of(config).add(found)
    secret_sources.remember(session.folder.path / "private", found)


def _leases(session: Session) -> list[Lease]:
    from pytest_telescope.cluster import ledger

    return [lease for lease in ledger.leases() if lease.run == session.folder.run_id]


@dataclass(frozen=True, slots=True, eq=False)  # pluggy keeps plugins in sets
class Publishing:
    """Does what comes after every other reporter has written its files."""

    session: Session

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Settle what is published; a worker leaves that to its controller."""
        if hasattr(session.config, "workerinput"):
            return
        try:
            publish(session.config, self.session)
        except Exception as error:  # the clusters are gone and the records written: only say it
            self.session.live.say("telescope", "publish", f"what is published may not be complete: {error!r}")


def publish(config: pytest.Config, session: Session) -> None:
    """Bring junit.xml into shape, then rid everything that is published of secrets."""
    from pytest_telescope.report import secret_files
    from pytest_telescope.report import secret_sources

    private, secrets = session.folder.path / "private", outcomes.secrets_of(config)
    secrets.add(secret_sources.remembered(private))
    xml = Path(getattr(config.option, "xmlpath", None) or session.records_root / "junit.xml")
    if xml.is_file():
        settle(session, xml, secrets)
    roots = {session.records_root}
    if (allure := getattr(config.option, "allure_report_dir", None)) and session.records_root not in Path(
        allure
    ).parents:
        roots.add(Path(allure))
    for root in roots:
        for line in secret_files.clean(root, secrets, private).lines():
            session.live.say("telescope", "publish", line)
    secret_sources.forget(private)


def settle(session: Session, xml: Path, secrets: Secrets) -> None:
    """Bring a junit.xml into shape, with the files that there are by now; without secrets, wherever it is."""
    from pytest_telescope.report import attachments
    from pytest_telescope.report import junit
    from pytest_telescope.report import secret_files

    cells, of_cell = session.records_root / "cells", cache(attachments.files_of)
    with contextlib.suppress(ElementTree.ParseError):  # whatever wrote it: a reader says so better
        junit.settle(xml, lambda name: attachments.tags_of_case(name, cells, xml.parent.resolve(), of_cell))
    secret_files.clean_file(xml, secrets)
