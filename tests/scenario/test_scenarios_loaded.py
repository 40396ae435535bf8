"""What a scenario offers, and the cells it makes: overlays, rows, engines, `--set`."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_telescope.errors import UsageError
from pytest_telescope.scenario import loading
from pytest_telescope.scenario.model import ClusterLoader2Spec
from pytest_telescope.scenario.model import ResourceConsumerSpec
from pytest_telescope.scenario.scenario import Scenario

DATA = Path(__file__).parent / "data"


@pytest.fixture(scope="module")
def cri() -> Scenario:
    return loading.load(DATA / "cri")


def consumer(scenario: Scenario, row: str, sets: dict[str, str]) -> ResourceConsumerSpec:
    load = scenario.cell("aks", row, sets=sets).load
    assert isinstance(load, ResourceConsumerSpec)
    return load


def test_all_scenarios_of_a_folder_are_found_by_name() -> None:
    assert list(loading.load_all(DATA)) == ["api-server", "cri", "pod-startup"]


def test_a_provider_is_there_unless_switched_off(cri: Scenario) -> None:
    assert cri.providers == ("aks", "eks", "local")


def test_the_default_engine_comes_first(cri: Scenario) -> None:
    assert cri.engines("aks") == ("resource-consumer", "clusterloader2")


def test_a_scenario_with_a_matrix_has_no_rowless_cell(cri: Scenario) -> None:
    assert [cell.row for cell in cri.cells("aks")] == ["p300", "p700"]


def test_a_scenario_without_a_matrix_has_one_cell() -> None:
    scenario = loading.load(DATA / "pod-startup")

    cells = scenario.cells("local")

    assert [(cell.id, cell.row) for cell in cells] == [("local-pod-startup", None)]
    assert scenario.rows("local") == (None,)


def test_no_rows_asked_are_no_cells(cri: Scenario) -> None:
    assert cri.cells("aks", rows=[]) == []


def test_the_engine_is_in_the_id_when_there_are_two(cri: Scenario) -> None:
    ids = [cell.id for cell in cri.cells("local", engines=cri.engines("local"))]

    assert ids == ["local-cri--p60--resource-consumer", "local-cri--p60--clusterloader2"]


def test_an_overlay_replaces_the_matrix(cri: Scenario) -> None:
    assert (cri.rows("aks"), cri.rows("local")) == (("p300", "p700"), ("p60",))


def test_an_overlay_merges_mappings_and_null_deletes(cri: Scenario) -> None:
    cluster = cri.cell("local", "p60").cluster

    assert list(cluster.pools) == ["user"]
    assert cluster.kubernetes_version is None
    assert (cluster.pools["user"].count, cluster.pools["user"].node) == (1, "containerd")
    assert cluster.pools["user"].labels == {"cri-resource-consume": "true"}


def test_an_overlay_patches_and_deletes_slos_by_id(cri: Scenario) -> None:
    before, after = cri.cell("aks", "p300").slos, cri.cell("local", "p60").slos

    assert [slo.id or slo.use for slo in before] == ["kubelet/sandbox-create", "pod-startup", "running"]
    assert [(slo.id or slo.use, slo.p, slo.max) for slo in after] == [
        ("kubelet/sandbox-create", None, "3.05s"),
        ("pod-startup", 90.0, "5s"),
    ]


def test_a_placeholder_alone_takes_the_type_of_the_value(cri: Scenario) -> None:
    load = cri.cell("aks", "p700", "clusterloader2").load

    assert isinstance(load, ClusterLoader2Spec)
    assert load.overrides == {"CL2_PODS": 700, "CL2_NAME": "n-700"}


def test_what_only_the_run_knows_stays_in_slos(cri: Scenario) -> None:
    sandbox, _, running = cri.cell("aks", "p300").slos

    assert sandbox.expect == {"node": "${nodes}"}
    assert running.query == "max(kubelet_running_pods) / 300 * ${w_s}"


def test_an_escaped_placeholder_is_plain_text(tmp_path: Path) -> None:
    text = (DATA / "cri" / "scenario.yaml").read_text(encoding="utf-8").replace('"n-${pods}"', '"n-$${pods}"')
    (tmp_path / "cri" / "clusterloader2").mkdir(parents=True)
    (tmp_path / "cri" / "clusterloader2" / "config.yaml").touch()
    (tmp_path / "cri" / "scenario.yaml").write_text(text, encoding="utf-8")

    load = loading.load(tmp_path / "cri").cell("aks", "p300", "clusterloader2").load

    assert isinstance(load, ClusterLoader2Spec)
    assert load.overrides["CL2_NAME"] == "n-${pods}"


def test_the_environment_fills_nothing(cri: Scenario, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("pods", "1")

    assert consumer(cri, "p300", {}).pods == 300


def test_every_spec_knows_its_line(cri: Scenario) -> None:
    cell = cri.cell("local", "p60")

    assert isinstance(cell.load, ResourceConsumerSpec)
    places = (
        cell.place,
        cell.cluster.pools["user"].place,
        cell.load.place,
        cell.load.consume.place,
        cell.slos[1].place,
    )
    assert [place.line if place else None for place in places] == [31, 8, 14, 14, 20]
    assert str(cell.place).endswith("cri/scenario.yaml:31")


def test_anchors_and_merge_keys_are_read() -> None:
    pools = loading.load(DATA / "api-server").cell("aks", "quick").cluster.pools

    assert {name: (pool.count, pool.max_pods) for name, pool in pools.items()} == {"nodes": (5, 250), "more": (2, 250)}


def test_set_changes_a_value_of_the_row(cri: Scenario) -> None:
    cell = cri.cell("aks", "p300", sets={"pods": "20"})

    assert isinstance(cell.load, ResourceConsumerSpec)
    assert (cell.id, cell.values, cell.load.pods) == ("aks-cri--p300--resource-consumer", {"pods": 20}, 20)


def test_set_changes_a_key_by_its_path_for_that_run_alone(cri: Scenario) -> None:
    changed = consumer(
        cri, "p300", {"load.resource-consumer.rate": "20/s", "load.resource-consumer.consume.cpu": "0.5"}
    )

    assert (changed.rate, changed.consume.cpu, changed.consume.memory) == (20, 0.5, "fit")
    assert consumer(cri, "p300", {}).rate == 10


@pytest.mark.parametrize("quote", ["'", '"'])
def test_set_takes_a_text_that_looks_like_a_number_in_quotes(cri: Scenario, quote: str) -> None:
    cell = cri.cell("aks", "p300", sets={"cluster.kubernetes_version": f"{quote}1.35{quote}"})

    assert cell.cluster.kubernetes_version == "1.35"


def test_set_reaches_an_slo_by_its_id_and_null_deletes(cri: Scenario) -> None:
    cell = cri.cell("aks", "p300", sets={"slos.pod-startup.max": "7s", "slos.running": "null", "budget.cost": "null"})

    assert [slo.max for slo in cell.slos] == ["3.05s", "7s"]
    assert cell.budget.cost is None


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("pod", "1", "--set pod=1: unknown value 'pod'; did you mean 'pods'? known: pods; or a path such as"),
        ("pods", "many", "--set pods=many: 'many' is not a whole number as in the row (300); write e.g. pods=300"),
        ("pods", "1.5", "--set pods=1.5: '1.5' is not a whole number as in the row (300); write e.g. pods=300"),
        ("pods", "true", "--set pods=true: 'true' is not a whole number as in the row (300); write e.g. pods=300"),
        ("pods", "9999", "load.resource-consumer.pods: 9999 pods cannot run: the pools take 1430"),
        ("load.resource-consumer.rte", "1/s", "load.resource-consumer.rte: unknown key 'rte'; did you mean 'rate'?"),
        ("load.resource-consumer.rate", "1", "load.resource-consumer.rate: 1 has no unit: write 1/s or 1/m"),
        (
            "load.resource-consumr.rate",
            "1",
            "unknown key of load 'resource-consumr'; did you mean 'resource-consumer'?",
        ),
        ("cluster.pools.usr.count", "1", "unknown pool 'usr'; did you mean 'user'? known: system, user"),
        ("cluster.teir", "x", "cluster.teir: unknown key 'teir'; did you mean 'tier'?"),
        ("slos.pod-start.max", "1s", "slos.pod-start: unknown SLO 'pod-start'; did you mean 'pod-startup'?"),
        ("matrix.p300.pods", "1", "unknown key 'matrix'; known: cluster, load, slos, budget"),
        ("load..x", "1", "unknown key 'load'"),
    ],
)
def test_a_wrong_set_is_told(cri: Scenario, name: str, text: str, says: str) -> None:
    with pytest.raises(UsageError) as caught:
        cri.cell("aks", "p300", sets={name: text})

    assert says in str(caught.value)
    assert name == "pods" or f"--set {name}={text}: " in str(caught.value)


def test_set_keeps_the_type_of_each_value() -> None:
    scenario = loading.load(DATA / "api-server")

    cell = scenario.cell("aks", "quick", sets={"hold": "2m", "share": "1", "tolerate": "false"})

    assert cell.values == {"pods": 20, "hold": "2m", "share": 1.0, "tolerate": False}


@pytest.mark.parametrize(
    ("where", "says"),
    [
        (("azure", None, None), "unknown provider 'azure'; known: aks, eks, local"),
        (("gke", None, None), "unknown provider for cri 'gke'"),
        (("aks", "p30", None), "unknown row of cri on aks 'p30'; did you mean 'p300'? known: p300, p700"),
        (
            ("aks", "p300", "clusterloader"),
            "unknown engine for cri on aks 'clusterloader'; did you mean 'clusterloader2'?",
        ),
        (("aks", None, None), "cri has rows on aks; name one of: p300, p700"),
    ],
)
def test_an_unknown_name_is_told_with_the_known_ones(
    cri: Scenario, where: tuple[str, str | None, str | None], says: str
) -> None:
    with pytest.raises(UsageError) as caught:
        cri.cell(*where)

    assert says in str(caught.value)
    assert "cri/scenario.yaml:1: " in str(caught.value)


def test_an_unknown_scenario_is_told_with_the_nearest() -> None:
    with pytest.raises(UsageError) as caught:
        loading.load_named(DATA, ["pod-start"])

    assert (
        str(caught.value)
        == "unknown scenario 'pod-start'; did you mean 'pod-startup'? known: api-server, cri, pod-startup"
    )


def test_what_is_alike_in_all_rows_is_made_once(cri: Scenario) -> None:
    first, second = cri.cells("aks")

    assert first.cluster is second.cluster
    assert first.slos[0] is second.slos[0]
    assert first.load is not second.load
