"""The quality gate of a report: rules for Allure, from the patterns of gate.yaml and what there is to compare with."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic import ConfigDict
from pydantic import Field
from pydantic import ValidationError

from pytest_telescope import paths
from pytest_telescope.errors import UsageError


class Limit(BaseModel):
    """How much the metrics whose key matches may get worse from one run to the next."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    match: str
    percent: float | None = Field(ge=0)


class Gate(BaseModel):
    """What gate.yaml says, in Allure's names of the rules."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    maxFailures: int | None = Field(0, ge=0)
    minTestsCount: int | None = Field(1, ge=0)
    metrics: tuple[Limit, ...] = ()

    def percent(self, key: str) -> float | None:
        """Return by how much a metric may get worse, None for any amount."""
        return next((limit.percent for limit in self.metrics if fnmatchcase(key, limit.match)), None)


def default() -> Path:
    """Return the gate of the project."""
    return paths.modules() / "report" / "gate.yaml"


def load(file: Path) -> Gate:
    """Return the gate that `file` describes.

    Raises:
        UsageError: It cannot be read, or is no gate.
    """
    import yaml

    try:
        return Gate.model_validate(yaml.safe_load(file.read_text(encoding="utf-8")))
    except (OSError, yaml.YAMLError) as error:
        raise UsageError(f"{file}: cannot be read as a gate: {error}") from error
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, one['loc'])) or 'file'}: {one['msg']}" for one in error.errors())
        raise UsageError(f"{file}: {wrong}; see docs/reports.md") from error


def rules(gate: Gate, baseline: Mapping[str, float], cells: Iterable[str]) -> list[dict[str, Any]]:
    """Return Allure's rules; a metric of `cells` that was measured before and is missing now breaks its rule.

    A baseline of 0 has no percentage: the SLO's bound alone judges such a metric.
    """
    whole = {name: value for name in ("maxFailures", "minTestsCount") if (value := getattr(gate, name)) is not None}
    own = set(cells)
    limits = [
        {"id": key, "metricMaxDeltaPercent": {"key": key, "value": percent}}
        for key, before in sorted(baseline.items())
        if key.partition("/")[0] in own and before != 0 and (percent := gate.percent(key)) is not None
    ]
    return [*([whole] if whole else []), *limits]
