"""Reading a file of trials, with file:line for every mistake."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pytest_telescope.errors import UsageError
from pytest_telescope.scenario import document
from pytest_telescope.scenario.document import Node
from pytest_telescope.scenario.model import Budget
from pytest_telescope.scenario.model import Cell
from pytest_telescope.scenario.model import ClusterSpec
from pytest_telescope.scenario.model import Place
from pytest_telescope.scenario.model import ResourceConsumerSpec
from pytest_telescope.scenario.model import SloSpec
from pytest_telescope.scenario.parts import Part
from pytest_telescope.scenario.problems import Problems
from pytest_telescope.slo import library
from pytest_telescope.slo.model import Slo
from pytest_telescope.slo.resolve import RESERVED
from pytest_telescope.slo.resolve import resolve
from pytest_telescope.slo.trials.model import Trial


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One trial that can be run: its world, its resolved SLOs."""

    name: str
    place: Place
    trial: Trial
    slos: tuple[Slo, ...]


def read(file: Path) -> list[Plan]:
    """Return the trials of one file: a mapping of names to trials.

    Raises:
        UsageError: it cannot be read, or holds mistakes; one line each, with file:line.
    """
    root = document.read(file)
    if not isinstance(root.content, Mapping) or not root.content:
        raise UsageError(f"{file}:1: no mapping of names to trials; see docs/slo-tests.md")
    problems = Problems()
    plans, wrong = [], []
    for name, node in root.content.items():
        try:
            plans.append(_plan(name, node, file.parent, problems))
        except UsageError as error:  # of the SLOs, each line with its own place
            wrong += str(error).splitlines()
    if wrong or problems:
        raise UsageError("\n".join([*problems.lines(), *wrong]))
    return [plan for plan in plans if plan is not None]


def _plan(name: str, node: Node, folder: Path, problems: Problems) -> Plan | None:
    content = node.content
    if not isinstance(content, Mapping):
        problems.add(node.place, name, "is no trial: write window, slos, expect and series or histograms")
        return None
    slos = [_slo(number, one, folder, problems) for number, one in enumerate(_listed(content.get("slos")))]
    rest = Node({key: value for key, value in content.items() if key != "slos"}, node.place)
    trial = Part(rest, Trial, name, folder).build({}, problems)
    if trial is None or None in slos or not slos:
        if not slos:
            problems.add(node.place, f"{name}.slos", "a trial needs SLOs, as a scenario has them")
        return None
    resolved = _resolved(_cell(trial, tuple(one for one in slos if one), node.place))
    _check_expected(name, trial, resolved, node, problems)
    return Plan(name=name, place=node.place, trial=trial, slos=resolved)


def _listed(node: Node | None) -> tuple[Node, ...]:
    return node.content if node is not None and isinstance(node.content, tuple) else ()


def _slo(number: int, node: Node, folder: Path, problems: Problems) -> SloSpec | None:
    return Part(node, SloSpec, f"slos.{number}", folder).build({}, problems)


def _resolved(cell: Cell) -> tuple[Slo, ...]:
    found = resolve(cell, _shown(cell))
    return tuple(slo for slo in found if slo.id not in RESERVED or slo.place is not None)


def _shown(cell: Cell) -> frozenset[str]:
    """Return every capability that the trial's SLOs can ask for: its cluster shows whatever its series say."""
    entries = [library.entry(spec.use) for spec in cell.slos if spec.use]
    asked = [*(entry.keys.get("requires", ()) for entry in entries), *(entry.available_on for entry in entries)]
    return frozenset(name for names in (*asked, *(spec.requires or () for spec in cell.slos)) for name in names)


def _cell(trial: Trial, slos: tuple[SloSpec, ...], place: Place) -> Cell:
    return Cell(
        id=f"{trial.provider}-trial",
        provider=trial.provider,
        scenario="trial",
        row=None,
        engine="resource-consumer",
        description="",
        component="kubelet",
        values={},
        cluster=ClusterSpec(kubernetes_version=trial.kubernetes),
        load=ResourceConsumerSpec(pods=1),
        slos=slos,
        budget=Budget(),
        folder=place.file.parent,
        place=place,
    )


def _check_expected(name: str, trial: Trial, slos: tuple[Slo, ...], node: Node, problems: Problems) -> None:
    known = {slo.id for slo in slos}
    for stray in trial.expect.keys() - known:
        problems.add(node.place, f"{name}.expect.{stray}", f"no SLO of that id: there are {', '.join(sorted(known))}")
    for silent in known - trial.expect.keys():
        problems.add(node.place, f"{name}.expect", f"nothing is expected of {silent}: say its verdict")
