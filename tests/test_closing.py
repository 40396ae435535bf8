"""A run that may be killed in seconds has its JUnit at once: what ran and what is open are red cases in it."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from pytest_telescope import paths
from pytest_telescope.cluster.processes import wait_until
from pytest_telescope.report import unfinished
from tests.e2e.conftest import SMALL
from tests.e2e.conftest import Harness
from tests.e2e.conftest import at
from tests.e2e.conftest import traces

JUNIT = (
    '<?xml version="1.0" encoding="utf-8"?><testsuites name="pytest tests">'
    '<testsuite name="pytest" errors="0" failures="1" skipped="0" tests="2" time="1.0">'
    '<testcase classname="scenarios.test_scenarios" name="test_provision[c]" time="1.0"/>'
    '<testcase classname="scenarios.test_scenarios" name="test_load[c]"><failure message="FAIL x">x</failure>'
    "</testcase>"
    "</testsuite></testsuites>"
)
FILE = "scenarios/test_scenarios.py"


@pytest.fixture
def junit(tmp_path: Path) -> Path:
    file = tmp_path / "junit.xml"
    file.write_text(JUNIT, encoding="utf-8")
    return file


def failures(file: Path) -> dict[str, str]:
    cases = ElementTree.parse(file).iter("testcase")
    return {
        case.get("name", ""): failure.get("message", "")
        for case in cases
        if (failure := case.find("failure")) is not None
    }


def test_cases_are_added_and_counted(junit: Path) -> None:
    unfinished.add_cases(junit, {f"{FILE}::test_destroy[c]": "ERROR interrupted", f"{FILE}::leak[c]": "ERROR leak <&>"})

    suite = next(ElementTree.parse(junit).iter("testsuite"))
    assert failures(junit) == {
        "test_load[c]": "FAIL x",
        "test_destroy[c]": "ERROR interrupted",
        "leak[c]": "ERROR leak <&>",
    }
    assert (suite.get("tests"), suite.get("failures")) == ("4", "3")


def test_a_case_that_is_known_is_not_added_again(junit: Path) -> None:
    unfinished.add_cases(junit, {f"{FILE}::test_load[c]": "ERROR interrupted"})

    assert failures(junit) == {"test_load[c]": "FAIL x"}
    assert list(junit.parent.iterdir()) == [junit]


LIVING = '''\
"""Runs items one of which waits, then is cancelled as an agent does it: the signal, and soon a kill."""
import os, signal
import pytest
from pytest_telescope import closing
from pytest_telescope.cluster import ledger
from pytest_telescope.report.folder import RunFolder
from pytest_telescope.report.live import Live
from pytest_telescope.report.outcomes import Outcomes
from pytest_telescope.scenario.model import ClusterSpec
from pathlib import Path
from types import SimpleNamespace

def pytest_configure(config):
    folder = RunFolder(Path("run-1"))
    session = SimpleNamespace(folder=folder, records_root=folder.publish, keep=False, live=Live(write=print))
    config.pluginmanager.register(Outcomes(session), "telescope-outcomes")
    closing.listen(config, session)

@pytest.fixture
def cancelled():
    ledger.open_lease("local", "local-c", "run-1", ClusterSpec())

def pytest_keyboard_interrupt():
    os.kill(os.getpid(), signal.SIGKILL)
'''
ITEMS = """\
import os, signal

def test_first():
    pass

def test_second(cancelled):
    os.kill(os.getpid(), getattr(signal, os.environ["SENT"]))
    raise AssertionError("no signal came")
"""


@pytest.mark.parametrize("sent", ["SIGINT", "SIGTERM"])
def test_junit_is_there_before_a_signal_interrupts_anything(
    sent: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "conftest.py").write_text(LIVING, encoding="utf-8")
    (tmp_path / "test_items.py").write_text(ITEMS, encoding="utf-8")
    monkeypatch.setenv("TELESCOPE_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("PYTHONPATH", str(paths.checkout()))
    monkeypatch.setenv("SENT", sent)
    program = "import signal, sys, pytest; signal.signal(2, signal.default_int_handler); sys.exit(pytest.main())"

    done = subprocess.run(
        [
            sys.executable,
            "-c",
            program,
            "-s",
            "-p",
            "no:cacheprovider",
            "-c",
            "/dev/null",
            "--rootdir=.",
            "--junitxml=j",
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert done.returncode == -9, done.stdout + done.stderr
    red = failures(tmp_path / "j")
    assert red["test_second"] == "ERROR interrupted: the run ended in this stage"
    assert red["leak[local-c]"].startswith("ERROR leak: lease ")
    assert "`telescope reap --run run-1`" in red["leak[local-c]"]
    names = [case.get("name") for case in ElementTree.parse(tmp_path / "j").iter("testcase")]
    assert names.count("test_first") == 1
    assert f"{sent}: stopping, then destroying; `telescope reap --run run-1` ends it" in done.stdout


@pytest.mark.e2e
def test_a_run_killed_in_its_last_destroy_has_told_junit_what_is_open(tmp_path: Path) -> None:
    harness = Harness(root=tmp_path)
    harness.scenario("small", SMALL.format(name="small", hold="20s"))

    def interrupt_then_kill(process: subprocess.Popen[str]) -> None:
        process.send_signal(signal.SIGINT)
        assert wait_until(lambda: any(tmp_path.rglob("junit.xml")), 60)
        process.kill()

    run = harness.run("-m", "local", "--scenario=small", when=at("holding", interrupt_then_kill, delay=0.0))
    red = failures(run.folder.publish / "junit.xml")
    reaped = harness.telescope("reap", "--run", run.folder.run_id)

    assert run.code == -signal.SIGKILL, run.output
    assert red["test_load[local-small]"].startswith("ERROR interrupted")
    assert f"`telescope reap --run {run.folder.run_id}`" in red["leak[local-small]"]
    assert reaped.returncode == 0, reaped.stdout
    assert traces(run.state) == []
