"""What can be said of a PromQL text without asking Prometheus: its metrics, and its mistakes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

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
_COMPARISONS = frozenset({"==", "!=", "<=", ">=", "<", ">"})
_GROUPING = frozenset({"by", "without", "on", "ignoring", "group_left", "group_right"})
_WORDS = _GROUPING | {"bool", "and", "or", "unless", "offset", "inf", "nan", "atan2"}
_RATES = frozenset({"rate", "irate", "increase"})
_CLOSING = {"(": ")", "{": "}", "[": "]"}
_QUOTES = frozenset("\"'`")
VARIABLES = frozenset({"w", "w_s", "start", "end", "scrape", "nodes"})


@dataclass(frozen=True, slots=True)
class Token:
    """One word of a query: `kind` is the name of a group of the token pattern."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Selector:
    """One metric as it is selected: name, the text between its braces, and the functions around it, innermost last."""

    name: str
    matchers: str
    inside: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Parsed:
    """A tokenised query: partner of every bracket, and for every token the brackets around it, outermost first."""

    tokens: tuple[Token, ...]
    partner: dict[int, int]
    around: tuple[tuple[int, ...], ...]

    def text(self, index: int) -> str:
        """Return the token's text, empty beyond either end."""
        return self.tokens[index].text if 0 <= index < len(self.tokens) else ""

    def caller(self, bracket: int) -> str:
        """Return what `(` belongs to: a function, an aggregation (also behind its grouping), or nothing."""
        before = bracket - 1
        if self.text(before) == ")":
            opening = self.partner[before]
            before = opening - 2 if self.text(opening - 1) in _GROUPING else -1
        return self.text(before) if before >= 0 and self.tokens[before].kind == "name" else ""


@lru_cache(maxsize=4096)
def parse(query: str) -> Parsed | str:
    """Tokenise a query; a text that no PromQL can be is returned as its mistake."""
    tokens = tuple(
        Token(found.lastgroup or "", found[0]) for found in _TOKEN.finditer(query) if found.lastgroup != "space"
    )
    partner: dict[int, int] = {}
    stack: list[int] = []
    around = []
    for index, token in enumerate(tokens):
        if token.text in _QUOTES:
            return f"{token.text} opens a text that never ends"
        if token.text in _CLOSING.values() and token.kind == "operator":
            if not stack or _CLOSING[tokens[stack[-1]].text] != token.text:
                return f"{token.text!r} closes nothing"
            opening = stack.pop()
            partner[opening], partner[index] = index, opening
        around.append(tuple(stack))
        if token.text in _CLOSING and token.kind == "operator":
            stack.append(index)
    if stack:
        return f"{tokens[stack[-1]].text!r} is never closed"
    return Parsed(tokens, partner, tuple(around)) if tokens else "the query is empty"


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


@lru_cache(maxsize=4096)
def mistakes(query: str) -> tuple[str, ...]:
    """Return what is wrong with a raw query of an SLO, in words; empty when nothing is."""
    parsed = parse(query)
    if isinstance(parsed, str):
        return (f"not PromQL: {parsed}",)
    found = [
        *_unknown_variables(parsed),
        *_comparison(parsed),
        *_raw_buckets(query),
        *_ranges(parsed),
        *_matchers(parsed),
        *_aggregated_quantiles(parsed),
    ]
    if not selectors(query):
        found.append("the query selects no metric: name one")
    return tuple(dict.fromkeys(found))


def _is_metric(parsed: Parsed, index: int) -> bool:
    token = parsed.tokens[index]
    if token.kind != "name" or token.text.lower() in _WORDS or parsed.text(index + 1) == "(":
        return False
    if parsed.text(index + 1) in _GROUPING or parsed.text(index - 1) == "@":
        return False
    return not any(_lists_labels(parsed, opening) for opening in parsed.around[index])


def _lists_labels(parsed: Parsed, opening: int) -> bool:
    return parsed.text(opening) == "{" or (parsed.text(opening) == "(" and parsed.text(opening - 1) in _GROUPING)


def _selector(parsed: Parsed, index: int) -> Selector:
    inner = ""
    if parsed.text(index + 1) == "{":
        inner = "".join(token.text for token in parsed.tokens[index + 2 : parsed.partner[index + 1]])
    inside = tuple(parsed.caller(opening) for opening in parsed.around[index] if parsed.text(opening) == "(")
    return Selector(name=parsed.tokens[index].text, matchers=inner.rstrip(","), inside=inside)


def _unknown_variables(parsed: Parsed) -> list[str]:
    names = [token.text[2:-1] for token in parsed.tokens if token.kind == "variable" and token.text != "%v"]
    known = ", ".join(f"${{{name}}}" for name in sorted(VARIABLES))
    return [f"unknown variable ${{{name}}}: known are {known}" for name in names if name not in VARIABLES]


def _comparison(parsed: Parsed) -> list[str]:
    first, last = 0, len(parsed.tokens) - 1
    while parsed.text(first) == "(" and parsed.partner[first] == last:
        first, last = first + 1, last - 1
    level = len(parsed.around[first])
    for index in range(first, last + 1):
        if parsed.text(index) in _COMPARISONS and len(parsed.around[index]) == level:
            return [
                f"comparison {parsed.text(index)!r} at top level: it drops the value when the bound is missed; "
                "write the bound as max, min, below, above, equals or between"
            ]
    return []


def _raw_buckets(query: str) -> list[str]:
    return [
        f"{found.name} without rate or increase: a raw bucket counts since the process started"
        for found in selectors(query)
        if found.name.endswith("_bucket") and not _RATES & set(found.inside)
    ]


def _ranges(parsed: Parsed) -> list[str]:
    found = []
    for index, token in enumerate(parsed.tokens):
        if token.text != "[" or token.kind != "operator":
            continue
        content = [inner.text for inner in parsed.tokens[index + 1 : parsed.partner[index]]]
        if ":" in content:
            if content[-1] == ":":
                found.append("subquery without resolution: write [range:step], e.g. [${w}:${scrape}]")
        elif not any("$" in text or text == "%v" for text in content) and not _in_subquery(parsed, index):
            found.append(f"literal range [{''.join(content)}]: the window's length is ${{w}}")
    return found


def _in_subquery(parsed: Parsed, index: int) -> bool:
    for opening in parsed.around[index]:
        after = parsed.partner[opening] + 1
        if parsed.text(opening) == "(" and parsed.text(after) == "[":
            return ":" in [token.text for token in parsed.tokens[after : parsed.partner[after]]]
    return False


def _matchers(parsed: Parsed) -> list[str]:
    found = []
    for index, token in enumerate(parsed.tokens):
        if not any(parsed.text(opening) == "{" for opening in parsed.around[index]):
            continue
        operator, value = parsed.text(index + 1), parsed.text(index + 2).strip("\"'`")
        if token.text == "le" and operator in {"=", "!="} and value not in {"+Inf", ""}:
            bare = value.removesuffix(".0")
            found.append(
                f'{token.text}{operator}"{value}" depends on how a bound is spelt (1 or 1.0): '
                f'write le=~"{bare}(\\\\.0)?", or use the histogram form'
            )
        if token.text == "__name__" and operator in {"=~", "!~"}:
            found.append("__name__ by regular expression: two metrics with equal labels collide; write a or b")
    return found


def _aggregated_quantiles(parsed: Parsed) -> list[str]:
    for index, token in enumerate(parsed.tokens):
        if token.text != "histogram_quantile":
            continue
        callers = {parsed.caller(opening) for opening in parsed.around[index] if parsed.text(opening) == "("}
        if wrong := callers & {"avg", "sum", "avg_over_time"}:
            return [f"{min(wrong)} over histogram_quantile: quantiles cannot be added up; sum the buckets by le first"]
    return []
