"""PromQL cut into words, and the metrics that a text selects; `linting` says what is wrong with it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal
from typing import NamedTuple

_TOKEN = re.compile(
    r"""(?P<space>\s+|\#[^\n]*)
    |(?P<string>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|`[^`]*`)
    |(?P<variable>\$\{[A-Za-z_]\w*\}|%v\b)
    |(?P<duration>(?:\d+(?:ms|[smhdwy]))+)
    |(?P<number>0[xX][0-9a-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)
    |(?P<name>:?[A-Za-z_][\w:]*)
    |(?P<operator>=~|!~|!=|==|<=|>=|.)""",
    re.VERBOSE,
)
GROUPING = frozenset({"by", "without", "on", "ignoring", "group_left", "group_right"})
_WORDS = GROUPING | {"bool", "and", "or", "unless", "offset", "inf", "nan", "atan2"}
AGGREGATIONS = frozenset(
    ("sum", "avg", "min", "max", "count", "group", "stddev", "stdvar", "quantile", "topk", "bottomk", "count_values")
) | {"limitk", "limit_ratio"}
_CLOSING = {"(": ")", "{": "}", "[": "]"}
_ENDS = frozenset(_CLOSING.values())
BEYOND = ("",) * 4
_QUOTES = frozenset("\"'`")
VARIABLES = frozenset({"w", "w_s", "start", "end", "scrape", "nodes"})


class Token(NamedTuple):
    """One word of a query: `kind` is the name of a group of the token pattern."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Selector:
    """One metric as it is selected.

    Attributes:
        matchers: the text between its braces.
        inside: the functions and aggregations around it, innermost last; empty for plain brackets.
        aggregated: positions of the brackets among those that belong to aggregations.
        read: `instant`: at the time of evaluation alone; `range`: its samples; `subquery`: at steps.
        pinned: read at a time of its own (`@`).
    """

    name: str
    matchers: str
    inside: tuple[str, ...]
    aggregated: tuple[int, ...] = ()
    read: Literal["instant", "range", "subquery"] = "instant"
    pinned: bool = False


@dataclass(frozen=True, slots=True)
class Parsed:
    """A tokenised query: partner of every bracket, and for every token the brackets around it, outermost first."""

    tokens: tuple[Token, ...]
    partner: dict[int, int]
    around: tuple[tuple[int, ...], ...]
    words: tuple[str, ...]
    """The tokens' texts and `BEYOND`, which an index a little beyond either end finds."""

    def text(self, index: int) -> str:
        """Return the token's text, empty up to four places beyond either end."""
        return self.words[index]

    def caller(self, bracket: int) -> str:
        """Return what `(` belongs to: a function, an aggregation (also behind its grouping), or nothing."""
        before = bracket - 1
        if self.text(before) == ")":
            opening = self.partner[before]
            before = opening - 2 if self.text(opening - 1) in GROUPING else -1
        return self.text(before) if before >= 0 and self.tokens[before].kind == "name" else ""


@lru_cache(maxsize=4096)
def parse(query: str) -> Parsed | str:
    """Tokenise a query; a text that no PromQL can be is returned as its mistake."""
    found = _TOKEN.finditer(query)
    tokens = tuple([Token(one.lastgroup or "", one[0]) for one in found if one.lastgroup != "space"])
    partner: dict[int, int] = {}
    stack: list[int] = []
    around = []
    inside: tuple[int, ...] = ()
    for index, token in enumerate(tokens):
        if token.text in _QUOTES:
            return f"{token.text} opens a text that never ends"
        if token.text in _ENDS and token.kind == "operator":
            if not stack or _CLOSING[tokens[stack[-1]].text] != token.text:
                return f"{token.text!r} closes nothing"
            opening = stack.pop()
            partner[opening], partner[index] = index, opening
            inside = tuple(stack)
        around.append(inside)
        if token.text in _CLOSING and token.kind == "operator":
            stack.append(index)
            inside = tuple(stack)
    if stack:
        return f"{tokens[stack[-1]].text!r} is never closed"
    words = (*(token.text for token in tokens), *BEYOND)
    return Parsed(tokens, partner, tuple(around), words) if tokens else "the query is empty"


@lru_cache(maxsize=4096)
def selectors(query: str) -> tuple[Selector, ...]:
    """Return every metric that `query` selects, in order; empty when it cannot be parsed."""
    parsed = parse(query)
    if isinstance(parsed, str):
        return ()
    return tuple(_selector(parsed, index) for index in range(len(parsed.tokens)) if _is_metric(parsed, index))


def split(written: str) -> tuple[str, str]:
    """Split `name{matchers}` into name and matchers."""
    found = selectors(written)
    return (found[0].name, found[0].matchers) if found else (written, "")


def is_selector(written: str) -> bool:
    """Return whether a text is one metric, with or without matchers, and nothing else."""
    parsed = parse(written)
    if isinstance(parsed, str) or not _is_metric(parsed, 0):
        return False
    return len(parsed.tokens) == 1 or (parsed.text(1) == "{" and parsed.partner[1] == len(parsed.tokens) - 1)


def in_subquery(parsed: Parsed, index: int) -> bool:
    """Return whether the token at `index` is evaluated at the steps of a subquery."""
    return any(parsed.text(bracket) == "(" and is_subquery(parsed, parsed.partner[bracket] + 1)
               for bracket in parsed.around[index])  # fmt: skip


def is_subquery(parsed: Parsed, bracket: int) -> bool:
    """Return whether `[` at `bracket` opens `[range:step]`."""
    return parsed.text(bracket) == "[" and ":" in words_in(parsed, bracket)


def words_in(parsed: Parsed, bracket: int) -> list[str]:
    """Return the words inside a bracket."""
    return [token.text for token in parsed.tokens[bracket + 1 : parsed.partner[bracket]]]


def _is_metric(parsed: Parsed, index: int) -> bool:
    token = parsed.tokens[index]
    if token.kind != "name" or token.text.lower() in _WORDS or parsed.text(index + 1) == "(":
        return False
    if parsed.text(index + 1) in GROUPING or parsed.text(index - 1) == "@":
        return False
    return not any(_lists_labels(parsed, opening) for opening in parsed.around[index])


def _lists_labels(parsed: Parsed, opening: int) -> bool:
    return parsed.text(opening) == "{" or (parsed.text(opening) == "(" and parsed.text(opening - 1) in GROUPING)


def _selector(parsed: Parsed, index: int) -> Selector:
    end, inner = index, ""
    if parsed.text(index + 1) == "{":
        inner, end = "".join(words_in(parsed, index + 1)), parsed.partner[index + 1]
    round_brackets = [bracket for bracket in parsed.around[index] if parsed.text(bracket) == "("]
    return Selector(
        name=parsed.tokens[index].text,
        matchers=inner.rstrip(","),
        inside=tuple(parsed.caller(bracket) for bracket in round_brackets),
        aggregated=tuple(bracket for bracket in round_brackets if parsed.caller(bracket) in AGGREGATIONS),
        read=_read(parsed, index, end),
        pinned=_pinned(parsed, end),
    )


def _read(parsed: Parsed, index: int, end: int) -> Literal["instant", "range", "subquery"]:
    if is_subquery(parsed, end + 1):
        return "subquery"
    if parsed.text(end + 1) == "[":
        return "range"
    return "subquery" if in_subquery(parsed, index) else "instant"


def _pinned(parsed: Parsed, end: int) -> bool:
    """Return whether `@` is among the modifiers that follow a selector which ends at `end`."""
    after = parsed.partner[end + 1] + 1 if parsed.text(end + 1) == "[" else end + 1
    while parsed.text(after) == "offset":
        after += 3 if parsed.text(after + 1) == "-" else 2
    return parsed.text(after) == "@"
