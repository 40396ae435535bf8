"""Makes `schemas.json.gz` anew: `python -m tests.clouds.make_schemas`. Needs npm and its registry; 100 MB, a minute.

The same packages and overlay give the same bytes. The shape is that of `terraform providers schema -json`.
"""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from tests.clouds.bindings import Bindings
from tests.clouds.bindings import Schema
from tests.clouds.schemas import FILE

OVERLAY = Path(__file__).with_name("schema_overlay.yaml")
PATIENCE = 300.0
"""Seconds that npm may take for one package."""


def main() -> None:
    """Write the file."""
    wanted = yaml.safe_load(OVERLAY.read_text())
    with tempfile.TemporaryDirectory(prefix="schemas-") as name:
        made = dict(provider(overlay, Path(name) / short) for short, overlay in wanted.items())
    document = {"format_version": "1.0", "provider_schemas": made}
    FILE.write_bytes(gzip.compress(json.dumps(document, separators=(",", ":"), sort_keys=True).encode(), mtime=0))
    sys.stdout.write(f"{FILE.name}: {FILE.stat().st_size} bytes\n")


def provider(overlay: dict[str, Any], folder: Path) -> tuple[str, Schema]:
    """Return source address and schemas of one provider."""
    package = unpacked(overlay["package"], folder)
    origin = json.loads((package / "package.json").read_text())["cdktf"]["provider"]
    blocks = dict(found(package / "lib", origin["name"].rpartition("/")[2], overlay["types"]))
    missing = {*overlay["types"], "provider"} - set(blocks)
    if missing:
        raise SystemExit(f"{overlay['package']} lacks {', '.join(sorted(missing))}: correct types in {OVERLAY.name}")
    corrected(blocks, overlay)
    return origin["name"], shaped(blocks) | {"x_provider_version": origin["version"], "x_package": overlay["package"]}


def unpacked(package: str, folder: Path) -> Path:
    """Return where the package lies when npm has fetched it."""
    folder.mkdir(parents=True)
    subprocess.run(["npm", "pack", "--silent", package], cwd=folder, check=True, timeout=PATIENCE, capture_output=True)
    with tarfile.open(next(folder.glob("*.tgz"))) as archive:
        wanted = (member for member in archive if "/lib/" in member.name or member.name.endswith("/package.json"))
        archive.extractall(folder, members=wanted, filter="data")
    return folder / "package"


def found(library: Path, prefix: str, types: list[str]) -> Iterator[tuple[str, Schema]]:
    """Yield name and block of the provider and of what is wanted; folders are named loosely after the types."""
    wanted = {_loose(typ, prefix) for typ in types} | {"provider"}
    for folder in sorted(library.iterdir()):
        if folder.name.replace("-", "") in wanted:
            schema = Bindings(folder).schema()
            if schema is not None:
                yield schema


def _loose(typ: str, prefix: str) -> str:
    data = f"data{prefix}" if typ.startswith("data.") else ""
    return data + typ.removeprefix("data.").removeprefix(f"{prefix}_").replace("_", "")


def corrected(blocks: dict[str, Schema], overlay: dict[str, Any]) -> None:
    """Apply the overlay; each of its paths must be there, and what it adds must not.

    Raises:
        SystemExit: it does not fit; names the path.
    """
    for block in (blocks[typ] for typ in overlay["types"]):
        for name in overlay["computed_everywhere"]:
            attribute = block["attributes"].get(name, {})
            attribute.update({"computed": True} if attribute.get("optional") else {})
    for path in overlay["removed"]:
        _inside(blocks, path, "attributes", present=True).pop(_last(path))
    for kind, section in (("attributes", "attributes"), ("block_types", "blocks")):
        for path, addition in overlay[section].items():
            _inside(blocks, path, kind, present=False)[_last(path)] = addition
    for flag in ("computed", "sensitive"):
        for path in overlay[flag]:
            _inside(blocks, path, "attributes", present=True)[_last(path)][flag] = True


def _inside(blocks: dict[str, Schema], path: str, kind: str, *, present: bool) -> Schema:
    typ, *steps = path.removeprefix("data.").split(".")
    block = blocks["data." * path.startswith("data.") + typ]
    for step in steps[:-1]:
        block = block["block_types"][step]["block"]
    level: Schema = block.setdefault(kind, {})
    if (steps[-1] in level) != present:
        raise SystemExit(f"{OVERLAY.name}: {path} is {'not' if present else 'already'} in the package")
    return level


def _last(path: str) -> str:
    return path.rpartition(".")[2]


def shaped(blocks: dict[str, Schema]) -> Schema:
    """Return the schemas as Terraform prints them."""
    whole = {name: {"version": 0, "block": block} for name, block in blocks.items()}
    return {
        "provider": whole.pop("provider"),
        "data_source_schemas": {
            name.removeprefix("data."): whole[name] for name in sorted(whole) if name.startswith("data.")
        },
        "resource_schemas": {name: whole[name] for name in sorted(whole) if not name.startswith("data.")},
    }


if __name__ == "__main__":
    main()
