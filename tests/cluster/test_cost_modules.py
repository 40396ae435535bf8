"""The estimate of a spec and the one of its plan are the same: Terraform plans our modules for all that we ship."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pytest_telescope import cells
from pytest_telescope import paths
from pytest_telescope.cluster.clouds import variables
from pytest_telescope.cluster.clouds.model import Where
from pytest_telescope.cluster.cost.spec import of_spec
from pytest_telescope.cluster.cost.tfplan import of_plan
from pytest_telescope.cluster.model import Lease
from pytest_telescope.cluster.terraform import LeaseTerraform
from pytest_telescope.scenario.command import all_cells
from pytest_telescope.scenario.model import ClusterSpec
from pytest_telescope.scenario.model import PoolSpec
from pytest_telescope.toolchain import tool
from tests.clouds.fake import Clock
from tests.clouds.fake import FakeCloud
from tests.clouds.stub import StubProviders

SUBSCRIPTION = "00000000-0000-0000-0000-000000000000"
OWN: dict[str, dict[str, Any]] = {
    "aks": {"subscription": SUBSCRIPTION},
    "eks": {"admin_principal_arns": ["arn:aws:iam::123456789012:role/runner"], "exec": ["token"]},
    "gke": {"project": "telescope-test", "exec": ["token"]},
}
"""Variables that one module alone has; none of them costs anything."""
MACHINE = "data.aws_ec2_instance_type"


def vcpus(values: dict[str, Any]) -> int:
    """Return the vCPUs of an xlarge of AWS and its multiples."""
    return 4 * int(values["instance_type"].partition(".")[2].removesuffix("xlarge") or 1)


FACTS = {
    "data.aws_availability_zones.names": ["us-east-1a", "us-east-1b", "us-east-1c"],
    f"{MACHINE}.hypervisor": "nitro",
    f"{MACHINE}.maximum_network_interfaces": 4,
    f"{MACHINE}.maximum_ipv4_addresses_per_interface": 15,
    f"{MACHINE}.default_vcpus": vcpus,
    f"{MACHINE}.supported_architectures": ["x86_64"],
}
"""What AWS says of its zones and machines, as far as the module asks; the interfaces are those of m6i.xlarge."""
SCALED = ClusterSpec(pools={"system": PoolSpec(count=2), "user": PoolSpec(min=1, max=6, os_disk_gb=200)})
SMALLEST = ClusterSpec(pools={"user": PoolSpec(count=1)})
pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def environment() -> Iterator[dict[str, str]]:
    cloud = FakeCloud(Clock())
    cloud.computed.update(FACTS)
    with StubProviders(cloud) as stub:
        yield stub.environment()


def shipped(provider: str) -> list[ClusterSpec]:
    """Return the clusters of all scenarios, each once."""
    found = [
        cell.cluster
        for name in cells.scenario_names()
        for cell in all_cells(cells.scenario(name))
        if cell.provider == provider
    ]
    return list({spec.model_dump_json(): spec for spec in found}.values())


def planned(provider: str, spec: ClusterSpec, folder: Path, environment: dict[str, str]) -> dict[str, Any]:
    """Return the plan that Terraform makes for `spec`."""
    lease = Lease(
        id="0123abcd",
        provider=provider,
        cell=f"{provider}-priced",
        run="20261125-101500-ab12",
        folder=folder,
        created=1_800_000_000.0,
        due=1_800_040_000.0,
    )
    given = variables.defaults(provider)
    where = Where(account="", region=given["region"])
    module = paths.modules() / "terraform" / provider
    data = {"TF_DATA_DIR": str(folder / "data")}
    terraform = LeaseTerraform(tool("terraform"), module, folder, lease.id, environment={**environment, **data})
    terraform.init_module(deadline=60)
    zones = ["a"] if provider == "gke" and not spec.zones else list(spec.zones)
    system = {"system_machine": given["system_machine"]} if provider == "aks" else {}
    return terraform.plan_module(
        {**variables.common(spec, lease, where), "zones": zones, **OWN[provider], **system}, deadline=120
    )


@pytest.mark.parametrize("provider", list(OWN))
def test_plan_and_spec_cost_the_same(
    provider: str, tmp_path: Path, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TELESCOPE_PRICES", raising=False)
    specs = [*shipped(provider), SCALED, SMALLEST]
    assert len(specs) > 4

    for number, spec in enumerate(specs):
        document = planned(provider, spec, tmp_path / str(number), environment)
        found, told = of_plan(provider, document), of_spec(provider, spec)

        assert found.unknown == told.unknown == ()
        assert (found.low, found.high) == pytest.approx((told.low, told.high)), (spec, found.parts, told.parts)
