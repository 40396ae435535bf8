"""Each fault of a cloud ends in the right verdict, with nothing left, or with what is left named and priced."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.clouds.fake import Fault
from tests.clouds.world import CLUSTERS
from tests.clouds.world import World
from tests.clouds.world import world
from tests.e2e.conftest import Run
from tests.e2e.conftest import traces

pytestmark = pytest.mark.e2e

PROVIDERS = ("aks", "eks", "gke")
CAPACITY = {
    "aks": 'Code="SkuNotAvailable" Message="not available in the region"',
    "eks": "InsufficientInstanceCapacity: no m6i.xlarge in the zone",
    "gke": "ZONE_RESOURCE_POOL_EXHAUSTED: the zone does not have enough resources available",
}
HANGS_ON = {
    "aks": "DependencyViolation",
    "eks": "DependencyViolation: has dependencies",
    "gke": "is already being used by",
}


@dataclass(frozen=True, kw_only=True)
class Ending:
    """How a run must end.

    Attributes:
        code: pytest's exit code.
        cause: in verdict.json; None for a green run.
        red: item -> words of its first line.
        says: words in the terminal.
    """

    code: int
    cause: str | None = None
    red: tuple[str, str] | None = None
    says: str = ""


GREEN = Ending(code=0)


def faults(provider: str) -> dict[str, tuple[list[Fault], Ending]]:
    cluster = CLUSTERS[provider]
    provision = "test_provision"
    return {
        "throttled": (
            [Fault("throttle", cluster, times=1)],
            Ending(code=0, says="is tried again in"),
        ),
        "no-capacity": (
            [Fault("fail-create", cluster, times=None, message=CAPACITY[provider])],
            Ending(code=1, cause="capacity", red=(provision, "ERROR capacity:")),
        ),
        "refused": (
            [Fault("fail-create", cluster, times=None, message="AuthorizationFailed AccessDenied PERMISSION_DENIED")],
            Ending(code=1, cause="infrastructure", red=(provision, "lacks a right")),
        ),
        "made-and-failed": (
            [Fault("fail-after-create", cluster, times=1, message="the operation ended in state Failed")],
            Ending(code=1, cause="infrastructure", red=(provision, "ERROR Terraform failed")),
        ),
        "made-and-throttled": (
            [Fault("fail-after-create", cluster, times=1, message="unexpected status 429 TooManyRequests")],
            Ending(code=0, says="is tried again in"),
        ),
        "destroy-fails-once": (
            [Fault("fail-destroy", cluster, times=1, message=HANGS_ON[provider])],
            Ending(code=0, says="terraform destroy is tried again"),
        ),
        "listings-lag": ([Fault("invisible", "*", times=None, seconds=30.0)], GREEN),
    }


QUICK = {("aks", "no-capacity"), ("eks", "made-and-throttled"), ("gke", "destroy-fails-once")}


def cases() -> Iterator[object]:
    for provider in PROVIDERS:
        for name in faults(provider):
            marks = [] if (provider, name) in QUICK else [pytest.mark.long]
            yield pytest.param(provider, name, marks=marks, id=f"{provider}-{name}")


def cell(pretended: World) -> str:
    return f"{pretended.provider}-small"


def verdict(run: Run) -> dict[str, object]:
    found: dict[str, object] = json.loads((run.folder.publish / "verdict.json").read_text(encoding="utf-8"))
    return found


@pytest.mark.parametrize(("provider", "name"), list(cases()))
def test_a_fault_ends_in_the_right_verdict_with_nothing_left(
    provider: str, name: str, backing: Path, tmp_path: Path
) -> None:
    injected, ending = faults(provider)[name]
    with world(provider, backing, tmp_path) as pretended:
        for fault in injected:
            pretended.cloud.faults.append(fault)

        run = pretended.harness.run("-m", provider, f"--scenario={pretended.small()}")

        assert run.code == ending.code, run.output
        assert verdict(run)["cause"] == ending.cause
        assert ending.says in run.output
        if ending.red is not None:
            item, words = ending.red
            assert words in (run.case(f"{item}[{cell(pretended)}]").red or "")
        assert pretended.held() == []
        assert traces(run.state) == []


@pytest.mark.parametrize(
    "provider", [pytest.param(name, marks=[] if name == "eks" else [pytest.mark.long]) for name in PROVIDERS]
)
def test_a_cloud_that_refuses_to_delete_makes_a_red_run_that_names_what_is_left(
    provider: str, backing: Path, tmp_path: Path
) -> None:
    with world(provider, backing, tmp_path) as pretended:
        stuck = Fault("fail-destroy", CLUSTERS[provider], times=None, message="the cluster is locked by somebody")
        pretended.cloud.faults.append(stuck)

        run = pretended.harness.run("-m", provider, f"--scenario={pretended.small()}")

        case = run.case(f"test_destroy[{cell(pretended)}]")
        assert run.code == 1, run.output
        assert verdict(run)["cause"] == "leak"
        assert "leak: still there of lease" in (case.red or "")
        assert "delete it by `" in run.output
        assert "USD/h" in run.output
        assert pretended.held()

        pretended.cloud.faults.clear()
        reaped = pretended.harness.telescope("reap", "--all")
        assert reaped.returncode == 0, reaped.stdout
        assert pretended.held() == []
        assert traces(run.state) == []


@pytest.mark.long
@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_creation_that_hangs_is_given_up_and_cleaned(provider: str, backing: Path, tmp_path: Path) -> None:
    with world(provider, backing, tmp_path) as pretended:
        pretended.cloud.faults.append(Fault("hang", CLUSTERS[provider], times=1))

        run = pretended.harness.run("-m", provider, f"--scenario={pretended.small()}")

        assert run.code == 1, run.output
        assert "did not end within" in run.output
        assert verdict(run)["cause"] == "infrastructure"
        assert pretended.held() == []
        assert traces(run.state) == []
