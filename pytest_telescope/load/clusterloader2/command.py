"""How CL2 is started: its flags, and the few variables of the environment that it may see."""

from __future__ import annotations

import math
from collections.abc import Iterable
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pytest_telescope.load.clusterloader2.model import Entry

CLIENT_QPS = 100
"""Requests a second that CL2 lets one client make (burst 200); constants of its framework."""
LEAST_CLIENTS = 5
MOST_CLIENTS = 100
CALLS_AN_OBJECT = 2
"""Requests that an object of a phase costs CL2 itself, at most: it looks, then creates or patches."""
PROVIDERS: Mapping[str, str] = {"local": "kind", "aks": "aks", "eks": "eks", "gke": "gke"}
"""`kind` stands for a cluster without SSH; on CL2's own `local` it would try to log in to the scheduler's host."""
VERBOSE = ("simple_test_executor", "wait_for_controlled_pods", "wait_for_jobs", "wait_for_pods", "prometheus", "util")
"""Files whose V(2) lines are wanted; V(2) everywhere would print the kubeconfig."""
THROTTLING = "request"
"""client-go's file that tells of requests it held back, at V(3)."""
ALLOWED = (
    *("PATH", "HOME", "USER", "TMPDIR", "LANG", "LC_ALL", "GOMAXPROCS", "GOMEMLIMIT"),
    *(
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "NO_PROXY",
        "http_proxy",
        "https_proxy",
        "no_proxy",
        "SSL_CERT_FILE",
        "SSL_CERT_DIR",
    ),
)
ALLOWED_PREFIXES = ("AZURE_", "AAD_", "AWS_", "GOOGLE_", "CLOUDSDK_", "USE_GKE_")
"""What the credential helpers in a cloud's kubeconfig read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Invocation:
    """One start of CL2.

    Attributes:
        nodes: what `.Nodes` is in the config.
        clients: number of Kubernetes clients, each held to `CLIENT_QPS`.
        extra: more flags, e.g. those of its Prometheus.
    """

    binary: Path
    entry: Entry
    provider: str
    kubeconfig: Path
    reports: Path
    overrides: tuple[Path, ...]
    prefix: str
    nodes: int
    clients: int = LEAST_CLIENTS
    extra: tuple[str, ...] = ()

    def command(self, *, dry_run: bool = False) -> list[str]:
        """Return the command line; a bool flag needs its `=`, else CL2 takes `false` for a stray argument."""
        modules = ",".join([*(f"{name}=2" for name in VERBOSE), f"{THROTTLING}=3"])
        return [
            str(self.binary),
            f"--provider={PROVIDERS[self.provider]}",
            f"--kubeconfig={self.kubeconfig}",
            f"--testconfig={self.entry.config}",
            *(f"--testoverrides={path}" for path in self.overrides),
            f"--report-dir={self.reports}",
            f"--nodes={self.nodes}",
            f"--k8s-clients-number={self.clients}",
            "--enable-exec-service=false",
            "--port=0",
            f"--overwrite-test-config=Namespace.Prefix={self.prefix}",
            "--overwrite-test-config=Namespace.DeleteAutomanagedNamespaces=false",
            "--overwrite-test-config=Namespace.DeleteStaleNamespaces=false",
            "--v=1",
            f"--vmodule={modules}",
            *(_offline() if dry_run else self.extra),
        ]


def _offline() -> tuple[str, ...]:
    return ("--dry-run=true", "--skip-cluster-verification=true", "--master-endpoint=none")


def clients_for(rates: Iterable[float]) -> int:
    """Return how many clients keep CL2 itself from being the bottleneck of a config with these rates (actions/s)."""
    needed = math.ceil(CALLS_AN_OBJECT * max(rates, default=0.0) / CLIENT_QPS)
    return min(max(needed, LEAST_CLIENTS), MOST_CLIENTS)


def environment(own: Mapping[str, str], marks: Mapping[str, str]) -> dict[str, str]:
    """Return what CL2 may see of the environment `own`, and `marks`, by which its process is found again.

    Nearly every flag of CL2 can be set by a variable (`NODES`, `PROVIDER`, `ENABLE_PROMETHEUS_SERVER`, …), and every
    `CL2_*` becomes a variable of the config: none of them may decide what a benchmark measures.
    """
    kept = {name: value for name, value in own.items() if name in ALLOWED or name.startswith(ALLOWED_PREFIXES)}
    return {**kept, "TZ": "UTC", **marks}
