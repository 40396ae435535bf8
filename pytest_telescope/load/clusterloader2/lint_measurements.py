"""Measurement calls: Methods, actions and params that CL2 does not know or that are missing; pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from pytest_telescope.load.clusterloader2.lint_walk import Call
from pytest_telescope.load.clusterloader2.lint_walk import Pairs
from pytest_telescope.load.clusterloader2.lint_words import near
from pytest_telescope.load.clusterloader2.methods import ONCE
from pytest_telescope.load.clusterloader2.methods import Method
from pytest_telescope.load.clusterloader2.methods import method
from pytest_telescope.load.clusterloader2.methods import methods
from pytest_telescope.load.clusterloader2.model import Hint
from pytest_telescope.load.clusterloader2.source import Node

Level = Literal["error", "warning"]

_FEW = 8
_IN_THIS_CASE = frozenset({"action", "prometheusClient", "enableViolations"})


def known_method(call: Call) -> Method | None:
    """Return what is known of the Method of a call, None where it has none or a template makes it."""
    return method(call.method.text) if call.method is not None and not call.method.templated else None


def wrong_calls(call: Call) -> Iterator[Hint]:
    """Yield what is wrong with one call by itself."""
    known = known_method(call)
    if known is None:
        yield from _no_method(call)
        return
    yield from _identifier(call)
    yield from _action(call, known)
    yield from _unknown_params(call, known)
    yield from _missing_params(call, known)


def actions_of(call: Call, known: Method) -> tuple[str, ...]:
    """Return the actions that a call may be: all of them where a template says which."""
    if not known.actions:
        return (ONCE,)
    written = call.named("action")
    if not call.certain or any(node.templated for node in written):
        return known.actions
    return tuple(node.text for node in written if node.text in known.actions)


def _no_method(call: Call) -> Iterator[Hint]:
    if call.method is not None and not call.method.templated:
        name = call.method.text
        meant = near(name, methods(), 0.6)
        hint = f"did you mean {meant}?" if meant else "see the table of Methods"
        yield _hint("error", call, call.method, f"{name}: CL2 has no such measurement Method: {hint}")


def _identifier(call: Call) -> Iterator[Hint]:
    node = call.identifier
    if node is not None and not node.templated and "_" in node.text:
        yield _hint(
            "warning", call, node, f"{node.text}: the _ breaks the names of summary files apart: write - instead"
        )


def _action(call: Call, known: Method) -> Iterator[Hint]:
    for node in call.named("action"):
        if not node.templated and known.actions and node.text not in known.actions:
            text = f"{known.name} has no action {node.text}; it has {', '.join(known.actions)}"
            yield _hint("error", call, node, text)


def _unknown_params(call: Call, known: Method) -> Iterator[Hint]:
    yield from _unknown(call, known, call.params, tuple(known.known), "")
    for name, inner in known.nested.items():
        for value in call.named(name, any_case=known.any_case):
            for node in value.items or (value,):
                yield from _unknown(call, known, node.pairs, inner, f"{name}.")


def _unknown(call: Call, known: Method, pairs: Pairs, names: tuple[str, ...], prefix: str) -> Iterator[Hint]:
    for key, _ in pairs:
        if key.templated or _fits(key.text, known, names):
            continue
        meant = near(key.text, names)
        text = f"{prefix}{key.text}: {known.name} knows no such param and ignores it"
        if meant is None or any(other.text == meant for other, _ in pairs):
            listed = f"; it knows {', '.join(sorted(names))}" if len(names) <= _FEW else ""
            yield _hint("warning", call, key, text + listed)
        else:
            yield _hint("error", call, key, f"{text}; did you mean {meant}?")


def _fits(key: str, known: Method, names: tuple[str, ...]) -> bool:
    if key in names or not known.any_case:
        return key in names
    return key.lower() in {name.lower() for name in names if name not in _IN_THIS_CASE}


def _missing_params(call: Call, known: Method) -> Iterator[Hint]:
    if not call.certain:
        return
    if known.actions and not call.named("action"):
        yield _missing(call, known, "action", "which is one of " + ", ".join(known.actions), _level(call))
    for action in actions_of(call, known):
        for name in known.mandatory.get(action, ()):
            if not call.named(name, any_case=known.any_case):
                literal = not any(node.templated for node in call.named("action"))
                level = _level(call) if literal else "warning"
                yield _missing(call, known, name, f"without which {action} fails", level)
    for outer in known.nested:
        for value in call.named(outer, any_case=known.any_case):
            yield from _missing_inside(call, known, outer, value)


def _missing_inside(call: Call, known: Method, outer: str, value: Node) -> Iterator[Hint]:
    for item in value.items:
        absent = [name for name in known.mandatory[outer] if item.form == "map" and not any(item.fields(name))]
        if absent:
            yield _hint(_level(call), call, item, f"{outer}: {' and '.join(absent)} is missing, so {known.name} fails")


def _missing(call: Call, known: Method, name: str, why: str, level: Level) -> Hint:
    return Hint(level=level, file=call.file, line=call.line, text=f"{known.name} needs the param {name}, {why}")


def _level(call: Call) -> Level:
    return "warning" if call.conditional else "error"


def _hint(level: Level, call: Call, node: Node, text: str) -> Hint:
    return Hint(level=level, file=call.file, line=node.line, text=text)
