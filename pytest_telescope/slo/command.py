"""What `telescope validate` says of SLOs."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterable

from pytest_telescope.errors import UsageError
from pytest_telescope.scenario.model import Cell
from pytest_telescope.slo.resolve import resolve


def lint(cells: Iterable[Cell], capabilities_of: Callable[[Cell], frozenset[str]] = lambda _: frozenset()) -> list[str]:
    """Return every mistake in the SLOs of some cells, a line each with file:line, none twice."""
    found: list[str] = []
    for cell in cells:
        try:
            resolve(cell, capabilities_of(cell))
        except UsageError as error:
            found.extend(str(error).splitlines())
    return list(dict.fromkeys(found))


def notes(cells: Iterable[Cell], capabilities_of: Callable[[Cell], frozenset[str]]) -> list[str]:
    """Return what is worth knowing though it is no mistake: snapped bounds and SLOs that will be skipped."""
    found: list[str] = []
    for cell in cells:
        for slo in resolve(cell, capabilities_of(cell)):
            found += [f"{cell.id}: {slo.id}: {text}" for text in (slo.bound.note, slo.skip) if text]
    return list(dict.fromkeys(found))
