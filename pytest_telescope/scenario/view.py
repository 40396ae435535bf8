"""A scenario as one provider sees it: overlay and dotted `--set` applied, cut into parts that are validated apart."""

from __future__ import annotations

import re
from collections.abc import Iterator
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from typing import get_args

from pytest_telescope.errors import UsageError
from pytest_telescope.scenario import checks
from pytest_telescope.scenario import ids
from pytest_telescope.scenario.document import Node
from pytest_telescope.scenario.merge import items
from pytest_telescope.scenario.merge import mapping
from pytest_telescope.scenario.merge import slo_id
from pytest_telescope.scenario.model import Budget
from pytest_telescope.scenario.model import ClusterLoader2Spec
from pytest_telescope.scenario.model import ClusterSpec
from pytest_telescope.scenario.model import EngineName
from pytest_telescope.scenario.model import Place
from pytest_telescope.scenario.model import ResourceConsumerSpec
from pytest_telescope.scenario.model import Scalar
from pytest_telescope.scenario.model import SloSpec
from pytest_telescope.scenario.model import Spec
from pytest_telescope.scenario.names import JUDGED_LATER
from pytest_telescope.scenario.names import suggest
from pytest_telescope.scenario.parts import Part
from pytest_telescope.scenario.placeholders import VALUE_NAME
from pytest_telescope.scenario.problems import Problems
from pytest_telescope.scenario.written import Head

ENGINE_NAMES: tuple[EngineName, ...] = get_args(EngineName)
_LOADS: Mapping[str, type[Spec]] = {"resource-consumer": ResourceConsumerSpec, "clusterloader2": ClusterLoader2Spec}
Rows = Mapping[str, Mapping[str, Scalar]]


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """The parts of a scenario for one provider.

    Attributes:
        rows: row -> its values; empty where the scenario has no matrix.
        places: row -> its line.
        sound: nothing is wrong with the rows, so what is filled from them can be checked.
        default: the engine that runs unless another is asked for.
    """

    provider: str
    head: Part[Head]
    rows: Rows
    places: Mapping[str, Place]
    sound: bool
    default: EngineName
    loads: Mapping[EngineName, Part[Spec]]
    cluster: Part[ClusterSpec]
    slos: tuple[Part[SloSpec], ...]
    budget: Part[Budget]


def view(provider: str, document: Node, folder: Path, problems: Problems) -> View | None:
    """Cut `document`, all overlays applied, into parts; None where its shape allows no cell."""
    top = mapping(document)
    empty = Node({}, document.place)
    head = Node({key: top[key] for key in Head.model_fields if key in top}, document.place)
    wrong = Problems()
    rows = _rows(top.get("matrix"), wrong)
    problems.take(wrong)
    loads = dict(_loads(top.get("load"), document, folder, problems))
    slos = tuple(_slos(top.get("slos"), folder, problems))
    default = _default(mapping(top.get("load")), tuple(loads), top.get("load") or document, problems)
    if default is None:
        return None
    return View(
        provider=provider,
        head=Part(head, Head, "", folder),
        rows=rows,
        places={row: mapping(top.get("matrix"))[row].place for row in rows},
        sound=not wrong,
        default=default,
        loads=loads,
        cluster=Part(top.get("cluster", empty), ClusterSpec, "cluster", folder),
        slos=slos,
        budget=Part(top.get("budget", empty), Budget, "budget", folder),
    )


def fixed_problems(seen: View, problems: Problems) -> None:
    """Add what is wrong with the parts that are alike in all rows."""
    seen.head.build({}, problems)
    row, values = next(iter(seen.rows.items()), ("", {}))
    problems.note = f" (row {row})" if row else ""
    cluster = seen.cluster.build(values, problems) if seen.sound or not seen.cluster.names else None
    if cluster is not None:
        seen.cluster.find(checks.real_nodes(cluster, seen.provider), problems)
        if cluster.share and seen.cluster.names:
            text = f"rows cannot share a cluster that ${{{min(seen.cluster.names)}}} changes; remove share or that"
            seen.cluster.find([(("share",), text)], problems)
    parts: tuple[Part[Any], ...] = (seen.budget, *seen.loads.values(), *seen.slos)
    for part in parts:
        if seen.sound or not part.names:
            part.build(values, problems)
    problems.note = ""


def _rows(matrix: Node | None, problems: Problems) -> Rows:
    if matrix is None:
        return {}
    if not mapping(matrix):
        problems.add(matrix.place, "matrix", "not a mapping of rows; write e.g. {p60: {pods: 60}}")
    rows: dict[str, Mapping[str, Scalar]] = {}
    for name, row in mapping(matrix).items():
        try:
            ids.require_row(name)
        except UsageError as error:
            problems.add(row.place, f"matrix.{name}", str(error))
        rows[name] = _row(name, row, problems)
    if not problems:
        _alike(rows, mapping(matrix), problems)
    return rows


def _row(row: str, node: Node, problems: Problems) -> Mapping[str, Scalar]:
    values: dict[str, Scalar] = {}
    if not mapping(node):
        problems.add(node.place, f"matrix.{row}", "a row is a mapping of values; write e.g. {pods: 60}")
    for name, value in mapping(node).items():
        path = f"matrix.{row}.{name}"
        if not re.fullmatch(VALUE_NAME, name):
            problems.add(value.place, path, f"{name!r} cannot be filled in; write lower-case letters, digits and _")
        if name in JUDGED_LATER:
            problems.add(value.place, path, f"${{{name}}} is known from the run; write another name")
        content = value.content
        if content is None or isinstance(content, Mapping | tuple):
            problems.add(value.place, path, "not a number, text or true/false; write one value")
            continue
        if "${" in value.text:
            problems.add(value.place, path, "a row's value is not filled from others; write it out")
        values[name] = content
    return values


def _alike(rows: Rows, nodes: Mapping[str, Node], problems: Problems) -> None:
    wanted = next(iter(rows.values()), {})
    first = next(iter(rows), "")
    for row, values in rows.items():
        if values.keys() == wanted.keys():
            continue
        lacking = [name for name in wanted if name not in values]
        extra = [name for name in values if name not in wanted]
        found = [f"lacks {', '.join(lacking)}"] * bool(lacking) + [f"has {', '.join(extra)} besides"] * bool(extra)
        text = f"row {row} {' and '.join(found)}, unlike row {first}; give all rows the same names"
        problems.add(nodes[row].place, f"matrix.{row}", text)


def _loads(
    load: Node | None, document: Node, folder: Path, problems: Problems
) -> Iterator[tuple[EngineName, Part[Spec]]]:
    if load is None or not mapping(load):
        place = load.place if load else document.place
        problems.add(place, "load", "missing; write e.g. load: {resource-consumer: {pods: 60}}")
        return
    for name in mapping(load):
        if name not in ENGINE_NAMES and name != "default":
            text = suggest("engine", name, ENGINE_NAMES)
            problems.add(mapping(load)[name].place, f"load.{name}", text)
    for engine in ENGINE_NAMES:
        if engine in mapping(load):
            yield engine, Part(mapping(load)[engine], _LOADS[engine], f"load.{engine}", folder)


def _default(
    load: Mapping[str, Node], engines: tuple[EngineName, ...], owner: Node, problems: Problems
) -> EngineName | None:
    if not engines:
        problems.add(owner.place, "load", "offers no engine; write e.g. resource-consumer: {pods: 60}")
        return None
    if "default" not in load:
        if len(engines) > 1:
            problems.add(owner.place, "load.default", f"missing with two engines; write e.g. default: {engines[0]}")
        return engines[0]
    asked = str(load["default"].content)
    if asked not in engines:
        problems.add(load["default"].place, "load.default", suggest("engine", asked, engines))
    return next((engine for engine in engines if engine == asked), engines[0])


def _slos(slos: Node | None, folder: Path, problems: Problems) -> Iterator[Part[SloSpec]]:
    if slos is not None and not isinstance(slos.content, tuple):
        problems.add(slos.place, "slos", "not a list; write e.g. - {use: kubelet/sandbox-create, max: 5s}")
    seen: dict[str, Node] = {}
    for at, entry in enumerate(items(slos)):
        name = slo_id(entry)
        if name in seen:
            text = f"id {name!r} is taken by line {seen[name].place.line}; write id: with another name"
            problems.add(entry.place, f"slos.{name}.id", text)
        elif name is not None:
            seen[name] = entry
        yield Part(entry, SloSpec, f"slos.{name or at}", folder)
