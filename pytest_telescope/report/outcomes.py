"""The outcomes of benchmark items: their shape for JUnit and Allure, and the tally that ends the run."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
from typing import TYPE_CHECKING

import pytest
from _pytest._code.code import ExceptionChainRepr  # no public name; JUnit, xdist and the terminal all read this shape
from _pytest._code.code import ReprFileLocation  # likewise
from _pytest._code.code import ReprTracebackNative  # likewise

from pytest_telescope import scheduling
from pytest_telescope.report.junit import begins_with_verdict
from pytest_telescope.report.junit import legal
from pytest_telescope.report.secrets import Secrets
from pytest_telescope.report.verdicts import VerdictError
from pytest_telescope.scenario.ids import parse_slo_item_id
from pytest_telescope.slo.model import Verdict

if TYPE_CHECKING:
    from pathlib import Path

    from _pytest._io import TerminalWriter  # what a repr is written to has no public name

    from pytest_telescope.fixtures import Session
    from pytest_telescope.slo.model import Judgement


@dataclass(slots=True, eq=False)  # pluggy keeps plugins in sets
class Outcomes:
    """Listens to every report, on the controller and on each worker."""

    session: Session
    red: dict[str, str] = field(default_factory=dict)
    """Node id -> first line of every red item."""
    running: dict[str, tuple[str, int | None, str]] = field(default_factory=dict)
    """Node id -> location of every item that began and did not end."""
    secrets: Secrets = field(default_factory=Secrets)

    def pytest_runtest_logstart(self, nodeid: str, location: tuple[str, int | None, str]) -> None:
        """Note that an item begins, on whichever worker."""
        self.running[nodeid] = location

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        """Note that an item came to its end."""
        self.running.pop(nodeid, None)

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: Sequence[str]) -> None:
        """Learn on pytest-xdist's controller, which collects nothing, what the workers run."""
        self.session.select(ids)

    @pytest.hookimpl(tryfirst=True)  # before JUnit and the terminal read the report
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note a red item, and say what became of an SLO."""
        if report.failed:
            settle(report, self.secrets)
            self.red.setdefault(report.nodeid, first_line(report))
            show(report)
        if "::test_slo[" in report.nodeid and (report.when == "call" or not report.passed):
            cell, _ = parse_slo_item_id(report.nodeid.partition("[")[2].rstrip("]"))
            self.session.live.say(cell, "slo", slo_line(report))


def slo_line(report: pytest.TestReport) -> str:
    """Return `PASS running p99 970 ms <= 5 s …`, whatever the outcome."""
    if report.failed:
        return first_line(report)
    if report.skipped and isinstance(report.longrepr, tuple):
        return str(report.longrepr[2]).removeprefix("Skipped: ")
    return " ".join(str(value) for name, value in report.user_properties if name in {"verdict", "message"})


def first_line(report: pytest.TestReport) -> str:
    """Return the line that says what is wrong."""
    crash = getattr(report.longrepr, "reprcrash", None)
    text = str(crash.message if crash is not None else report.longrepr)
    return text.partition("\n")[0]


def settle(report: pytest.TestReport, secrets: Secrets) -> None:
    """Let a red report that came from elsewhere, such as a crashed worker's, begin with a verdict, as a failure."""
    if not begins_with_verdict(first_line(report)):
        line = f"{Verdict.ERROR} {secrets.mask(first_line(report))}"
        report.longrepr = _repr(report.location, line, f"{line}\n\n{secrets.mask(str(report.longrepr))}")
    if report.when != "teardown":  # whose report JUnit ends a case by
        report.when = "call"


def secrets_of(config: pytest.Config) -> Secrets:
    """Return what must not be shown in this session."""
    listener = config.pluginmanager.get_plugin("telescope-outcomes")
    return listener.secrets if listener is not None else Secrets()


def shape(session: Session, item: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport) -> None:
    """Give a red report its verdict line, and a finished item its properties and attachments."""
    is_stage = report.when == "call" and "slo" not in getattr(item, "callspec").params  # noqa: B009 - see judgement_of
    secrets = learn(session, item) if is_stage else secrets_of(item.config)
    if report.failed and call.excinfo is not None:
        report.longrepr = red_repr(item, call.excinfo, last_lines(session, item), secrets.mask)
        report.sections = [(name, secrets.mask(text)) for name, text in report.sections]
    elif isinstance(report.longrepr, tuple):  # why it was skipped: what failed before it
        file, line, reason = report.longrepr
        report.longrepr = (file, line, secrets.mask(legal(reason)))
    if report.when == "call":
        cell = scheduling.cell_of(item)
        assert cell is not None
        # JUnit takes both from the report of the teardown, which is made from the item
        item.user_properties += [(name, _masked(value, secrets)) for name, value in properties(session, item)]
        report.user_properties = list(item.user_properties)
        attach(session, item, cell, report)
        _stop_after_destroy(session, item, report)


def learn(session: Session, item: pytest.Item) -> Secrets:
    """Return what must not be shown, with the secrets of the item's cluster, which are gone together with it."""
    from pytest_telescope.report import secret_sources

    secrets = secrets_of(item.config)
    run = session.runs.get(scheduling.cell_of(item) or "")
    if run is not None and run.handle.lease is not None:
        found = secret_sources.of_folder(run.handle.lease.folder)
        secret_sources.remember(session.folder.path / "private", found - set(secrets))
        secrets.add(found)
    return secrets


def _masked(value: object, secrets: Secrets) -> object:
    return secrets.mask(value) if isinstance(value, str) else value


def red_repr(
    item: pytest.Item,
    excinfo: pytest.ExceptionInfo[BaseException],
    after: str = "",
    mask: Callable[[str], str] = lambda text: text,
) -> ExceptionChainRepr:
    """Return what terminal, JUnit and xdist show: the verdict line first; a traceback only for what nobody foresaw.

    `after` are lines below the details; `mask` takes out what must not be shown.
    """
    error = excinfo.value
    if isinstance(error, VerdictError):
        line = mask(legal(error.line))
        text = "\n".join(one for one in (line, mask(legal(error.details)), after) if one) + "\n"
        return _repr(item.location, line, text)
    line = mask(legal(f"{Verdict.ERROR} {type(error).__name__}: {error}".partition("\n")[0]))
    return _repr(item.location, line, f"{line}\n\n{mask(str(excinfo.getrepr(style='short')))}")


def _repr(location: tuple[str, int | None, str], message: str, text: str) -> ExceptionChainRepr:
    path, line, _ = location
    crash = ReprFileLocation(path, (line or 0) + 1, message)
    return ExceptionChainRepr([(ReprTracebackNative([text]), crash, None)])


class Shown(ReprTracebackNative):
    """The text under a red item: coloured on a terminal, in ASCII on one without UTF-8, as it is anywhere else."""

    def toterminal(self, tw: TerminalWriter) -> None:
        """Write the text."""
        from pytest_telescope.report.colours import parts
        from pytest_telescope.report.sparkline import is_unicode
        from pytest_telescope.report.sparkline import plain

        file = tw._file  # pytest's own reprs do the same; only the file tells a terminal from JUnit's text
        if isinstance(file, io.StringIO):
            tw.write("".join(line for entry in self.reprentries for line in entry.lines))
            return
        text = "".join(line for entry in self.reprentries for line in entry.lines)
        lines = (text if is_unicode(getattr(file, "encoding", None)) else plain(text)).splitlines()
        for number, line in enumerate(lines):
            for part, markup in parts(line, is_first=number == 0):
                tw.write(part, **markup)
            tw.line()


def show(report: pytest.TestReport) -> None:
    """Let a terminal show a red report's text in colours, also where it came from a worker."""
    found = report.longrepr
    if isinstance(found, ExceptionChainRepr) and found.reprcrash is not None:
        lines = [line for entry in found.reprtraceback.reprentries for line in entry.lines]
        report.longrepr = ExceptionChainRepr([(Shown(lines), found.reprcrash, None)])


def last_lines(session: Session, item: pytest.Item) -> str:
    """Return what follows the details of a red SLO: its picture, how to judge again, how to ask again."""
    from pytest_telescope.report.attachments import going_on

    cell, judgement = scheduling.cell_of(item), judgement_of(session, item)
    if cell is None or judgement is None:
        return ""
    return going_on(session.folder, cell, judgement, _picture(session, cell, judgement.slo))


def _picture(session: Session, cell: str, slo: str) -> Path | None:
    from pytest_telescope.report.attachments import picture_file

    file = picture_file(session.records_of(cell), slo)
    return file if file.exists() else None


def judgement_of(session: Session, item: pytest.Item) -> Judgement | None:
    """Return the judgement that an item is about, None for a stage or what was not judged."""
    slo = getattr(item, "callspec").params.get("slo")  # noqa: B009 - pytest.Item declares no callspec
    run = session.runs.get(scheduling.cell_of(item) or "")
    return run.judgements.get(slo) if run is not None and slo is not None else None


def properties(session: Session, item: pytest.Item) -> list[tuple[str, object]]:
    """Return the numbers of an item as JUnit properties."""
    from pytest_telescope.report.junit_properties import judgement_properties
    from pytest_telescope.report.junit_properties import stage_properties

    judgement = judgement_of(session, item)
    if judgement is not None:
        return judgement_properties(judgement)
    stage = getattr(item, "originalname", item.name).removeprefix("test_")
    cell = scheduling.cell_of(item)
    return stage_properties(session.folder.cell(cell), stage) if cell is not None and stage != "slo" else []


def attach(session: Session, item: pytest.Item, cell: str, report: pytest.TestReport) -> None:
    """Name the files of a red item for Azure DevOps.

    The names are read only if the run is killed: its end names all there is by then (see `closing.publish`).
    """
    from pytest_telescope.report import attachments

    if report.failed:
        judgement = judgement_of(session, item)
        files = attachments.attached(session.records_of(cell), judgement.slo if judgement is not None else None)
        item.add_report_section("call", "stdout", attachments.tags(files, session.records_root))


def _stop_after_destroy(session: Session, item: pytest.Item, report: pytest.TestReport) -> None:
    """Count red items; `-x` and `--maxfail` take effect once the cell's cluster is gone."""
    session.red += report.failed
    name = getattr(item, "originalname", item.name)
    if session.maxfail and session.red >= session.maxfail and name == "test_destroy":
        item.session.shouldfail = f"stopping after {session.red} red items, with the cell destroyed"


def report_interrupted(item: pytest.Item) -> None:
    """Report an item that a signal cut short, with what it said last."""
    listener = item.config.pluginmanager.get_plugin("telescope-outcomes")
    run = listener.session.runs.get(scheduling.cell_of(item)) if listener is not None else None
    where = f": {run.doing}" if run is not None and run.doing else ""
    message = f"{Verdict.ERROR} interrupted by a signal in the middle of this stage{where}"
    report_extra(item.config, item.nodeid, item.location, message)


def report_interrupted_check(config: pytest.Config) -> None:
    """Report that a signal came before the first item: tools were built or loads were checked."""
    location = ("scenarios/test_scenarios.py", 0, "check")
    message = f"{Verdict.ERROR} interrupted by a signal while tools and loads were checked; nothing was built"
    report_extra(config, "scenarios/test_scenarios.py::check", location, message)


def report_lost(config: pytest.Config) -> None:
    """Report the items that ended with their pytest-xdist worker: an interrupted worker's last report does not come."""
    listener = config.pluginmanager.get_plugin("telescope-outcomes")
    if listener is None:
        return
    for nodeid, location in listener.running.items():
        if nodeid not in listener.red:
            report_extra(config, nodeid, location, f"{Verdict.ERROR} interrupted: its worker ended in this stage")


def report_extra(config: pytest.Config, nodeid: str, location: tuple[str, int | None, str], message: str) -> None:
    """Report a red case that no test function stands behind."""
    message = secrets_of(config).mask(legal(message))
    report = pytest.TestReport(
        nodeid=nodeid,
        location=location,
        keywords={},
        outcome="failed",
        longrepr=_repr(location, message, message + "\n"),
        when="call",
    )
    with contextlib.suppress(Exception):  # a reporter that cannot take it must not keep the clean-up from going on
        config.hook.pytest_runtest_logreport(report=report)
