"""What a compiled config needs of its cluster, and what is refused before one is built."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pytest_telescope.load.clusterloader2.expected import Measurement
from pytest_telescope.load.clusterloader2.expected import measurements_of
from pytest_telescope.load.clusterloader2.generated import Generated
from pytest_telescope.load.clusterloader2.requirements_objects import lacking
from pytest_telescope.load.clusterloader2.tables import table

EXEC = "Exec"


def _table() -> Mapping[str, Mapping[str, Any]]:
    found: Mapping[str, Mapping[str, Any]] = table("requirements")
    return found


def asks_prometheus(generated: Generated) -> bool:
    """Say whether any of its measurements reads CL2's Prometheus."""
    return any("prometheus" in one.method.needs for one in measurements_of(generated))


def missing(
    generated: Generated, capabilities: frozenset[str], *, allow_exec: bool, folder: Path | None = None
) -> list[str]:
    """Return why the config cannot run on a cluster of these capabilities, a line a reason.

    Args:
        generated: the config as compiled.
        capabilities: of the cluster that would be made.
        allow_exec: it may run commands on this machine.
        folder: of the config, where its object templates are; None leaves them out.
    """
    measurements = measurements_of(generated)
    found = [text for one in measurements for text in _missing(one, capabilities)]
    found += [text for one in generated.dependencies for text in _dependency(one, capabilities)]
    if folder is not None:
        found += _objects(generated, capabilities, folder)
    if not allow_exec:
        found += [_exec(one) for one in measurements if one.method.name == EXEC]
    return list(dict.fromkeys(found))


def _missing(one: Measurement, capabilities: frozenset[str]) -> Iterator[str]:
    for need in one.method.needs:
        entry = _table().get(need, {"why": f"needs {need}", "capability": need})
        if not entry.get("optional") and entry["capability"] not in capabilities:
            yield f"{_where(one)} {entry['why']} (capability {entry['capability']})"


def _dependency(method: str, capabilities: frozenset[str]) -> Iterator[str]:
    entry = _table().get(method)
    if entry is not None and entry["capability"] not in capabilities:
        yield f"dependency {method} {entry['why']} (capability {entry['capability']})"


def _objects(generated: Generated, capabilities: frozenset[str], folder: Path) -> list[str]:
    """Return what speaks against the objects; commands on this machine may make a kind known, so nothing is sure."""
    executes = any(call.method == EXEC for call in generated.calls)
    entries = {name: _table()[name] for name in ("images", "kinds")}
    wanted = {name for name, entry in entries.items() if entry["capability"] not in capabilities}
    return lacking(
        generated.filled,
        folder,
        images=entries["images"] if "images" in wanted else None,
        kinds=entries["kinds"] if "kinds" in wanted and not executes else None,
    )


def _exec(one: Measurement) -> str:
    command = one.params.get("command") or []
    text = " ".join(map(str, command if isinstance(command, list) else [command]))
    return f"{_where(one)} runs `{text}` on this machine; if you trust it, add --allow-exec"


def _where(one: Measurement) -> str:
    return f"step {one.calls[0].step_name!r}: {one.method.name} {one.identifier}"
