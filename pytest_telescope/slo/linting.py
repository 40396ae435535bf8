"""What is wrong with a query of an SLO, found without Prometheus, each with what to write instead."""

from __future__ import annotations

from functools import lru_cache

from pytest_telescope.slo import kinds
from pytest_telescope.slo import lint_labels
from pytest_telescope.slo import lint_reading
from pytest_telescope.slo.promql import AGGREGATIONS
from pytest_telescope.slo.promql import Parsed
from pytest_telescope.slo.promql import parse
from pytest_telescope.slo.promql import selectors
from pytest_telescope.slo.promql import words_in

VARIABLES = frozenset({"w", "w_s", "start", "end", "scrape", "nodes"})
_COMPARISONS = frozenset({"==", "!=", "<=", ">=", "<", ">"})
_ARITHMETIC = frozenset({"+", "-", "*", "/", "%", "^"})
_LABELS_KEPT = AGGREGATIONS - {"topk", "bottomk", "count_values", "limitk", "limit_ratio"}
"""Aggregations whose answer has the labels of their `by` and no other."""


@lru_cache(maxsize=4096)
def mistakes(query: str) -> tuple[str, ...]:
    """Return what is wrong with a raw query of an SLO, in words; empty when nothing is."""
    parsed = parse(query)
    if isinstance(parsed, str):
        return (f"not PromQL: {parsed}",)
    found = [
        *_unknown_variables(parsed),
        *_comparison(parsed),
        *_zero_for_nothing(parsed, query),
        *lint_reading.ranges(parsed),
        *lint_reading.rates_of_subqueries(parsed),
        *lint_reading.instants(query),
        *lint_labels.matchers(parsed),
        *lint_labels.quantiles(parsed),
        *lint_labels.named_summaries(query),
        *lint_labels.joins(query),
        *kinds.misuse(query),
    ]
    if not selectors(query):
        found.append("the query selects no metric: name one")
    return tuple(dict.fromkeys(found))


@lru_cache(maxsize=4096)
def matcher_mistakes(selector: str) -> tuple[str, ...]:
    """Return what is wrong with the label matchers of `name{matchers}`."""
    parsed = parse(selector)
    return (f"not PromQL: {parsed}",) if isinstance(parsed, str) else tuple(lint_labels.matchers(parsed))


def labels_of(query: str) -> tuple[str, ...] | None:
    """Return the labels that the answer of `query` has, None where the text alone does not tell."""
    parsed = parse(query)
    if isinstance(parsed, str):
        return None
    first, last = _core(parsed)
    if parsed.text(first) not in _LABELS_KEPT:
        return None
    clauses = [index for index in range(first, last) if parsed.text(index) in {"by", "without"}
               and len(parsed.around[index]) == len(parsed.around[first])]  # fmt: skip
    if not clauses:
        return () if parsed.partner.get(first + 1) == last else None
    clause = clauses[0]
    if parsed.text(clause + 1) != "(":
        return None
    ends = parsed.partner[clause + 1] == last or parsed.partner.get(parsed.partner[clause + 1] + 1) == last
    if len(clauses) > 1 or parsed.text(clause) == "without" or not ends or not _one_call(parsed, first, clause):
        return None
    return tuple(word for word in words_in(parsed, clause + 1) if word != ",")


def rates(query: str) -> tuple[str, ...]:
    """Return the metrics of which `query` takes a rate or increase, histograms' quantiles apart."""
    asked = (one for one in selectors(query) if kinds.RATES & set(one.inside) and not kinds.histogram(one.inside))
    return tuple(dict.fromkeys(one.name for one in asked))


def _core(parsed: Parsed) -> tuple[int, int]:
    """Return the first and last word inside all brackets that are around the whole query."""
    first, last = 0, len(parsed.tokens) - 1
    while parsed.text(first) == "(" and parsed.partner[first] == last:
        first, last = first + 1, last - 1
    return first, last


def _one_call(parsed: Parsed, first: int, clause: int) -> bool:
    """Return whether `by` at `clause` belongs to the aggregation at `first`: right behind it or behind its bracket."""
    return clause == first + 1 or parsed.partner.get(first + 1) == clause - 1


def _unknown_variables(parsed: Parsed) -> list[str]:
    names = [token.text[2:-1] for token in parsed.tokens if token.kind == "variable" and token.text != "%v"]
    if not (unknown := [name for name in names if name not in VARIABLES]):
        return []
    known = ", ".join(f"${{{name}}}" for name in sorted(VARIABLES))
    return [f"unknown variable ${{{name}}}: known are {known}" for name in unknown]


def _comparison(parsed: Parsed) -> list[str]:
    for index, token in enumerate(parsed.tokens):
        if token.text in _COMPARISONS and token.kind == "operator" and _decides(parsed, index):
            return [
                f"comparison {token.text!r} at top level: it drops the value when the bound is missed; "
                "write the bound as max, min, below, above, equals or between"
            ]
    return []


def _decides(parsed: Parsed, index: int) -> bool:
    """Return whether what is compared is the answer itself: no function and no operator but `or` is around it.

    `(a > 5) or vector(0)` answers 0 for a missed bound; `a / (b > 0)` and `a and (b > 0)` only choose.
    """
    for bracket in parsed.around[index]:
        before, after = parsed.text(bracket - 1), parsed.text(parsed.partner[bracket] + 1)
        if (
            parsed.text(bracket) != "("
            or before not in {"", "or", "("}
            or after not in {"", "or", "and", "unless", ")"}
        ):
            return False
    return not _chooses(parsed, index)


def _chooses(parsed: Parsed, index: int) -> bool:
    """Return whether `index` is right of an `and` or `unless` of its own brackets."""
    level = parsed.around[index]
    return any(parsed.text(at) in {"and", "unless"} for at in range(index) if parsed.around[at] == level)


def _zero_for_nothing(parsed: Parsed, query: str) -> list[str]:
    if "vector" not in parsed.words or all(one.name.startswith(lint_reading.OWN) for one in selectors(query)):
        return []
    for index, token in enumerate(parsed.tokens):
        if token.text == "or" and parsed.text(_after_matching(parsed, index)) == "vector" and not _part(parsed, index):
            return [
                "or vector(...) for the whole answer: a metric that nobody scraped becomes a number; "
                "write absent: {query: zero} and job:, whose scraped targets witness the zero"
            ]
    return []


def _after_matching(parsed: Parsed, index: int) -> int:
    """Return where the right side of the operator at `index` begins, behind `on (...)`."""
    matches = parsed.text(index + 1) in {"on", "ignoring"} and parsed.text(index + 2) == "("
    return parsed.partner[index + 2] + 1 if matches else index + 1


def _part(parsed: Parsed, index: int) -> bool:
    """Return whether what `index` stands in is only a part of some arithmetic: the errors of a ratio."""
    outer = {parsed.around[index][:depth] for depth in range(len(parsed.around[index]))}
    return any(token.text in _ARITHMETIC and parsed.around[at] in outer for at, token in enumerate(parsed.tokens))
