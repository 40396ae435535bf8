"""Which cells and items a command line chooses; nothing is built."""

from __future__ import annotations

import re

import pytest

from tests.plugin.conftest import Runner


def items(output: str) -> list[str]:
    return re.findall(r"test_scenarios\.py::(\S+)", output)


STAGES = [
    "test_provision[{c}]",
    "test_load[{c}]",
    "test_slo[{c}--pods-complete]",
    "test_slo[{c}--consumed-as-asked]",
    "test_slo[{c}--running]",
    "test_destroy[{c}]",
]


def cell_items(*cells: str) -> list[str]:
    return [stage.format(c=cell) for cell in cells for stage in STAGES]


@pytest.mark.parametrize(
    ("arguments", "cells"),
    [
        ([], ["local-alpha--p10", "local-alpha--p20"]),
        (["--row=p20"], ["local-alpha--p20"]),
        (["-k", "p10 and test_load"], ["local-alpha--p10"]),
        (["-k", "running"], ["local-alpha--p10", "local-alpha--p20"]),
        (["scenarios/test_scenarios.py::test_slo[local-alpha--p10--running]"], ["local-alpha--p10"]),
        (["scenarios/test_scenarios.py"], ["local-alpha--p10", "local-alpha--p20"]),
    ],
)
def test_a_choice_brings_whole_cells_in_the_order_of_their_stages(
    run: Runner, arguments: list[str], cells: list[str]
) -> None:
    result = run("-m", "local", "--scenario=alpha", "--collect-only", "-q", *arguments)

    assert result.returncode == 0, result.stdout
    assert items(result.stdout) == cell_items(*cells)


def test_several_scenarios_follow_the_command_line(run: Runner) -> None:
    result = run("-m", "local", "--scenario=beta,alpha", "--row=p10", "--collect-only", "-q")

    assert items(result.stdout) == cell_items("local-beta--p10", "local-alpha--p10")


def test_a_provider_that_is_only_excluded_builds_nothing(run: Runner) -> None:
    result = run("-m", "not aks", "--collect-only", "-q", "tests/test_options.py")

    assert items(result.stdout) == []
    assert "test_options.py" in result.stdout


def test_bare_pytest_collects_unit_tests_only(run: Runner) -> None:
    result = run("--collect-only", "-q", "tests/test_options.py", "scenarios")

    assert "test_options.py" in result.stdout
    assert items(result.stdout) == []


def test_the_plan_says_what_would_be_built_run_asked_and_paid(run: Runner) -> None:
    result = run("-m", "local", "--scenario=alpha", "--row=p10", "--plan")

    assert result.returncode == 0, result.stdout
    for text in (
        "build local cluster",
        "pool user: count=2",
        "pods=10",
        "running p50 <= 60s",
        "paid",
        "nothing was built",
    ):
        assert text in result.stdout
    assert "run folder" not in result.stdout


def test_a_set_value_reaches_the_plan(run: Runner) -> None:
    result = run("-m", "local", "--scenario=alpha", "--row=p10", "--set=pods=17", "--plan")

    assert "pods=17" in result.stdout
