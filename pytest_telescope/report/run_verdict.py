"""verdict.json: one verdict of a whole run, the worst cause first."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from pydantic import BaseModel
from pydantic import ConfigDict
from pydantic import Field
from pydantic import ValidationError

from pytest_telescope.errors import UsageError

SCHEMA = 1
FILE = "verdict.json"
Cause = Literal["slo", "data", "capacity", "infrastructure", "leak"]
CAUSES: Mapping[str, Cause] = {"FAIL": "slo", "INVALID": "data", "ERROR": "infrastructure"}
WORST: tuple[Cause, ...] = ("leak", "infrastructure", "capacity", "data", "slo")
CAPACITY = "ERROR capacity:"
"""How the line of an item begins that the cloud had no room for."""
UNRECORDED = "unrecorded"
"""How a reason begins that says of a number that it could not be written down."""


class RunVerdict(BaseModel):
    """What verdict.json says."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, populate_by_name=True)

    schema_version: Literal[1] = Field(1, alias="schema", description="Version of this document's shape.")
    verdict: Literal["PASS", "FAIL", "INVALID", "ERROR"]
    cause: Cause | None = Field(description="The worst of all causes; null for PASS.")
    red: dict[str, str] = Field(description="Node id -> first line of every red item.")
    reasons: list[str] = Field(description="Why the run is red beyond its items.")


def run_verdict(red: Mapping[str, str], extra: Iterable[str]) -> RunVerdict:
    """Return the run's verdict.

    Args:
        red: node id -> first line of every red item.
        extra: further reasons for red, e.g. `leak local-cri` or `local-cri judged nothing`.
    """
    reasons = list(extra)
    causes = {_cause(line) for line in red.values()} | {_cause_of(reason) for reason in reasons}
    cause = next((name for name in WORST if name in causes), None)
    return RunVerdict(verdict=_verdict(causes), cause=cause, red=dict(red), reasons=reasons)


def read_verdict(file: Path) -> RunVerdict:
    """Return what a run's verdict.json says.

    Args:
        file: the document, or the folder that holds it (`publish/`, a replay).

    Raises:
        UsageError: there is none, it is damaged, or of a newer schema; names the file.
    """
    from pytest_telescope.report.reading import check_schema
    from pytest_telescope.report.reading import document_of
    from pytest_telescope.report.reading import told

    file = file / FILE if file.is_dir() else file
    try:
        document = document_of(file.read_bytes())
        check_schema(document.get("schema"), SCHEMA)
        return RunVerdict.model_validate(document)
    except OSError as error:
        raise UsageError(f"{file}: no verdict: {error.strerror}: the run did not come to its end") from error
    except ValidationError as error:
        raise UsageError(f"{file}: {told(error)}") from error
    except UsageError as error:
        raise UsageError(f"{file}: {error}") from error


def _verdict(causes: set[Cause]) -> Literal["PASS", "FAIL", "INVALID", "ERROR"]:
    if not causes:
        return "PASS"
    if causes == {"slo"}:
        return "FAIL"
    return "ERROR" if causes & {"leak", "infrastructure", "capacity"} else "INVALID"


def _cause_of(reason: str) -> Cause:
    if reason.startswith("leak"):
        return "leak"
    return "infrastructure" if reason.startswith(UNRECORDED) else "data"


def _cause(line: str) -> Cause:
    if "leak" in line:
        return "leak"
    if line.startswith(CAPACITY):
        return "capacity"
    return CAUSES.get(line.partition(" ")[0], "infrastructure")
