"""The benchmark inside a pytest session: begin, items, selection, end."""

from __future__ import annotations

import contextlib
import gc
import os
import time
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_telescope import cells
from pytest_telescope import options
from pytest_telescope import scheduling
from pytest_telescope import sharding
from pytest_telescope import terminal
from pytest_telescope.errors import LoadError
from pytest_telescope.errors import TelescopeError
from pytest_telescope.errors import ToolError
from pytest_telescope.errors import UsageError
from pytest_telescope.fixtures import Session
from pytest_telescope.report.folder import RunFolder
from pytest_telescope.report.folder import new_run_id

if TYPE_CHECKING:
    from pytest_telescope.options import Choice
    from pytest_telescope.slo.planned import Planned

SCENARIO_TESTS = "test_scenarios.py"
JUDGE_TOOLS = ("prometheus", "promtool")


def begin(config: pytest.Config, choice: Choice) -> Session:
    """Resolve every chosen cell and set the session up; nothing is built.

    Raises:
        pytest.UsageError: anything wrong with the command line or a scenario.yaml, with file and line.
    """
    wanted = _items_to_cells(config)
    try:
        _use_tools(config)
        plans, folder, replay = (
            _replayed(config, choice) if choice.replay else (cells.plan(choice), _folder(config), None)
        )
    except TelescopeError as error:
        raise pytest.UsageError(str(error)) from error
    plans = [planned for planned in plans if wanted is None or planned.cell.id in wanted] or _none_of(plans)
    sharding.begin(config, plans, os.environ)
    gc.freeze()  # plans and modules live to the end; walking them at every full collection costs a third of a start
    session = Session(
        choice=choice,
        plans={planned.cell.id: planned for planned in plans},
        folder=folder,
        live=terminal.live(config, folder),
        keep=options.keeps(config, os.environ),
        allow_exec=config.getoption("allow_exec"),
        only_plan=config.getoption("plan"),
        replay=replay,
        maxfail=config.getoption("maxfail"),
    )
    if not (session.only_plan or session.replay or config.getoption("collectonly")):
        _ask(config, session)
    config.option.maxfail = 0  # -x takes effect after the cell's destroy, see report.outcomes
    if not (session.only_plan or config.getoption("collectonly")):
        _prepare_run(config, session)
    return session


def _none_of(plans: Sequence[Planned]) -> list[Planned]:
    raise pytest.UsageError(f"none of the given items belongs to a chosen cell: {', '.join(p.cell.id for p in plans)}")


def _ask(config: pytest.Config, session: Session) -> None:
    """Ask the providers of this agent's cells, and a person before a cluster that is there gets a load.

    Raises:
        pytest.UsageError: one of them refuses.
    """
    from pytest_telescope import preflight

    shard, attach = config.stash.get(sharding.SHARD, None), session.choice.attach
    plans = session.plans.values()
    try:
        preflight.ask_providers([one for one in plans if shard is None or one.cell.id in shard.own], attach)
        if attach is not None and not hasattr(config, "workerinput"):
            capture = config.pluginmanager.get_plugin("capturemanager")
            preflight.agree(session.choice.providers[0], attach, capture=capture, yes=config.getoption("yes"))
    except UsageError as error:
        raise pytest.UsageError(str(error)) from error


def _use_tools(config: pytest.Config) -> None:
    from pytest_telescope import toolchain

    for text in config.getoption("tool"):
        toolchain.override(*options.assignment(text, "--tool"))


def _folder(config: pytest.Config) -> RunFolder:
    workerinput = getattr(config, "workerinput", None)
    if workerinput is not None:
        return RunFolder(Path(workerinput["telescope_run"]))
    return RunFolder(_base(config) / "runs" / new_run_id(time.time()))


def _base(config: pytest.Config) -> Path:
    given = config.getoption("telescope_dir")
    return Path(given).resolve() if given else config.rootpath / ".telescope"


def _replayed(config: pytest.Config, choice: Choice) -> tuple[list[Planned], RunFolder, str]:
    from pytest_telescope import replay

    assert choice.replay is not None
    plans, folder, where = replay.plans(choice.replay, base=_base(config))
    return plans, folder, getattr(config, "workerinput", {}).get("telescope_replay") or where


def _items_to_cells(config: pytest.Config) -> set[str] | None:
    """Replace node ids by the file, so that a cell stays whole; return the cells they name, None for all.

    Also keeps a benchmark from collecting the unit tests beside it.
    """
    ids = [arg for arg in config.args if "::" in arg]
    if not ids:
        if config.args_source != pytest.Config.ArgsSource.ARGS:
            config.args[:] = [str(config.rootpath / "scenarios" / SCENARIO_TESTS)]
        return None
    config.args[:] = list(dict.fromkeys(arg.partition("::")[0] for arg in config.args))
    prefixes = [p for arg in ids if "[" in arg for p in scheduling.prefixes(arg.partition("[")[2].rstrip("]"))]
    return set(prefixes) if prefixes else None


def _prepare_run(config: pytest.Config, session: Session) -> None:
    from pytest_telescope import closing
    from pytest_telescope.report import allure_results
    from pytest_telescope.report import secret_sources
    from pytest_telescope.report.junit import legal
    from pytest_telescope.report.outcomes import Outcomes

    closing.listen(config, session)
    listener = Outcomes(session)
    listener.secrets.names = " ".join(f"{cell}--{slo.id}" for cell, one in session.plans.items() for slo in one.slos)
    listener.secrets.add(secret_sources.of_environment(os.environ))
    if session.choice.attach is not None:
        listener.secrets.add(secret_sources.of_file(session.choice.attach))
    session.live.mask = lambda text: listener.secrets.mask(legal(text))
    config.pluginmanager.register(listener, "telescope-outcomes")
    config.pluginmanager.register(closing.Publishing(session), "telescope-publishing")
    allure_results.begin(config, session)
    if hasattr(config, "workerinput"):
        return
    if session.replay is None:
        session.folder.make()
    target = session.records_root
    target.mkdir(parents=True, exist_ok=True)
    if session.replay is not None:
        _carry_over(session)
    elif getattr(config.option, "numprocesses", None):
        terminal.follow_workers(session)
    if getattr(config.option, "xmlpath", "") is None:  # not there with -p no:junitxml
        config.option.xmlpath = str(target / "junit.xml")


def _carry_over(session: Session) -> None:
    """Put what is known of each recorded cell beside the new judgements."""
    for cell in session.plans:
        session.records_of(cell).write("cell.json", session.folder.cell(cell).read("cell.json"))


def parametrize(metafunc: pytest.Metafunc, session: Session) -> None:
    """Give `cell`, and `slo` where it is asked for, their values."""
    plans = session.plans.values()
    if "slo" in metafunc.fixturenames:
        rows = [_slo_param(planned, slo.id, slo.skip) for planned in plans for slo in planned.slos]
        metafunc.parametrize(("cell", "slo"), rows, indirect=["cell"])
        return
    stages = [] if session.replay else [pytest.param(p.cell.id, id=p.cell.id, marks=_marks(p, None)) for p in plans]
    metafunc.parametrize("cell", stages, indirect=True)


def _slo_param(planned: Planned, slo: str, skip: str | None) -> object:
    from pytest_telescope.scenario.ids import slo_item_id

    return pytest.param(planned.cell.id, slo, id=slo_item_id(planned.cell.id, slo), marks=_marks(planned, skip))


def _marks(planned: Planned, skip: str | None) -> list[pytest.MarkDecorator]:
    reason = planned.skip or skip
    marks = [_provider_mark(planned.cell.provider)]
    return [*marks, pytest.mark.skip(reason=f"SKIP {reason}")] if reason else marks


@cache
def _provider_mark(name: str) -> pytest.MarkDecorator:
    mark: pytest.MarkDecorator = getattr(pytest.mark, name)
    return mark


def select(config: pytest.Config, session: Session, before: Sequence[pytest.Item], items: list[pytest.Item]) -> None:
    """Bring whole cells, drop everything that is no benchmark, and put the stages in order."""
    whole = scheduling.with_whole_cells(before, items)
    if (shard := config.stash.get(sharding.SHARD, None)) is not None:
        whole = shard.keep(whole)
    ordered = [item for item in scheduling.in_order(whole, list(session.plans)) if scheduling.cell_of(item)]
    session.selected = list(dict.fromkeys(cell for item in ordered if (cell := scheduling.cell_of(item))))
    _correct_deselected(config, ordered)
    items[:] = ordered


def _correct_deselected(config: pytest.Config, kept: Sequence[pytest.Item]) -> None:
    """Take items that came back with their cell off the terminal's count of deselected ones."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None and "deselected" in reporter.stats:
        ids = {id(item) for item in kept}
        reporter.stats["deselected"] = [item for item in reporter.stats["deselected"] if id(item) not in ids]


def make_tools(config: pytest.Config, session: Session) -> None:
    """Build what the selected cells need, a line a tool; one that cannot be had is for test_provision to report.

    Raises:
        pytest.UsageError: a load cannot run on the cluster that would be made; every one is named.
    """
    from pytest_telescope.cluster.providers import source
    from pytest_telescope.load.engines import tools_of
    from pytest_telescope.toolchain import ensure

    if config.getoption("collectonly") or hasattr(config, "workerinput"):
        return
    plans = [session.plans[cell] for cell in _own_cells(config, session) if session.plans[cell].skip is None]
    clusters, attach = [] if session.replay else plans, session.choice.attach
    names = [name for p in clusters for name in source(p.cell.provider, attach).tools_of(p.cell.cluster)]
    names += [name for p in clusters for name in tools_of(p.cell.engine)]
    with contextlib.suppress(ToolError):
        ensure([*JUDGE_TOOLS, *names] if plans else [], lambda text: session.live.say("telescope", "tools", text))
    _check_queries(plans, session)
    _check_loads([p.cell.id for p in clusters], session)


def _own_cells(config: pytest.Config, session: Session) -> list[str]:
    """Return the cells of this run; the controller of pytest-xdist collects none itself before its workers did."""
    shard = config.stash.get(sharding.SHARD, None)
    return session.selected or [cell for cell in session.plans if shard is None or cell in shard.own]


def _check_queries(plans: Sequence[Planned], session: Session) -> None:
    """Let Prometheus read every query, before the first cluster is paid for; without promtool it is read at the end."""
    from pytest_telescope.slo.parsing import unreadable

    with contextlib.suppress(ToolError):
        if wrong := unreadable(plans):
            session.selected = []
            raise pytest.UsageError("\n".join(wrong))


def _check_loads(ids: Sequence[str], session: Session) -> None:
    """Ask every engine whether its load can run, before the first cluster is paid for."""
    wrong = []
    for cell in ids:
        try:
            session.run_of(cell).check()
        except UsageError as error:
            wrong.append(f"{cell}: {error}")
        except (ToolError, LoadError):
            continue  # for test_provision to report: only its own cell fails
    if wrong:
        session.selected = []  # nothing was begun, so there is nothing to close with
        raise pytest.UsageError("\n".join(wrong))


def finish(pytest_session: pytest.Session, session: Session, exitstatus: int) -> None:
    """Leave nothing running, write the records, and turn the run red if a leak or an empty cell asks for it."""
    from pytest_telescope import closing

    config = pytest_session.config
    if session.only_plan or config.getoption("collectonly"):
        return
    session.follower_stop()
    reasons = closing.finish(config, session)
    if hasattr(config, "workerinput"):
        return
    session.reasons = reasons
    closing.write_records(config, session)
    if session.reasons and exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
        pytest_session.exitstatus = pytest.ExitCode.TESTS_FAILED
