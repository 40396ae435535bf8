"""Variables of templates: which are used, set, overridden, and with what surprise; pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Literal
from typing import NamedTuple

from pytest_telescope.load.clusterloader2.lint_walk import GIVEN
from pytest_telescope.load.clusterloader2.lint_walk import File
from pytest_telescope.load.clusterloader2.lint_walk import Reach
from pytest_telescope.load.clusterloader2.lint_words import near
from pytest_telescope.load.clusterloader2.model import Hint
from pytest_telescope.load.clusterloader2.source import Action
from pytest_telescope.load.clusterloader2.source import Source
from pytest_telescope.scenario.names import Scalar

Guard = Literal["", "default", "truth"]
Place = tuple[Path, int]

_TOKEN = re.compile(r'"(?:\\.|[^"\\])*"|`[^`]*`|\$\w*(?:\.\w+)*|\.\w[\w.]*|[A-Za-z_]\w*|[()|,]|:?=|-?\d[\w.+]*')
_TRUTH = frozenset({"if", "with", "range", "and", "or", "not"})
_CONSTANTS = frozenset({"true", "false", "nil"})
_ENVIRONMENT = "CL2_"
_BIG = 1_000_000
_OWN_PREFIXES = ("CL2_PROMETHEUS_", "CL2_EXECSERVICE_", "CL2_WINDOWS_", "CL2_WMI_EXPORTER_", "PROMETHEUS_", "WINDOWS_")
_OWN = frozenset({"CL2_ENABLE_NETWORK_POLICY_ENFORCEMENT_LATENCY_TEST", "CL2_ENABLE_DNSTESTS"})


class Use(NamedTuple):
    """One use of a variable.

    Attributes:
        guard: why it may be unset: `default` within `DefaultParam`, `truth` where only its truth is asked.
        bare: its value is written out as it is.
    """

    name: str
    line: int
    guard: Guard
    bare: bool


def own(name: str) -> bool:
    """Return whether CL2 itself reads a variable, for its Prometheus stack or its exec service."""
    return name in _OWN or name.startswith(_OWN_PREFIXES)


def lint_variables(reach: Reach, overrides: Mapping[str, Scalar], environment: Mapping[str, str]) -> Iterator[Hint]:
    """Yield what is wrong between the variables that are used and those that are set."""
    used = [(path, use) for path, file in reach.files.items() for use in uses(file.source)]
    first = {use.name: (path, use.line) for path, use in reversed(used)}
    config = next(iter(reach.files))
    yield from _unused(reach, config, first, overrides)
    yield from _environment(config, first, overrides, environment)
    yield from _big(reach, used, overrides)
    for file in reach.files.values():
        yield from _unset(file, overrides, environment)


@lru_cache(maxsize=256)
def uses(source: Source) -> tuple[Use, ...]:
    """Return the uses of variables in one file, in order."""
    found: list[Use] = []
    aliases: dict[str, str] = {}
    for action in source.actions:
        if action.word not in {"comment", "end"}:
            tokens = _TOKEN.findall(action.text)
            found += _named(action, tokens)
            found += _bare(action, tokens, aliases)
    return tuple(found)


def _named(action: Action, tokens: list[str]) -> Iterator[Use]:
    calls: list[tuple[str, int]] = [("", 0)]
    for token in tokens:
        if token == "(":
            calls.append(("", 0))
        elif token == "|" or (token[0].isalpha() and token not in _CONSTANTS):
            calls[-1] = ("" if token == "|" else token, 0)
        else:
            if token == ")" and len(calls) > 1:
                calls.pop()
            word, arguments = calls[-1]
            if name := _variable(token, action):
                yield Use(name, action.line, _guard(word, arguments), bare=False)
            calls[-1] = (word, arguments + 1)


def _guard(word: str, arguments: int) -> Guard:
    if word in _TRUTH:
        return "truth"
    return "default" if word == "DefaultParam" and arguments == 0 else ""


def _variable(token: str, action: Action) -> str:
    if token.startswith("$."):
        return token[2:].partition(".")[0]
    return token[1:].partition(".")[0] if token[0] == "." and not action.rebound else ""


def _bare(action: Action, tokens: list[str], aliases: dict[str, str]) -> Iterator[Use]:
    if action.word == "set" and len(tokens) > 2:
        alias, value = tokens[0], tokens[3:] if tokens[2] == "DefaultParam" else tokens[2:]
        plain = bool(value) and (tokens[2] == "DefaultParam" or len(value) == 1) and "|" not in tokens
        name = _variable(value[0], action) or aliases.get(value[0], "") if plain else ""
        aliases.pop(alias, None)
        aliases.update({alias: name} if name else {})
        return
    name = _variable(tokens[0], action) or aliases.get(tokens[0], "") if len(tokens) == 1 else ""
    if name and action.word == "output":
        yield Use(name, action.line, "default", bare=True)


def _unused(reach: Reach, config: Path, first: Mapping[str, Place], overrides: Mapping[str, Scalar]) -> Iterator[Hint]:
    free = [name for name in first if name not in overrides]
    for name in overrides:
        if name in first or name in GIVEN or own(name):
            continue
        meant = near(name, free)
        text = f"override {name} is used nowhere in the config, its modules and object templates"
        if meant or reach.whole:
            yield _warning((config, 1), f"{text}; did you mean {meant}?" if meant else text)


def _environment(
    config: Path, first: Mapping[str, Place], overrides: Mapping[str, Scalar], environment: Mapping[str, str]
) -> Iterator[Hint]:
    for name in sorted(name for name in environment if name.startswith(_ENVIRONMENT)):
        place = first.get(name, (config, 1))
        if name in overrides:
            yield _warning(place, f"{name} is in the environment, too, which is kept from CL2: the override counts")
        elif name in first:
            yield _warning(
                place, f"{name} is in the environment only, which is kept from CL2: write it to the overrides"
            )


def _big(reach: Reach, used: list[tuple[Path, Use]], overrides: Mapping[str, Scalar]) -> Iterator[Hint]:
    big = {name: value for name, value in overrides.items() if type(value) is int and abs(value) >= _BIG}
    for path, use in used:
        if use.bare and use.name in big and reach.files[path].source.within_text(use.line):
            text = f"{use.name}={big[use.name]} becomes {_as_go_writes(big[use.name])} in this text"
            yield _warning((path, use.line), f"{text}: put it through AddInt")


def _as_go_writes(value: int) -> str:
    digits = str(abs(value))
    significant = digits.rstrip("0")
    mantissa = ".".join(filter(None, (significant[0], significant[1:])))
    return f"{'-' if value < 0 else ''}{mantissa}e+{len(digits) - 1:02d}"


def _unset(file: File, overrides: Mapping[str, Scalar], environment: Mapping[str, str]) -> Iterator[Hint]:
    if file.sets is None:
        return
    found = uses(file.source)
    handled = {use.name for use in found if use.guard == "truth"} | GIVEN | file.sets
    for name, use in {use.name: use for use in reversed(found) if not use.guard}.items():
        if name not in handled and name not in overrides and name not in environment and not own(name):
            text = f"{name} is used without DefaultParam and set nowhere: it becomes <no value>, or the test fails"
            yield _warning((file.source.path, use.line), text)


def _warning(place: Place, text: str) -> Hint:
    return Hint(level="warning", file=place[0], line=place[1], text=text)
