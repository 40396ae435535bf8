"""What signals do to a Terraform that is making a cluster: why the harness sends exactly one, and keeps a ledger."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from pytest_telescope.cluster.processes import wait_until
from tests.clouds.commands import Commands
from tests.clouds.fake import Clock
from tests.clouds.fake import FakeCloud
from tests.clouds.fake import Fault
from tests.clouds.stub import StubProviders

pytestmark = pytest.mark.e2e
MODULE = Path(__file__).parent / "modules" / "small"
CLUSTER = "azurerm_kubernetes_cluster"
ONLY_THE_CLUSTER = f"-target={CLUSTER}.this"
GROUP = "azurerm_resource_group"


@pytest.fixture
def cloud() -> FakeCloud:
    """A cluster takes a second."""
    cloud = FakeCloud(Clock(speed=60.0))
    cloud.computed["data.aws_availability_zones.names"] = ["us-east-2a"]
    return cloud


@pytest.fixture
def stub(cloud: FakeCloud) -> Iterator[StubProviders]:
    with StubProviders(cloud) as providers:
        yield providers
    assert providers.crashes == []


@pytest.fixture
def terraform(stub: StubProviders, tmp_path: Path) -> Commands:
    commands = Commands(MODULE, tmp_path, stub.environment())
    assert commands.init().code == 0
    return commands


def hit(terraform: Commands, cloud: FakeCloud, *signals: signal.Signals) -> tuple[int, str]:
    """Send the signals, the next when the last was noticed, to an apply that is making the cluster."""
    with terraform.start(
        "apply", "-auto-approve", "-input=false", "-no-color", f"-state={terraform.state}", ONLY_THE_CLUSTER
    ) as process:
        assert wait_until(lambda: bool(cloud.listed(CLUSTER)), 20.0)
        for number in signals:
            process.send_signal(number)
            if number != signals[-1]:
                _read_until(process, "Interrupt received")
        output, _ = process.communicate(timeout=30)
    return process.returncode, output


def _read_until(process: subprocess.Popen[str], words: str) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        if words in line:
            return
    raise AssertionError(f"terraform ended without {words!r}")


def after_destroy(terraform: Commands, cloud: FakeCloud) -> list[str]:
    """Return the types that are left when all is made and Terraform has destroyed what it knows."""
    assert wait_until(lambda: all(thing.state == "ready" for thing in cloud.listed()), 20.0)
    assert terraform.destroy("-lock-timeout=5s").code == 0
    return [thing.type for thing in cloud.things.values()]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_after_one_signal_the_cluster_is_in_the_state_and_nothing_is_left(
    terraform: Commands, cloud: FakeCloud, number: signal.Signals
) -> None:
    code, _ = hit(terraform, cloud, number)
    known = terraform.known()

    assert code == 1
    assert known == [CLUSTER, GROUP]
    assert after_destroy(terraform, cloud) == []


def test_a_second_signal_leaks_the_cluster(terraform: Commands, cloud: FakeCloud) -> None:
    code, output = hit(terraform, cloud, signal.SIGINT, signal.SIGTERM)
    known = terraform.known()

    assert code == 1
    assert "Two interrupts received" in output
    assert CLUSTER not in known
    assert CLUSTER in after_destroy(terraform, cloud)


def test_a_kill_leaks_the_cluster_which_goes_on_being_made(terraform: Commands, cloud: FakeCloud) -> None:
    code, _ = hit(terraform, cloud, signal.SIGKILL)
    known = terraform.known()

    assert code == -signal.SIGKILL
    assert CLUSTER not in known
    assert CLUSTER in after_destroy(terraform, cloud)


def test_a_hanging_creation_holds_terraform_until_it_is_interrupted(terraform: Commands, cloud: FakeCloud) -> None:
    cloud.faults.append(Fault("hang", CLUSTER, seconds=180.0))
    code, output = hit(terraform, cloud, signal.SIGINT)

    assert code == 1
    assert "Interrupt received" in output
    assert terraform.known() == [CLUSTER, GROUP]
