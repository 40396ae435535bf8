"""The report in a real browser, offline: a reader clicks through it, and what they look for is there."""

from __future__ import annotations

import argparse
import io
import os
import re
import shutil
from collections.abc import Callable
from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_telescope.report import command
from tests.report.report_runs import CASES
from tests.report.report_runs import SLO
from tests.report.report_runs import Case
from tests.report.report_runs import cell
from tests.report.report_runs import make_run
from tests.report.report_runs import three_runs

if TYPE_CHECKING:
    from playwright.sync_api import ConsoleMessage
    from playwright.sync_api import Locator
    from playwright.sync_api import Page
    from playwright.sync_api import Route

OFFLINE = ("file:", "data:", "blob:")
GREEN, REGRESSION, MISSING = (case.run for case in CASES)
LAST = "20231117-221320-dddd"
"""A green run after the others, so that the values of three runs are beside each other."""
PATIENCE = 10_000
"""Milliseconds for what a click brings."""


@dataclass
class Reader:
    """An open report, and what must not happen while it is read."""

    page: Page
    asked: list[str] = field(default_factory=list)
    """Addresses on other machines."""
    errors: list[str] = field(default_factory=list)

    def note_error(self, error: object) -> None:
        """Note what the program of the page did not catch."""
        self.errors.append(str(error))

    def note_message(self, message: ConsoleMessage) -> None:
        """Note an error in the console."""
        if message.type == "error":
            self.errors.append(message.text)

    def answer(self, route: Route) -> None:
        """Let the page have itself, and nothing else."""
        if route.request.url.startswith(OFFLINE):
            route.continue_()
            return
        self.asked.append(route.request.url)
        route.abort()

    def text(self, words: str) -> Locator:
        """Return the first visible element with these words."""
        return self.page.get_by_text(words).filter(visible=True).first

    def part(self, name: str) -> Locator:
        """Return the first element of Allure's own name."""
        return self.page.get_by_test_id(name).first


Opened = Callable[[str], Reader]


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Reports of a green run, a regression, a missing metric, and a green run again, by run."""
    base = tmp_path_factory.mktemp("reports")
    shutil.copytree(three_runs(tmp_path_factory) / "runs", base / "runs")
    make_run(base, Case(LAST, CASES[0].seconds))
    return {run: made(base, run) for run in (GREEN, REGRESSION, MISSING, LAST)}


def made(base: Path, run: str) -> Path:
    """Make a report and return its page."""
    parser = argparse.ArgumentParser()
    command.arguments(parser)
    command.run(parser.parse_args([run, "--gate", "--telescope-dir", str(base)]), io.StringIO())
    return base / "runs" / run / "publish" / "report" / "index.html"


@pytest.fixture(scope="module")
def page(browser: str) -> Iterator[Page]:
    """One page of a browser that is offline; it may write attachments to its own folder only."""
    from playwright.sync_api import sync_playwright

    sandbox = [] if os.geteuid() else ["--no-sandbox"]  # Chromium refuses to be root otherwise
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=browser, args=[*sandbox, "--disable-background-networking"]
        )
        context = started.new_context(viewport={"width": 1500, "height": 1000}, offline=True, locale="en-GB")
        context.set_default_timeout(PATIENCE)
        yield context.new_page()
        started.close()


@pytest.fixture
def reader(page: Page, reports: dict[str, Path]) -> Iterator[Callable[[str], Reader]]:
    """Open a run's report; an error in the console or a request to another machine fails the test."""
    found = Reader(page)
    page.on("pageerror", found.note_error)
    page.on("console", found.note_message)
    page.route("**/*", found.answer)

    def open_report(run: str) -> Reader:
        page.goto(reports[run].as_uri())
        return found

    yield open_report
    page.unroute_all()
    page.remove_listener("pageerror", found.note_error)
    page.remove_listener("console", found.note_message)
    page.goto("about:blank")
    assert (found.asked, found.errors) == ([], [])


def test_the_overview_counts_the_items_and_says_of_which_run_they_are(reader: Opened) -> None:
    found = reader(REGRESSION)

    assert found.part("report-title").inner_text() == REGRESSION
    assert found.part("metadata-item-failed").inner_text().split() == ["Failed", "2"]
    assert "FAIL (slo)" in found.part("report-variables").inner_text()
    assert found.page.get_by_text("local (functional)").count() >= 1


def test_a_failing_slo_shows_its_line_and_its_picture(reader: Opened) -> None:
    found = reader(REGRESSION)

    found.part("tab-failed").click()
    found.part("tree-leaf").click()
    found.text(f"{SLO} over the window").click()

    picture = found.page.locator("img:visible").first
    picture.wait_for()
    assert picture.evaluate("image => image.complete && image.naturalWidth") > 100
    assert re.search(rf"{SLO} p90 4.7 s > 2 s", found.part("test-result-error-message").inner_text())
    assert found.text("SLO violated").is_visible()


def test_the_same_slo_is_side_by_side_on_both_providers(reader: Opened) -> None:
    found = reader(REGRESSION)

    found.part("tab-failed").click()
    found.part("tree-leaf").click()
    found.part("test-result-tab-environments").click()
    environments = found.page.get_by_test_id("test-result-env-item")
    shown = found.page.locator("body").inner_text()

    assert environments.count() in (0, 2)
    assert "AKS" in shown
    assert "local (functional)" in shown


def test_the_metrics_page_has_the_values_of_three_runs_and_their_names(reader: Opened) -> None:
    found = reader(LAST)

    found.page.get_by_text("Report", exact=True).first.click()
    found.text("Metrics").click()
    row = found.page.get_by_text(re.compile(rf"^aks.*{SLO}")).filter(visible=True).first
    row.click()
    found.text("Metric history").wait_for()
    shown = found.page.locator("body").inner_text()

    assert "Performance metrics" in shown
    assert re.search(rf"{GREEN}\s.*950 ms|{GREEN}\s.*0\.95 s", shown)
    assert re.search(rf"{REGRESSION}\s.*(4\.7 s|4700 ms)", shown)
    assert not re.search(rf"{MISSING}\s.*\d m?s", shown)


def test_the_graphs_show_what_became_of_the_last_runs(reader: Opened) -> None:
    found = reader(LAST)

    found.page.get_by_text("Report", exact=True).first.click()
    found.text("Graphs").click()
    found.text("Last runs").wait_for()

    assert found.page.get_by_text("No results").count() == 0


def test_the_gate_says_which_number_got_worse(reader: Opened) -> None:
    found = reader(REGRESSION)

    found.part("nav-tab-qualityGate").click()

    assert found.text(f"{cell('aks')}/{SLO} changed by +394.7 %").is_visible()


def test_a_missing_metric_is_in_its_category_and_broken(reader: Opened) -> None:
    found = reader(MISSING)

    found.part("nav-tab-categories").click()

    assert found.text("Data missing or too thin").is_visible()


def test_the_files_of_the_run_can_be_taken_along(reader: Opened) -> None:
    found = reader(REGRESSION)

    found.part("nav-tab-globalAttachments").click()

    for name in ("judgements.csv", "junit.xml", "results.jsonl", "verdict.json"):
        assert found.text(name).is_visible(), name
