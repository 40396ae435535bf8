"""The providers' schemas, from `schemas.json.gz`, and their encoding for Terraform."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from tests.clouds.wire import field

FILE = Path(__file__).with_name("schemas.json.gz")
NESTING = {"single": 1, "list": 2, "set": 3, "map": 4, "group": 5}
Block = Mapping[str, Any]
"""`{attributes: {name: {type, required, optional, computed, sensitive}}, block_types: {name: {nesting_mode, block}}}`,
as `terraform providers schema -json` prints it."""


@cache
def provider_schemas() -> dict[str, Any]:
    """Return source address -> schemas of the provider, its resources and its data sources."""
    found: dict[str, Any] = json.loads(gzip.decompress(FILE.read_bytes()))["provider_schemas"]
    return found


@cache
def encoded(source: str) -> bytes:
    """Return the provider's answer to GetProviderSchema: Terraform asks several times a command."""
    schemas = provider_schemas()[source]
    return (
        field(1, _schema(schemas["provider"]))
        + b"".join(_entry(2, name, schema) for name, schema in schemas["resource_schemas"].items())
        + b"".join(_entry(3, name, schema) for name, schema in schemas["data_source_schemas"].items())
    )


def attributes(block: Block) -> Mapping[str, Any]:
    """Return the attributes of a block by name."""
    found: Mapping[str, Any] = block.get("attributes", {})
    return found


def blocks(block: Block) -> Mapping[str, Any]:
    """Return the nested blocks of a block by name."""
    found: Mapping[str, Any] = block.get("block_types", {})
    return found


def _entry(number: int, name: str, schema: Mapping[str, Any]) -> bytes:
    return field(number, field(1, name) + field(2, _schema(schema)))


def _schema(schema: Mapping[str, Any]) -> bytes:
    return field(1, schema.get("version", 0)) + field(2, _block(schema["block"]))


def _block(block: Block) -> bytes:
    return b"".join(
        [
            *(field(2, _attribute(name, one)) for name, one in attributes(block).items()),
            *(field(3, _nested(name, one)) for name, one in blocks(block).items()),
        ]
    )


def _attribute(name: str, flags: Mapping[str, Any]) -> bytes:
    required, computed = bool(flags.get("required")), bool(flags.get("computed"))
    optional = bool(flags.get("optional")) or not (required or computed)
    return (
        field(1, name)
        + field(2, json.dumps(flags["type"], separators=(",", ":")))
        + field(4, required)
        + field(5, optional and not required)
        + field(6, computed and not required)
        + field(7, bool(flags.get("sensitive")))
    )


def _nested(name: str, nested: Mapping[str, Any]) -> bytes:
    mode = nested["nesting_mode"]
    out = field(1, name) + field(2, _block(nested["block"])) + field(3, NESTING[mode])
    if mode in ("list", "set"):
        out += field(4, nested.get("min_items", 0)) + field(5, nested.get("max_items", 0))
    return out
