"""An account of the pretended AWS, and a cluster that the real Terraform made there from our module."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import field
from pathlib import Path
from typing import Any

from pytest_telescope import paths
from pytest_telescope.cluster.clouds.eks import Eks
from pytest_telescope.cluster.clouds.model import Where
from tests.clouds.aws import REGION
from tests.clouds.aws import Served
from tests.clouds.aws import install
from tests.clouds.aws import serve
from tests.clouds.aws_tokens import ACCOUNT
from tests.clouds.fake import Clock
from tests.clouds.fake import FakeCloud
from tests.clouds.stub import StubProviders

LEASE = "0123abcd"
CLUSTER = f"telescope-{LEASE}"
DUE = 1795500000
WHERE = Where(account=ACCOUNT, region=REGION)
TAGS = {"run_id": "r1", "telescope_lease": LEASE, "deletion_due_time": str(DUE)}


@dataclass
class Account:
    """One account with its client; `waits` are the seconds that the client wanted to sleep."""

    cloud: FakeCloud
    served: Served
    eks: Eks
    waits: list[float] = field(default_factory=list)

    def listed(self, lease: str | None = LEASE, cluster: str | None = CLUSTER) -> list[str]:
        """Return `kind name` of what the client lists."""
        return [f"{one.kind} {one.name}" for one in self.eks.resources(WHERE, lease, cluster)]

    def kinds(self) -> set[str]:
        """Return the kinds of what the client lists of the lease."""
        return {one.kind for one in self.eks.resources(WHERE, LEASE, CLUSTER)}

    def swept(self, rounds: int = 6) -> list[str]:
        """Delete in the order of the listing until it is empty; return what refused, a line each."""
        from pytest_telescope.errors import CloudError

        refused = []
        for _ in range(rounds):
            for one in self.eks.resources(WHERE, LEASE, CLUSTER):
                try:
                    self.eks.delete(one, WHERE)
                except CloudError as error:
                    if not error.transient:
                        raise
                    refused.append(f"{one.kind}: {error}")
        return refused


@contextlib.contextmanager
def account(kubeconfig: Path | None = None) -> Iterator[Account]:
    """Yield an empty account."""
    cloud = FakeCloud(Clock(speed=6000.0))
    install(cloud, kubeconfig)
    with serve(cloud, kubeconfig) as served:
        waits: list[float] = []
        eks = Eks(environ=served.environment(), sleep=waits.append)
        try:
            yield Account(cloud, served, eks, waits)
        finally:
            eks.close()


def variables(**more: Any) -> dict[str, Any]:
    """Return what the harness tells the module about a small cluster."""
    return {
        "name": CLUSTER,
        "region": REGION,
        "kubernetes_version": "1.35",
        "zones": ["a", "b"],
        "tags": TAGS,
        "admin_principal_arns": [f"arn:aws:iam::{ACCOUNT}:role/runner"],
        "exec": ["python"],
        "pools": {"user": {"count": 2, "machine": "m6i.xlarge"}},
        **more,
    }


@contextlib.contextmanager
def terraform(folder: Path, given: Account) -> Iterator[Any]:
    """Yield what runs Terraform on our module over the account's cloud."""
    module = folder / "module"
    shutil.copytree(paths.checkout() / "modules" / "terraform" / "eks", module)
    with StubProviders(given.cloud) as stub:
        environment = {**os.environ, **stub.environment(), "TF_DATA_DIR": str(folder / "data"), "TF_IN_AUTOMATION": "1"}

        def run(*arguments: str, **more: Any) -> subprocess.CompletedProcess[str]:
            (folder / "vars.json").write_text(json.dumps(variables(**more)))
            done = subprocess.run(
                ["terraform", f"-chdir={module}", *arguments],
                env=environment,
                capture_output=True,
                text=True,
                timeout=180,
                check=False,
            )
            assert not stub.crashes, stub.crashes
            return done

        assert run("init", "-backend=false", "-input=false").returncode == 0
        yield run


def apply(run: Any, folder: Path, **more: Any) -> subprocess.CompletedProcess[str]:
    """Apply the module."""
    done: subprocess.CompletedProcess[str] = run(
        "apply", "-auto-approve", "-input=false", "-no-color", f"-var-file={folder / 'vars.json'}", **more
    )
    return done
