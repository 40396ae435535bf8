"""Whether clusters of former runs are still open."""

from __future__ import annotations

from pytest_telescope.cluster import ledger
from pytest_telescope.doctor.model import Check
from pytest_telescope.doctor.model import ok
from pytest_telescope.doctor.model import warn


def leases() -> Check:
    """Check the ledger for clusters that were not destroyed, or are in use."""
    found = ledger.entries()
    if not found:
        return ok("leases", "none open")
    shown = ", ".join(_shown(entry) for entry in found)
    return warn("leases", f"{len(found)} open: {shown}", "telescope reap   (clusters of living runs are left alone)")


def _shown(entry: ledger.Entry) -> str:
    if entry.problem is not None:
        return f"{entry.file} ({entry.problem})"
    return f"{entry.lease.cell} (run {entry.lease.run}, {_state(entry)})"


def _state(entry: ledger.Entry) -> str:
    if entry.orphaned:
        return "orphaned"
    return f"its run is on machine {entry.host}" if entry.elsewhere else "its run is alive"
