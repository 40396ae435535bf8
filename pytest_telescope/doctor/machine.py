"""Whether the machine has room for a run."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from pytest_telescope import paths
from pytest_telescope.doctor.model import Check
from pytest_telescope.doctor.model import missing
from pytest_telescope.doctor.model import ok
from pytest_telescope.doctor.model import warn

GB = 1e9
BUILD_GB = 13.0
"""What a build of all tools from empty caches leaves: 7 GB of compiled packages, 4 GB of modules, 1 GB of tools."""
RUN_GB = 1.0
MEMORY_GB = 2.0
"""etcd, control plane, kwok and Prometheus of one small cluster take about 1 GB."""
CORES = 2


def checks(*, unbuilt: bool) -> list[Check]:
    """Return the checks of disk, memory and cores; `unbuilt` says whether tools have still to be built."""
    return [
        disk("disk: cache", paths.cache(), BUILD_GB if unbuilt else RUN_GB),
        disk("disk: state", paths.state(), RUN_GB),
        memory(),
        cores(),
    ]


def disk(name: str, folder: Path, needed: float) -> Check:
    """Check that a folder's disk has `needed` GB free and that this user may write there."""
    variable = "TELESCOPE_STATE_DIR" if name.endswith("state") else "TELESCOPE_CACHE_DIR"
    existing = next(parent for parent in (folder, *folder.parents) if parent.exists())
    if not os.access(existing, os.W_OK):
        return missing(name, f"{folder} cannot be written", f"set {variable} to a folder of yours")
    free = shutil.disk_usage(existing).free / GB
    found = f"{free:.1f} GB free for {folder}, {needed:.0f} GB needed"
    if free >= needed:
        return ok(name, found)
    return missing(name, found, f"free {needed - free:.1f} GB, or set {variable} to a folder on another disk")


def memory() -> Check:
    """Check the memory that is available now."""
    import psutil  # lazy: doctor also runs where a dependency is missing

    available = psutil.virtual_memory().available / GB
    found = f"{available:.1f} GB available, {MEMORY_GB:.0f} GB needed"
    return (
        ok("memory", found)
        if available >= MEMORY_GB
        else missing("memory", found, "end something, or use a larger machine")
    )


def cores() -> Check:
    """Check the cores that this process may use."""
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if count >= CORES:
        return ok("cores", str(count))
    return warn(
        "cores", f"{count}: the control plane and the load share it, times will be long", "use a larger machine"
    )
