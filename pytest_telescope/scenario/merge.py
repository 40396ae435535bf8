"""Overlays: how `on.<provider>` and `--set` change what a scenario says.

Mappings merge key by key, null deletes a key, anything else replaces. Two keys have a rule of their own: `matrix` is
replaced as a whole, and `slos` given as a mapping patches the entries with those ids.
"""

from __future__ import annotations

from collections.abc import Mapping

from pytest_telescope.scenario.document import Node
from pytest_telescope.scenario.names import suggest
from pytest_telescope.scenario.problems import Problems


def overlaid(base: Node, over: Node, problems: Problems) -> Node:
    """Return the scenario `base` with `over` laid over it; both are mappings of top-level keys."""
    content = dict(mapping(base))
    for key, value in mapping(over).items():
        if value.content is None:
            content.pop(key, None)
        elif key == "slos" and isinstance(value.content, Mapping) and base.content:
            content[key] = _patched(content.get(key), value, problems)
        elif key == "matrix":
            content[key] = value  # a row without values is an error, not a row deleted
        elif key not in content:
            content[key] = without_nulls(value)
        else:
            content[key] = merged(content[key], value)
    return Node(content, base.place)


def merged(base: Node, over: Node) -> Node:
    """Return `base` with `over` laid over it."""
    if not isinstance(base.content, Mapping) or not isinstance(over.content, Mapping):
        return without_nulls(over)
    content = dict(base.content)
    for key, value in over.content.items():
        if value.content is None:
            content.pop(key, None)
        elif key in content:
            content[key] = merged(content[key], value)
        else:
            content[key] = without_nulls(value)
    return Node(content, base.place)


def without_nulls(node: Node) -> Node:
    """Return `node` without the keys whose value is null: not written and null are one thing."""
    if isinstance(node.content, Mapping):
        kept = {key: without_nulls(value) for key, value in node.content.items() if value.content is not None}
        return Node(kept, node.place)
    if isinstance(node.content, tuple):
        return Node(tuple(without_nulls(item) for item in node.content), node.place)
    return node


def mapping(node: Node | None) -> Mapping[str, Node]:
    """Return the content of a mapping, and an empty one of anything else."""
    return node.content if node and isinstance(node.content, Mapping) else {}


def items(node: Node | None) -> tuple[Node, ...]:
    """Return the content of a list, and an empty one of anything else."""
    return node.content if node and isinstance(node.content, tuple) else ()


def slo_id(entry: Node) -> str | None:
    """Return the id of an entry of `slos`: its `id`, else the last part of its `use`; None where it has neither."""
    content = mapping(entry)
    if "id" in content:
        return str(content["id"].content)
    return str(content["use"].content).rpartition("/")[2] if "use" in content else None


def _patched(base: Node | None, over: Node, problems: Problems) -> Node:
    entries = list(items(base))
    ids = [slo_id(entry) for entry in entries]
    for name, patch in mapping(over).items():
        if name not in ids:
            known = tuple(entry for entry in ids if entry)
            problems.add(patch.place, f"slos.{name}", suggest("SLO", name, known))
            continue
        at = ids.index(name)
        if patch.content is None:
            del entries[at]
            del ids[at]
        elif not isinstance(patch.content, Mapping):
            problems.add(patch.place, f"slos.{name}", "not a mapping of what to change; write e.g. {max: 5s}")
        elif "id" in patch.content:
            problems.add(patch.content["id"].place, f"slos.{name}.id", "an id cannot be changed here; remove it")
        else:
            entries[at] = merged(entries[at], patch)
    return Node(tuple(entries), base.place if base else over.place)
