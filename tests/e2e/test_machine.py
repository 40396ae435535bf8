"""The look at the machine that the other tests rely on does see what is left."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest

from pytest_telescope.cluster.processes import LEASE
from tests.e2e import machine
from tests.e2e.machine import Machine

pytestmark = pytest.mark.e2e


def test_a_process_that_bears_a_lease_is_seen_until_it_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "SOON", 0.2)
    before = Machine.seen(tmp_path)
    planted = subprocess.Popen(["sleep", "60"], env={**os.environ, LEASE: "0badcafe"})

    found = before.left()
    planted.kill()
    planted.wait(timeout=10)

    assert found == [f"process {planted.pid} sleep of lease 0badcafe"]
    assert before.left() == []


def test_what_belongs_to_another_state_folder_is_not_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "SOON", 0.2)
    own, other = tmp_path / "own", tmp_path / "other"
    before = Machine.seen(own)
    argument = f"--data-dir={other}/leases/0badcafe/etcd"
    command = ["sh", "-c", "sleep 60 & wait", argument]
    planted = subprocess.Popen(command, env={**os.environ, LEASE: "0badcafe"}, start_new_session=True)

    found = before.left()
    os.killpg(planted.pid, signal.SIGKILL)
    planted.wait(timeout=10)

    assert found == []


def test_a_changed_host_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "SOON", 0.2)
    before = Machine.seen(tmp_path)
    before.host["links"] = [*before.host["links"], "99:gone"]

    assert [line.partition(":")[0] for line in before.left()] == ["links"]
