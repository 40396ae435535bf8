"""Order of items and their way to xdist workers."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import pytest

from pytest_telescope import scheduling


def item(cell: str | None, name: str) -> pytest.Item:
    callspec = SimpleNamespace(params={"cell": cell}) if cell else None
    made = SimpleNamespace(name=name, originalname=name)
    if callspec:
        made.callspec = callspec
    return cast("pytest.Item", made)


def test_cells_follow_one_another_and_stages_keep_their_order() -> None:
    stages = ["test_destroy", "test_slo", "test_load", "test_provision"]
    mixed = [item(cell, stage) for stage in stages for cell in ("b", "a")]

    ordered = scheduling.in_order(mixed, ["a", "b"])

    got = [(scheduling.cell_of(i), i.name) for i in ordered]
    assert got == [(cell, stage) for cell in ("a", "b") for stage in scheduling.STAGES]


def test_one_kept_item_brings_its_whole_cell_and_no_other() -> None:
    all_items = [item(cell, stage) for cell in ("a", "b") for stage in scheduling.STAGES]
    kept = [all_items[2]]

    whole = scheduling.with_whole_cells(all_items, kept)

    assert whole == all_items[:4]


def test_prefixes_find_the_cell_in_front_of_an_slo() -> None:
    assert scheduling.prefixes("local-cri--p60--running") == ["local-cri--p60--running", "local-cri--p60", "local-cri"]
