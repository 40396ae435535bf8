"""What an item is called in Allure: title, place in the tree, labels, description, and what its cluster was."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from typing import Any

from pytest_telescope.report import allure_slo
from pytest_telescope.scenario.ids import parse_cell_id
from pytest_telescope.scenario.names import PROVIDERS

if TYPE_CHECKING:
    from pytest_telescope.slo.model import Slo
    from pytest_telescope.slo.planned import Planned

TITLES = {
    "test_provision": "provision: the cluster comes up",
    "test_load": "load: {description}",
    "test_destroy": "destroy: nothing is left",
    "leak": "leak: the cluster is destroyed",
    "check": "check: tools and loads",
}
SEVERITIES = {"gate": "critical", "warn": "minor", "info": "trivial"}
"""Level of an SLO -> Allure's severity."""
RED = ("failed", "broken")
"""Allure's words for it."""
STAGE_SEVERITY = "blocker"
OBSERVED = {
    "kubernetes": ("kubernetes", "kubernetes_version"),
    "region": ("region", "location"),
    "machines": ("machine_types", "machines", "pools"),
    "node image": ("node_image", "node-os_image"),
    "kernel": ("kernel", "node-kernel"),
    "container runtime": ("containerd", "node-container_runtime"),
}
"""Parameter -> the facts of a cluster that say it, by provider; the first that is there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One item: the test's name, its cell, and its SLO where it has one."""

    test: str
    cell: str
    slo: str | None = None


def title(case: Case, planned: Planned | None, slo: Slo | None) -> str:
    """Return what a person reads; it may change, the historyId is not made of it."""
    if case.slo is not None:
        return allure_slo.title(slo) if slo is not None else case.slo
    about = planned.cell.description.rstrip(".") if planned is not None else case.cell
    return TITLES.get(case.test, case.test).format(description=about)


def suites(cell: str) -> list[str]:
    """Return provider, scenario, and what else the cell's id says: row, engine, arm."""
    if not cell:
        return ["telescope"]
    head, _, rest = cell.partition("--")
    provider, _, scenario = head.partition("-")
    return [provider, scenario, *([rest.replace("--", " ")] if rest else [])]


def labels(case: Case, planned: Planned | None, slo: Slo | None) -> dict[str, str]:
    """Return tag, feature, story and severity."""
    severity = SEVERITIES[slo.level] if slo is not None else STAGE_SEVERITY
    known = {"severity": severity, "story": case.slo or case.test.removeprefix("test_")}
    if case.cell.partition("-")[0] in PROVIDERS:
        known["tag"] = case.cell.partition("-")[0]
    if planned is not None:
        known["feature"] = planned.cell.component
    return known


def description(case: Case, planned: Planned | None, slo: Slo | None) -> str | None:
    """Return Markdown: what the SLO means, or what the scenario is; None to keep what is there."""
    if slo is not None:
        return allure_slo.description(slo)
    return f"{planned.cell.description}\n\nCell `{case.cell}`" if planned is not None else None


def observed(about: Mapping[str, Any]) -> dict[str, str]:
    """Return what is known of the cluster, and the fingerprint by which the cell is compared."""
    facts = about.get("facts") or {}
    found = {name: next((str(facts[one]) for one in names if facts.get(one)), "") for name, names in OBSERVED.items()}
    found["fingerprint"] = str(about.get("fingerprint") or "")
    found["functional"] = "local: no performance figure of a cloud" if about.get("functional") else ""
    return {name: value for name, value in found.items() if value}


def parsed(nodeid: str) -> tuple[Case, str]:
    """Return the item that a node id names, and allure-pytest's fullName of it."""
    path, _, name = nodeid.partition("::")
    test, _, ids = name.partition("[")
    full = f"{path.removesuffix('.py').replace('/', '.')}#{test}"
    return _case(test, ids.removesuffix("]")), full


def _case(test: str, ids: str) -> Case:
    from pytest_telescope.errors import UsageError
    from pytest_telescope.scenario.ids import parse_slo_item_id

    try:
        if test == "test_slo":
            cell, slo = parse_slo_item_id(ids)
            return Case(test=test, cell=cell, slo=slo)
        return Case(test=test, cell=str(parse_cell_id(ids)))
    except UsageError:
        return Case(test=test, cell="")
