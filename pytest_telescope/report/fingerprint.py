"""What a cell was: the facts and the hash by which two runs may be compared."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING
from typing import Any

if TYPE_CHECKING:
    from pytest_telescope.scenario.model import Cell
    from pytest_telescope.slo.planned import Planned

SCHEMA = 1
IDENTITY = ("kubernetes", "kernel", "containerd", "node_image", "cni", "images", "machine_types", "region", "os")


def cell_document(planned: Planned, facts: dict[str, object]) -> dict[str, object]:
    """Return what is written as `cell.json`: enough to judge the recording again and to tell breaks in a trend."""
    cell = planned.cell
    spec = {
        "scenario": cell.scenario,
        "cluster": _plain(cell.cluster),
        "load": _plain(cell.load),
        "load_files": _files(cell),
        "slos": [repr(slo) for slo in planned.slos],
    }
    return {
        "schema": SCHEMA,
        "cell": cell.id,
        "provider": cell.provider,
        "scenario": cell.scenario,
        "row": cell.row,
        "engine": cell.engine,
        "values": dict(cell.values),
        "facts": facts,
        "functional": cell.provider == "local",
        "fingerprint": fingerprint(spec, facts),
        "definition": _digest(spec),
    }


def _files(cell: Cell) -> dict[str, str]:
    """Return name -> digest of the files that the load's config stands among; another config is another load."""
    if cell.engine != "clusterloader2":
        return {}
    folder = (cell.folder / _plain(cell.load)["config"]).parent
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()[:16] for path in files}


def fingerprint(spec: dict[str, Any], facts: dict[str, object]) -> str:
    """Return 16 hex digits over the definition and those facts whose change breaks a trend."""
    return _digest({"spec": spec, "facts": {name: facts[name] for name in IDENTITY if name in facts}})


def _plain(model: Any) -> Any:
    return model.model_dump(mode="json")


def _digest(document: Any) -> str:
    return hashlib.sha256(json.dumps(document, sort_keys=True, default=str).encode()).hexdigest()[:16]
