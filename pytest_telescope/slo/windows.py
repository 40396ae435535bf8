"""`window:` and `quorum:` of an SLO, from text to numbers."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from collections.abc import Mapping
from typing import Any
from typing import Literal
from typing import cast

from pytest_telescope.errors import UsageError
from pytest_telescope.scenario.units import UnitError
from pytest_telescope.scenario.units import parse as parse_unit
from pytest_telescope.scenario.units import read_quantity
from pytest_telescope.scenario.units import seconds
from pytest_telescope.slo.model import Slices
from pytest_telescope.slo.promql import Parsed
from pytest_telescope.slo.promql import parse
from pytest_telescope.slo.promql import words_in

WHOLE = "whole"
STEP = 60.0
"""Seconds between slices where none are said: the SLIs of SIG scalability are taken every minute."""
GOOD = 0.99
"""Share of good slices where none is said, as in the SLOs of SIG scalability: 99 % of the minutes of a day."""
SAYS = "whole, sliding(5m, step=1m, good=99%) or peak(5m, step=1m)"
_CALL = re.compile(r"(?P<mode>[\w-]+)\s*\((?P<inside>[^()]*)\)")
_KEYS: Mapping[str, tuple[str, ...]] = {"sliding": ("step", "good"), "peak": ("step",)}


def read_window(written: str) -> Slices | None:
    """Read `whole` (None), `sliding(5m, step=1m, good=99%)` or `peak(5m, step=1m)`.

    Raises:
        UsageError: anything else, a step of 0 or longer than the slice, a share that is none.
    """
    text = str(written).strip()
    if text == WHOLE:
        return None
    call = _CALL.fullmatch(text)
    mode = call["mode"] if call else text
    if call is None or mode not in _KEYS:
        near = difflib.get_close_matches(mode, (WHOLE, *_KEYS), 1)
        raise UsageError(f"{written!r} is no window: {f'did you mean {near[0]}? ' if near else ''}write {SAYS}")
    length, *rest = (part.strip() for part in call["inside"].split(","))
    return _slices(cast("Literal['sliding', 'peak']", mode), length, _named(mode, rest))


def read_quorum(written: Any) -> float:
    """Read a share of elements, more than 0 and at most 1.

    Raises:
        UsageError: it is none.
    """
    return _share(written, "99%")


def slice_mistakes(query: str, slices: Slices) -> tuple[str, ...]:
    """Return what is wrong with a query that is asked once a slice, in words; empty when nothing is."""
    parsed = parse(query)
    if isinstance(parsed, str):
        return ()
    return tuple(dict.fromkeys((*_variables(parsed), *_ranges(parsed, slices))))


def _slices(mode: Literal["sliding", "peak"], length_text: str, named: Mapping[str, str]) -> Slices:
    length = _duration(length_text, "the length of a slice")
    step = _duration(named["step"], "step") if "step" in named else min(STEP, length)
    if step > length:
        raise UsageError(f"step {named['step']} is longer than a slice of {length_text}: what is between goes unjudged")
    if mode == "peak":
        return Slices(mode=mode, length=length, step=step)
    return Slices(mode=mode, length=length, step=step, good=_share(named.get("good", GOOD), "good=99%"))


def _named(mode: str, parts: list[str]) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for part in parts:
        key, _, value = (word.strip() for word in part.partition("="))
        if key not in _KEYS[mode] or not value:
            raise UsageError(f"{part!r} says nothing in {mode}(...): it takes a length, {', '.join(_KEYS[mode])}")
        if key in found:
            raise UsageError(f"{key} is said twice")
        found[key] = value
    return found


def _duration(text: str, of: str) -> float:
    try:
        value = seconds(text)
    except UnitError as error:
        raise UsageError(f"{of}: {error}") from None
    if value <= 0:
        raise UsageError(f"{of}: {text} is nothing: write e.g. 5m")
    return value


def _share(written: Any, example: str) -> float:
    value, unit = read_quantity(written)
    if unit not in {"ratio", "count"}:
        parse_unit(written, "ratio")
    if not 0 < value <= 1:
        raise UsageError(f"{written} is no share of more than 0 and at most 100 %: write e.g. {example}")
    return value


def _variables(parsed: Parsed) -> Iterator[str]:
    words = {token.text for token in parsed.tokens if token.kind == "variable"}
    if fixed := sorted(words & {"${start}", "${end}"}):
        yield f"{' and '.join(fixed)} in a query judged in slices: it is asked at the end of each; write [${{w}}]"
    if not words & {"${w}", "%v", "${w_s}"}:
        yield "no ${w} in a query judged in slices: it is the length of one, e.g. rate(x[${w}])"


def _ranges(parsed: Parsed, slices: Slices) -> Iterator[str]:
    for index, token in enumerate(parsed.tokens):
        if token.text != "[" or token.kind != "operator":
            continue
        length, _, step = "".join(words_in(parsed, index)).partition(":")
        if (inner := _seconds(length)) and inner >= slices.length:
            yield f"literal range [{length}] is not shorter than a slice of {slices.length:g}s, so it looks before it"
        if (resolution := _seconds(step)) and 2 * resolution > slices.length:
            yield f"resolution {step} leaves less than two points in a slice of {slices.length:g}s: write ${{scrape}}"


def _seconds(duration: str) -> float | None:
    try:
        return seconds(duration)
    except UnitError:
        return None
