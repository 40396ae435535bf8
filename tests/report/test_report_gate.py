"""The gate's file becomes rules of Allure: for the metrics that there is something to compare with, and no others."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_telescope.errors import UsageError
from pytest_telescope.report import gate
from pytest_telescope.report.gate import Gate
from pytest_telescope.report.gate import Limit

CELL = "aks-cri--p300"


def rules(baseline: dict[str, float], *limits: Limit) -> list[dict[str, object]]:
    return gate.rules(Gate(maxFailures=None, minTestsCount=None, metrics=limits), baseline, [CELL])


def test_the_projects_gate_lets_no_red_item_pass_and_asks_nothing_of_local_numbers() -> None:
    found = gate.load(gate.default())

    assert found.maxFailures == 0
    assert found.percent("local-cri--p60/sandbox-create") is None
    assert found.percent("aks-cri--p300/sandbox-create") == 40


def test_a_metric_with_an_earlier_value_gets_a_rule_named_after_it() -> None:
    assert rules({f"{CELL}/a": 1.0}, Limit(match="*", percent=10)) == [
        {"id": f"{CELL}/a", "metricMaxDeltaPercent": {"key": f"{CELL}/a", "value": 10.0}}
    ]


def test_the_first_pattern_that_matches_holds() -> None:
    limits = (Limit(match="*/a", percent=None), Limit(match="*", percent=5))

    assert [rule["id"] for rule in rules({f"{CELL}/a": 1.0, f"{CELL}/b": 1.0}, *limits)] == [f"{CELL}/b"]


def test_a_metric_of_a_cell_that_did_not_run_now_is_not_missed() -> None:
    assert rules({"eks-cri--p300/a": 1.0}, Limit(match="*", percent=5)) == []


def test_a_value_of_zero_has_no_percentage() -> None:
    assert rules({f"{CELL}/errors": 0.0}, Limit(match="*", percent=5)) == []


def test_a_rule_that_is_null_is_not_asked() -> None:
    assert gate.rules(Gate(maxFailures=None, minTestsCount=3), {}, [CELL]) == [{"minTestsCount": 3}]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("maxFailure: 0", "maxFailure: Extra inputs"),
        ("maxFailures: -1", "maxFailures: Input should be greater"),
        ("metrics: [{match: '*'}]", "metrics.0.percent: Field required"),
        ("- 1", "file: Input should be"),
        ("a: [", "cannot be read as a gate"),
    ],
)
def test_a_file_that_is_no_gate_is_refused_with_what_is_wrong(text: str, said: str, tmp_path: Path) -> None:
    file = tmp_path / "gate.yaml"
    file.write_text(text)

    with pytest.raises(UsageError, match=rf"gate\.yaml: {said}"):
        gate.load(file)


def test_a_gate_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"nothing\.yaml: cannot be read"):
        gate.load(tmp_path / "nothing.yaml")
