"""What Azure says before anything is built; every refusal names what is on offer."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pytest_telescope.cluster.clouds.azure_words import words
from pytest_telescope.cluster.clouds.model import Where
from pytest_telescope.scenario.model import ClusterSpec
from pytest_telescope.scenario.model import PoolSpec
from tests.clouds.azure_case import PLACE
from tests.clouds.azure_case import SPEC
from tests.clouds.azure_case import Azure
from tests.clouds.azure_case import pretended
from tests.clouds.azure_objects import SUBSCRIPTION

WORDS = Path(__file__).parents[2] / "modules" / "terraform" / "aks" / "words.tf"


@pytest.fixture
def azure() -> Iterator[Azure]:
    with pretended() as found:
        yield found


def pool(**settings: Any) -> ClusterSpec:
    return ClusterSpec(pools={"system": PoolSpec(count=1), "user": PoolSpec(**settings)})


def told(azure: Azure, spec: ClusterSpec = SPEC) -> str:
    return "; ".join(azure.aks.refusals(spec, PLACE))


def test_what_can_be_had_is_not_refused_and_asked_in_seconds(azure: Azure) -> None:
    begun = time.monotonic()

    assert azure.aks.refusals(SPEC, PLACE) == []
    assert time.monotonic() - begun < 5.0


def test_an_unknown_subscription_is_told_with_those_that_the_login_sees(azure: Azure) -> None:
    other = Where(account="00000000-0000-0000-0000-000000009999", region="eastus2")

    (text,) = azure.aks.refusals(SPEC, other)

    assert other.account in text
    assert SUBSCRIPTION in text


def test_a_disabled_subscription_is_refused(azure: Azure) -> None:
    azure.served.rest.state = "Disabled"

    assert told(azure) == f"subscription {SUBSCRIPTION} is Disabled, not Enabled"


def test_an_unknown_region_is_told_with_those_like_it(azure: Azure) -> None:
    assert azure.aks.refusals(SPEC, Where(account=SUBSCRIPTION, region="eastus22")) == [
        "there is no region eastus22; on offer: eastus2, eastus"
    ]


def test_a_namespace_that_is_not_registered_is_told_with_the_command(azure: Azure) -> None:
    azure.served.rest.unregistered = {"Microsoft.ContainerService"}

    assert "az provider register --namespace Microsoft.ContainerService" in told(azure)


@pytest.mark.parametrize(("version", "tier"), [("1.20", None), ("1.35", None), ("1.30", "standard")])
def test_a_version_that_is_not_offered_is_told_with_those_that_are(
    azure: Azure, version: str, tier: str | None
) -> None:
    spec = SPEC.model_copy(update={"kubernetes_version": version, "tier": tier})

    assert told(azure, spec) == f"Kubernetes {version} is not offered here in tier standard; on offer: 1.33, 1.34"


def test_long_term_support_offers_older_versions(azure: Azure) -> None:
    spec = SPEC.model_copy(update={"kubernetes_version": "1.30", "tier": "premium"})

    assert azure.aks.refusals(spec, PLACE) == []


def test_an_unknown_machine_is_told_with_those_like_it(azure: Azure) -> None:
    text = told(azure, pool(machine="Standard_D16s_v6"))

    assert text.startswith("pool user: Standard_D16s_v6 is not offered in eastus2; on offer: Standard_D16s_v5")


def test_a_machine_that_the_subscription_may_not_have_is_a_lack_of_capacity(azure: Azure) -> None:
    azure.served.rest.restricted["Standard_D16s_v5"] = [
        {"type": "Location", "reasonCode": "NotAvailableForSubscription"}
    ]

    text = told(azure, pool(machine="Standard_D16s_v5"))

    assert text == (
        "capacity: pool user: Standard_D16s_v5 cannot be had in eastus2 (NotAvailableForSubscription); "
        "on offer: Standard_D16_v3"
    )


def test_a_zone_without_the_machine_is_a_lack_of_capacity(azure: Azure) -> None:
    limit = {"type": "Zone", "restrictionInfo": {"zones": ["2"]}}
    azure.served.rest.restricted["Standard_D8s_v5"] = [limit]

    assert told(azure, pool(machine="Standard_D8s_v5", zones=("1", "2"))) == (
        "capacity: pool user: Standard_D8s_v5 cannot be had in zone 2; on offer: 1, 3"
    )


def test_a_machine_without_a_local_disk_carries_no_ephemeral_one(azure: Azure) -> None:
    text = told(azure, pool(machine="Standard_D4s_v5", os_disk_type="Ephemeral"))

    assert text == "pool user: Standard_D4s_v5 carries no Ephemeral OS disk; on offer: Managed"


def test_a_quota_too_small_is_a_lack_of_capacity_and_counts_what_is_in_use(azure: Azure) -> None:
    azure.cluster("ffffffff")  # takes 8 cores
    azure.served.rest.limits["cores"] = 50

    text = told(azure, pool(machine="Standard_D16s_v5", count=3))

    assert text == "capacity: 52 vCPUs of cores are needed in eastus2, but 42 of 50 are free"


def test_a_family_has_a_quota_of_its_own(azure: Azure) -> None:
    azure.served.rest.limits["standardDSv5Family"] = 10

    assert told(azure) == "capacity: 12 vCPUs of standardDSv5Family are needed in eastus2, but 10 of 10 are free"


def test_spot_machines_count_against_their_own_quota(azure: Azure) -> None:
    azure.served.rest.limits |= {"cores": 4, "lowPriorityCores": 31}

    text = told(azure, pool(machine="Standard_D16s_v5", count=2, spot=True))

    assert text == "capacity: 32 vCPUs of lowPriorityCores are needed in eastus2, but 31 of 31 are free"


def test_an_autoscaler_needs_room_for_its_most_nodes(azure: Azure) -> None:
    azure.served.rest.limits["cores"] = 83

    assert told(azure, pool(machine="Standard_D8s_v5", min=1, max=10)).startswith("capacity: 84 vCPUs of cores")


def test_a_system_pool_that_nobody_asked_for_counts(azure: Azure) -> None:
    azure.served.rest.limits["cores"] = 7

    text = told(azure, ClusterSpec(pools={"user": PoolSpec(count=1, machine="Standard_D4s_v5")}))

    assert text.startswith("capacity: 8 vCPUs of cores")


@pytest.mark.parametrize(
    ("spec", "text"),
    [
        (ClusterSpec(network="calico"), "network calico is not on offer, but azure-cni-overlay, "),
        (ClusterSpec(tier="gold"), "tier gold is not on offer, but free, standard, premium"),
        (ClusterSpec(zones=("a",)), "zone a is not on offer, but 1, 2, 3"),
        (pool(zones=("a",)), "pool user: zone a is not on offer, but 1, 2, 3"),
        (pool(os="Windows2022"), "pool user: os Windows2022 is not on offer, but AzureLinux, "),
        (pool(os_disk_type="gp3"), "pool user: os_disk_type gp3 is not on offer, but Managed, Ephemeral"),
        (
            pool(kubelet={"maxPods": 5}),
            "pool user: kubelet setting maxPods is not on offer, but allowedUnsafeSysctls, ",
        ),
        (pool(sysctls={"vm.swap": "1"}), "pool user: sysctl vm.swap is not on offer, but fs.aio-max-nr, "),
        (pool(max_pods=251), "pool user: max_pods 251 is not on offer, but 10 to 250"),
        (ClusterSpec(pools={"system": PoolSpec(spot=True)}), "pool system: it is AKS' own and cannot be spot"),
    ],
)
def test_words_that_aks_does_not_know_are_objected_to_without_asking(
    azure: Azure, spec: ClusterSpec, text: str
) -> None:
    (found,) = azure.aks.objections(spec)

    assert found.startswith(text)
    assert azure.served.logins.tokens == set()


def test_the_module_has_the_same_words() -> None:
    text, known = WORDS.read_text(), words()

    for name in ("systems", "disk_types", "zone_names", "kubelet_fields", "sysctl_names"):
        found = re.search(rf"{name}\s*= \[(.*?)\]", text, re.DOTALL)
        assert found is not None
        assert re.findall(r'"([^"]+)"', found.group(1)) == known[name], name
    for name in ("networks", "tiers"):
        found = re.search(rf"{name}\s*= \{{\n(.*?)\n  \}}", text, re.DOTALL)
        assert found is not None
        assert re.findall(r"^    ([-\w]+)\s*=", found.group(1), re.MULTILINE) == list(known[name]), name
    assert re.findall(r'plan = "(\w+)"', text) == list(known["tiers"].values())
    assert f'default_os = "{known["defaults"]["os"]}"' in text
