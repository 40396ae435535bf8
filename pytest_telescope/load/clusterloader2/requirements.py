"""What a compiled config needs of its cluster, and what is refused before one is built."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping
from typing import Any

from pytest_telescope.load.clusterloader2.expected import Measurement
from pytest_telescope.load.clusterloader2.expected import expected_of
from pytest_telescope.load.clusterloader2.generated import Generated
from pytest_telescope.load.clusterloader2.tables import table

EXEC = "Exec"


def _table() -> Mapping[str, Mapping[str, Any]]:
    found: Mapping[str, Mapping[str, Any]] = table("requirements")
    return found


def asks_prometheus(generated: Generated) -> bool:
    """Say whether any of its measurements reads CL2's Prometheus."""
    return any("prometheus" in one.method.needs for one in expected_of(generated).measurements)


def missing(generated: Generated, capabilities: frozenset[str], *, allow_exec: bool) -> list[str]:
    """Return why the config cannot run on a cluster of these capabilities, a line a reason."""
    found = [text for one in expected_of(generated).measurements for text in _missing(one, capabilities)]
    if not allow_exec:
        found += [_exec(one) for one in expected_of(generated).measurements if one.method.name == EXEC]
    return list(dict.fromkeys(found))


def _missing(one: Measurement, capabilities: frozenset[str]) -> Iterator[str]:
    for need in one.method.needs:
        entry = _table().get(need, {"why": f"needs {need}", "capability": need})
        if not entry.get("optional") and one.method.gates != "never" and entry["capability"] not in capabilities:
            yield f"{_where(one)} {entry['why']} (capability {entry['capability']})"


def _exec(one: Measurement) -> str:
    command = " ".join(map(str, one.params.get("command") or ()))
    return f"{_where(one)} runs `{command}` on this machine; if you trust it, add --allow-exec"


def _where(one: Measurement) -> str:
    return f"step {one.calls[0].step_name!r}: {one.method.name} {one.identifier}"
