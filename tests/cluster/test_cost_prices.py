"""The price tables: figures of their sources, what they do not know, and a user's own table over them."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_telescope.cluster.cost.prices import Prices
from pytest_telescope.cluster.cost.prices import prices
from pytest_telescope.cluster.cost.prices import split
from pytest_telescope.errors import UsageError

# Read off the sources that the tables name.
LISTED = [
    ("aks", "eastus", "Standard_D4s_v5", 0.192),
    ("aks", "eastus2", "Standard_D2s_v3", 0.096),
    ("aks", "eastus2", "Standard_D16ds_v5", 0.904),
    ("aks", "eastus2", "Standard_D16s_v6", 0.806),
    ("aks", "eastus2", "Standard_F16s_v2", 0.677),
    ("aks", "eastus2", "Standard_F72s_v2", 3.045),
    ("aks", "eastus2", "Standard_E16_v3", 1.064),
    ("aks", "eastus", "Standard_D32ads_v5", 1.648),
    ("aks", "eastus", "Standard_D96as_v5", 4.128),
    ("aks", "eastus", "Standard_DS3_v2", 0.293),
    ("aks", "eastus", "Standard_L16s_v3", 1.392),
    ("aks", "westus2", "Standard_D64s_v3", 3.072),
    ("aks", "westus2", "Standard_D8pds_v5", 0.362),
    ("aks", "westeurope", "Standard_D16_v3", 0.96),
    ("aks", "westeurope", "Standard_D8s_v5", 0.46),
    ("aks", "westeurope", "Standard_D48as_v5", 2.496),
    ("aks", "westeurope", "Standard_E8ds_v5", 0.692),
    ("aks", "westeurope", "Standard_B4ms", 0.192),
    ("eks", "us-east-1", "m5.large", 0.096),
    ("eks", "us-east-1", "m6i.4xlarge", 0.768),
    ("eks", "us-east-1", "m7i.4xlarge", 0.8064),
    ("eks", "us-east-1", "m7g.4xlarge", 0.6528),
    ("eks", "us-east-1", "m8g.4xlarge", 0.71808),
    ("eks", "us-east-1", "c5.18xlarge", 3.06),
    ("eks", "us-east-1", "c6i.32xlarge", 5.44),
    ("eks", "us-east-1", "r6i.4xlarge", 1.008),
    ("eks", "us-east-1", "m7a.48xlarge", 11.12832),
    ("eks", "us-east-1", "t3.medium", 0.0416),
    ("eks", "us-east-1", "m6g.medium", 0.0385),
    ("eks", "us-east-1", "m7i-flex.2xlarge", 0.38304),
    ("eks", "us-east-1", "i4i.24xlarge", 8.2368),
    ("gke", "us-central1", "e2-standard-4", 0.13402),
    ("gke", "us-central1", "e2-highcpu-32", 0.79149),
    ("gke", "us-central1", "n1-standard-16", 0.76),
    ("gke", "us-central1", "n1-highmem-32", 1.8944),
    ("gke", "us-central1", "n2-standard-4", 0.1942),
    ("gke", "us-central1", "n2-highcpu-96", 3.4414),
    ("gke", "us-central1", "n2-highmem-128", 7.7069),
    ("gke", "us-central1", "n2d-standard-16", 0.6759),
    ("gke", "us-central1", "c2-standard-60", 3.1321),
    ("gke", "us-central1", "c2d-highmem-56", 3.4292),
    ("gke", "us-central1", "c3-standard-8", 0.41776),
    ("gke", "us-central1", "c3d-highcpu-90", 3.3732),
    ("gke", "us-central1", "t2d-standard-16", 0.6759),
]
FAMILIES = [(provider, family) for provider in ("aks", "eks", "gke") for family in prices(provider).table["families"]]


def name_of(provider: str, family: str, size: object) -> str:
    """Spell a machine type of a family of the table."""
    if provider == "eks":
        return f"{family}.{size}"
    if provider == "gke":
        return f"{family}-{size}"
    series, _, version = family.partition("-v")
    return f"Standard_{series[0]}{size}{series[1:]}" + (f"_v{version}" if version else "")


@pytest.mark.parametrize(("provider", "region", "machine", "usd"), LISTED)
def test_a_machine_costs_what_the_source_says(provider: str, region: str, machine: str, usd: float) -> None:
    assert prices(provider).machine(machine, region) == pytest.approx(usd, rel=0.004)


@pytest.mark.parametrize(("provider", "family"), FAMILIES)
def test_every_size_of_a_family_has_a_price_and_a_larger_one_costs_more(provider: str, family: str) -> None:
    table = prices(provider)
    entry = table.table["families"][family]
    factors = table.table.get("size_factors", {})
    sizes = sorted(entry["sizes"], key=lambda size: factors.get(size, size))
    for regions in entry["usd"]:
        for region in regions.split():
            found = [table.machine(name_of(provider, family, size), region) or 0 for size in sizes]
            assert found == sorted(found)
            assert 0 < found[0] < 1


def test_there_are_some_hundred_types() -> None:
    count = {
        name: sum(len(one["sizes"]) for one in prices(name).table["families"].values())
        for name in ("aks", "eks", "gke")
    }

    assert min(count.values()) > 150, count


@pytest.mark.parametrize(
    ("provider", "machine"),
    [
        ("aks", "Standard_D5s_v5"),
        ("aks", "Standard_D32-8s_v3"),
        ("aks", "standard_d4s_v5"),
        ("aks", "Standard_ND96isr_H100_v5"),
        ("aks", ""),
        ("eks", "m6i.3xlarge"),
        ("eks", "m6i"),
        ("eks", "p5.48xlarge"),
        ("gke", "n2-standard-5"),
        ("gke", "n2-custom-4-8192"),
        ("gke", "a3-highgpu-8g"),
    ],
)
def test_a_type_that_the_table_does_not_list_has_no_price(provider: str, machine: str) -> None:
    table = prices(provider)

    assert table.machine(machine, table.default("region")) is None


def test_a_region_that_the_table_does_not_list_has_no_price() -> None:
    assert prices("eks").machine("m6i.large", "eu-west-1") is None
    assert prices("gke").machine("n2-standard-4", "europe-west1") is None


@pytest.mark.parametrize(
    ("machine", "parts"),
    [
        ("Standard_D16_v3", ("D-v3", "16")),
        ("Standard_D4ads_v5", ("Dads-v5", "4")),
        ("Standard_B2ms", ("Bms", "2")),
        ("Standard_D32-8s_v3", ("", "")),
    ],
)
def test_names_of_azure_are_split_into_family_and_size(machine: str, parts: tuple[str, str]) -> None:
    assert split("aks", machine) == parts


def test_a_disk_of_azure_is_billed_by_its_class_and_follows_the_machine() -> None:
    table = prices("aks")

    assert table.disk("Managed", 30, None) == table.disk("Managed", 32, None)
    assert table.disk("Managed", 129, None) == table.disk("Managed", 256, None)
    assert table.disk("Managed", None, "Standard_D4s_v5") == table.disk("Managed", 128, None)
    assert table.disk("Managed", None, "Standard_D16s_v5") == table.disk("Managed", 512, None)
    assert table.disk("Ephemeral", 128, None) == 0
    assert table.disk("Managed", 99999, None) is None


def test_a_disk_of_an_unknown_kind_has_no_price() -> None:
    assert prices("eks").disk("io2", 100, None) is None
    assert prices("gke").disk("hyperdisk-extreme", 100, None) is None


def test_a_machine_that_takes_no_usual_disk_gets_the_one_it_takes() -> None:
    table = prices("gke")

    assert table.disk(None, 100, "n4-standard-4") == table.disk("hyperdisk-balanced", 100, None)
    assert table.disk(None, 100, "n2-standard-4") == table.disk("pd-balanced", 100, None)


@pytest.mark.parametrize("provider", ["aks", "eks", "gke"])
def test_a_table_says_when_and_from_where(provider: str) -> None:
    table = prices(provider).table

    assert table["as_of"]
    assert table["sources"]
    assert table["remembered"]


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "own.yaml"
    monkeypatch.setenv("TELESCOPE_PRICES", str(path))
    return path


def read(path: Path, text: str) -> Prices:
    path.write_text(text, encoding="utf-8")
    return prices("eks")


def test_an_own_table_adds_a_region_and_keeps_all_else(own: Path) -> None:
    table = read(own, "eks: {types: {m6i.large: {eu-west-1: 0.107}}}")

    assert table.machine("m6i.large", "eu-west-1") == 0.107
    assert table.machine("m6i.large", "us-east-1") == pytest.approx(0.096)


def test_an_own_price_comes_before_the_table_s(own: Path) -> None:
    table = read(own, "eks: {families: {m6i: {usd: {us-east-1: 0.05}}}, public_ip: 0, control_plane: {tier-xl: 2}}")

    assert table.machine("m6i.xlarge", "us-east-1") == pytest.approx(0.1)
    assert table.machine("m6i.xlarge", "us-west-2") == pytest.approx(0.192)
    assert table.fixed("public_ip") == 0
    assert table.control_plane("tier-xl") == 2


@pytest.mark.parametrize("text", ["{", "- eks", "azure: {}"])
def test_an_own_table_that_is_none_is_refused_by_its_name(own: Path, text: str) -> None:
    with pytest.raises(UsageError, match=r"TELESCOPE_PRICES=.*own\.yaml"):
        read(own, text)


def test_an_own_table_that_is_not_there_is_refused(own: Path) -> None:
    assert not own.exists()

    with pytest.raises(UsageError, match=r"own\.yaml cannot be read"):
        prices("eks")
