"""From SLOs as written to SLOs that can be judged, and every mistake on the way."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from pytest_telescope.errors import UsageError
from pytest_telescope.scenario.model import Budget
from pytest_telescope.scenario.model import Cell
from pytest_telescope.scenario.model import ClusterSpec
from pytest_telescope.scenario.model import Consume
from pytest_telescope.scenario.model import Place
from pytest_telescope.scenario.model import ResourceConsumerSpec
from pytest_telescope.scenario.model import SloSpec
from pytest_telescope.slo.command import lint
from pytest_telescope.slo.command import notes
from pytest_telescope.slo.model import Slo
from pytest_telescope.slo.resolve import resolve

EVERYTHING = frozenset({"real-nodes", "etcd-metrics", "controlplane-metrics"})
RAW = {"id": "raw", "histogram": "kubelet_pod_start_sli_duration_seconds", "p": 99, "max": "5s"}
QUERY = {"id": "asked", "query": "max(max_over_time(depth[${w}]))", "unit": "count", "max": 3}


def cell(*slos: dict[str, Any], provider: str = "local", load: ResourceConsumerSpec | None = None) -> Cell:
    return Cell(
        id=f"{provider}-cri",
        provider=provider,
        scenario="cri",
        row=None,
        engine="resource-consumer",
        description="",
        component="kubelet",
        values={},
        cluster=ClusterSpec(kubernetes_version="1.36"),
        load=load or ResourceConsumerSpec(pods=10, hold=30.0),
        slos=tuple(SloSpec(**keys) for keys in slos),
        budget=Budget(),
        folder=Path("scenarios/cri"),
        place=Place(Path("scenarios/cri/scenario.yaml"), 7),
    )


def one(keys: dict[str, Any], provider: str = "local", capabilities: frozenset[str] = EVERYTHING) -> Slo:
    return resolve(cell(keys, provider=provider), capabilities)[-1]


def mistake(keys: dict[str, Any]) -> str:
    with pytest.raises(UsageError) as caught:
        resolve(cell(keys), EVERYTHING)
    return str(caught.value)


def test_built_in_slos_come_first() -> None:
    found = resolve(cell(RAW), EVERYTHING)

    assert [slo.id for slo in found] == ["pods-complete", "consumed-as-asked", "raw"]


def test_library_entry_gives_all_but_the_bound_of_the_scenario() -> None:
    found = one({"use": "kubelet/sandbox-create", "max": "3.05s", "p": 90})

    assert (found.id, found.job, found.by, found.p, found.min_count) == (
        "sandbox-create",
        "kubelet",
        ("node",),
        90.0,
        100,
    )
    assert found.bound.values == (3.0517578125,)
    assert found.bound.note == "3.05s is judged at the bucket 3.051757812 s"
    assert found.look_at


def test_id_of_the_scenario_wins_over_the_name_of_the_entry() -> None:
    assert one({"use": "kubelet/sandbox-create", "id": "sandboxes"}).id == "sandboxes"


def test_short_form_says_p_and_bound_at_once() -> None:
    found = one({"use": "kubelet/pod-start-sli", "max": "p90 <= 4s"})

    assert (found.p, found.bound.values, found.bound.text) == (90.0, (4.0,), "4s")


@pytest.mark.parametrize(("provider", "value"), [("local", 2.0), ("aks", 1.0)])
def test_bound_may_differ_by_provider(provider: str, value: float) -> None:
    found = one({**RAW, "max": {"default": "1s", "local": "2s"}}, provider)

    assert found.bound.values == (value,)


@pytest.mark.parametrize(("p", "count"), [(50, 20), (75, 100), (90, 100), (99, 300), (99.9, 3000)])
def test_fewest_observations_follow_the_percentile(p: float, count: int) -> None:
    assert one({**RAW, "p": p}).min_count == count


def test_missing_capability_is_a_skip_with_its_reason() -> None:
    found = one({"use": "etcd/wal-fsync"}, capabilities=frozenset())

    assert found.skip == "wal-fsync requires etcd-metrics, which local does not have here"


def test_consumption_is_skipped_where_nothing_really_runs() -> None:
    bare = {slo.id: slo.skip for slo in resolve(cell(), frozenset())}
    idle = {slo.id: slo.skip for slo in resolve(cell(load=ResourceConsumerSpec(pods=1)), EVERYTHING)}
    lazy = ResourceConsumerSpec(pods=1, hold=30.0, consume=Consume(cpu=0))

    assert bare["pods-complete"] is None
    assert "requires real-nodes" in (bare["consumed-as-asked"] or "")
    assert "does not hold its pods" in (idle["consumed-as-asked"] or "")
    assert "asks for no CPU" in (resolve(cell(load=lazy), EVERYTHING)[1].skip or "")


def test_bound_of_a_built_in_slo_can_be_moved() -> None:
    found = resolve(cell({"use": "builtin/consumed-as-asked", "max": "20%"}), EVERYTHING)

    assert [(slo.id, slo.bound.values) for slo in found][1] == ("consumed-as-asked", (0.2,))


@pytest.mark.parametrize(
    ("keys", "text"),
    [
        ({"use": "kubelet/sandbox-creat"}, "did you mean kubelet/sandbox-create?"),
        ({"use": "kubelet/nothing-at-all-like-it"}, "there are kubelet/"),
        (
            {**RAW, "max": "1GiB"},
            "'1GiB' is a size, but metric kubelet_pod_start_sli_duration_seconds wants a duration",
        ),
        ({**RAW, "max": 5}, "5 has no unit"),
        ({**RAW, "max": "7s"}, "the nearest are 6s and 8s"),
        ({**RAW, "max": "2h"}, "above the last bucket"),
        ({**RAW, "max": "soon"}, "not a number with a unit"),
        ({**RAW, "max": {"aks": "1s"}}, "no bound for local"),
        ({**RAW, "max": {"default": "1s", "lokal": "2s"}}, "did you mean local?"),
        ({**RAW, "min": "1s"}, "exactly one bound"),
        ({k: v for k, v in RAW.items() if k != "max"}, "exactly one bound"),
        ({k: v for k, v in RAW.items() if k != "id"}, "has no id"),
        ({k: v for k, v in RAW.items() if k != "p"}, "needs p"),
        ({"id": "x", "histogram": "cilium_policy_implementation_delay", "p": 99, "max": "1s"}, "does not say its unit"),
        ({**RAW, "min_count": 100}, "100 is too few for p99: it needs 300"),
        ({**RAW, "by": ["node", "le"]}, "has a label twice, or le"),
        ({**RAW, "expect": {"node": "n1"}}, "node is not in by"),
        ({**RAW, "query": "x"}, "found histogram and query"),
        ({**RAW, "where": 'node="n1'}, "where: not PromQL"),
        ({**RAW, "id": "pods-complete"}, "reserved"),
        ({**RAW, "absent": {"bad": "zero"}}, "absent means nothing beside histogram"),
        ({"id": "x"}, "says what is measured; found none"),
        ({"id": "x", "bad": "errors_total", "max": "1%"}, "total is missing"),
        ({"id": "x", "bad": "e_total", "total": "t_total", "max": "1s"}, "wants a ratio"),
        ({"use": "kubelet/cri-errors", "total": "x"}, "total beside use"),
        ({"use": "kubelet/pod-start-sli", "max": "p90 <= 4s", "p": 50}, "p90 in max, and p: 50"),
        ({**QUERY, "unit": None}, "a query needs unit"),
        ({**QUERY, "unit": "furlong"}, "unknown unit 'furlong'"),
        ({**QUERY, "max": "5%"}, "is a ratio, but unit count wants"),
        ({**QUERY, "absent": {"query": "zero"}}, "absent: needs job"),
        ({**QUERY, "query": "max(depth) > 5"}, "comparison '>' at top level"),
    ],
)
def test_mistake_is_found_before_anything_is_built(keys: dict[str, Any], text: str) -> None:
    found = mistake(keys)

    assert text in found
    assert found.startswith("scenarios/cri/scenario.yaml:7: slo ")


def test_all_mistakes_of_a_cell_are_told_at_once() -> None:
    found = lint([cell({**RAW, "max": "7s"}, {**QUERY, "unit": "furlong"}, {"use": "x/y"})])

    assert len(found) == 3


def test_one_id_twice_is_a_mistake() -> None:
    found = lint([cell(RAW, {**QUERY, "id": "raw"})])

    assert found == [
        "scenarios/cri/scenario.yaml:7: slo raw: the id is taken by another SLO of this cell: give it an id of its own"
    ]


def test_snapped_bounds_and_skips_are_worth_a_note() -> None:
    found = notes([cell({"use": "kubelet/sandbox-create"})], lambda _: frozenset({"etcd-metrics"}))

    assert any("judged at the bucket" in note for note in found)
    assert any("requires real-nodes" in note for note in found)


def test_thousand_cells_are_resolved_within_the_time_of_a_collection() -> None:
    made = cell({"use": "kubelet/sandbox-create"}, RAW, QUERY, {"use": "api-server/mutating"})
    resolve(made, EVERYTHING)

    start = time.process_time()
    for _ in range(100):
        resolve(made, EVERYTHING)

    assert (time.process_time() - start) / 100 < 0.005
