"""What the options of `telescope compare` mean."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_telescope.errors import UsageError
from pytest_telescope.scenario.names import PROVIDERS
from pytest_telescope.scenario.names import suggest


def margin_of(text: str) -> float:
    """Return a margin as a share: `5%`, `5 %` and `0.05` are the same.

    Raises:
        UsageError: no number, or not between 0 and 100 %.
    """
    number, is_percent = text.strip().removesuffix("%").strip(), text.strip().endswith("%")
    try:
        share = float(number) / (100 if is_percent else 1)
    except ValueError:
        share = 0.0
    if not 0 < share < 1:
        raise UsageError(f"--margin {text}: expected a share above 0 and below 100 %, e.g. 5% or 0.05")
    return share


def providers_of(text: str | None) -> tuple[str, str] | None:
    """Return the two providers to compare; None where none are named.

    Raises:
        UsageError: not two, an unknown one, or one that is functional with one that is not.
    """
    if text is None:
        return None
    names = tuple(name.strip() for name in text.split(","))
    for name in names:
        if name not in PROVIDERS:
            raise UsageError(f"--providers: {suggest('provider', name, PROVIDERS)}")
    if len(names) != 2 or names[0] == names[1]:
        raise UsageError(f"--providers {text}: expected two different ones, e.g. aks,eks")
    if "local" in names:
        raise UsageError(f"--providers {text}: numbers of local are functional and never compared with a cloud's")
    return names[0], names[1]


def two_sides(runs: Sequence[str], across: tuple[str, str] | None) -> list[str]:
    """Return A and B, or the one whose arms are compared.

    Raises:
        UsageError: more than two.
    """
    if len(runs) > 2:
        raise UsageError(
            f"expected A and B, found {len(runs)} runs: put commas between the repeats of one side, "
            f"{runs[0]},{runs[1]} {','.join(runs[2:])}"
        )
    if len(runs) == 1 and across is not None:
        return [runs[0], runs[0]]
    return list(runs)
