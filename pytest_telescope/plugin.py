"""The hooks of the plugin, and nothing else: each hands over to the module that knows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Any

import pytest

from pytest_telescope import options
from pytest_telescope import scheduling
from pytest_telescope.fixtures import SESSION
from pytest_telescope.fixtures import cell
from pytest_telescope.scenario.names import PROVIDERS

if TYPE_CHECKING:
    from pytest_telescope.fixtures import Session

__all__ = ["cell"]

SCENARIO_TESTS = "test_scenarios.py"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options."""
    options.add(parser)


@pytest.hookimpl(tryfirst=True)  # before pytest's own junitxml looks at --junitxml
def pytest_configure(config: pytest.Config) -> None:
    """Register the marks; in a benchmark, resolve every cell before anything is built."""
    for name in PROVIDERS:
        config.addinivalue_line(
            "markers", f"{name}: cells whose cluster comes from {name}; -m {name} chooses the provider"
        )
    config.addinivalue_line("markers", "e2e: starts real programs and takes seconds to minutes")
    config.addinivalue_line("markers", "long: takes minutes; `make test-long` runs it")
    config.addinivalue_line("markers", "extra: more of what CI tries a part of; `make test-extra` runs it")
    if config.getoption("help") or config.getoption("version"):
        return
    choice = options.choose(config)
    if choice.benchmark:
        from pytest_telescope import benchmark

        config.stash[SESSION] = benchmark.begin(config, choice)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave the benchmark's items out of a run of unit tests: bare `pytest` builds nothing."""
    if SESSION not in config.stash and collection_path.name == SCENARIO_TESTS:
        return True
    return None


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Turn cells and SLOs into items."""
    session = metafunc.config.stash.get(SESSION, None)
    if session is None or metafunc.definition.path.name != SCENARIO_TESTS or "cell" not in metafunc.fixturenames:
        return
    from pytest_telescope import benchmark

    benchmark.parametrize(metafunc, session)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> Iterator[None]:
    """Keep cells whole whatever `-k` or `--lf` chose, and in the order of their stages."""
    before = list(items)
    yield
    session = config.stash.get(SESSION, None)
    if session is not None:
        from pytest_telescope import benchmark

        benchmark.select(config, session, before, items)


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> bool | None:
    """Run nothing under --plan; else have the tools ready before the first stage's clock starts."""
    benchmark_session = session.config.stash.get(SESSION, None)
    if benchmark_session is None:
        return None
    if benchmark_session.only_plan:
        return True
    from pytest_telescope import benchmark

    try:
        benchmark.make_tools(session.config, benchmark_session)
    except KeyboardInterrupt:
        from pytest_telescope.report import outcomes

        outcomes.report_interrupted_check(session.config)
        raise
    return None


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Keep all items of one cluster on one worker."""
    session = config.stash.get(SESSION, None)
    if session is None:
        return None
    groups = {name: planned.cluster for name, planned in session.plans.items()}
    return scheduling.scheduler_class(groups)(config, log)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Give every xdist worker the run that the controller began."""
    session = node.config.stash.get(SESSION, None)
    if session is not None:
        node.workerinput["telescope_run"] = str(session.folder.path)
        node.workerinput["telescope_started"] = session.live.started
        node.workerinput["telescope_replay"] = session.replay


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Give an item that is interrupted a named outcome; JUnit would show a nameless one."""
    from pytest_telescope.report import outcomes

    try:
        return (yield)
    except KeyboardInterrupt:
        if _session(item) is not None:
            outcomes.report_interrupted(item)
        raise


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """Let every red benchmark item begin with its verdict, and carry its numbers into JUnit."""
    report: pytest.TestReport = yield  # type: ignore[assignment]  # pluggy sends the hook's result
    session = _session(item)
    if session is not None:
        from pytest_telescope.report import outcomes

        outcomes.shape(session, item, call, report)
    return report  # type: ignore[return-value]  # a wrapper hands on the hook's result


def _session(item: pytest.Item) -> Session | None:
    return item.config.stash.get(SESSION, None) if scheduling.cell_of(item) is not None else None


@pytest.hookimpl(tryfirst=True)  # before JUnit is written: a leak must be in it
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Destroy what is left, say so, and write the run's verdict."""
    benchmark_session = session.config.stash.get(SESSION, None)
    if benchmark_session is not None:
        from pytest_telescope import benchmark

        benchmark.finish(session, benchmark_session, exitstatus)


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Close with the plan or the table of judgements."""
    session = config.stash.get(SESSION, None)
    if session is not None:
        from pytest_telescope import terminal

        terminal.summarise(terminalreporter, session)


def pytest_report_header(config: pytest.Config) -> list[str]:
    """Say which run this is and where it goes."""
    session = config.stash.get(SESSION, None)
    if session is None:
        return []
    cells = ", ".join(list(session.plans)[:5]) + (
        f" and {len(session.plans) - 5} more" if len(session.plans) > 5 else ""
    )
    if session.only_plan or config.getoption("collectonly"):
        return [f"telescope: {cells}"]
    return [f"telescope: run {session.folder.run_id}: {cells}", f"run folder: {session.folder.path}"]
