"""Allure's results: every one is shaped just before allure-pytest writes it, and what has none gets one.

allure-pytest hands a finished result to the hook `report_result` of its own plugin manager (`AllureDeveloperHooks`), by
which it is written. At that time its historyId is made, so nothing that is added there can end up in it; items that are
skipped at collection or cut short come by, too; and steps can have their true times.
"""

from __future__ import annotations

import json
import shutil
import time
import uuid
from contextlib import suppress
from dataclasses import dataclass
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Any

import pluggy
import pytest

from pytest_telescope.errors import TelescopeError
from pytest_telescope.report import allure_case
from pytest_telescope.report import allure_writing
from pytest_telescope.report.allure_case import Case
from pytest_telescope.report.allure_shape import Attached
from pytest_telescope.report.allure_shape import Shown

if TYPE_CHECKING:
    from pytest_telescope.fixtures import Session
    from pytest_telescope.slo.model import Slo

NAME = "telescope-allure"
allure_impl = pluggy.HookimplMarker("allure")


def begin(config: pytest.Config, session: Session) -> None:
    """Say where results go and shape them; to be called before allure-pytest is configured, on every process.

    A live run writes to its own folder unless --alluredir says otherwise; a replay writes none unless it does. Without
    allure-pytest (`-p no:allure_pytest`) nothing happens.
    """
    if not config.pluginmanager.hasplugin("allure_pytest"):
        return
    if config.option.allure_report_dir is None and session.replay is None:
        config.option.allure_report_dir = str(session.records_root / "allure-results")
    _clean_once(config)
    if config.option.allure_report_dir is not None:
        _listen(config, session)


def _listen(config: pytest.Config, session: Session) -> None:
    """Register the one listener of this process."""
    import allure_commons

    shaper = Shaper(config=config, session=session, folder=Path(config.option.allure_report_dir).absolute())
    config.pluginmanager.register(shaper, NAME)
    allure_commons.plugin_manager.register(shaper, NAME)
    config.add_cleanup(lambda: allure_commons.plugin_manager.unregister(name=NAME))


def _clean_once(config: pytest.Config) -> None:
    """Clean the folder on the controller alone: every xdist worker, also a later one, has the same arguments."""
    is_asked = config.option.clean_alluredir and not hasattr(config, "workerinput") and not config.option.collectonly
    if is_asked and config.option.allure_report_dir:
        shutil.rmtree(config.option.allure_report_dir, ignore_errors=True)
    config.option.clean_alluredir = False


@dataclass(slots=True, eq=False)  # pluggy keeps plugins in sets
class Shaper:
    """Listens to pytest for what is under way, and to Allure for what is about to be written."""

    config: pytest.Config
    session: Session
    folder: Path
    item: pytest.Item | None = None
    cut: dict[str, str] = field(default_factory=dict)
    """Node id -> message of items that were reported without having come to their end."""
    about: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Cell -> its cell.json, read once."""
    slos: dict[str, dict[str, Slo]] = field(default_factory=dict)
    """Cell -> its SLOs by id."""
    lost: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Node id -> message and text of what no item of this process stands behind."""
    own: set[str] = field(default_factory=set)
    """Results that were made here."""

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> None:
        """Note which item the next result is of."""
        self.item = item

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note an item that was cut short, and what no item of this process stands behind."""
        if not report.failed or report.keywords:  # only what did not run to its end is reported without keywords
            return
        from pytest_telescope.report.outcomes import first_line

        if self.item is not None and report.nodeid == self.item.nodeid:
            self.cut[report.nodeid] = first_line(report)
        else:
            self.lost[report.nodeid] = (first_line(report), str(report.longreprtext))

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Write what belongs to the run as a whole, once its records are written, and results of what was lost.

        These come last: a worker that replaces one that crashed leaves a skip of the same item, and of two results of
        one item the later one counts.
        """
        for nodeid, (message, trace) in self.lost.items():
            with suppress(Exception):  # as in report_result
                self._make(nodeid, message, trace)
        if not hasattr(session.config, "workerinput"):
            self._finish()

    @allure_impl(tryfirst=True)
    def report_result(self, result: Any) -> None:
        """Shape a result before it is written."""
        if self.item is None or result.uuid in self.own:
            return
        try:
            self._shape(result, self.item)
        except Exception as error:  # whatever it is: a report must not end the run that it is of
            allure_writing.add(result, Shown(parameters={"not shown": f"{type(error).__name__}: {error}"}), self._mask)

    @allure_impl(tryfirst=True)
    def report_container(self, container: Any) -> None:
        """Leave the fixture `cell` out: it only hands over, and every item would show it."""
        container.befores[:] = [one for one in container.befores if one.name != "cell"]

    def _finish(self) -> None:
        from pytest_telescope.report import allure_metrics
        from pytest_telescope.report import allure_run
        from pytest_telescope.report.reading import read_results

        file, run = self.session.records_root / "results.jsonl", self.session.folder.run_id
        about = {cell: self.session.records_of(cell).read("cell.json") or {} for cell in self.session.selected}
        try:
            allure_run.write(self.folder, run, about)
            allure_metrics.write(self.folder, run, read_results(file) if file.exists() else ())
        except (OSError, ValueError, TelescopeError) as error:  # likewise: the run is over and its records are written
            self.session.live.say("telescope", "allure", f"what is said of the run as a whole is missing: {error}")

    def _shape(self, result: Any, item: pytest.Item) -> None:
        case = case_of(item)
        mask = self._mask if case.slo is None else str
        self._name(result, case)
        allure_writing.plain_parameters(result)
        allure_writing.plain_details(result, mask)
        allure_writing.without_tags(result, self.folder)
        self._cut_short(result, item.nodeid)
        slo = self._slo(case)
        if slo is not None and slo.ref.startswith("http"):
            result.links.append(_link(slo.ref))
        allure_writing.add(result, self._shown(case), mask)
        allure_writing.add(result, Shown(parameters=self._observed(case.cell)), mask)

    def _mask(self, text: str) -> str:
        """Take secrets out of what comes from a lease's folder or from logs.

        What is judged comes from Prometheus and is cleaned with all that is published, once, at the end of the run.
        """
        from pytest_telescope.report.outcomes import secrets_of

        return secrets_of(self.config).mask(text)

    def _name(self, result: Any, case: Case) -> None:
        planned, slo = self.session.plans.get(case.cell), self._slo(case)
        result.name = allure_case.title(case, planned, slo)
        result.description = allure_case.description(case, planned, slo) or result.description
        allure_writing.label(result, allure_case.suites(case.cell), allure_case.labels(case, planned, slo))

    def _slo(self, case: Case) -> Slo | None:
        """Return the SLO that an item judges."""
        planned = self.session.plans.get(case.cell)
        if case.slo is None or planned is None:
            return None
        if case.cell not in self.slos:
            self.slos[case.cell] = {slo.id: slo for slo in planned.slos}
        return self.slos[case.cell].get(case.slo)

    def _cut_short(self, result: Any, nodeid: str) -> None:
        """Make red what was interrupted: allure-pytest only knows that its setup was fine."""
        from allure_commons.model2 import StatusDetails

        if nodeid in self.cut and result.status not in allure_case.RED:
            result.status = "broken"
            result.statusDetails = StatusDetails(message=self.cut[nodeid])

    def _observed(self, cell: str) -> dict[str, str]:
        if cell not in self.about:
            found = self.session.records_of(cell).read("cell.json")
            if found is None:
                return {}
            self.about[cell] = found
        return allure_case.observed(self.about[cell])

    def _shown(self, case: Case) -> Shown:
        from pytest_telescope.report import allure_slo
        from pytest_telescope.report import allure_stages
        from pytest_telescope.report.attachments import picture_file

        run = self.session.runs.get(case.cell)
        if run is None:
            return Shown()
        if case.slo is not None:
            records, judgement = self.session.records_of(case.cell), run.judgements.get(case.slo)
            if judgement is None:
                return Shown()
            return allure_slo.shown(judgement, picture_file(records, case.slo), records.path / "judgements.jsonl")
        folder = self.session.folder.cell(case.cell)
        if case.test == "test_provision":
            return allure_stages.provision(folder, run.planned.cell, self._terraform_log(case.cell))
        return allure_stages.load(folder) if case.test == "test_load" else allure_stages.destroy(folder)

    def _terraform_log(self, cell: str) -> Attached | None:
        """Return Terraform's log, from the private folder of the lease that is open now."""
        from pytest_telescope.report import allure_files

        run = self.session.runs.get(cell)
        if run is None or run.handle.lease is None:
            return None
        return allure_files.read(run.handle.lease.folder / "terraform.log", "terraform.log")

    def _make(self, nodeid: str, message: str, trace: str) -> None:
        """Write a red result for a leak, a run that was interrupted before its first item, or an item that was lost."""
        from allure_commons import plugin_manager
        from allure_commons.model2 import StatusDetails
        from allure_commons.model2 import TestResult

        case, full = allure_case.parsed(nodeid)
        history = _md5(full, *(one for one in (case.cell, case.slo) if one))
        if self._is_written(history):
            return
        now = round(1000 * time.time())
        result = TestResult(
            uuid=str(uuid.uuid4()), fullName=full, historyId=history, testCaseId=_md5(full), start=now, stop=now
        )
        result.status, result.statusDetails = "broken", StatusDetails(message=message, trace=trace)
        result.parameters = [
            _parameter(name, value) for name, value in (("cell", case.cell), ("slo", case.slo)) if value
        ]
        self._name(result, case)
        self.own.add(result.uuid)
        plugin_manager.hook.report_result(result=result)

    def _is_written(self, history: str) -> bool:
        """Return whether a worker that was lost wrote a red result all the same."""
        texts = (file.read_text(encoding="utf-8") for file in self.folder.glob("*-result.json"))
        found = (json.loads(text) for text in texts if history in text)
        return any(one["historyId"] == history and one["status"] in allure_case.RED for one in found)


def case_of(item: pytest.Item) -> Case:
    """Return which item it is, by its parameters."""
    params: dict[str, str] = getattr(item, "callspec").params  # noqa: B009 - pytest.Item declares no callspec
    return Case(test=getattr(item, "originalname", item.name), cell=params["cell"], slo=params.get("slo"))


def _link(url: str) -> Any:
    from allure_commons.model2 import Link

    return Link(type="link", url=url, name="where the bound comes from")


def _parameter(name: str, value: str) -> Any:
    from allure_commons.model2 import Parameter

    return Parameter(name=name, value=value)


def _md5(*parts: str) -> str:
    """Return the digest by which allure-pytest tells tests apart."""
    from allure_commons.utils import md5

    return str(md5(*parts))  # type: ignore[no-untyped-call]  # no types
