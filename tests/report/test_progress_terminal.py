"""What a session shows of itself, by verbosity, by place and by terminal: one small run judged again and again."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pytest_telescope import paths
from pytest_telescope.metrics.model import Recording
from pytest_telescope.metrics.model import Window
from pytest_telescope.metrics.recording import backfill
from pytest_telescope.metrics.recording import save

CELL = "local-seen"
START = 1_700_000_000
INJECTED = "##vso[task.complete result=Succeeded]"
RED = "small 7 > 5"
PLACES = ("TF_BUILD", "GITHUB_ACTIONS", "CI", "NO_COLOR", "FORCE_COLOR", "PY_COLORS", "COLUMNS", "PYTEST_ADDOPTS")

Show = Callable[..., str]


def slo(name: str, bound: int) -> dict[str, Any]:
    query = f"max(max_over_time(kubelet_running_pods[${{w}}])) + 0 * {bound}"
    return {"id": name, "query": query, "unit": "count", "max": bound, "description": INJECTED}


@pytest.fixture(scope="session")
def seen_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of one cell, and the scenario beside it."""
    root = tmp_path_factory.mktemp("seen")
    scenario, cell = root / "scenarios" / "seen", root / "run" / "publish" / "cells" / CELL
    for folder in (scenario, cell / "recording"):
        folder.mkdir(parents=True)
    load = {"pods": 1, "consume": {"cpu": 0.01, "memory": "16Mi"}}
    document = {
        "name": "seen",
        "description": "Three numbers.",
        "component": "kubelet",
        "cluster": {"pools": {"user": {"count": 1}}},
        "load": {"default": "resource-consumer", "resource-consumer": load},
        "slos": [slo("small", 5), slo("large", 100)],
    }
    (scenario / "scenario.yaml").write_text(json.dumps(document))
    facts = {"nodes": ["n1"], "targets": {"kubelet": 1}, "kubernetes": "v1.36.3", "kubernetes_version": "v1.36.3"}
    keys: dict[str, Any] = {
        "provider": "local",
        "scenario": "seen",
        "row": None,
        "engine": "resource-consumer",
        "values": {},
    }
    about = {"schema": 1, "cell": CELL, **keys, "facts": facts, "fingerprint": "0" * 16, "functional": True}
    (cell / "cell.json").write_text(json.dumps(about))
    record(cell / "recording")
    return root / "run"


def record(folder: Path) -> None:
    times = [START + 5 * number for number in range(24)]
    series = {
        "up": ('{job="kubelet",instance="n1"}', 1),
        "kubelet_running_pods": ('{job="kubelet",instance="n1"}', 7),
        "telescope_load_pods": ('{job="telescope",instance="harness",state="running",reason=""}', 20),
    }
    lines = []
    for name, (labels, value) in series.items():
        lines += [f"# TYPE {name} gauge", *(f"{name}{labels} {value} {when}" for when in times)]
    backfill("\n".join([*lines, "# EOF", ""]), folder)
    window = Window(start=times[1], end=times[-1], steps={})
    save(Recording(path=folder, window=window, scrape_interval=5, clock_offset=0.0, prometheus_version="unknown"))


@pytest.fixture
def show(seen_run: Path) -> Show:
    """Judge the run again with these options; return what a person sees, a pipe in front of them."""

    def call(*options: str, **place: str) -> str:
        kept = {name: text for name, text in os.environ.items() if name not in PLACES}
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", f"--replay={seen_run}", *options],
            cwd=paths.checkout(),
            env={**kept, "TELESCOPE_SCENARIOS": str(seen_run.parent / "scenarios"), **place},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 1, done.stdout + done.stderr
        return done.stdout

    return call


def last(output: str) -> str:
    return output.rstrip().splitlines()[-1]


def test_qq_is_the_verdict_alone(show: Show) -> None:
    assert re.fullmatch(r"\s*FAIL slo: 1 of \d SLOs are red: small\s*", show("-qq"))


def test_q_is_what_is_red_the_table_and_the_verdict(show: Show) -> None:
    output = show("-q", COLUMNS="60")

    assert "  slo        " not in output
    assert f"FAIL {RED}" in output
    assert re.search(r"^FAILED scenarios/.*small", output, re.MULTILINE)
    assert re.search(r"^small +7 +<= 5 .*FAIL$", output, re.MULTILINE)
    assert last(output).startswith("FAIL slo: 1 of ")
    assert "\x1b" not in output
    assert "\r" not in output


def test_without_options_every_slo_has_a_live_line_and_the_verdict_is_last(show: Show) -> None:
    output = show("--no-header")

    assert "platform" not in output
    assert re.search(rf"^ +\d+\.\ds  {CELL}  slo        FAIL {RED}", output, re.MULTILINE)
    assert "PASSED" not in output
    assert "100%]" not in output
    assert last(output).startswith("FAIL slo: ")


def test_vv_has_pytests_lines_and_guards_and_queries_of_green_slos(show: Show) -> None:
    output = show("-vv", "--tb=no")

    assert re.search(r"test_slo\[local-seen--large\] PASSED", output)
    assert "slo        PASS large" in output
    below = output.partition("\nlarge ")[2]
    assert "    max(max_over_time(kubelet_running_pods[" in below


def test_no_summary_leaves_the_table_out_and_never_the_verdict(show: Show) -> None:
    output = show("-q", "--no-summary")

    assert "run folder" not in output
    assert "FAILURES" not in output
    assert last(output).startswith("FAIL slo: ")


def test_a_controller_of_workers_shows_the_same(show: Show) -> None:
    output = show("-n", "2", "--tb=no")

    assert output.count("slo        PASS large") == 1
    assert re.search(r"^small +7 +<= 5 ", output, re.MULTILINE)
    assert last(output).startswith("FAIL slo: ")


@pytest.mark.parametrize(
    ("variable", "line"),
    [
        ("TF_BUILD", r"##vso\[task\.logissue type=error\]test_slo\[local-seen--small\]: FAIL small 7 > 5.*"),
        ("GITHUB_ACTIONS", r"::error title=test_slo\[local-seen--small\]::FAIL small 7 > 5.*"),
    ],
)
def test_a_service_gets_an_error_a_red_item_and_no_command_of_others(show: Show, variable: str, line: str) -> None:
    output = show(**{variable: "true"})

    ours = [one for one in output.splitlines() if re.search(r"##|^\s*::", re.sub(r"\x1b\[[0-9;]*m", "", one))]
    assert len(ours) == 1
    assert re.fullmatch(line, ours[0])
    assert INJECTED.replace("##", "# #") in output
    assert "\x1b[31" in output


def test_colours_are_not_forced_on_a_service_whose_user_does_not_want_them(show: Show) -> None:
    assert "\x1b" not in show("-q", TF_BUILD="True", NO_COLOR="1")


def test_a_session_without_pytests_terminal_is_silent(show: Show) -> None:
    assert show("-p", "no:terminal", "-o", "addopts=") == ""
