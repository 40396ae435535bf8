"""The ledger: one file a lease, on disk before Terraform is called, struck out when nothing is left.

It lies in the user's state folder, so that neither `git clean` nor a lost run folder loses a cluster.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import replace
from pathlib import Path
from typing import Any

from pytest_telescope import paths
from pytest_telescope.cluster.durable import durable_folder
from pytest_telescope.cluster.durable import remove_durably
from pytest_telescope.cluster.durable import write_durably
from pytest_telescope.cluster.model import Lease
from pytest_telescope.cluster.processes import Identity
from pytest_telescope.cluster.processes import own_identity
from pytest_telescope.errors import ClusterError
from pytest_telescope.scenario.model import ClusterSpec

GIVEN_UP = 3600.0
"""Seconds past its due time from which a lease of another machine is nobody's: clocks of machines differ."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of the ledger.

    Attributes:
        owner: the process that opened the lease.
        host: the machine on which it ran; "" in entries of former versions.
        spec: what the cluster was asked to be, as JSON; None if the entry is unreadable.
        problem: why the entry cannot be read, else None; such an entry is never dropped by itself.
    """

    file: Path
    lease: Lease
    owner: Identity
    spec: dict[str, Any] | None
    problem: str | None = None
    host: str = ""

    @property
    def orphaned(self) -> bool:
        """Whether nobody else will finish the lease: its owner is gone.

        Of an owner on another machine only this is known: while it lives it renews the lease eight times a life.
        """
        if self.elsewhere:
            return self.lease.due is not None and time.time() > self.lease.due + GIVEN_UP
        return not self.owner.alive()

    @property
    def elsewhere(self) -> bool:
        """Whether it was opened on another machine that shares this folder."""
        return self.host not in {"", socket.gethostname()}


def folder() -> Path:
    """Return the folder of the ledger."""
    return paths.state() / "ledger"


def open_lease(provider: str, cell: str, run: str, spec: ClusterSpec, *, lasting: float | None = None) -> Lease:
    """Write a new lease down so that it survives this process, and return it; it is due `lasting` seconds from now."""
    lease_id = secrets.token_hex(4)
    durable_folder(durable_folder(paths.state()) / "ledger")
    home = durable_folder(paths.state() / "leases" / lease_id)
    now = time.time()
    due = None if lasting is None else now + lasting
    lease = Lease(id=lease_id, provider=provider, cell=cell, run=run, folder=home, created=now, due=due)
    owner = own_identity()
    document = {
        "id": lease.id,
        "provider": provider,
        "cell": cell,
        "run": run,
        "folder": str(lease.folder),
        "created": lease.created,
        "due": lease.due,
        "host": socket.gethostname(),
        "owner": {"pid": owner.pid, "start": owner.start},
        "spec": spec.model_dump(mode="json"),
    }
    write_durably(file_of(lease), document)
    return lease


def renew(lease: Lease, due: float) -> Lease:
    """Write a later due time down and return the lease with it; an earlier one changes nothing.

    Raises:
        ClusterError: the entry is gone, because somebody finished the lease; it is not written again.
        OSError: it cannot be written.
    """
    with _alone():
        try:
            document = json.loads(file_of(lease).read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise ClusterError(f"lease {lease.id} is not in the ledger any more: somebody finished it") from None
        later = max(due, document.get("due") or due)
        write_durably(file_of(lease), {**document, "due": later})
    return replace(lease, due=later)


def file_of(lease: Lease) -> Path:
    """Return the ledger's file of a lease."""
    return folder() / f"{lease.id}.json"


def close(lease: Lease) -> None:
    """Strike a lease out and delete its folder; to be called only when `leftovers` is empty."""
    shutil.rmtree(lease.folder, ignore_errors=True)
    if folder().exists():
        with _alone():
            remove_durably(file_of(lease))


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """Let one thread of one process at a time change entries: a renewal must not bring back what was struck out.

    Raises:
        ClusterError: there is no ledger.
    """
    import fcntl

    try:
        descriptor = os.open(folder(), os.O_RDONLY)
    except FileNotFoundError:
        raise ClusterError(f"there is no ledger at {folder()}") from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def leases() -> list[Lease]:
    """Return every lease that is not closed, oldest first; unreadable entries are in `entries`."""
    return [entry.lease for entry in entries() if entry.problem is None]


def entries() -> list[Entry]:
    """Return every entry, oldest first, unreadable ones with their problem."""
    found = [read_entry(file) for file in folder().glob("*.json")] if folder().exists() else []
    return sorted((entry for entry in found if entry is not None), key=lambda entry: entry.lease.created)


def read_entry(file: Path) -> Entry | None:
    """Read one entry; None if it was struck out meanwhile."""
    try:
        return _parse(file, json.loads(file.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        return _unreadable(file, f"{file} cannot be read: {error!r}; what it stood for may still run")


def _parse(file: Path, raw: dict[str, Any]) -> Entry:
    lease = Lease(
        id=str(raw["id"]),
        provider=str(raw["provider"]),
        cell=str(raw["cell"]),
        run=str(raw["run"]),
        folder=Path(raw["folder"]),
        created=float(raw["created"]),
        due=None if raw.get("due") is None else float(raw["due"]),
    )
    owner = Identity(int(raw["owner"]["pid"]), str(raw["owner"]["start"]))
    return Entry(file=file, lease=lease, owner=owner, spec=dict(raw["spec"]), host=str(raw.get("host", "")))


def _unreadable(file: Path, problem: str) -> Entry:
    """Keep what the file's name tells: the id, and with it the mark of every process."""
    home = paths.state() / "leases" / file.stem
    lease = Lease(id=file.stem, provider="unknown", cell="unknown", run="unknown", folder=home, created=0.0)
    return Entry(file=file, lease=lease, owner=Identity(0, ""), spec=None, problem=problem)
