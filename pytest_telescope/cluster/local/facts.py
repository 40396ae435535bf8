"""What a ready cluster is made of: flat facts for fingerprint and report."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

from pytest_telescope.cluster.local.api import Api
from pytest_telescope.cluster.local.spec import LocalSpec

Fact = str | int | float | bool | None
_ASK = 10.0


def component_facts(kubernetes: Api, etcd: Api, prometheus: Api, kwok: Path) -> dict[str, Fact]:
    """Ask every component for its version.

    Raises:
        ProvisionError, OSError: one of them does not answer.
    """
    return {
        "kubernetes": kubernetes.get("/version")["gitVersion"],
        "etcd": etcd.get("/version")["etcdserver"],
        "prometheus": prometheus.get("/api/v1/status/buildinfo")["data"]["version"] or _pinned("prometheus"),
        "kwok": kwok_version(kwok),
    }


def _pinned(tool: str) -> str:
    """Return the version of a tool's Go module, for a binary that was built without being told its own."""
    from pytest_telescope.toolchain.recipes import recipe

    return f"{recipe(tool).version} (module)"


def kwok_version(binary: Path) -> str | None:
    """Return the version that a kwok binary reports, None if it does not."""
    try:
        answer = subprocess.run([binary, "--version"], capture_output=True, text=True, timeout=_ASK, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = re.search(r"v?\d+\.\d+\.\d+[-.\w]*", answer.stdout)
    return found.group() if found else None


def machine_facts() -> dict[str, Fact]:
    """Return what the host is: kernel, architecture, cores."""
    return {
        "kernel": platform.release(),
        "system": platform.system(),
        "architecture": platform.machine(),
        "cores": os.cpu_count(),
    }


def pool_facts(spec: LocalSpec) -> dict[str, Fact]:
    """Return how many nodes of which kind were asked for."""
    simulated = sum(pool.count for pool in spec.kwok_pools)
    sizes = ", ".join(f"{pool.name}: {pool.count} {pool.node}" for pool in spec.pools)
    return {"kwok-nodes": simulated, "real-nodes": 1 if spec.real_pool else 0, "pools": sizes}


def real_node_facts(facts: Mapping[str, Fact]) -> dict[str, Fact]:
    """Return the facts of the real node, named as its own."""
    return {f"node-{name}": value for name, value in facts.items()}
