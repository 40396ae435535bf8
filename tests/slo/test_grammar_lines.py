"""A mistake in an SLO is told with the file and line of the very key, wherever it was written."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from pytest_telescope.scenario import loading
from pytest_telescope.scenario.command import all_cells
from pytest_telescope.slo.command import lint
from pytest_telescope.slo.parsing import unreadable
from pytest_telescope.slo.planned import Planned
from pytest_telescope.slo.resolve import resolve

HEAD = """name: demo
component: kubelet
load:
  resource-consumer: {pods: 1}
slos:
"""
"""Five lines; what follows begins in line 6."""
EVERYTHING = frozenset({"real-nodes", "etcd-metrics", "controlplane-metrics"})


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    made = tmp_path / "demo"
    made.mkdir()
    monkeypatch.chdir(tmp_path)
    return made


def told(folder: Path, text: str, sets: Sequence[tuple[str, str]] = ()) -> list[str]:
    """Return the mistakes of a scenario on local, without the name of its file."""
    (folder / "scenario.yaml").write_text(HEAD + text, encoding="utf-8")
    cells = loading.load(folder).cells("local", sets=dict(sets))
    return [line.removeprefix("demo/scenario.yaml:") for line in lint(cells, lambda _: EVERYTHING)]


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("  - id: a\n    query: |\n      max(b)\n    unit: count\n    max: 1\n", 7, "b is read at the end"),
        ("  - id: a\n    query: max(max_over_time(b[${w}]))\n    unit: count\n    max: 1s\n", 9, "max: '1s'"),
        (
            "  - id: a\n    query: max(rate(b_total[${w}]))\n    max: 1\n    unit: foot\n",
            9,
            "unit: unknown unit 'foot'",
        ),
        ("  - id: a\n    max: 1\n    query: max(rate(b_total[${w}]))\n", 8, "query: a query needs unit"),
        ("  - id: a\n    query: max(rate(b_total[${w}]))\n    unit: count\n    max: 0\n", 9, "max: 0 of a rate"),
        (
            "  - id: a\n    query: max(b)\n    window: slide(5m)\n    unit: count\n    max: 1\n",
            8,
            "window: 'slide(5m)'",
        ),
        ("  - id: a\n    counter: b_total\n    max: 1\n    by: [c]\n    quorum: 2\n", 10, "quorum: 2 is no share"),
        ("  - id: a\n    counter: b_total\n    max: 1\n    trust:\n      kube: '>1'\n", 9, "trust: unknown component"),
        ("  - id: a\n    counter: up\n    max: 1\n", 7, "counter: up is a gauge"),
        ("  - id: a\n    bad: a_total\n    total: b_total[5m]\n    max: 1%\n", 8, "total: b_total[5m] is not one"),
        ("  - id: a\n    counter: b_total\n    where: 'le=\"1\"'\n    max: 1\n", 8, "where: le="),
        ("  - id: a\n    counter: b_total\n    by: [c, c]\n    max: 1\n", 8, "by: [c, c]"),
        ("  - id: a\n    counter: b_total\n    expect: {c: d}\n    max: 1\n", 8, "expect: c is not in by"),
        ("  - id: a\n    counter: b_total\n    absent: {counter: zero}\n    max: 1\n", 8, "absent: needs job"),
        ("  - id: a\n    histogram: b_seconds\n    p: 99\n    min_count: 9\n    max: 1s\n", 9, "min_count: 9"),
        ("  - id: a\n    histogram: b_seconds_bucket\n    p: 99\n    max: 1s\n", 7, "without _bucket"),
        ("  - id: a\n    histogram: b_seconds\n    max: 1s\n", 6, "needs p"),
        ("  - max: 1s\n    use: kubelet/no-such-thing\n", 7, "is not in the library"),
        ("  - max: 7s\n    use: kubelet/pod-start-sli\n", 6, "the nearest are 6s and 8s"),
        ("  - use: kubelet/pod-start-sli\n    max: p90 <= 4s\n    p: 50\n", 7, "p90 in max, and p: 50"),
        ("  - id: a\n    counter: b_total\n    max:\n      aks: 1\n", 8, "no bound for local"),
        ("  - id: a\n    counter: b_total\n    max:\n      default: 1\n      lokal: 1\n", 8, "did you mean local?"),
    ],
)
def test_a_mistake_names_the_line_of_its_key(folder: Path, text: str, line: int, says: str) -> None:
    found = told(folder, text)

    assert [one for one in found if one.startswith(f"{line}: slo ") and says in one], found


def test_a_key_of_an_overlay_is_told_where_the_overlay_writes_it(folder: Path) -> None:
    text = "  - id: a\n    counter: b_total\n    max: 1\non:\n  local:\n    slos:\n      a:\n        max: 1s\n"

    assert [line.partition(": ")[0] for line in told(folder, text)] == ["13"]


def test_a_key_that_was_set_is_told_as_set(folder: Path) -> None:
    found = told(folder, "  - id: a\n    counter: b_total\n    max: 1\n", [("slos.a.max", "1s")])

    assert len(found) == 1
    assert found[0].startswith("--set slos.a.max")


def test_what_the_library_says_is_told_at_the_use_of_it(folder: Path) -> None:
    found = told(folder, "  - id: a\n    max: 1s\n    by: [x]\n    use: kubelet/sandbox-create\n")

    assert any(
        line.startswith("9: slo a: expect: node is not in by") and "kubelet/sandbox-create in the library" in line
        for line in found
    ), found


def test_what_prometheus_cannot_read_is_told_at_its_key(folder: Path) -> None:
    text = "  - id: a\n    unit: count\n    max: 1\n    query: max(max_over_time(b[${w}]), 1)\n"
    (folder / "scenario.yaml").write_text(HEAD + text, encoding="utf-8")
    plans = [
        Planned(cell=cell, slos=resolve(cell, EVERYTHING), skip=None, cluster="x")
        for cell in all_cells(loading.load(folder))
    ]

    assert [line.partition(" parse error")[0] for line in unreadable(plans)] == [
        "demo/scenario.yaml:9: slo a: query: Prometheus cannot read it: 1:1:"
    ]
