"""Each fault of a cloud ends in the right verdict, with nothing left, or with what is left named and priced."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
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


QUICK = (("aks", "no-capacity"), ("eks", "refused"), ("gke", "made-and-failed"))
AT_ONCE = 4


def cell(pretended: World) -> str:
    return f"{pretended.provider}-small"


def verdict(run: Run) -> dict[str, object]:
    found: dict[str, object] = json.loads((run.folder.publish / "verdict.json").read_text(encoding="utf-8"))
    return found


@pytest.mark.parametrize(("provider", "name"), QUICK)
def test_a_fault_ends_in_the_right_verdict(provider: str, name: str, backing: Path, tmp_path: Path) -> None:
    assert wrong(provider, name, backing, tmp_path / name) == []


@pytest.mark.long
@pytest.mark.parametrize("provider", PROVIDERS)
def test_every_fault_ends_in_the_right_verdict_with_nothing_left(provider: str, backing: Path, tmp_path: Path) -> None:
    names = [name for name in faults(provider) if (provider, name) not in QUICK]

    with ThreadPoolExecutor(AT_ONCE) as pool:
        found = list(pool.map(lambda name: wrong(provider, name, backing, tmp_path / name), names))

    assert [each for each in found if each] == []


def wrong(provider: str, name: str, backing: Path, root: Path) -> list[str]:
    """Run with one fault; return what did not end as it must."""
    injected, ending = faults(provider)[name]
    root.mkdir()
    with world(provider, backing, root) as pretended:
        for fault in injected:
            pretended.cloud.faults.append(fault)
        run = pretended.harness.run("-m", provider, f"--scenario={pretended.small(name=name)}")
        found = [*differences(run, ending, f"{provider}-{name}"), *pretended.held(), *traces(run.state)]
    return [f"{name}: {one}" for one in (*found, run.output)] if found else []


def differences(run: Run, ending: Ending, name: str) -> list[str]:
    """Return where the end of a run is not the one that must be."""
    found = [] if run.code == ending.code else [f"code {run.code} instead of {ending.code}"]
    if (cause := verdict(run)["cause"]) != ending.cause:
        found.append(f"cause {cause} instead of {ending.cause}")
    if ending.says not in run.output:
        found.append(f"does not say {ending.says}")
    if ending.red is not None and ending.red[1] not in (red := run.case(f"{ending.red[0]}[{name}]").red or ""):
        found.append(f"{ending.red[0]} says {red}")
    return found


@pytest.mark.long
def test_a_cloud_that_refuses_to_delete_makes_a_red_run_that_names_what_is_left(backing: Path, tmp_path: Path) -> None:
    with ThreadPoolExecutor(len(PROVIDERS)) as pool:
        list(pool.map(lambda provider: refused_then_reaped(provider, backing, tmp_path / provider), PROVIDERS))


def refused_then_reaped(provider: str, backing: Path, root: Path) -> None:
    """What the cloud will not delete is named with its price and its command; `reap` finishes when it will."""
    root.mkdir()
    with world(provider, backing, root) as pretended:
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
def test_a_creation_that_hangs_is_given_up_and_cleaned(backing: Path, tmp_path: Path) -> None:
    with ThreadPoolExecutor(len(PROVIDERS)) as pool:
        list(pool.map(lambda provider: hung_and_cleaned(provider, backing, tmp_path / provider), PROVIDERS))


def hung_and_cleaned(provider: str, backing: Path, root: Path) -> None:
    """An apply that never ends is interrupted once, and what it had begun is deleted."""
    root.mkdir()
    with world(provider, backing, root) as pretended:
        pretended.cloud.faults.append(Fault("hang", CLUSTERS[provider], times=1, seconds=120_000.0))

        run = pretended.harness.run("-m", provider, f"--scenario={pretended.small()}")

        assert run.code == 1, run.output
        assert "did not end within" in run.output
        if verdict(run)["cause"] == "leak":  # a cloud may refuse to delete what it is still making
            assert "still there of lease" in run.output
            assert "delete it by `" in run.output
        else:
            assert verdict(run)["cause"] == "infrastructure"
            assert pretended.held() == []
            assert traces(run.state) == []
