"""The ledger keeps what it was told, whatever happens to its owner and its files."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from pytest_telescope import paths
from pytest_telescope.cluster import durable
from pytest_telescope.cluster import ledger
from pytest_telescope.cluster import reaper
from pytest_telescope.cluster.model import Lease
from pytest_telescope.scenario.model import ClusterSpec
from pytest_telescope.scenario.model import PoolSpec

SPEC = ClusterSpec(pools={"user": PoolSpec(count=2)})


@pytest.fixture(autouse=True)
def own_ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TELESCOPE_STATE_DIR", str(tmp_path / "state"))
    return tmp_path / "state" / "ledger"


def open_one() -> Lease:
    return ledger.open_lease("local", "local-cri", "run-1", SPEC)


def test_a_lease_is_read_back_as_it_was_opened() -> None:
    lease = open_one()

    assert ledger.leases() == [lease]
    assert ClusterSpec.model_validate(ledger.entries()[0].spec) == SPEC


def test_a_lease_is_private() -> None:
    lease = open_one()

    assert stat.S_IMODE(lease.folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(ledger.folder().stat().st_mode) == 0o700
    assert stat.S_IMODE(ledger.file_of(lease).stat().st_mode) == 0o600


def test_an_entry_is_synced_before_it_gets_its_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    order: list[str] = []
    sync, replace = os.fsync, Path.replace

    def noting_sync(descriptor: int) -> None:
        order.append("sync folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "sync file")
        sync(descriptor)

    def noting_replace(path: Path, target: Path) -> Path:
        order.append("rename")
        return replace(path, target)

    monkeypatch.setattr(os, "fsync", noting_sync)
    monkeypatch.setattr(Path, "replace", noting_replace)

    durable.write_durably(tmp_path / "entry.json", {"id": "x"})

    assert order == ["sync file", "rename", "sync folder"]


def test_closing_strikes_out_the_lease_and_deletes_its_folder() -> None:
    lease = open_one()

    ledger.close(lease)
    ledger.close(lease)

    assert ledger.leases() == []
    assert not lease.folder.exists()


@pytest.mark.parametrize("content", ["", "{", "[]", "null", '{"id": "deadbeef"}', '{"id": "deadbeef", "owner": 3}'])
def test_a_corrupted_entry_is_reported_and_kept(content: str) -> None:
    lease = open_one()
    ledger.file_of(lease).write_text(content, encoding="utf-8")

    (entry,) = ledger.entries()

    assert entry.problem is not None
    assert str(ledger.file_of(lease)) in entry.problem
    assert entry.lease.id == lease.id
    assert ledger.leases() == []


def test_reaping_reports_a_corrupted_entry_as_a_failure_and_keeps_it() -> None:
    lease = open_one()
    ledger.file_of(lease).write_text("{", encoding="utf-8")
    lines: list[str] = []

    failed = reaper.reap(report=lines.append)

    assert failed == 1
    assert "cannot be read" in lines[0]
    assert ledger.file_of(lease).exists()


def test_a_live_owner_keeps_its_lease_from_the_reaper() -> None:
    lease = open_one()
    lines: list[str] = []

    assert not ledger.entries()[0].orphaned
    assert reaper.reap(report=lines.append) == 0
    assert ledger.leases() == [lease]


def test_a_dead_owner_is_told_from_a_live_process_with_its_pid() -> None:
    lease = open_one()
    document = json.loads(ledger.file_of(lease).read_text(encoding="utf-8"))
    document["owner"]["start"] = "long ago"
    durable.write_durably(ledger.file_of(lease), document)

    assert ledger.entries()[0].orphaned


def test_a_lease_of_a_dead_process_is_reaped() -> None:
    lease_id = _open_in_a_process_that_dies()
    lines: list[str] = []

    dry = reaper.reap(dry_run=True, report=lines.append)
    still_there = [lease.id for lease in ledger.leases()]
    failed = reaper.reap(report=lines.append)

    assert (dry, failed) == (0, 0)
    assert still_there == [lease_id]
    assert ledger.leases() == []
    assert "would be destroyed" in lines[0]
    assert "nothing is left" in lines[1]


def _open_in_a_process_that_dies() -> str:
    script = (
        "from pytest_telescope.cluster import ledger\n"
        "from pytest_telescope.scenario.model import ClusterSpec\n"
        "print(ledger.open_lease('local', 'local-cri', 'run-1', ClusterSpec()).id)\n"
    )
    command = [sys.executable, "-c", script]
    return subprocess.run(command, capture_output=True, text=True, check=True, cwd=paths.checkout()).stdout.strip()


def test_reaping_picks_by_run_and_age() -> None:
    lease = open_one()
    lines: list[str] = []

    reaper.reap(run="another", report=lines.append)
    reaper.reap(all=True, older_than=3600, report=lines.append)
    kept = ledger.leases()
    reaper.reap(run="run-1", report=lines.append)

    assert kept == [lease]
    assert ledger.leases() == []


def test_a_second_reaper_leaves_a_lease_to_the_first() -> None:
    from filelock import FileLock

    lease = open_one()
    lines: list[str] = []

    with FileLock(ledger.folder() / f"{lease.id}.lock"):
        failed = reaper.reap(all=True, report=lines.append)

    assert failed == 0
    assert "another reaper" in lines[0]
    assert ledger.leases() == [lease]


def test_a_lease_whose_provider_is_unknown_stays_open() -> None:
    lease = ledger.open_lease("aks", "aks-cri", "run-1", SPEC)
    lines: list[str] = []

    failed = reaper.reap(all=True, report=lines.append)

    assert failed == 1
    assert "aks" in lines[0]
    assert ledger.leases() == [lease]
