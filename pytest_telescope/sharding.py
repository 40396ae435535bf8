"""One of several agents runs its share of the clusters: `--shard 2/3`, or Azure DevOps' `strategy: parallel`.

Every agent works out the same shares, from the checkout and the command line alone: nothing that differs from machine
to machine (what it can run, how long a run took there) has a say, or a cell would be run twice or nowhere.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
from typing import TYPE_CHECKING

import pytest

from pytest_telescope import scheduling

if TYPE_CHECKING:
    from pytest_telescope.slo.planned import Planned

TYPE, TOTAL, POSITION = "SYSTEM_PARALLELEXECUTIONTYPE", "SYSTEM_TOTALJOBSINPHASE", "SYSTEM_JOBPOSITIONINPHASE"
PARALLEL = "multimachine"
"""TYPE under `strategy: parallel`; under `strategy: matrix`, which sets TOTAL as well, it is MultiConfiguration."""
_OPTION = re.compile(r"([0-9]+)/([0-9]+)")


@dataclass(slots=True, eq=False)  # pluggy keeps plugins in sets
class Shard:
    """The share of this agent; a plugin of pytest, which says what it is and lets an empty one be green.

    Attributes:
        number: of this agent, from 1 to `total`.
        own, others: cells that this agent runs, and those that it leaves, in their order.
        told: how the agent knows: the option or the variables.
        chosen: cells of any share that `-k` and the like left; None until they are known, as on pytest-xdist's
            controller, which collects nothing.
    """

    number: int
    total: int
    own: tuple[str, ...]
    others: tuple[str, ...]
    told: str
    chosen: list[str] | None = field(default=None)

    def keep(self, items: Sequence[pytest.Item]) -> list[pytest.Item]:
        """Return the items of this share."""
        cells = [cell for item in items if (cell := scheduling.cell_of(item)) is not None]
        self.chosen = list(dict.fromkeys(cells))
        return [item for item in items if scheduling.cell_of(item) in self.own]

    @property
    def is_idle(self) -> bool:
        """Whether there is nothing to do here, while there is elsewhere."""
        if self.chosen is None:
            return not self.own
        return bool(self.chosen) and not set(self.chosen) & set(self.own)

    def pytest_report_header(self) -> str:
        """Say which share this is."""
        here = _few(self.own) or "nothing to do, there are fewer clusters than shards"
        rest = f"; the others run {_few(self.others)}" if self.others else ""
        return f"telescope: shard {self.number} of {self.total} ({self.told}): {here}{rest}"

    def pytest_report_collectionfinish(self) -> list[str]:
        """Say that what was chosen is run elsewhere."""
        if not self.is_idle or not self.own:
            return []
        return [f"telescope: nothing to do in shard {self.number}: the others run {_few(self.chosen or ())}"]

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Let a share with nothing to do be green: pytest calls it an error that nothing was collected."""
        if self.is_idle and exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED:
            session.exitstatus = pytest.ExitCode.OK


SHARD = pytest.StashKey[Shard]()


def begin(config: pytest.Config, plans: Sequence[Planned], environ: Mapping[str, str]) -> Shard | None:
    """Return this agent's share of the plan, None where it has all of it.

    Raises:
        pytest.UsageError: a shard that cannot be, or one together with `--replay` or `--attach`.
    """
    option = config.getoption("shard", None)
    found = of_option(option) if option is not None else of_agent(environ)
    if found is None or _is_refused(config, found[2], is_option=option is not None):
        return None
    number, total, told = found
    own = shares(plans, total)[number - 1]
    cells = [planned.cell.id for planned in plans]
    shard = Shard(number, total, own, tuple(cell for cell in cells if cell not in own), told)
    config.stash[SHARD] = shard
    config.pluginmanager.register(shard, "telescope-shard")
    return shard


def _is_refused(config: pytest.Config, told: str, *, is_option: bool) -> bool:
    """Return whether all is to run here after all.

    Raises:
        pytest.UsageError: that would be wrong as well.
    """
    if config.getoption("attach") is not None:
        raise pytest.UsageError(
            f"--attach with a shard ({told}): one cluster takes one load at a time, and every shard would use it"
        )
    if config.getoption("replay") is None:
        return False
    if is_option:
        raise pytest.UsageError("--replay judges a run as a whole: leave --shard out")
    return True


def of_option(text: str) -> tuple[int, int, str]:
    """Return number, total and how they are known, of `2/3`.

    Raises:
        pytest.UsageError: it is no share.
    """
    match = _OPTION.fullmatch(text)
    number, total = (int(one) for one in match.groups()) if match else (0, 0)
    if not 1 <= number <= total:
        raise pytest.UsageError(f"--shard {text!r}: expected I/N with I from 1 to N, e.g. 2/3")
    return number, total, f"--shard {text}"


def of_agent(environ: Mapping[str, str]) -> tuple[int, int, str] | None:
    """Return the share that an agent of Azure Pipelines has under `strategy: parallel`, None under any other.

    Raises:
        pytest.UsageError: the agent says that there are shares, and not which one this is.
    """
    if environ.get(TYPE, "").lower() != PARALLEL:
        return None
    texts = [environ.get(name, "") for name in (POSITION, TOTAL)]
    number, total = (int(one) if one.isascii() and one.isdigit() else 0 for one in texts)
    if not 1 <= number <= total:
        raise pytest.UsageError(
            f"{TYPE}={environ[TYPE]} says that the agents of this job share the clusters, but {POSITION}={texts[0]!r} "
            f"and {TOTAL}={texts[1]!r} do not say which share is this one's: say it with --shard I/N"
        )
    return (number, total, f"{POSITION} and {TOTAL}") if total > 1 else None


def shares(plans: Sequence[Planned], total: int) -> list[tuple[str, ...]]:
    """Return the ids of the cells of each of `total` shares.

    Cells that share a cluster, or that are the arms of one comparison, stay together. The longest go first, each to
    the share with the least to do (Graham 1969: at most 4/3 of the best possible longest share); where all last
    equally long, shares are dealt out in turn.
    """
    groups = _groups(plans)
    lengths = _lengths(groups)
    busy, numbers = [0.0] * total, [0] * len(groups)
    for group in sorted(range(len(groups)), key=lambda one: -lengths[one]):
        numbers[group] = busy.index(min(busy))
        busy[numbers[group]] += lengths[group]
    return [
        tuple(
            planned.cell.id for group, there in zip(groups, numbers, strict=True) if there == share for planned in group
        )
        for share in range(total)
    ]


def _groups(plans: Sequence[Planned]) -> list[list[Planned]]:
    """Return the cells that must stay together, in their order."""
    found: list[tuple[set[str], list[Planned]]] = []
    for planned in plans:
        keys, group = {f"cluster {planned.cluster}", f"cell {planned.cell.of or planned.cell.id}"}, [planned]
        for one in [one for one in found if one[0] & keys]:
            found.remove(one)
            keys, group = one[0] | keys, one[1] + group
        found.append((keys, group))
    order = {planned.cell.id: number for number, planned in enumerate(plans)}
    return sorted((group for _, group in found), key=lambda group: order[group[0].cell.id])


def _lengths(groups: Sequence[Sequence[Planned]]) -> list[float]:
    """Return how long each group may last: the time budgets of its cells, and the mean of the others without one."""
    budgets = [[planned.cell.budget.time for planned in group] for group in groups]
    known = [float(one) for group in budgets for one in group if one is not None]
    mean = sum(known) / len(known) if known else 1.0
    return [sum(mean if one is None else float(one) for one in group) for group in budgets]


def _few(cells: Sequence[str], most: int = 5) -> str:
    more = f" and {len(cells) - most} more" if len(cells) > most else ""
    return ", ".join(cells[:most]) + more
