"""Finish what died: leases whose owner is gone are destroyed, looked at, and struck out."""

from __future__ import annotations

import time
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import contextmanager

from pytest_telescope.cluster import ledger
from pytest_telescope.cluster.durable import private_folder
from pytest_telescope.cluster.ledger import Entry
from pytest_telescope.cluster.model import Lease
from pytest_telescope.cluster.model import Leftover
from pytest_telescope.cluster.providers import provider
from pytest_telescope.errors import TelescopeError

Report = Callable[[str], None]


def reap(
    run: str | None = None,
    older_than: float | None = None,
    all: bool = False,  # noqa: A002 - the name of the option
    dry_run: bool = False,
    report: Report = print,
) -> int:
    """Finish dead leases and return how many could not be finished.

    Args:
        run: only leases of this run, whether their owner lives or not.
        older_than: only leases opened more than this many seconds ago.
        all: every lease, also of owners that live.
        dry_run: only say what would be done.
        report: told a line a lease.
    """
    failed = 0
    chosen = [entry for entry in ledger.entries() if _chosen(entry, run, older_than, everyone=all)]
    for entry in chosen:
        failed += not _reap_one(entry, dry_run=dry_run, report=report)
    if not chosen:
        report("nothing to reap")
    return failed


def _chosen(entry: Entry, run: str | None, older_than: float | None, *, everyone: bool) -> bool:
    if entry.problem is not None:
        return True
    if older_than is not None and time.time() - entry.lease.created < older_than:
        return False
    if run is not None:
        return entry.lease.run == run
    return everyone or entry.orphaned


def _reap_one(entry: Entry, *, dry_run: bool, report: Report) -> bool:
    title = f"lease {entry.lease.id} ({entry.lease.cell}, run {entry.lease.run})"
    if entry.problem is not None:
        report(
            f"{title}: {entry.problem}. Look for processes with TELESCOPE_LEASE={entry.lease.id}, then delete the file."
        )
        return False
    if dry_run:
        report(f"{title}: would be destroyed")
        return True
    with _alone(entry.lease) as mine:
        if not mine:
            report(f"{title}: another reaper is at it")
            return True
        if not entry.file.exists():
            report(f"{title}: finished by another reaper")
            return True
        return _finish(entry.lease, title, report)


def _finish(lease: Lease, title: str, report: Report) -> bool:
    try:
        left = finish(lease)
    except (TelescopeError, OSError) as error:
        report(f"{title}: stays open: {error}")
        return False
    if left:
        report(f"{title}: stays open, still there: {', '.join(map(str, left))}")
        return False
    report(f"{title}: destroyed, nothing is left")
    return True


def finish(lease: Lease) -> list[Leftover]:
    """Destroy, look, and strike the lease out if nothing is left; return what is.

    Raises:
        ClusterError: the destroy failed; the lease stays open.
    """
    source = provider(lease.provider)
    source.destroy(lease)
    left = source.leftovers(lease)
    if not left:
        ledger.close(lease)
    return left


@contextmanager
def _alone(lease: Lease) -> Iterator[bool]:
    """Give True to one process at a time for each lease."""
    from filelock import FileLock
    from filelock import Timeout

    lock = FileLock(private_folder(ledger.folder()) / f"{lease.id}.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        yield False
        return
    try:
        yield True
    finally:
        if not ledger.file_of(lease).exists():  # while the entry is there, another reaper may wait for this very file
            (ledger.folder() / f"{lease.id}.lock").unlink(missing_ok=True)
        lock.release()
