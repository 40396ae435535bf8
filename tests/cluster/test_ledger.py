"""The ledger keeps what it was told, whatever happens to its owner and its files."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from pytest_telescope import paths
from pytest_telescope.cluster import durable
from pytest_telescope.cluster import ledger
from pytest_telescope.cluster import reaper
from pytest_telescope.cluster.model import Lease
from pytest_telescope.errors import ClusterError
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


def test_every_folder_on_the_way_to_an_entry_is_synced(monkeypatch: pytest.MonkeyPatch) -> None:
    synced: set[tuple[int, int]] = set()
    sync = os.fsync

    def noting_sync(descriptor: int) -> None:
        synced.add(_inode(os.fstat(descriptor)))
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", noting_sync)
    state = paths.state()

    lease = open_one()

    on_the_way = [state.parent, state, ledger.folder(), lease.folder.parent, ledger.file_of(lease)]
    assert [path for path in on_the_way if _inode(path.stat()) not in synced] == []


def _inode(found: os.stat_result) -> tuple[int, int]:
    return found.st_dev, found.st_ino


KILLED = """\
import os, signal, sys
from pathlib import Path
from pytest_telescope.cluster import ledger
from pytest_telescope.scenario.model import ClusterSpec

left = int(sys.argv[1])

def dying(work):
    def run(*arguments):
        global left
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return work(*arguments)
    return run

os.fsync = dying(os.fsync)
Path.replace = dying(Path.replace)
spec = ClusterSpec()
print(ledger.open_lease("local", "local-cri", "run-1", spec, lasting=60.0).id, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def _open_and_be_killed(steps: int) -> str:
    """Open a lease in a process that is killed after `steps` syncs and renames, or right after it has the lease."""
    command = [sys.executable, "-c", KILLED, str(steps)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=paths.checkout(), timeout=60)
    assert done.returncode == -signal.SIGKILL, done.stderr
    return done.stdout.strip()


def test_a_lease_outlives_the_kill_of_the_process_that_has_just_opened_it() -> None:
    lease_id = _open_and_be_killed(steps=1000)

    (entry,) = ledger.entries()

    assert (entry.lease.id, entry.problem, entry.orphaned) == (lease_id, None, True)
    assert entry.lease.due == entry.lease.created + 60


@pytest.mark.parametrize("steps", range(8))
def test_a_kill_while_a_lease_is_written_leaves_the_whole_entry_or_none(steps: int) -> None:
    told = _open_and_be_killed(steps)

    found = ledger.entries()

    assert [entry.problem for entry in found] in ([], [None])
    assert told == "" or [entry.lease.id for entry in found] == [told]


def test_a_renewal_is_read_back_and_never_goes_back() -> None:
    lease = ledger.open_lease("local", "local-cri", "run-1", SPEC, lasting=100.0)
    assert lease.due is not None

    renewed = ledger.renew(lease, lease.due + 50)
    again = ledger.renew(renewed, lease.due)

    assert renewed.due == again.due == lease.due + 50
    assert ledger.leases() == [again]


def test_a_renewal_does_not_bring_back_a_lease_that_was_struck_out() -> None:
    lease = ledger.open_lease("local", "local-cri", "run-1", SPEC, lasting=100.0)
    ledger.close(lease)

    with pytest.raises(ClusterError, match="somebody finished it"):
        ledger.renew(lease, 1e12)

    assert ledger.entries() == []


def test_renewals_and_the_end_of_a_lease_at_the_same_time_end_without_an_entry() -> None:
    for _ in range(20):
        lease = ledger.open_lease("local", "local-cri", "run-1", SPEC, lasting=100.0)
        begun = threading.Event()

        def renew_for_ever(lease: Lease = lease, begun: threading.Event = begun) -> None:
            with contextlib.suppress(ClusterError):
                while True:
                    ledger.renew(lease, 1e12)
                    begun.set()

        thread = threading.Thread(target=renew_for_ever)
        thread.start()
        assert begun.wait(10)
        ledger.close(lease)
        thread.join(10)

        assert not thread.is_alive()
        assert ledger.entries() == []


def rewrite(lease: Lease, **changes: object) -> None:
    document = json.loads(ledger.file_of(lease).read_text(encoding="utf-8"))
    kept = {key: value for key, value in {**document, **changes}.items() if value is not ...}
    durable.write_durably(ledger.file_of(lease), kept)


def test_an_entry_of_a_former_version_is_read() -> None:
    lease = open_one()
    rewrite(lease, due=..., host=...)

    (entry,) = ledger.entries()

    assert (entry.lease, entry.problem, entry.elsewhere, entry.orphaned) == (lease, None, False, False)


GONE = {"pid": 1 << 22, "start": "long ago"}


def test_an_owner_on_another_machine_is_never_called_dead() -> None:
    lease = open_one()
    rewrite(lease, host="another-machine", owner=GONE)
    lines: list[str] = []

    failed = reaper.reap(report=lines.append)

    assert failed == 0
    assert "another-machine" in lines[0]
    assert ledger.leases() == [lease]


def test_a_local_cluster_of_another_machine_is_not_struck_out_here_even_when_asked() -> None:
    lease = open_one()
    rewrite(lease, host="another-machine", owner=GONE)
    lines: list[str] = []

    failed = reaper.reap(all=True, report=lines.append)

    assert failed == 1
    assert "run `telescope reap` there" in lines[0]
    assert ledger.leases() == [lease]


@pytest.mark.parametrize(("past", "orphaned"), [(0.0, False), (ledger.GIVEN_UP + 60, True)])
def test_a_lease_of_another_machine_that_was_not_renewed_is_nobodys(past: float, orphaned: bool) -> None:
    lease = open_one()
    rewrite(lease, host="another-machine", owner=GONE, due=time.time() - past)

    assert ledger.entries()[0].orphaned is orphaned


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
    lease = ledger.open_lease("oke", "oke-cri", "run-1", SPEC)
    lines: list[str] = []

    failed = reaper.reap(all=True, report=lines.append)

    assert failed == 1
    assert "unknown provider 'oke'" in lines[0]
    assert ledger.leases() == [lease]
