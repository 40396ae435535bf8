"""A pytest plugin (`-p benchmarks.unreported`): the same items and judgements, with nothing of it reported.

No JUnit, Allure, records, pictures, properties, attachments, live lines or tables; judgements.jsonl stays, as it is the
judge's own.
"""

from __future__ import annotations

from typing import Any

import pytest
from _pytest.junitxml import xml_key  # no public name; -p no:junitxml would take its options away too

from pytest_telescope import closing
from pytest_telescope import terminal
from pytest_telescope.lifecycle import CellRun
from pytest_telescope.report import outcomes


def _nothing(*_arguments: Any, **_options: Any) -> None:
    """Do nothing."""


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """Take away all that reports; the plugin itself has no switch for it."""
    for name, _ in config.pluginmanager.list_name_plugin():
        if name.startswith("telescope-"):
            config.pluginmanager.unregister(name=name)
    config.pluginmanager.unregister(config.stash[xml_key])
    del config.stash[xml_key]
    closing.write_records = _nothing
    terminal.summarise = _nothing
    outcomes.shape = _nothing
    CellRun._draw = _nothing  # type: ignore[method-assign]  # there is no switch


def pytest_report_teststatus(report: pytest.TestReport | pytest.CollectReport) -> tuple[str, str, str] | None:
    """Count without a dot, as the live lines do."""
    is_result = isinstance(report, pytest.TestReport) and (report.when == "call" or not report.passed)
    return (report.outcome, "", "") if is_result else None
