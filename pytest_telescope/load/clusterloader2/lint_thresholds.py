"""Thresholds that CL2 does not compare, or compares with nothing; pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from collections.abc import Iterator

from pytest_telescope.load.clusterloader2.lint_measurements import actions_of
from pytest_telescope.load.clusterloader2.lint_measurements import known_method
from pytest_telescope.load.clusterloader2.lint_walk import Call
from pytest_telescope.load.clusterloader2.methods import Method
from pytest_telescope.load.clusterloader2.model import Hint
from pytest_telescope.load.clusterloader2.source import Node

Found = list[tuple[Call, Node]]


def dead_thresholds(calls: Iterable[Call], *, whole: bool) -> Iterator[Hint]:
    """Yield what is wrong with thresholds, over all calls of the same measurement.

    Args:
        calls: of the config and its modules.
        whole: these are all the calls that there are.
    """
    for known, group in _measurements(calls):
        thresholds = _thresholds(known, group, known.thresholds)
        yield from _elsewhere(known, group, thresholds)
        yield from _without_samples(known, group)
        if known.gates == "enable-violations" and (whole or _closed(known, group)):
            yield from _not_enabled(known, group, thresholds)
            yield from _nothing_to_compare(known, group, thresholds)


def _measurements(calls: Iterable[Call]) -> Iterator[tuple[Method, list[Call]]]:
    """Group calls by Method and identifier, all of a Method together where a template makes one of the identifiers."""
    by_method: dict[str, list[Call]] = defaultdict(list)
    for call in calls:
        if known_method(call) is not None and call.method is not None:
            by_method[call.method.text].append(call)
    for group in by_method.values():
        known = known_method(group[0])
        assert known is not None
        named: dict[str, list[Call]] = defaultdict(list)
        for call in group:
            named[call.identifier.text if call.identifier else ""].append(call)
        made = any(call.identifier is not None and call.identifier.templated for call in group)
        yield from ((known, one) for one in ([group] if made and len(named) > 1 else named.values()))


def _thresholds(known: Method, group: list[Call], where: Iterable[str]) -> Found:
    return [
        (call, node)
        for call in group
        for action in set(where).intersection(actions_of(call, known))
        for name in known.thresholds.get(action, ())
        for node in _named(known, call, name)
    ]


def _named(known: Method, call: Call, name: str) -> Iterator[Node]:
    outer, _, inner = name.partition(".")
    for value in call.named(outer, any_case=known.any_case):
        if not inner:
            yield value
        for item in value.items:
            yield from item.fields(inner) if inner else ()


def _not_enabled(known: Method, group: list[Call], thresholds: Found) -> Iterator[Hint]:
    dead = [action for action in _reading(known) if not _enabled(known, group, action)]
    if thresholds and dead:
        call, node = thresholds[0]
        text = f"{known.name} compares this only with enableViolations: true at action {' and '.join(dead)}"
        yield _warning(call, node, f"{text}; so it says nothing, and engine-thresholds will be INVALID")


def _closed(known: Method, group: list[Call]) -> bool:
    """Return whether all actions that matter were found, though something else was not read."""
    found = {action for call in group for action in actions_of(call, known)}
    return found.issuperset(_reading(known)) and found.issuperset(known.thresholds)


def _reading(known: Method) -> list[str]:
    return [action for action, names in known.params.items() if "enableViolations" in names]


def _enabled(known: Method, group: list[Call], action: str) -> bool:
    """Return whether some call enables violations at an action, or a template may."""
    calls = [call for call in group if action in actions_of(call, known)]
    written = [node for call in calls for node in call.named("enableViolations")]
    if not written:
        return known.default_on and bool(calls)
    return any(node.templated or _true(node) for node in written) or any(not call.certain for call in calls)


def _nothing_to_compare(known: Method, group: list[Call], thresholds: Found) -> Iterator[Hint]:
    enabled = [(call, node) for call in group for node in call.named("enableViolations") if _true(node)]
    certain = all(call.certain for call in group)
    if enabled and certain and not thresholds and not known.built_in and known.thresholds and not _demands(group):
        call, node = enabled[-1]
        text = f"enableViolations: {known.name} has no threshold in any step, so nothing is compared"
        yield _warning(call, node, text)


def _demands(group: list[Call]) -> bool:
    queries = [item for call in group for value in call.named("queries", any_case=True) for item in value.items]
    return any(node.templated or _true(node) for item in queries for node in item.fields("requireSamples"))


def _without_samples(known: Method, group: list[Call]) -> Iterator[Hint]:
    if "requireSamples" not in known.nested.get("queries", ()):
        return
    for call in group:
        for value in call.named("queries", any_case=True):
            for query in value.items:
                node = next(query.fields("threshold"), None)
                if node is not None and not any(query.fields("requireSamples")):
                    text = f"{_name_of(query)} has a threshold but no requireSamples: with no data it passes"
                    yield _warning(call, node, text)


def _elsewhere(known: Method, group: list[Call], thresholds: Found) -> Iterator[Hint]:
    """Yield thresholds that stand only where CL2 does not read them."""
    if thresholds or known.gates == "never":
        return
    for call in group:
        for action, names in known.thresholds.items():
            for node in (node for name in names for node in _named(known, call, name)):
                yield _warning(
                    call, node, f"{known.name} reads this threshold at action {action} only, so it says nothing"
                )
                return


def _name_of(query: Node) -> str:
    return f"query {query.literal('name') or ''}".strip()


def _true(node: Node) -> bool:
    return not node.templated and node.text.lower() in {"true", "t", "1", "yes", "on"}


def _warning(call: Call, node: Node, text: str) -> Hint:
    return Hint(level="warning", file=call.file, line=node.line, text=text)
