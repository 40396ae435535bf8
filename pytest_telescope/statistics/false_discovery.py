"""Many tests in one report: how many of the differences it names may be chance."""

from __future__ import annotations

from collections.abc import Sequence


def benjamini_hochberg(p: Sequence[float]) -> list[float]:
    """Return adjusted p values, in the order of `p`: naming all below q keeps the expected share of false ones below q.

    Step-up procedure of Benjamini and Hochberg, J. R. Stat. Soc. B 57 (1995), 289-300. It holds for independent tests
    and for positively dependent ones (Benjamini and Yekutieli, Ann. Stat. 29 (2001), 1165-1188), as metrics that a
    slow machine moves together are.

    Args:
        p: p values, each from 0 to 1.

    Raises:
        ValueError: one is not.
    """
    if wrong := [one for one in p if not 0 <= one <= 1]:
        raise ValueError(f"p values are from 0 to 1, found {wrong[0]}")
    adjusted = [1.0] * len(p)
    least = 1.0
    for rank, place in zip(range(len(p), 0, -1), sorted(range(len(p)), key=lambda one: -p[one]), strict=True):
        least = min(least, p[place] * (len(p) / rank))
        adjusted[place] = least
    return adjusted
