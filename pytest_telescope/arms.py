"""`--ab` and `--aa`: both arms of a comparison run in turn within one session, so that drift meets both alike."""

from __future__ import annotations

import math
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_telescope.errors import UsageError
from pytest_telescope.scenario.ids import arm_id
from pytest_telescope.scenario.ids import arm_name

if TYPE_CHECKING:
    from pytest_telescope.fixtures import Session
    from pytest_telescope.scenario.model import Cell
    from pytest_telescope.slo.planned import Planned

REPEATS = 5
"""Pairs where nobody says how many: about what shows a change of twice the run-to-run variation."""
SIDES = ("a", "b")
_OPEN, _CLOSE, _QUOTES = "[{", "]}", "\"'"


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What is compared.

    Attributes:
        key: what differs between the arms, as `--set` names it; None where nothing does (`--aa`).
        values: of `key` in arm A and in arm B; empty texts where there is no key.
        repeats: pairs.
    """

    key: str | None
    values: tuple[str, str]
    repeats: int

    @property
    def names(self) -> tuple[str, str]:
        """The names of the arms, as ids and records have them."""
        return arm_name(SIDES[0], self.values[0]), arm_name(SIDES[1], self.values[1])

    def sets(self, side: int, *, as_text: bool = False) -> dict[str, str]:
        """Return what arm 0 or 1 sets beside `--set`; `as_text`: in quotes, so that 1.34 is no number."""
        if self.key is None:
            return {}
        return {self.key: f'"{self.values[side]}"' if as_text else self.values[side]}

    def told(self, message: str) -> str:
        """Return a message about `--set` as one about the option that was given."""
        return message.replace(f"--set {self.key}=", f"--ab {self.key}=") if self.key else message


def compared(ab: str | None, aa: bool, repeats: str | None, sets: dict[str, str]) -> Comparison:
    """Return what the options ask for: one of `ab` and `aa` is given.

    Raises:
        UsageError: both are, or what one says cannot be.
    """
    if ab is not None and aa:
        raise UsageError("--ab compares two values and --aa the same with itself: leave one of them out")
    count = _repeats(repeats)
    if ab is None:
        return Comparison(key=None, values=("", ""), repeats=count)
    key, equals, text = ab.partition("=")
    if not equals or not key:
        raise UsageError(f"--ab {ab!r}: expected NAME=OLD,NEW, where NAME is what --set can set")
    if key in sets:
        raise UsageError(f"--ab {key}=… and --set {key}={sets[key]}: only one can say what {key} is; leave --set out")
    return Comparison(key=key, values=_two(key, text), repeats=count)


def _repeats(text: str | None) -> int:
    if text is None:
        return REPEATS
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise UsageError(f"--repeats {text}: expected a whole number of pairs, 1 or more")
    return int(text)


def _two(key: str, text: str) -> tuple[str, str]:
    values = [value.strip() for value in split_values(text)]
    if len(values) != len(SIDES) or not all(values):
        raise UsageError(
            f"--ab {key}={text}: expected two values, OLD,NEW, found {sum(map(bool, values))}; "
            "a comma within brackets or quotes belongs to a value"
        )
    if values[0] == values[1]:
        raise UsageError(
            f"--ab {key}={text}: both arms are the same: give two values, or --aa to find out how much numbers vary"
        )
    return values[0], values[1]


def split_values(text: str) -> list[str]:
    """Split at the commas that stand outside of brackets and quotes."""
    parts, depth, quote = [""], 0, ""
    for character in text:
        if quote:
            quote = "" if character == quote else quote
        elif character in _QUOTES:
            quote = character
        depth += 0 if quote else (character in _OPEN) - (character in _CLOSE)
        if character == "," and not quote and depth <= 0:
            parts.append("")
        else:
            parts[-1] += character
    return parts


def interleaved(
    comparison: Comparison, first: Sequence[Cell], second: Sequence[Cell], *, attached: bool = False
) -> list[Cell]:
    """Return every repeat of both arms: cell by cell, pair by pair, in the order A B, B A, A B, ...

    That order (ABBA) meets what drifts evenly over the session, such as a disk that fills, by both arms alike.

    Args:
        comparison: what is compared.
        first: the cells of arm A.
        second: those of arm B, in the same order.
        attached: they run on a cluster that is there and that no arm can change.

    Raises:
        UsageError: the arms do not differ, or differ in a cluster that is there already.
    """
    found: list[Cell] = []
    for one, other in zip(first, second, strict=True):
        _check(comparison, one, other, attached)
        own = _said(one)[0] != _said(other)[0]
        arms = [_alone(cell) if own else cell for cell in (one, other)]
        for repeat in range(1, comparison.repeats + 1):
            pair = [_arm(cell, name, repeat) for cell, name in zip(arms, comparison.names, strict=True)]
            found += pair if repeat % 2 else reversed(pair)
    return found


def _arm(cell: Cell, name: str, repeat: int) -> Cell:
    return replace(cell, id=arm_id(cell.id, name, repeat), arm=name, repeat=repeat, of=cell.id)


def _alone(cell: Cell) -> Cell:
    """Return the cell on a cluster of its own: the arms need different ones."""
    return replace(cell, cluster=cell.cluster.model_copy(update={"share": None}))


def _check(comparison: Comparison, one: Cell, other: Cell, attached: bool) -> None:
    if comparison.key is None:
        return
    said = f"--ab {comparison.key}={','.join(comparison.values)}"
    if _said(one) == _said(other):
        raise UsageError(
            f"{said}: both arms of {one.id} are the same: the values mean one thing, or nothing of cluster, load "
            "and slos takes them"
        )
    if attached and _said(one)[0] != _said(other)[0]:
        raise UsageError(
            f"{said} changes the cluster, and one that is there already cannot be changed: leave --attach out"
        )


def _said(cell: Cell) -> list[object]:
    """Return what is built, put on and asked, wherever it is written; the cluster first."""
    return [spec.model_dump() for spec in (cell.cluster, cell.load, *cell.slos)]


def closing(session: Session, *, width: int, colour: bool) -> str:
    """Return what ends a session of arms: the table of `--ab`, or what `--aa` found and stored; else nothing.

    Raises:
        UsageError: its results, or the noise floor that is there, cannot be read.
    """
    from pytest_telescope.compare.closing import closing_comparison
    from pytest_telescope.compare.closing import store_noise
    from pytest_telescope.report.reading import read_results
    from pytest_telescope.statistics.noise import FILE

    if session.choice.comparison is None:
        return ""
    records = list(read_results(session.records_root / "results.jsonl"))
    if session.choice.comparison.key is None:
        return "\n".join(store_noise(records, session.folder.path.parent.parent / FILE))
    return closing_comparison(records, published=session.records_root, width=width, colour=colour)


def too_dear(plans: Iterable[Planned]) -> list[str]:
    """Return why the clusters of a comparison, all repeats together, cost more than their scenario's budget allows."""
    groups: dict[str, dict[str, list[Cell]]] = {}
    for planned in plans:
        if planned.cell.of is not None and planned.skip is None:
            scenario = f"{planned.cell.provider}-{planned.cell.scenario}"
            groups.setdefault(scenario, {}).setdefault(planned.cluster, []).append(planned.cell)
    return [told for name, clusters in groups.items() for told in _refused(name, list(clusters.values()))]


def _refused(scenario: str, clusters: Sequence[Sequence[Cell]]) -> Iterator[str]:
    from pytest_telescope.cluster.cost.money import Money
    from pytest_telescope.cluster.cost.money import parse_money
    from pytest_telescope.paying import FREE
    from pytest_telescope.report.paid import priced

    first = clusters[0][0]
    if first.provider in FREE or first.budget.cost is None or len(clusters) < len(SIDES):
        return
    prices = [priced(list(cells)) for cells in clusters]
    total, allowed = (
        Money(sum(one.estimate.over(one.expected)[1].usd for one in prices)),
        parse_money(first.budget.cost),
    )
    if total > allowed:
        yield (
            f"{scenario}: {total} for the {len(clusters)} clusters of the comparison is more than budget.cost "
            f"{allowed}: ask for fewer --repeats, or allow it with --set 'budget.cost={math.ceil(total.usd)} USD'"
        )
