"""Label matchers and quantiles of a query that do not say what they seem to."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pytest_telescope.slo.promql import GROUPING
from pytest_telescope.slo.promql import Parsed
from pytest_telescope.slo.promql import selectors
from pytest_telescope.slo.promql import words_in

_MEANS = frozenset({"avg", "sum", "avg_over_time", "sum_over_time", "quantile_over_time"})
_ROUND = re.compile(r"\d+(\.0)?|.*\d[eE][-+]?\d+")
"""Bucket bounds that are spelt in more than one way."""


def matchers(parsed: Parsed) -> Iterator[str]:
    """Yield what is wrong with label matchers and groupings."""
    for index, token in enumerate(parsed.tokens):
        if token.text == "quantile" and _is_label(parsed, index):
            yield from summaries()
        if parsed.around[index] and parsed.text(parsed.around[index][-1]) == "{":
            yield from _matcher(token.text, parsed.text(index + 1), parsed.text(index + 2).strip("\"'`"))


def _is_label(parsed: Parsed, index: int) -> bool:
    around = parsed.around[index]
    return bool(around) and (
        parsed.text(around[-1]) == "{" or (parsed.text(around[-1]) == "(" and parsed.text(around[-1] - 1) in GROUPING)
    )


def _matcher(label: str, operator: str, value: str) -> Iterator[str]:
    if label == "le" and operator in {"=", "!="} and _ROUND.fullmatch(value):
        bare = value.removesuffix(".0")
        yield (
            f'{label}{operator}"{value}" depends on how a bound is spelt (1 or 1.0): '
            f'write le=~"{bare}(\\\\.0)?", or use the histogram form'
        )
    if label == "le" and operator in {"=~", "!~"} and (plain := [one for one in value.split("|") if one.isdigit()]):
        bare = plain[0]
        yield f'le{operator}"{value}" does not find {bare} where it is spelt {bare}.0: write {bare}(\\\\.0)?'
    if label == "__name__" and operator in {"=~", "!~"}:
        yield "__name__ by regular expression: two metrics with equal labels collide; write rate(a[..]) or rate(b[..])"


def quantiles(parsed: Parsed) -> Iterator[str]:
    """Yield what is wrong with quantiles of histograms."""
    for index, token in enumerate(parsed.tokens):
        if token.text == "histogram_quantile" and parsed.text(index + 1) == "(":
            yield from _aggregated_quantile(parsed, index)
            yield from _quantile(parsed, index + 1)


def _aggregated_quantile(parsed: Parsed, index: int) -> Iterator[str]:
    for bracket in parsed.around[index]:
        name = parsed.caller(bracket) if parsed.text(bracket) == "(" else ""
        if name in _MEANS and not _compared(parsed, bracket, name):
            yield f"{name} over histogram_quantile: quantiles cannot be added up; sum the buckets by le first"
            return


def _compared(parsed: Parsed, bracket: int, name: str) -> bool:
    """Return whether quantiles are compared before they are averaged, which makes a share of good slices.

    `quantile_over_time` is sound over quantiles from which `>= 0` took the idle ones (NaN).
    """
    words = words_in(parsed, bracket)
    return "bool" in words or (name == "quantile_over_time" and ">=" in words)


def _quantile(parsed: Parsed, bracket: int) -> Iterator[str]:
    share = parsed.tokens[bracket + 1]
    if share.kind == "number" and not share.text.lower().startswith("0x") and float(share.text) > 1:
        yield f"histogram_quantile({share.text}, ...): the first number is a share of 0 to 1, e.g. 0.99"
    for index in range(bracket + 1, parsed.partner[bracket]):
        if parsed.text(index) == "by" and _next_to_sum(parsed, index) and "le" not in words_in(parsed, index + 1):
            yield "histogram_quantile without le: the buckets are summed into one; write sum by (..., le)"
            return


def _next_to_sum(parsed: Parsed, index: int) -> bool:
    before = parsed.partner.get(index - 1, index) - 1 if parsed.text(index - 1) == ")" else index - 1
    return parsed.text(before) == "sum"


def named_summaries(query: str) -> Iterator[str]:
    """Yield what is wrong with a summary that is known by its name."""
    if any(one.name.endswith("_summary") for one in selectors(query)):
        yield from summaries()


def joins(query: str) -> Iterator[str]:
    """Yield joins that the labels of every series make needless."""
    if any(one.name == "kubelet_node_name" for one in selectors(query)):
        yield "kubelet_node_name: a join by instance breaks where two agree; every series of a node has its label node"


def summaries() -> Iterator[str]:
    """Say why no SLO rests on a summary."""
    yield (
        "quantile is a summary's label: its quantiles are of one process over a time of its own, and cannot be "
        "compared with a bound; take a histogram, or its _sum over its _count"
    )
