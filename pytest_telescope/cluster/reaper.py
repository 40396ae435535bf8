"""Finish what died: leases whose owner is gone are destroyed, looked at, and struck out; several at a time."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import contextmanager
from queue import Empty
from queue import SimpleQueue

from pytest_telescope.cluster import ledger
from pytest_telescope.cluster.durable import private_folder
from pytest_telescope.cluster.ledger import Entry
from pytest_telescope.cluster.model import Lease
from pytest_telescope.cluster.model import Leftover
from pytest_telescope.cluster.model import Provider
from pytest_telescope.cluster.providers import provider
from pytest_telescope.errors import TelescopeError

Report = Callable[[str], None]
Source = Callable[[str], Provider]
AT_ONCE = 8
"""Leases that are finished at the same time: each waits for its provider most of the time."""
_LOOK = 0.2
"""Seconds between two looks at the threads; a wait without an end would keep signals from the main thread."""


def reap(  # noqa: PLR0917 - all have defaults, and callers name them
    run: str | None = None,
    older_than: float | None = None,
    all: bool = False,  # noqa: A002 - the name of the option
    dry_run: bool = False,
    report: Report = print,
    at_once: int = AT_ONCE,
    source: Source = provider,
) -> int:
    """Finish dead leases and return how many could not be finished.

    Args:
        run: only leases of this run, whether their owner lives or not.
        older_than: only leases opened more than this many seconds ago.
        all: every lease, also of owners that live.
        dry_run: only say what would be done.
        report: told whole lines, one at a time: what a provider does, and what became of each lease.
        at_once: leases that are worked on at the same time.
        source: gives the provider of a name.
    """
    entries = ledger.entries()
    chosen = [entry for entry in entries if _chosen(entry, run, older_than, everyone=all)]
    whole = _whole(report)
    for entry in entries:
        if run is None and entry not in chosen and entry.elsewhere:
            whole(f"{_title(entry)}: left alone: its run is on machine {entry.host}, of which nothing is known here")
    if not chosen:
        whole("nothing to reap")
    if not dry_run:
        _forget_locks()
    return _each(chosen, lambda entry: _reap_one(entry, source, dry_run=dry_run, report=whole), at_once, whole)


def _forget_locks() -> None:
    """Remove the locks of leases that are struck out: whoever was killed between the two left them."""
    from filelock import FileLock
    from filelock import Timeout

    for file in ledger.folder().glob("*.lock"):
        if not file.with_suffix(".json").exists():
            with contextlib.suppress(Timeout), FileLock(file, timeout=0):
                file.unlink(missing_ok=True)


def _whole(report: Report) -> Report:
    lock = threading.Lock()

    def tell(text: str) -> None:
        with lock:
            report(text)

    return tell


def _chosen(entry: Entry, run: str | None, older_than: float | None, *, everyone: bool) -> bool:
    if entry.problem is not None:
        return True
    if older_than is not None and time.time() - entry.lease.created < older_than:
        return False
    if run is not None:
        return entry.lease.run == run
    return everyone or entry.orphaned


def _each(entries: list[Entry], work: Callable[[Entry], bool], at_once: int, report: Report) -> int:
    """Do the work on every entry, `at_once` at a time, and return how often it did not succeed.

    The first Ctrl-C begins no further entry and waits for those under way; the second leaves them too. Threads are
    daemons, so that then nothing waits for them: a Terraform lives in its own session, and the ledger keeps the lease.
    """
    waiting: SimpleQueue[Entry] = SimpleQueue()
    for entry in entries:
        waiting.put(entry)
    done: list[bool] = []
    ends = [threading.Event() for _ in range(min(at_once, len(entries)))]

    def run(end: threading.Event) -> None:
        try:
            while (entry := _next(waiting)) is not None:
                done.append(work(entry))
        finally:
            end.set()

    for end in ends:
        threading.Thread(target=run, args=(end,), name="reap", daemon=True).start()
    try:
        _await(ends)
    except KeyboardInterrupt:
        while _next(waiting) is not None:
            pass
        report("interrupted: no further lease is begun; those under way are finished, unless interrupted once more")
        _await(ends)
        raise
    return len(entries) - sum(done)


def _next(waiting: SimpleQueue[Entry]) -> Entry | None:
    try:
        return waiting.get_nowait()
    except Empty:
        return None


def _await(ends: list[threading.Event]) -> None:
    """Wait for all; an interrupted `Thread.join` would call a running thread ended, up to Python 3.12."""
    for end in ends:
        while not end.wait(_LOOK):
            pass


def _title(entry: Entry) -> str:
    return f"lease {entry.lease.id} ({entry.lease.cell}, run {entry.lease.run})"


def _reap_one(entry: Entry, source: Source, *, dry_run: bool, report: Report) -> bool:
    """Finish one lease, say what became of it, and return whether nothing remains to be done; never raises."""
    title = _title(entry)
    if (why := _untouchable(entry)) is not None:
        report(f"{title}: {why}")
        return False
    if dry_run:
        report(f"{title}: would be destroyed; {_listed(entry.lease, source)}")
        return True
    try:
        with _alone(entry.lease) as mine:
            if not mine:
                report(f"{title}: another reaper is at it")
                return True
            if not entry.file.exists():
                report(f"{title}: finished by another reaper")
                return True
            return _finish(entry.lease, title, source, report)
    except OSError as error:
        report(f"{title}: stays open: {error}")
        return False


def _untouchable(entry: Entry) -> str | None:
    """Return why an entry cannot be finished from here, whoever asks; None if it can."""
    if entry.problem is not None:
        return f"{entry.problem}. Look for processes with TELESCOPE_LEASE={entry.lease.id}, then delete the file."
    if entry.elsewhere and entry.lease.provider == "local":
        return (
            f"stays open: it lives on machine {entry.host}: run `telescope reap` there "
            f"(if this machine had that name, change `host` in {entry.file})"
        )
    return None


def _listed(lease: Lease, source: Source) -> str:
    """Return what the provider still holds, as a clause; also where it cannot be asked."""
    try:
        left = source(lease.provider).leftovers(lease)
    except Exception as error:  # whatever it is: a dry run says it and goes on
        return f"{lease.provider} cannot be asked what is there: {_told(error)}"
    return f"still there: {', '.join(map(str, left))}" if left else f"{lease.provider} lists nothing of it"


def _finish(lease: Lease, title: str, source: Source, report: Report) -> bool:
    try:
        left = finish(lease, source, say=lambda text: report(f"{title}: {text}"))
    except Exception as error:  # whatever it is: the other leases must still be finished
        report(f"{title}: stays open: {_told(error)}")
        return False
    if left:
        report(f"{title}: stays open, still there: {', '.join(map(str, left))}")
        return False
    report(f"{title}: destroyed, nothing is left")
    return True


def _told(error: Exception) -> str:
    return str(error) if isinstance(error, (TelescopeError, OSError)) else f"{type(error).__name__}: {error}"


def finish(lease: Lease, source: Source = provider, say: Report = lambda _text: None) -> list[Leftover]:
    """Destroy, look, and strike the lease out if nothing is left; return what is.

    Raises:
        ClusterError: the destroy failed, or the provider could not be asked what is left; the lease stays open.
    """
    found = source(lease.provider)
    found.say = say
    found.destroy(lease)
    left = found.leftovers(lease)
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
