"""Recorded runs of the shipped scenarios, judged again with the network cut off."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pytest_telescope.cluster.local import host
from pytest_telescope.metrics import metadata
from tests.e2e.conftest import CHECKOUT
from tests.e2e.conftest import SMALL
from tests.e2e.conftest import Harness
from tests.e2e.conftest import Run
from tests.e2e.conftest import Shipped

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(sys.platform != "linux", reason="only Linux has network namespaces"),
]

OFFLINE = ("unshare", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh")
"""Runs a command where only loopback is: what it cannot do offline, it fails at."""
NO_NODE = host.why_no_real_node()
needs_node = pytest.mark.skipif(NO_NODE is not None and os.environ.get("CI") != "true", reason=str(NO_NODE))
SCENARIOS = [
    "pod-startup",
    pytest.param("cri", marks=needs_node),
    pytest.param("api-server", marks=pytest.mark.long),
    pytest.param("scheduler-throughput", marks=pytest.mark.long),
]


@pytest.fixture
def offline(harness: Harness) -> Callable[..., Run]:
    """Return what judges a run folder again without a network."""
    return lambda folder, **more: harness.run(f"--replay={folder}", prefix=OFFLINE, **more)


def copied(run: Run, folder: Path) -> Path:
    """Copy a run's folder away from where it was made: a replay needs nothing but it."""
    return Path(shutil.copytree(run.folder.path, folder / "run"))


def judgements(folder: Path) -> dict[str, list[dict[str, Any]]]:
    """Return the judgements of each cell below a folder."""
    return {
        file.parent.name: [json.loads(line) for line in file.read_text().splitlines()]
        for file in sorted((folder / "cells").glob("*/judgements.jsonl"))
    }


def test_cut_off_means_that_only_loopback_is_there() -> None:
    done = subprocess.run([*OFFLINE, "cat", "/proc/net/dev"], capture_output=True, text=True, check=False)

    assert done.returncode == 0, f"the network cannot be cut off on this machine: {done.stderr}"
    assert [line.partition(":")[0].strip() for line in done.stdout.splitlines()[2:]] == ["lo"]


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_replay_without_a_network_gives_the_same_judgements(
    shipped: Shipped, offline: Callable[..., Run], tmp_path: Path, name: str
) -> None:
    run = shipped(name)
    folder = copied(run, tmp_path)

    again = offline(folder)

    first, second = judgements(folder / "publish"), judgements(folder / "replays" / "1")
    assert first, run.output
    assert all(first.values())
    assert second == first, again.output
    assert again.code == int(
        any(one["verdict"] in {"FAIL", "INVALID", "ERROR"} for cell in first.values() for one in cell)
    )


def test_a_replay_on_workers_writes_beside_one_another(shipped: Shipped, harness: Harness, tmp_path: Path) -> None:
    folder = copied(shipped("pod-startup"), tmp_path)

    again = harness.run(f"--replay={folder}", "-n", "2")

    assert again.code == 0, again.output
    assert [one.name for one in (folder / "replays").iterdir()] == ["1"]
    assert judgements(folder / "replays" / "1") == judgements(folder / "publish")


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_recording_tells_the_types_of_its_metrics(shipped: Shipped, name: str) -> None:
    for recording in shipped(name).folder.publish.glob("cells/*/recording"):
        found = metadata.types(recording)

        assert found["apiserver_request_duration_seconds"] == "histogram"
        assert metadata.type_of("telescope_load_pods", found) == "gauge"


def test_an_slo_that_was_changed_since_gets_a_new_verdict_beside_the_old_ones(
    shipped: Shipped, offline: Callable[..., Run], harness: Harness, tmp_path: Path
) -> None:
    folder = copied(shipped("pod-startup"), tmp_path)
    text = (CHECKOUT / "scenarios" / "pod-startup" / "scenario.yaml").read_text()
    changed = text.replace("{default: 5s, local: 15s}", "10ms")
    before = judgements(folder / "publish")

    same = offline(folder)
    harness.scenario("pod-startup", changed)
    other = offline(folder)

    (found,) = judgements(folder / "replays" / "2").values()
    verdicts = {one["slo"]: one["verdict"] for one in found}
    assert changed != text
    assert (same.code, other.code) == (0, 1), other.output
    assert verdicts["running"] == "FAIL"
    assert {verdict for slo, verdict in verdicts.items() if slo != "running"} == {"PASS"}
    assert judgements(folder / "replays" / "1") == before == judgements(folder / "publish")


def test_a_run_that_may_not_keep_everything_keeps_what_its_slos_need_and_is_replayed_alike(
    harness: Harness, offline: Callable[..., Run]
) -> None:
    harness.scenario("little", SMALL.format(name="little", hold="5s"))

    run = harness.run("-m", "local", "--scenario=little", environment={"TELESCOPE_RECORDING_LIMIT": "1KiB"})
    again = offline(run.folder.path)

    facts = json.loads((run.folder.cell("local-little").path / "recording" / "recording.json").read_text())
    assert run.code == again.code == 0, run.output + again.output
    assert "recorded are only the series of" in run.output
    assert "apiserver_request_total" not in facts["selectors"]
    assert {"up", "process_start_time_seconds"} < set(facts["selectors"])
    assert judgements(run.folder.path / "replays" / "1") == judgements(run.folder.publish)
