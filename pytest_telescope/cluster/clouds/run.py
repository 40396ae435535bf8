"""Terraform of a managed lease: applied and destroyed with tries that are bounded, reasoned and told."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from typing import TYPE_CHECKING
from typing import Any

from pytest_telescope import paths
from pytest_telescope.cluster.clouds import pace as paces
from pytest_telescope.cluster.clouds.failures import Meaning
from pytest_telescope.cluster.clouds.failures import meaning
from pytest_telescope.cluster.clouds.pace import Pace
from pytest_telescope.cluster.clouds.workspace import Workspace
from pytest_telescope.cluster.durable import private_folder
from pytest_telescope.cluster.model import Lease
from pytest_telescope.errors import ProvisionError

if TYPE_CHECKING:
    from pytest_telescope.cluster.terraform import LeaseTerraform

Say = Callable[[str], None]
Approve = Callable[[Mapping[str, Any]], None]
"""Told the plan as `terraform show -json` gives it; raises what forbids it."""
INIT_WITHIN = 600.0
"""Seconds for `terraform init`: providers of some hundred megabytes are fetched the first time."""
PLAN_WITHIN = 600.0


@dataclass(slots=True, kw_only=True)
class Run:
    """Terraform's work for one lease.

    Attributes:
        retries: what was tried again, a line each.
    """

    lease: Lease
    workspace: Workspace
    environment: Mapping[str, str]
    say: Say
    pace: Pace = field(default_factory=Pace)
    sleep: paces.Sleep = paces.sleep
    retries: list[str] = field(default_factory=list)

    def apply(self, variables: Mapping[str, Any], approve: Approve) -> dict[str, Any]:
        """Plan, have the plan approved, apply; return the outputs.

        Every try plans anew over the same state, so that what is already made stays and what is tainted is replaced.

        Raises:
            ProvisionError: Terraform failed for good; `cause` is `capacity` where the cloud has not enough.
        """
        from pytest_telescope.cluster.terraform import TerraformError

        terraform = self._terraform()
        for attempt in range(len(self.pace.backoff) + 1):
            try:
                return self._apply_once(terraform, variables, approve, attempt)
            except TerraformError as error:
                self._again("apply", attempt, meaning(str(error)), error)
        raise AssertionError("the last try returns or raises")

    def _apply_once(
        self, terraform: LeaseTerraform, variables: Mapping[str, Any], approve: Approve, attempt: int
    ) -> dict[str, Any]:
        from pytest_telescope.cluster.terraform import TerraformError

        self.say("terraform plan")
        self.init(terraform)
        document = terraform.plan_module(variables, deadline=PLAN_WITHIN)
        approve(document)
        self.say(f"terraform apply: {_changes(document)}")
        self.workspace.applying(attempt)
        try:
            terraform.apply_plan(deadline=paces.deadline(self.pace.apply))
        except TerraformError as error:
            if not error.cut_short:
                self.workspace.applied()
            raise
        self.workspace.applied()
        return terraform.outputs()

    def _again(self, step: str, attempt: int, why: Meaning, error: Exception) -> None:
        """Wait for the next try, or raise."""
        left = len(self.pace.backoff) - attempt
        if why.kind != "transient" or not left:
            tried = f" (tried {attempt + 1} times)" if attempt else ""
            told = (
                f"capacity: {why}"
                if why.kind == "capacity"
                else str(why)
                if why.kind != "unknown"
                else "Terraform failed"
            )
            raise ProvisionError(
                f"{told}{tried}: the cluster of {self.lease.cell} (lease {self.lease.id}) did not come up\n{error}",
                cause="capacity" if why.kind == "capacity" else None,
            ) from error
        wait = self.pace.backoff[attempt]
        self.retries.append(f"{step}: {why}")
        self.say(f"terraform {step} is tried again in {wait:g} s, {left} more tries: {why}")
        self.sleep(wait)

    def destroy(self) -> None:
        """Run `terraform destroy` once over what the state knows.

        Raises:
            TerraformError: it failed.
        """
        terraform = self._terraform()
        self.init(terraform)
        terraform.destroy_module(deadline=paces.deadline(self.pace.destroy))

    def init(self, terraform: LeaseTerraform) -> None:
        """Run `terraform init`; one at a time where providers are fetched, as Terraform's cache needs it."""
        with _provider_cache() as cache:
            terraform.add_environment(cache)
            terraform.init_module(deadline=INIT_WITHIN)

    def _terraform(self) -> LeaseTerraform:
        from pytest_telescope.cluster.terraform import GRACE
        from pytest_telescope.cluster.terraform import LeaseTerraform
        from pytest_telescope.toolchain import ensure

        binary = ensure(["terraform"])["terraform"]
        terraform = LeaseTerraform(
            binary,
            self.workspace.module,
            self.workspace.folder,
            self.lease.id,
            environment=self.environment,
            grace=min(GRACE, paces.deadline(GRACE)),
        )
        terraform.say = self.say
        return terraform


@contextlib.contextmanager
def _provider_cache() -> Iterator[dict[str, str]]:
    """Yield the variable that names the cache of providers, alone; none where a person or a test brings its own."""
    if os.environ.get("TF_REATTACH_PROVIDERS") or os.environ.get("TF_PLUGIN_CACHE_DIR"):
        yield {}
        return
    from filelock import FileLock

    folder = private_folder(paths.cache() / "terraform-providers")
    with FileLock(folder / ".lock", timeout=INIT_WITHIN):
        yield {"TF_PLUGIN_CACHE_DIR": str(folder)}


def _changes(document: Mapping[str, Any]) -> str:
    """Return `12 to create` and the like of a plan."""
    actions = ["+".join(change["change"]["actions"]) for change in document.get("resource_changes", [])]
    counted = {action: actions.count(action) for action in dict.fromkeys(actions) if action not in {"no-op", "read"}}
    return ", ".join(f"{count} to {action}" for action, count in counted.items()) or "nothing to change"
