"""The one place that spells and reads ids of cells and of their SLO items.

A cell is `<provider>-<scenario>[--<row>][--<engine>]`, an SLO item `<cell>--<slo>`. In an interleaved comparison
(`--ab`) each repeat of an arm is a cell of its own, `<cell>--ab-<arm>-<repeat>`. No name holds `--`, no provider holds
`-` and no row is called like an engine or an arm, so every id is read back unambiguously. Names have at most 63
characters (as Kubernetes labels), so the longest item name, `test_slo[...]`, stays far below the 512 that JUnit readers
keep.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from pytest_telescope.errors import UsageError
from pytest_telescope.scenario.names import ENGINES
from pytest_telescope.scenario.names import NAME
from pytest_telescope.scenario.names import PROVIDERS
from pytest_telescope.scenario.names import suggest

LONGEST_NAME = 63
LONGEST_LABEL = 20
"""Characters of an arm's value that its id shows."""
_NAME = re.compile(NAME)
_ARM = re.compile(rf"[ab](-{NAME})?")
_ARM_PART = re.compile(rf"ab-(?P<arm>[ab](-{NAME})?)-(?P<repeat>[1-9][0-9]*)")
_SEPARATOR = "--"


@dataclass(frozen=True, slots=True, kw_only=True)
class CellName:
    """The parts of a cell's id."""

    provider: str
    scenario: str
    row: str | None = None
    engine: str | None = None
    arm: str | None = None
    repeat: int | None = None

    def __str__(self) -> str:
        cell = cell_id(self.provider, self.scenario, self.row, self.engine)
        return cell if self.arm is None or self.repeat is None else arm_id(cell, self.arm, self.repeat)

    @property
    def of(self) -> str:
        """The id without the arm."""
        return cell_id(self.provider, self.scenario, self.row, self.engine)


def cell_id(provider: str, scenario: str, row: str | None = None, engine: str | None = None) -> str:
    """Return the id of a cell; `engine` is given when the scenario offers more than one.

    Raises:
        UsageError: a part cannot be part of an id.
    """
    if provider not in PROVIDERS:
        raise UsageError(suggest("provider", provider, PROVIDERS))
    if engine is not None and engine not in ENGINES:
        raise UsageError(suggest("engine", engine, ENGINES))
    names = [require_name(scenario, "scenario")]
    if row is not None:
        names.append(require_row(row))
    if engine is not None:
        names.append(engine)
    return f"{provider}-{_SEPARATOR.join(names)}"


def arm_name(side: str, value: str = "") -> str:
    """Return the name of an arm: its side, `a` or `b`, and what of `value` an id can show."""
    label = re.sub("[^a-z0-9]+", "-", value.lower()).strip("-")[:LONGEST_LABEL].strip("-")
    return f"{side}-{label}" if label else side


def arm_id(cell: str, arm: str, repeat: int) -> str:
    """Return the id of one repeat (from 1) of an arm of a comparison; `cell` is the id without it.

    Raises:
        UsageError: no such arm or repeat can be.
    """
    if _ARM.fullmatch(arm) is None or repeat < 1:
        raise UsageError(f"arm {arm!r}, repeat {repeat}: write a-<value> or b-<value>, and a repeat from 1")
    return f"{cell}{_SEPARATOR}{require_name(f'ab-{arm}-{repeat}', 'arm')}"


def slo_item_id(cell: str, slo: str) -> str:
    """Return the id of the item that judges `slo` of a cell.

    Raises:
        UsageError: `slo` cannot be part of an id.
    """
    return f"{cell}{_SEPARATOR}{require_name(slo, 'SLO id')}"


def parse_cell_id(text: str) -> CellName:
    """Read back what `cell_id` spelled.

    Raises:
        UsageError: not the id of a cell.
    """
    head, *rest = text.split(_SEPARATOR)
    provider, dash, scenario = head.partition("-")
    arm = _ARM_PART.fullmatch(rest[-1]) if rest else None
    if arm is not None:
        rest.pop()
    engine = rest.pop() if rest and rest[-1] in ENGINES else None
    row = rest.pop() if rest else None
    if not dash or rest:
        raise UsageError(f"{text!r} is not a cell: write <provider>-<scenario>[--<row>][--<engine>]")
    name = CellName(
        provider=provider,
        scenario=scenario,
        row=row,
        engine=engine,
        arm=arm["arm"] if arm else None,
        repeat=int(arm["repeat"]) if arm else None,
    )
    str(name)  # raises where a part is not valid
    return name


def parse_slo_item_id(text: str) -> tuple[str, str]:
    """Read back (cell id, SLO id) from what `slo_item_id` spelled.

    Raises:
        UsageError: not the id of an SLO item.
    """
    cell, separator, slo = text.rpartition(_SEPARATOR)
    if not separator:
        raise UsageError(f"{text!r} is not an SLO item: write <cell>--<slo>")
    parse_cell_id(cell)
    return cell, require_name(slo, "SLO id")


def is_name(text: str) -> bool:
    """Tell whether `text` can be part of an id."""
    return len(text) <= LONGEST_NAME and _NAME.fullmatch(text) is not None


def is_arm_part(text: str) -> bool:
    """Tell whether `text` is what an id ends in within a comparison."""
    return _ARM_PART.fullmatch(text) is not None


def require_name(text: str, kind: str) -> str:
    """Return `text` if it can be part of an id.

    Raises:
        UsageError: it cannot; the message says what a name may be.
    """
    if not is_name(text):
        raise UsageError(
            f"{kind} {text!r} cannot be part of an id: write lower-case letters and digits, "
            f"with single dashes between, at most {LONGEST_NAME} characters"
        )
    return text


def require_row(text: str) -> str:
    """Return `text` if it can name a row.

    Raises:
        UsageError: it cannot, or it is the name of an engine or of an arm of a comparison.
    """
    if text in ENGINES:
        raise UsageError(f"row {text!r} is called like an engine, so ids would be ambiguous: write another name")
    if is_arm_part(text):
        raise UsageError(f"row {text!r} is called like an arm of --ab, so ids would be ambiguous: write another name")
    return require_name(text, "row")
