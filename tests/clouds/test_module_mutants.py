"""No typo in a module gets past the schema and the module's own tests."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pytest_telescope import paths
from tests.clouds.fake import FakeCloud
from tests.clouds.hcl import names
from tests.clouds.mutants import Bench
from tests.clouds.mutants import Mutant
from tests.clouds.mutants import mutants
from tests.clouds.stub import StubProviders

SAMPLE = 30
MODULES = ("aks", "eks", "gke")
WORKERS = 2
BATCHES = (30, 10)
"""How many mutants are tried at once in the first rounds."""
TEXT = """\
locals {
  zones = { a = var.zones } # not = code
}
resource "aws_vpc" "this" {
  cidr_block = "10.${var.second.octet}.0.0/16 is = text"
  timeouts {
    create = local.zones.a == 1 ? each.value : 2
  }
  dynamic "empty" {
    for_each = [{ key = 1, other = 2 }]
    content {}
  }
}
"""


@pytest.fixture(scope="module")
def environment() -> Iterator[dict[str, str]]:
    with StubProviders(FakeCloud()) as stub:
        yield stub.environment()


def survivors(module: Path, chosen: list[Mutant], folder: Path, environment: dict[str, str]) -> list[str]:
    """Return the mutants that nothing rejects; print the count."""
    shares = [(chosen[number::WORKERS], Bench(module, folder / str(number), environment)) for number in range(WORKERS)]
    with ThreadPoolExecutor(WORKERS) as pool:
        ways = [result for share in pool.map(lambda one: tried(*one), shares) for result in share.items()]
    schema, tests, nothing = ([mutant for mutant, by in ways if by == way] for way in ("validate", "test", None))
    print(
        f"\n{module.name}: {len(ways)} mutants, {len(schema)} rejected by the schema, "
        f"{len(tests)} by the module's tests, {len(nothing)} not"
    )
    return [str(mutant) for mutant in nothing]


def tried(share: list[Mutant], bench: Bench) -> dict[Mutant, str | None]:
    """Return what rejects each mutant: many at once where Terraform names each of them, the others alone."""
    assert bench.baseline() == ""
    found: dict[Mutant, str | None] = {}
    for size in BATCHES:
        found |= bench.caught_together([mutant for mutant in share if mutant not in found], size)
    return {mutant: found[mutant] if mutant in found else bench.caught_by(mutant) for mutant in share}


@pytest.mark.e2e
@pytest.mark.parametrize("provider", MODULES)
def test_a_sample_of_typos_in_a_module_is_rejected(provider: str, environment: dict[str, str], tmp_path: Path) -> None:
    module = paths.modules() / "terraform" / provider
    every = mutants(module)

    assert survivors(module, every[:: max(1, len(every) // SAMPLE)], tmp_path, environment) == []


@pytest.mark.e2e
@pytest.mark.long
@pytest.mark.parametrize("provider", MODULES)
def test_every_typo_in_a_module_is_rejected(provider: str, environment: dict[str, str], tmp_path: Path) -> None:
    module = paths.modules() / "terraform" / provider

    assert survivors(module, mutants(module), tmp_path, environment) == []


def test_every_name_is_found_once_and_text_is_none() -> None:
    found = [(name.kind, name.text) for name in names(TEXT) if name.top]

    assert found == [
        ("local", "zones"),
        ("key", "a"),
        ("reference", "zones"),
        ("argument", "cidr_block"),
        ("reference", "second"),
        ("reference", "octet"),
        ("block", "timeouts"),
        ("argument", "create"),
        ("reference", "zones"),
        ("reference", "a"),
        ("reference", "value"),
        ("block", "dynamic"),
        ("argument", "for_each"),
        ("key", "key"),
        ("key", "other"),
        ("block", "content"),
    ]
