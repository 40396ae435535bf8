"""From SLOs as written to SLOs that can be judged, and every mistake on the way."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from pytest_telescope import paths
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
from pytest_telescope.slo.model import Slices
from pytest_telescope.slo.model import Slo
from pytest_telescope.slo.resolve import resolve

EVERYTHING = frozenset({"real-nodes", "etcd-metrics", "controlplane-metrics"})
RAW = {"id": "raw", "histogram": "kubelet_pod_start_sli_duration_seconds", "p": 99, "max": "5s"}
ASKED = {"id": "asked", "query": "max(max_over_time(depth[${w}]))", "unit": "count"}
QUERY = {**ASKED, "max": 3}
COUNTER = {"id": "counted", "counter": "kubelet_evictions", "max": 0}


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
        ({**QUERY, "query": "max(depth)"}, "query: depth is read at the end of the window alone"),
        ({**QUERY, "by": ["node"]}, "by: [node], but the query answers with no labels"),
        ({**QUERY, "query": "max by (node, zone) (max_over_time(depth[${w}]))"}, "answers with by (node, zone)"),
        ({**QUERY, "query": "sum(increase(a_total[${w}]))", "max": 0}, "max: 0 of a rate or increase"),
        ({**ASKED, "query": "sum(rate(a_total[${w}]))", "equals": 0}, "write the form counter: a_total"),
        ({**ASKED, "query": "sum(increase(a_total[${w}]))", "equals": 7}, "equals: 7 of a rate or increase"),
        ({**QUERY, "window": "sliding(5m)", "query": "max(depth @ ${start})"}, "query: ${start} in a query judged in"),
        ({**RAW, "window": "sliding(5m, step=10m)"}, "window: step 10m is longer than a slice"),
        ({**RAW, "quorum": "99%"}, "quorum means nothing without by"),
        ({**RAW, "by": ["node"], "quorum": 99}, "quorum: 99 is no share"),
        ({**RAW, "trust": {"kubernets": ">=1.36"}}, "trust: unknown component 'kubernets': did you mean kubernetes?"),
        ({**RAW, "histogram": "kubelet_pod_start_sli_duration_seconds_bucket"}, "write its name without _bucket"),
        ({**RAW, "where": 'le="1"'}, 'where: le="1" depends on how a bound is spelt'),
        ({**RAW, "where": 'quantile="0.9"'}, "where: quantile is a summary's label"),
        ({**RAW, "by": ["quantile"]}, "by: quantile is a summary's label"),
        ({**COUNTER, "counter": "apiserver_longrunning_requests"}, "is a gauge, which does not count"),
        ({**COUNTER, "counter": "rate(a_total[5m])"}, "counter: rate(a_total[5m]) is not one metric"),
        ({**COUNTER, "counter": 'a_total{b="c}'}, "counter: not PromQL"),
        ({**COUNTER, "max": "1%"}, "is a ratio, but counter kubelet_evictions wants a count"),
        ({**COUNTER, "counter": "a_seconds_total", "max": 5}, "5 has no unit, but counter a_seconds_total wants"),
        ({**COUNTER, "p": 99}, "p means nothing beside counter"),
        ({**COUNTER, "min_count": 5}, "min_count means nothing beside counter"),
        ({**COUNTER, "absent": {"counter": "zero"}}, "absent: needs job"),
        ({**COUNTER, "absent": {"bad": "zero"}, "job": "kubelet"}, "absent: only counter can be absent"),
        ({**COUNTER, "query": "x"}, "found counter and query"),
        ({"use": "kubelet/cri-errors", "counter": "x"}, "counter beside use"),
        ({"id": "x", "bad": "up", "total": "t_total", "max": "1%"}, "bad: up is a gauge"),
        (
            {"id": "x", "bad": "e_total", "total": "t_total + u_total", "max": "1%"},
            "total: t_total + u_total is not one",
        ),
    ],
)
def test_mistake_is_found_before_anything_is_built(keys: dict[str, Any], text: str) -> None:
    found = mistake(keys)

    assert text in found
    assert found.startswith("scenarios/cri/scenario.yaml:7: slo ")


@pytest.mark.parametrize(
    ("keys", "unit", "values"),
    [
        ({}, "count", (0.0,)),
        ({"counter": "a_seconds_total", "max": "5s"}, "s", (5.0,)),
        ({"counter": "a_bytes_total", "max": "1KiB"}, "B", (1024.0,)),
        ({"counter": "a_seconds_count", "max": 7}, "count", (7.0,)),
        ({"counter": 'a_total{code="500"}', "max": 3}, "count", (3.0,)),
        ({"max": None, "min": 1}, "count", (1.0,)),
        ({"max": None, "between": (1, 5)}, "count", (1.0, 5.0)),
    ],
)
def test_counter_takes_every_bound_in_the_unit_of_its_name(
    keys: dict[str, Any], unit: str, values: tuple[float, ...]
) -> None:
    found = one({**COUNTER, **keys})

    assert (found.form, found.bound.unit, found.bound.values) == ("counter", unit, values)
    assert found.counter == {**COUNTER, **keys}["counter"]
    assert found.min_count == 1


def test_example_of_the_guide_is_sound() -> None:
    guide = (paths.checkout() / "docs" / "slos.md").read_text(encoding="utf-8")
    written = yaml.safe_load(guide.partition("```yaml\n")[2].partition("```")[0])["slos"]

    found = resolve(cell(*written), EVERYTHING)

    assert {slo.form for slo in found} == {"histogram", "ratio", "counter", "query"}
    assert len(found) == 2 + len(written)


def test_new_keys_reach_the_judge() -> None:
    found = one(
        {
            **COUNTER,
            "where": 'eviction_signal="memory.available"',
            "by": ["node"],
            "job": "kubelet",
            "absent": {"counter": "zero"},
            "window": "sliding(5m, step=30s, good=95%)",
            "quorum": "90%",
            "trust": {"kubernetes": ">=1.30", "containerd": ">=2"},
        }
    )

    assert found.slices == Slices(mode="sliding", length=300.0, step=30.0, good=0.95)
    assert (found.quorum, found.trust) == (0.9, {"kubernetes": ">=1.30", "containerd": ">=2"})
    assert (found.absent_zero, found.by, found.skip) == (True, ("node",), None)


def test_whole_window_and_all_elements_unless_said() -> None:
    found = one(RAW)

    assert (found.slices, found.quorum, found.trust) == (None, 1.0, {})


@pytest.mark.parametrize(
    ("trust", "version", "skipped"),
    [
        ({"kubernetes": ">=1.36"}, "1.36", False),
        ({"kubernetes": ">=1.36.1"}, "1.36", False),
        ({"kubernetes": ">=1.36"}, "1.35", True),
        ({"kubelet": ">=1.36"}, "1.35", True),
        ({"kubernetes": ">=1.36"}, None, False),
        ({"containerd": ">=2"}, "1.35", False),
    ],
)
def test_slo_is_skipped_where_the_version_of_the_cluster_is_known_and_not_trusted(
    trust: dict[str, str], version: str | None, skipped: bool
) -> None:
    made = replace(cell({**RAW, "trust": trust}), cluster=ClusterSpec(kubernetes_version=version))
    skip = resolve(made, EVERYTHING)[-1].skip

    assert bool(skip) is skipped
    assert not skip or skip.startswith("raw is not trusted here: kube")


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
