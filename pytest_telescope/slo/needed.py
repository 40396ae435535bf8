"""Which series an SLO rests on, for a recording that cannot hold all; pure."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Iterator

from pytest_telescope.slo import queries
from pytest_telescope.slo.model import Slo
from pytest_telescope.slo.promql import parse
from pytest_telescope.slo.promql import selectors
from pytest_telescope.slo.promql import split

OWN = "telescope_"
"""Metrics of the harness, which every recording holds."""
CLOCKS = ("node_timex_offset_seconds", "node_timex_sync_status")
"""What tells how good a latency between two clocks is."""
_SHOWN = {"consumed-as-asked": ('container_memory_working_set_bytes{namespace=~"telescope-.*", container="consumer"}',)}
"""What a built-in SLO reads beside its query."""
_PARTS = ("_bucket", "_count", "_sum")


def needed(slo: Slo) -> tuple[str, ...]:
    """Return selectors, `metric{matchers}`, of everything that `slo` rests on; a variable among matchers drops them."""
    return tuple(dict.fromkeys((*_rests_on(slo), *(CLOCKS if slo.metrics else ()), *_SHOWN.get(slo.id, ()))))


def not_recorded(slo: Slo, recorded: Iterable[str] | None) -> str:
    """Say what of `slo` a recording of only the selectors `recorded` lacks, empty when nothing; None: it holds all.

    One that was asked for at recording and found nothing is not lacking: it is known to have had no series.
    """
    if recorded is None:
        return ""
    held = list(recorded)
    missing = [one for one in dict.fromkeys(_rests_on(slo)) if not _is_held(one, held)]
    if not missing:
        return ""
    return f"not recorded: {', '.join(missing)}; the recording holds only {', '.join(held)}"


def _rests_on(slo: Slo) -> Iterator[str]:
    for metric in slo.metrics if slo.form == "histogram" else ():
        yield from (_selector(slo, f"{metric}{part}", "") for part in _PARTS)
    for written in (slo.bad, slo.total, slo.counter):
        if written:
            yield _selector(slo, *split(written))
    for one in selectors(slo.query):
        yield _without_variables(one.name, queries.selector(one.name, one.matchers))


def _selector(slo: Slo, name: str, matchers: str) -> str:
    return _without_variables(name, queries.selector(name, queries.is_job(slo.job), matchers, slo.where))


def _without_variables(name: str, selector: str) -> str:
    return name if "${" in selector or "%v" in selector else selector


def _is_held(selector: str, recorded: Iterable[str]) -> bool:
    """Return whether some recorded selector finds everything that `selector` does: the same metric, no matcher more."""
    name, wanted = split(selector)[0], _matchers(selector)
    return name.startswith(OWN) or any(split(one)[0] == name and _matchers(one) <= wanted for one in recorded)


def _matchers(selector: str) -> frozenset[tuple[str, ...]]:
    """Return the matchers of a selector, each as its three words."""
    parsed = parse(selector)
    if isinstance(parsed, str):
        return frozenset()
    inner = [token.text for token in parsed.tokens[2:-1] if token.text != ","]
    return frozenset(tuple(inner[first : first + 3]) for first in range(0, len(inner), 3))
