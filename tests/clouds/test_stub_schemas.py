"""The schemas that the stub serves, and the wire that they go over."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from pytest_telescope import paths
from tests.clouds.make_schemas import OVERLAY
from tests.clouds.schemas import attributes
from tests.clouds.schemas import blocks
from tests.clouds.schemas import encoded
from tests.clouds.schemas import provider_schemas
from tests.clouds.wire import UNKNOWN
from tests.clouds.wire import dynamic
from tests.clouds.wire import field
from tests.clouds.wire import parse
from tests.clouds.wire import text
from tests.clouds.wire import value_of

PROVIDERS = {source.rpartition("/")[2]: source for source in provider_schemas()}
WANTED: dict[str, Any] = yaml.safe_load(OVERLAY.read_text())


def block_of(provider: str, path: str) -> Any:
    """Return the block of a type (`data.` before a data source's)."""
    schemas = provider_schemas()[PROVIDERS[provider]]
    kind = "data_source_schemas" if path.startswith("data.") else "resource_schemas"
    return schemas[kind][path.removeprefix("data.")]["block"]


@pytest.mark.parametrize("provider", PROVIDERS)
def test_the_file_has_just_the_types_that_the_overlay_names_and_is_of_its_package(provider: str) -> None:
    schemas = provider_schemas()[PROVIDERS[provider]]
    held = [*schemas["resource_schemas"], *(f"data.{name}" for name in schemas["data_source_schemas"])]

    assert sorted(held) == sorted(WANTED[provider]["types"])
    assert schemas["x_package"] == WANTED[provider]["package"]


@pytest.mark.parametrize("flag", ["sensitive", "computed"])
@pytest.mark.parametrize("provider", PROVIDERS)
def test_the_flags_of_the_overlay_are_in_the_file(provider: str, flag: str) -> None:
    for path in WANTED[provider][flag]:
        *parents, name = path.removeprefix("data.").split(".")
        block = block_of(provider, "data." * path.startswith("data.") + parents[0])
        for parent in parents[1:]:
            block = blocks(block)[parent]["block"]
        assert attributes(block)[name][flag], path


@pytest.mark.parametrize("cloud", ["aks", "eks", "gke"])
def test_every_type_that_a_module_uses_is_served(cloud: str) -> None:
    sources = [file.read_text() for file in (paths.modules() / "terraform" / cloud).glob("*.tf")]
    used = {found for source in sources for found in re.findall(r'^resource "(\w+)"', source, re.MULTILINE)}
    served = {name for schemas in provider_schemas().values() for name in schemas["resource_schemas"]}

    assert used - {"terraform_data"} <= served


@pytest.mark.parametrize("provider", PROVIDERS)
def test_an_encoded_schema_names_every_resource(provider: str) -> None:
    answer = parse(encoded(PROVIDERS[provider]))
    named = [text(parse(entry), 1) for entry in answer[2]]

    assert named == list(provider_schemas()[PROVIDERS[provider]]["resource_schemas"])


@pytest.mark.parametrize(
    "value", [None, "text", 0, 127, 128, 2**40, 1.5, True, [1, None], {"a": ["b"], "c": {}}, UNKNOWN]
)
def test_a_value_goes_over_the_wire_and_back(value: Any) -> None:
    assert value_of(parse(field(1, dynamic(value))), 1) == value


@pytest.mark.parametrize("number", [1, 127, 128, 300, 2**31, 2**63])
def test_a_number_is_encoded_as_protocol_buffers_do(number: int) -> None:
    assert parse(field(15, number)) == {15: [number]}
    assert field(1, 300) == b"\x08\xac\x02"


def test_zero_is_left_out_and_unknown_wire_types_are_refused() -> None:
    assert field(1, 0) == b""
    with pytest.raises(ValueError, match="wire type 3 at byte 1"):
        parse(b"\x0b")
