"""Joins specs, provider, engine and SLOs: the choice on the command line becomes cells with their items."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

from pytest_telescope import paths
from pytest_telescope.errors import UsageError
from pytest_telescope.slo.planned import Planned

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_telescope.arms import Comparison
    from pytest_telescope.options import Choice
    from pytest_telescope.scenario.model import Cell
    from pytest_telescope.scenario.scenario import Scenario


def scenario_names() -> list[str]:
    """Return the names of all scenarios, without reading what they say."""
    root = paths.scenarios()
    return sorted(file.parent.name for file in root.glob("*/scenario.yaml"))


def plan(choice: Choice) -> list[Planned]:
    """Return the chosen cells, in the order of the command line.

    Raises:
        UsageError: an unknown scenario, row or engine, or anything wrong in a scenario.yaml.
    """
    scenarios = [scenario(name) for name in choice.scenarios]
    _known_rows(choice, scenarios)
    cells = _cells(choice, scenarios, {}) if choice.comparison is None else _arms(choice, choice.comparison, scenarios)
    if not cells:
        raise UsageError(
            f"no cell is left for -m {' or '.join(choice.providers)} --scenario={','.join(choice.scenarios)}"
        )
    return [planned(cell, choice.attach) for cell in cells]


def _cells(choice: Choice, scenarios: Sequence[Scenario], more: Mapping[str, str]) -> list[Cell]:
    """Return the chosen cells with `more` set beside what `--set` sets."""
    sets = dict(choice.sets) | dict(more)
    return [
        cell
        for provider in choice.providers
        for found in scenarios
        for cell in found.cells(
            provider, rows=_rows(found, provider, choice.rows), engines=choice.engines or None, sets=sets
        )
    ]


def _arms(choice: Choice, comparison: Comparison, scenarios: Sequence[Scenario]) -> list[Cell]:
    """Return every repeat of both arms of the chosen cells, in the order in which they run."""
    from pytest_telescope.arms import interleaved

    try:
        arms = [_arm(choice, comparison, scenarios, side) for side in range(len(comparison.values))]
    except UsageError as error:
        raise UsageError(comparison.told(str(error))) from error
    return interleaved(comparison, *arms, attached=choice.attach is not None)


def _arm(choice: Choice, comparison: Comparison, scenarios: Sequence[Scenario], side: int) -> list[Cell]:
    """Return the cells of one arm; a value such as 1.34 is text where only text can be meant."""
    try:
        return _cells(choice, scenarios, comparison.sets(side))
    except UsageError as error:
        try:
            return _cells(choice, scenarios, comparison.sets(side, as_text=True))
        except UsageError:
            raise error from None


def planned(cell: Cell, attach: Path | None = None) -> Planned:
    """Resolve one cell's SLOs and find out whether this machine can run it; `attach`: on the cluster that is there."""
    from pytest_telescope.cluster.providers import source
    from pytest_telescope.slo.resolve import resolve

    notes = _notes(cell)
    found = source(cell.provider, attach)
    skip = found.unavailable(cell.cluster)
    shared = cell.cluster.share == "rows" and attach is None
    cluster = f"{cell.provider}-{cell.scenario}" if shared else cell.id
    slos = resolve(cell, found.capabilities_of(cell.cluster))
    return Planned(cell=cell, slos=slos, skip=skip, cluster=cluster, notes=notes)


def _notes(cell: Cell) -> tuple[str, ...]:
    """Return what the lint says of the load's own files.

    Raises:
        UsageError: they are wrong for sure.
    """
    if cell.engine != "clusterloader2":
        return ()
    import os

    from pytest_telescope.load.clusterloader2.review import review

    return tuple(review(cell, os.environ))


def without_machine_skip(planned: Planned) -> Planned:
    """Return the cell as one that runs wherever its recording is: a replay needs no cluster."""
    return replace(planned, skip=None)


@cache
def scenario(name: str) -> Scenario:
    """Return a scenario by name.

    Raises:
        UsageError: there is none; the message names what there is.
    """
    from pytest_telescope.scenario.loading import load

    folder = paths.scenarios() / name
    if not (folder / "scenario.yaml").exists():
        import difflib

        close = difflib.get_close_matches(name, scenario_names(), 1)
        hint = f"did you mean {close[0]!r}? " if close else ""
        raise UsageError(
            f"unknown scenario {name!r}: {hint}there are {', '.join(scenario_names()) or 'none'} in {paths.scenarios()}"
        )
    return load(folder)


def _known_rows(choice: Choice, scenarios: Sequence[Scenario]) -> None:
    known = {row for s in scenarios for p in choice.providers for row in s.rows(p) if row is not None}
    if unknown := [row for row in choice.rows if row not in known]:
        raise UsageError(
            f"unknown row {', '.join(unknown)}: {', '.join(choice.scenarios)} has "
            + (", ".join(sorted(known)) or "no matrix")
        )


def _rows(scenario: Scenario, provider: str, chosen: Sequence[str]) -> list[str] | None:
    """Return the chosen rows that this scenario has; None for all."""
    return [row for row in chosen if row in scenario.rows(provider)] if chosen else None
