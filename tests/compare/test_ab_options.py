"""`pytest --ab` in a process of its own, without clusters."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

CHECKOUT = Path(__file__).parent.parent.parent
SCENARIO = """\
name: alpha
description: A small scenario of the tests.
component: scheduler
cluster: {pools: {user: {count: 2}}}
matrix:
  p10: {pods: 10}
load:
  resource-consumer: {pods: "${pods}", rate: 20/s, consume: {cpu: 0.01, memory: 16Mi}}
slos:
  - {use: pod-startup/running, p: 50, max: 60s, min_count: 10}
"""
USAGE = 4


def run(tmp_path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    folder = tmp_path / "scenarios" / "alpha"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "scenario.yaml").write_text(SCENARIO)
    environment = {
        **os.environ,
        "TELESCOPE_SCENARIOS": str(folder.parent),
        "TELESCOPE_STATE_DIR": str(tmp_path / "state"),
    }
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", f"--telescope-dir={tmp_path}/telescope", "-q"]
    return subprocess.run(
        [*command, "-m", "local", "--scenario=alpha", *arguments],
        cwd=CHECKOUT,
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=120,
        check=False,
    )


def test_the_items_of_all_arms_are_collected_pair_by_pair(tmp_path: Path) -> None:
    result = run(tmp_path, "--ab=pods=5,7", "--repeats=2", "--collect-only")

    loads = [line.partition("[")[2].rstrip("]") for line in result.stdout.splitlines() if "::test_load[" in line]
    slos = [line for line in result.stdout.splitlines() if "::test_slo[" in line and "--running]" in line]
    assert loads == [f"local-alpha--p10--ab-{arm}" for arm in ("a-5-1", "b-7-1", "b-7-2", "a-5-2")]
    assert len(slos) == 4


def test_bad_input_is_exit_4_before_anything_is_built(tmp_path: Path) -> None:
    result = run(tmp_path, "--ab=pod=1,2")

    assert result.returncode == USAGE, result.stdout
    assert "--ab pod=1: unknown value 'pod'; did you mean 'pods'?" in result.stdout
    assert "Traceback" not in result.stdout
    assert not list((tmp_path / "state").glob("ledger/*"))
