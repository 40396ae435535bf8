"""What a replay leaves of a red SLO: terminal, JUnit, Allure, pictures; one run for all of it."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from pytest_telescope.metrics.model import Recording
from pytest_telescope.metrics.serving import LISTENING
from pytest_telescope.toolchain import tool
from tests.report.busy_node import LATENCY
from tests.report.busy_node import SCENARIO
from tests.report.busy_node import WINDOW

CHECKOUT = Path(__file__).parent.parent.parent
CELL = "local-alpha--p10"
RUN = "20231114-221320-aaaa"
SLOS = f"""\
  - {{id: sandbox-create, histogram: {LATENCY}, by: [node], p: 90, max: 2s, min_count: 20, job: kubelet,
     description: the sandbox}}
  - {{id: green, histogram: {LATENCY}, by: [node], p: 90, max: 5s, min_count: 20, job: kubelet}}
"""
ABOUT = {
    "schema": 1,
    "cell": CELL,
    "provider": "local",
    "scenario": "alpha",
    "row": "p10",
    "engine": "resource-consumer",
    "values": {},
    "facts": {"nodes": ["n1", "n2"], "targets": {"kubelet": 3}},
    "functional": True,
    "fingerprint": "0",
}


@dataclass(frozen=True)
class Replayed:
    """A replay that is over: what it printed, and the folder of what it wrote."""

    text: str
    folder: Path

    def case(self, slo: str) -> ET.Element:
        """Return an SLO's case in junit.xml."""
        cases = ET.parse(self.folder / "junit.xml").getroot().iter("testcase")
        return next(one for one in cases if one.get("name") == f"test_slo[{CELL}--{slo}]")


@pytest.fixture(scope="session")
def finished_run(tmp_path_factory: pytest.TempPathFactory, busy_recording: Recording) -> Path:
    """A run's folder, as a cluster would have left it."""
    root = tmp_path_factory.mktemp("telescope")
    scenario = root / "scenarios" / "alpha"
    scenario.mkdir(parents=True)
    (scenario / "scenario.yaml").write_text(SCENARIO + SLOS)
    (scenario / "README.md").write_text("# alpha\n")
    cell = root / "telescope" / "runs" / RUN / "publish" / "cells" / CELL
    cell.mkdir(parents=True)
    (cell / "cell.json").write_text(json.dumps(ABOUT))
    shutil.copytree(busy_recording.path, cell / "recording")
    return root


def replay(root: Path, *arguments: str, environment: Mapping[str, str] | None = None) -> Replayed:
    before = set((root / "telescope" / "runs" / RUN / "replays").glob("*"))
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", f"--telescope-dir={root}/telescope"]
    done = subprocess.run(
        [*command, "--replay", RUN, *arguments],
        cwd=CHECKOUT,
        env={
            **os.environ,
            "TELESCOPE_SCENARIOS": f"{root}/scenarios",
            "TELESCOPE_STATE_DIR": f"{root}/state",
            "COLUMNS": "140",
            **(environment or {}),
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=120,
        check=False,
    )
    text = done.stdout.decode("utf-8")
    written = {one.parent for one in (root / "telescope" / "runs" / RUN / "replays").glob("*/junit.xml")} - before
    assert written, text
    return Replayed(text=text, folder=written.pop())


@pytest.fixture(scope="session")
def replayed(finished_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Replayed:
    return replay(finished_run, f"--alluredir={tmp_path_factory.mktemp('allure')}", "--color=no")


def test_the_terminal_shows_the_verdict_the_table_and_the_commands(replayed: Replayed) -> None:
    text = replayed.text.partition("FAILURES")[2]

    assert re.search(r"^FAIL sandbox-create p90 .*node n1", text, re.MULTILINE)
    assert "█" in text
    assert "node        n1: 3 signals stand out" in text
    assert f"judge again pytest --replay {RUN} -k {CELL}--sandbox-create" in text
    assert f"picture     replays/{replayed.folder.name}/cells/{CELL}/pictures/sandbox-create.svg" in text
    assert "\x1b" not in replayed.text


def test_the_closing_table_shows_how_each_slo_went(replayed: Replayed) -> None:
    closing = replayed.text.rpartition("= telescope =")[2]

    assert re.search(r"green .*PASS +▄+·+▄+", closing)


def test_pictures_are_written_of_red_and_green_slos(replayed: Replayed) -> None:
    pictures = replayed.folder / "cells" / CELL / "pictures"

    assert {one.name for one in pictures.iterdir()} == {"sandbox-create.svg", "green.svg"}
    assert all(ET.parse(one).getroot().tag.endswith("svg") for one in pictures.iterdir())


def test_junit_has_the_verdict_in_its_first_line_the_text_below_and_the_picture_attached_first(
    replayed: Replayed,
) -> None:
    case = replayed.case("sandbox-create")

    failure = case.find("failure")
    assert failure is not None
    assert failure.text is not None
    assert (failure.get("message") or "").startswith("FAIL sandbox-create p90")
    assert failure.text.startswith("FAIL sandbox-create p90")
    assert "\nmeaning     the sandbox\n" in failure.text
    assert "#x1B" not in failure.text
    tags = re.findall(r"\[\[ATTACHMENT\|(.+?)\]\]", case.findtext("system-out") or "")
    assert tags[0] == f"cells/{CELL}/pictures/sandbox-create.svg"
    assert all((replayed.folder / one).is_file() for one in tags)


def test_allure_has_the_picture_of_red_and_green_slos(replayed: Replayed) -> None:
    folder = next(Path(one) for one in _arguments(replayed) if "allure" in one)
    results = [json.loads(file.read_text()) for file in folder.glob("*-result.json")]

    for slo in ("sandbox-create", "green"):
        (result,) = (one for one in results if one["name"].startswith(slo))
        pictures = [one for one in _attachments(result) if one["type"] == "image/svg+xml"]
        assert [one["name"] for one in pictures] == [f"{slo} over the window"]
        assert (folder / pictures[0]["source"]).read_text().startswith("<svg")


def _attachments(part: dict[str, Any]) -> list[dict[str, str]]:
    """Return the attachments of a result and of its steps."""
    return [*part.get("attachments", []), *(one for step in part.get("steps", []) for one in _attachments(step))]


def _arguments(replayed: Replayed) -> list[str]:
    """Return the folders beside the run's that the session made."""
    return [str(one) for one in replayed.folder.parents[4].parent.glob("allure*")]


def test_a_worker_s_text_is_coloured_on_the_terminal_and_nowhere_else(finished_run: Path) -> None:
    found = replay(finished_run, "-n1", "--color=yes", environment={"FORCE_COLOR": "1"})

    assert re.search(r"\x1b\[1m\x1b\[31mFAIL sandbox-create|\x1b\[31m\x1b\[1mFAIL sandbox-create", found.text)
    assert "\x1b[1mmeaning     \x1b[0mthe sandbox" in found.text
    failure = found.case("sandbox-create").find("failure")
    assert failure is not None
    assert "1B" not in (failure.text or "")
    assert "\nvalue       4.7 s" in (failure.text or "")


def test_a_terminal_without_utf_8_gets_ascii_and_junit_the_same_as_ever(finished_run: Path) -> None:
    ascii_only = {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}

    found = replay(finished_run, "-k", "sandbox-create", environment=ascii_only)

    failures = found.text.partition("FAILURES")[2].partition("generated xml")[0]
    assert "@@@@" in failures
    assert "\\u" not in found.text
    assert re.search(r"sandbox-create .*FAIL +@+", found.text.rpartition("= telescope =")[2])
    failure = found.case("sandbox-create").find("failure")
    assert failure is not None
    assert "█" in (failure.text or "")


def test_the_commands_ask_again_what_the_picture_shows(finished_run: Path, replayed: Replayed, tmp_path: Path) -> None:
    failure = replayed.case("sandbox-create").find("failure")
    assert failure is not None
    lines = (failure.text or "").partition("\nask again   ")[2].splitlines()
    copy, serve = lines[0].split(" && ")
    run = finished_run / "telescope" / "runs" / RUN
    bundle = shlex.split(copy)
    shutil.copytree(run / bundle[2], tmp_path / "served")

    answer = _asked(tmp_path, shlex.split(serve), shlex.split(lines[1]))

    points = re.findall(r"^\S+ @\[", answer, re.MULTILINE)
    assert len(points) > 30
    assert max(float(one.partition(" ")[0]) for one in points if not one.startswith("NaN")) > 4
    assert WINDOW.end in [float(one) for one in re.findall(r"@\[([\d.]+)\]", answer)]


def _asked(folder: Path, serve: list[str], ask: list[str]) -> str:
    """Run both commands, on a port of the system's choice and with the copy in `folder`."""
    log = folder / "log"
    flags = [one for one in serve[1:] if not one.startswith(("--storage.tsdb.path", "--web.listen-address"))]
    flags += [f"--storage.tsdb.path={folder}/served", "--web.listen-address=127.0.0.1:0"]
    with log.open("w") as stream, subprocess.Popen([tool("prometheus"), *flags], stderr=stream, cwd=folder) as process:
        try:
            url = _ready(log)
            command = [str(tool("promtool")), *(url if one.startswith("http://") else one for one in ask[1:])]
            return subprocess.run(command, capture_output=True, text=True, timeout=30, check=True).stdout
        finally:
            process.terminate()


def _ready(log: Path) -> str:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if found := LISTENING.search(log.read_text()):
            url = f"http://127.0.0.1:{found[1]}"
            try:
                urllib.request.urlopen(f"{url}/-/ready", timeout=2).close()
            except OSError:
                pass
            else:
                return url
        time.sleep(0.05)
    raise AssertionError(log.read_text())
