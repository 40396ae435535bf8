"""No typo in a module gets past the schema and the module's own tests."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random

import pytest

from pytest_telescope import paths
from tests.clouds.fake import FakeCloud
from tests.clouds.hcl import names
from tests.clouds.mutants import Bench
from tests.clouds.mutants import Mutant
from tests.clouds.mutants import mutants
from tests.clouds.stub import StubProviders

SAMPLE = 30
"""About how many mutants of a module the normal test tries."""
LONG_SAMPLE = 60
SEED = 5
EVERY = "TELESCOPE_ALL_MUTANTS"
"""Environment variable: with 1 the long test tries every mutant (thousands of runs of Terraform)."""
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
    """Return the mutants that nothing rejects; print the counts."""
    shares = [(chosen[number::WORKERS], Bench(module, folder / str(number), environment)) for number in range(WORKERS)]
    with ThreadPoolExecutor(WORKERS) as pool:
        ways = [result for share in pool.map(lambda one: tried(*one), shares) for result in share.items()]
    schema, tests, nothing = ([mutant for mutant, by in ways if by == way] for way in ("validate", "test", None))
    print(
        f"\n{module.name}: {len(mutants(module))} mutants, {len(ways)} tried, {len(schema)} rejected by the schema, "
        f"{len(tests)} by the module's tests, {len(nothing)} surviving"
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
def test_many_typos_in_a_module_are_rejected(provider: str, environment: dict[str, str], tmp_path: Path) -> None:
    module = paths.modules() / "terraform" / provider

    assert survivors(module, many(mutants(module)), tmp_path, environment) == []


def many(every: list[Mutant]) -> list[Mutant]:
    """Return the long test's mutants: the same sample each time, or all if the environment says so."""
    if os.environ.get(EVERY) == "1":
        return every
    return Random(SEED).sample(every, min(LONG_SAMPLE, len(every)))


@pytest.mark.parametrize(("said", "count"), [("", LONG_SAMPLE), ("0", LONG_SAMPLE), ("1", 500)])
def test_the_environment_decides_how_many_typos_are_tried(
    said: str, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(EVERY, said)
    every = [Mutant("main.tf", line, line, "name", "key") for line in range(500)]

    assert len(set(many(every))) == count
    assert many(every) == many(every)


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
