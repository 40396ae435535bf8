"""Bad input is exit 4 with what, where and what next, before anything is built."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pytest_telescope import cells
from pytest_telescope.errors import UsageError
from pytest_telescope.options import Choice
from tests.plugin.conftest import SCENARIO
from tests.plugin.conftest import Runner
from tests.plugin.conftest import write_scenario

USAGE = 4
RUNNING = "use: pod-startup/running, p: 50, max: 60s, min_count: 10"

Planner = Callable[..., "list[Any]"]


@pytest.fixture
def planner(scenario_root: Path, monkeypatch: pytest.MonkeyPatch) -> Planner:
    """Resolve the cells of `-m local --scenario=alpha` in this process."""
    monkeypatch.setenv("TELESCOPE_SCENARIOS", str(scenario_root))
    cells.scenario.cache_clear()

    def plan(**choice: Any) -> list[Any]:
        return cells.plan(Choice(providers=("local",), scenarios=("alpha",), **choice))

    return plan


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["-m", "local"], ["needs --scenario", "alpha", "beta"]),
        (["--scenario=alpha"], ["needs a provider", "aks", "local"]),
        (["-m", "local", "--scenario=alpa"], ["unknown scenario 'alpa'", "did you mean 'alpha'", "beta"]),
        (["-m", "lokal", "--scenario=alpha"], ["'lokal'", "did you mean 'local'"]),
        (["-m", "local", "--scenario=alpha", "--tool=etcd=/no/such/file"], ["/no/such/file"]),
        (["--replay=nothing-here"], ["nothing-here", "no such run"]),
    ],
)
def test_a_wrong_option_is_exit_4_and_builds_nothing(
    run: Runner, state_root: Path, arguments: list[str], says: list[str]
) -> None:
    result = run(*arguments)

    assert result.returncode == USAGE, result.stdout
    assert [text for text in says if text not in result.stdout] == []
    assert "Traceback" not in result.stdout
    assert not list(state_root.glob("ledger/*"))


@pytest.mark.parametrize(
    ("choice", "says"),
    [
        ({"rows": ("p30",)}, ["unknown row p30", "p10", "p20"]),
        ({"sets": (("pod", "3"),)}, ["pod", "pods"]),
        ({"engines": ("resource-consumr",)}, ["resource-consumr", "resource-consumer"]),
    ],
)
def test_a_wrong_name_lists_what_there_is(planner: Planner, choice: dict[str, Any], says: list[str]) -> None:
    with pytest.raises(UsageError) as caught:
        planner(**choice)

    assert [text for text in says if text not in str(caught.value)] == []


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ("name: {name}", "name: {name}\n  bad: [", 2, []),
        ("component: scheduler", "component: schedular", 3, ["scheduler"]),
        ("description:", "descripton:", 2, ["descripton", "did you mean", "description"]),
        ("rate: 20/s", "rate: 20 apples", 14, ["rate"]),
        ("max: 60s", "max: 60GiB", 18, ["60GiB"]),
        ("max: 60s", "max: 63.7ks", 18, ["63.7ks"]),
        ("use: pod-startup/running", "use: pod-startup/runing", 18, ["runing", "pod-startup/running"]),
        ("pods: ${{pods}}", "pods: ${{podz}}", 13, ["podz", "pods"]),
        ("p: 50, max: 60s, min_count: 10", "p: 99, max: 60s, min_count: 10", 18, ["300"]),
        (RUNNING, "use: kubelet/sandbox-create, p: 90, max: 4s", 18, ["3.05", "7.6"]),
    ],
)
def test_a_wrong_scenario_names_file_and_line(
    planner: Planner, scenario_root: Path, old: str, new: str, line: int, says: list[str]
) -> None:
    assert old in SCENARIO
    write_scenario(scenario_root, "alpha", SCENARIO.replace(old, new).format(name="alpha"))

    with pytest.raises(UsageError) as caught:
        planner()

    assert f"alpha/scenario.yaml:{line}" in str(caught.value)
    assert [text for text in says if text not in str(caught.value)] == []


def test_a_wrong_scenario_is_exit_4_before_anything_is_built(
    run: Runner, scenario_root: Path, state_root: Path
) -> None:
    write_scenario(scenario_root, "alpha", SCENARIO.replace("rate: 20/s", "rate: fast").format(name="alpha"))

    result = run("-m", "local", "--scenario=alpha")

    assert result.returncode == USAGE, result.stdout
    assert "alpha/scenario.yaml:14" in result.stdout
    assert not list(state_root.glob("ledger/*"))
