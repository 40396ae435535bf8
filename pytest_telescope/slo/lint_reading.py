"""How a query reads its metrics: over which time, at which steps, and whether that finds all of them."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_telescope.slo import kinds
from pytest_telescope.slo.promql import AGGREGATIONS
from pytest_telescope.slo.promql import Parsed
from pytest_telescope.slo.promql import in_subquery
from pytest_telescope.slo.promql import is_subquery
from pytest_telescope.slo.promql import selectors
from pytest_telescope.slo.promql import words_in

OWN = "telescope_"
"""How the names of those metrics begin that the harness writes itself: complete, and there until the window's end."""


def ranges(parsed: Parsed) -> Iterator[str]:
    """Yield what is wrong with the ranges and subqueries."""
    for index, token in enumerate(parsed.tokens):
        if token.text == "[" and token.kind == "operator":
            yield from _range(parsed, index)


def _range(parsed: Parsed, bracket: int) -> Iterator[str]:
    words = words_in(parsed, bracket)
    if words and words[-1] == ":":
        yield "subquery without resolution: write [range:step], e.g. [${w}:${scrape}]"
    length = words[: words.index(":")] if ":" in words else words
    if length == ["${scrape}"]:
        yield "range [${scrape}] holds one sample at most: a rate needs four, e.g. [${w}]"
    elif not any("$" in word or word == "%v" for word in length) and not in_subquery(parsed, bracket):
        yield f"literal range [{''.join(length)}]: the window's length is ${{w}}"


_RATES = kinds.RATES | {"resets"}


def rates_of_subqueries(parsed: Parsed) -> Iterator[str]:
    """Yield rates that are taken of subqueries: of sums, or at steps instead of at samples."""
    if ":" not in parsed.words:
        return
    for index, token in enumerate(parsed.tokens):
        if token.text not in _RATES or parsed.text(index + 1) != "(":
            continue
        closing = parsed.partner[index + 1]
        brackets = [at for at in range(index + 2, closing) if is_subquery(parsed, at) and _own(parsed, at, index + 1)]
        if not brackets:
            continue
        if any(parsed.text(at) in AGGREGATIONS for at in range(index + 2, brackets[0])):
            yield (
                f"{token.text} of an aggregation: a restart of one counter hides in the sum; "
                f"take the {token.text} first, then aggregate"
            )
        else:
            yield f"{token.text} of a subquery reads at steps instead of at samples: write {token.text}(metric[${{w}}])"


def _own(parsed: Parsed, at: int, bracket: int) -> bool:
    """Return whether `at` stands in `bracket` itself, plain brackets between them apart."""
    inner = parsed.around[at][parsed.around[at].index(bracket) + 1 :]
    return all(parsed.text(one) == "(" and not parsed.caller(one) for one in inner)


def instants(query: str) -> Iterator[str]:
    """Yield metrics that are read at the end of the window alone."""
    for one in selectors(query):
        if one.read == "instant" and not one.pinned and not _may_be_instant(one.name, query):
            yield (
                f"{one.name} is read at the end of the window alone: a series that ended before is not seen, "
                f"or lingers for 5 minutes; write last_over_time or max_over_time of {one.name}[${{w}}]"
            )


def _may_be_instant(name: str, query: str) -> bool:
    """Return whether a metric is the harness's own, is `kinds`' to judge, or the end of a difference.

    Such as `a - (a @ ${start} or a * 0)`.
    """
    if name.startswith(OWN) or kinds.kind_of(name) == "cumulative":
        return True
    return any(one.pinned for one in selectors(query) if one.name == name)
