"""From a spec to the variables that the modules of all clouds share."""

from __future__ import annotations

import os
import re
import sys
from functools import cache
from pathlib import Path
from typing import Any

from pytest_telescope import paths
from pytest_telescope.cluster.clouds.model import TAG_DUE
from pytest_telescope.cluster.clouds.model import TAG_LEASE
from pytest_telescope.cluster.clouds.model import TAG_RUN
from pytest_telescope.cluster.clouds.model import Where
from pytest_telescope.cluster.model import Lease
from pytest_telescope.scenario.model import ClusterSpec
from pytest_telescope.scenario.model import PoolSpec

_CLOUD_KEYS = ("os", "os_disk_gb", "os_disk_type", "spot")
_SYSTEM = "system"


def cluster_name(lease: Lease) -> str:
    """Return the name of a lease's cluster."""
    return f"telescope-{lease.id}"


def common(spec: ClusterSpec, lease: Lease, where: Where) -> dict[str, Any]:
    """Return the Terraform variables that every cloud's module has."""
    given = defaults(lease.provider)
    return {
        "name": cluster_name(lease),
        "region": where.region,
        "kubernetes_version": spec.kubernetes_version,
        "network": spec.network,
        "tier": spec.tier,
        "zones": list(spec.zones),
        "prometheus_pool": spec.prometheus_pool,
        "pools": {name: _pool(name, pool, given) for name, pool in spec.pools.items()},
        "tags": tags(lease),
    }


@cache
def defaults(provider: str) -> dict[str, Any]:
    """Return what `<provider>.yaml` takes where a spec says nothing: region, machine, system_machine."""
    import yaml

    text = Path(__file__).with_name(f"{provider}.yaml").read_text(encoding="utf-8")
    found: dict[str, Any] = yaml.safe_load(text)["defaults"]
    return found


def _pool(name: str, pool: PoolSpec, given: dict[str, Any]) -> dict[str, Any]:
    machine = given.get("system_machine", given["machine"]) if name == _SYSTEM else given["machine"]
    autoscaled = pool.max is not None
    return {
        "count": None if autoscaled else 1 if pool.count is None else pool.count,
        "min": pool.min if not autoscaled else pool.min or 0,
        "max": pool.max,
        "machine": pool.machine or machine,
        "max_pods": pool.max_pods,
        "labels": dict(pool.labels),
        "taints": [_taint(taint) for taint in pool.taints],
        "zones": list(pool.zones),
        "kubelet": {key: _text(value) for key, value in pool.kubelet.items()},
        "sysctls": dict(pool.sysctls),
        **{key: getattr(pool, key) for key in _CLOUD_KEYS},
        "node": None,
        "cpu": None,
        "memory": None,
    }


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _taint(text: str) -> dict[str, str]:
    pair, _, effect = text.rpartition(":")
    key, _, value = pair.partition("=")
    return {"key": key, "value": value, "effect": effect}


def tags(lease: Lease) -> dict[str, str]:
    """Return what is written on everything: values are legal labels on every cloud, so times are unix seconds."""
    due = lease.due if lease.due is not None else lease.created
    return {
        "owner": label(os.environ.get("TELESCOPE_OWNER") or _user()),
        "scenario": label(lease.cell),
        TAG_RUN: label(lease.run),
        TAG_LEASE: lease.id,
        "creation_time": str(int(lease.created)),
        TAG_DUE: str(int(due)),
    }


def _user() -> str:
    import getpass

    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"


def label(text: str) -> str:
    """Return `text` as a legal label value of every cloud: at most 63 of a-z, 0-9, `-` and `_`."""
    return re.sub(r"[^-_a-z0-9]+", "-", text.lower()).strip("-_")[:63] or "unknown"


def exec_variables(provider: str, arguments: list[str]) -> dict[str, Any]:
    """Return the variables `exec` and `exec_env` of a module whose kubeconfig asks the harness for tokens."""
    return {
        "exec": [sys.executable, "-m", "pytest_telescope", "kube-token", provider, *arguments],
        "exec_env": {"PYTHONPATH": str(paths.checkout())},
    }
