"""One test for every vacuous green: what ClusterLoader2 calls a success is red here, and says why.

Everything runs for real and in one cluster: the config by hand with the unmodified CL2, which must call it a success,
and through the engine, whose result is judged. `CASES` of vacuous_cases.py lists what is found after the run, with what
makes it green upstream; what is refused before a cluster is built, and what concerns files, clean-up and the exit code,
is below.
docs/vacuous-greens.md tells the same to users.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from pytest_telescope.cluster.local.provider import LocalProvider
from pytest_telescope.cluster.local.provider import capabilities_of
from pytest_telescope.errors import UsageError
from pytest_telescope.load.api import Api
from pytest_telescope.load.clusterloader2 import leftovers
from pytest_telescope.load.clusterloader2 import running
from pytest_telescope.load.clusterloader2 import stand_in
from pytest_telescope.load.clusterloader2.engine import ClusterLoader2
from pytest_telescope.load.clusterloader2.model import Case as Step
from pytest_telescope.load.clusterloader2.model import Summary
from pytest_telescope.load.clusterloader2.results import read_reports
from pytest_telescope.load.clusterloader2.review import review
from pytest_telescope.load.model import LoadResult
from pytest_telescope.slo.model import Element
from pytest_telescope.slo.model import Judgement
from pytest_telescope.slo.model import Verdict
from pytest_telescope.toolchain import tool
from tests.clusters import local_cluster
from tests.e2e.conftest import CHECKOUT
from tests.e2e.conftest import Harness
from tests.e2e.vacuous import DATA
from tests.e2e.vacuous import SPEC
from tests.e2e.vacuous import ByHand
from tests.e2e.vacuous import Run
from tests.e2e.vacuous import World
from tests.e2e.vacuous import judged
from tests.e2e.vacuous_cases import CASES
from tests.e2e.vacuous_cases import PODS
from tests.e2e.vacuous_cases import RUNS
from tests.e2e.vacuous_cases import Case
from tests.e2e.vacuous_prometheus import make_unfit
from tests.e2e.vacuous_prometheus import slow_calls

pytestmark = pytest.mark.e2e

AT_ONCE = 4
"""CL2 processes; most of their time they wait."""


@dataclass(frozen=True, kw_only=True)
class Told:
    """What both said of the same config."""

    upstream: ByHand
    result: LoadResult
    judgements: Mapping[str, Judgement]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One cluster for all runs, with a stand-in for CL2's Prometheus."""
    root = tmp_path_factory.mktemp("vacuous")
    with local_cluster(root / "state", SPEC, "local-vacuous") as cluster:
        assert cluster.prometheus_from_apiserver is not None
        with Api.from_kubeconfig(cluster.kubeconfig) as api:
            stand_in.make(api, cluster.prometheus_from_apiserver)
        yield World(cluster=cluster, root=root)


@pytest.fixture(scope="module")
def told(world: World, request: pytest.FixtureRequest) -> dict[str, Told]:
    """Run what the chosen tests ask for, those that need the cluster's Prometheus as it is first."""
    runs = [run for run in RUNS if run.name in _wanted(request)]
    by_hand: dict[str, ByHand] = {}
    results: dict[str, LoadResult] = {}
    with slow_calls(world.cluster.kubeconfig), pytest.MonkeyPatch.context() as patch:
        patch.setattr(stand_in, "make", lambda *_, **__: None)  # there is one already, which all runs share
        for unfit in (False, True):
            some = [run for run in runs if (run.prometheus == "unfit") is unfit]
            if unfit and some:
                make_unfit(world.cluster, world.root / "state")
            _at_once(world, some, by_hand, results)
    judgements = judged(results, world.root / "recording")
    return {
        name: Told(upstream=by_hand[name], result=result, judgements=judgements[name])
        for name, result in results.items()
    }


def _at_once(world: World, runs: list[Run], by_hand: dict[str, ByHand], results: dict[str, LoadResult]) -> None:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        tried = {run.name: (pool.submit(world.by_hand, run), pool.submit(world.engine, run)) for run in runs}
    by_hand |= {name: hand.result() for name, (hand, _) in tried.items()}
    results |= {name: engine.result() for name, (_, engine) in tried.items()}


def _wanted(request: pytest.FixtureRequest) -> set[str]:
    """Return the runs that the chosen tests look at."""
    chosen = [item.callspec.params for item in request.session.items if hasattr(item, "callspec")]
    cases = [params["case"].run for params in chosen if isinstance(params.get("case"), Case)]
    return {*cases, *(params["run"] for params in chosen if "run" in params)}


@pytest.mark.parametrize("run", [run.name for run in RUNS if run.upstream])
def test_upstream_calls_it_a_success(told: dict[str, Told], run: str) -> None:
    assert told[run].upstream.green, told[run].upstream.log[-3000:]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_here_it_is_not_green(told: dict[str, Told], case: Case) -> None:
    judgement = told[case.run].judgements[case.slo]
    of_one = [one.message for one in judgement.elements if _is_of(one, case)]
    texts = of_one if case.measurement else [judgement.message]

    assert judgement.verdict in {case.verdict, Verdict.INVALID, Verdict.ERROR}, judgement.message
    assert any(case.says in text for text in texts), judgement.elements


def _is_of(element: Element, case: Case) -> bool:
    return (element.labels.get("measurement"), element.verdict) == (case.measurement, case.verdict)


@pytest.mark.parametrize("run", ["green"])
def test_what_is_no_error_upstream_stays_green_here(told: dict[str, Told], run: str) -> None:
    """Lines of level E, a subset of pods that does not exist, and tests="0" in junit.xml belong to every good run."""
    one = told[run]

    assert any(line.startswith("E") for line in one.upstream.log.splitlines())
    (stateful,) = one.upstream.summaries("StatefulPodStartupLatency_Startup")
    assert {value for item in stateful for value in item["data"].values()} == {0}
    assert 'tests="0"' in (one.upstream.reports / "junit.xml").read_text()
    assert {judgement.verdict for judgement in one.judgements.values()} == {Verdict.PASS}
    assert one.judgements["engine-thresholds"].message == "engine-thresholds: 4 steps and measurements passed"
    assert one.result.outcome == "complete"


@pytest.mark.parametrize("run", ["timed-out"])
def test_percentiles_are_good_where_a_deployment_timed_out(told: dict[str, Told], run: str) -> None:
    (items,) = told[run].upstream.summaries("PodStartupLatency_Startup")
    (startup,) = [item["data"]["Perc99"] for item in items if item["labels"]["Metric"] == "pod_startup"]

    assert told[run].upstream.code == 1
    assert 0 < startup < 5000
    assert told[run].judgements[PODS].verdict is Verdict.FAIL
    assert told[run].result.outcome == "incomplete"


@pytest.mark.parametrize("run", ["trackers"])
def test_upstream_only_logs_what_its_trackers_found(told: dict[str, Told], run: str) -> None:
    log = told[run].upstream.log

    assert "System pod restart counts validation failed but systemPodsFailureEnabled is false" in log
    assert "OOMs recorded but clusterOOMsFailureEnabled is false" in log


@pytest.mark.parametrize("run", ["overwritten"])
def test_upstream_writes_fewer_files_than_it_gathers(told: dict[str, Told], run: str) -> None:
    files = list(told[run].upstream.reports.glob("SchedulingThroughput_*.json"))

    assert 1 <= len(files) < 4


@pytest.mark.parametrize("run", ["slow-calls-unfit"])
def test_upstream_counts_no_call_as_slow_where_bounds_are_spelt_otherwise(told: dict[str, Told], run: str) -> None:
    (items,) = told[run].upstream.summaries("slow-calls")
    (slow,) = [one for one in items if (one["labels"]["Verb"], one["labels"]["Resource"]) == ("POST", "secrets")]

    assert slow["data"]["Perc99"] > 1000
    assert int(slow["labels"]["Count"]) > 0
    assert slow["labels"]["SlowCount"] == "0"


def alone(world: World, run: Run, folder: str) -> Judgement:
    """Run a config through the engine only and judge it."""
    return judged({run.name: world.engine(run)}, world.root / folder)[run.name]["engine-thresholds"]


def test_a_summary_that_got_lost_is_missed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """CL2 appends to its list of summaries without a lock, so one is lost now and then; here it is deleted instead."""

    def lossy(reports: Path, config: str) -> tuple[tuple[Summary, ...], tuple[Step, ...] | None, str]:
        next(reports.glob("PodStartupLatency_*.json")).unlink()
        return read_reports(reports, config)

    monkeypatch.setattr(running, "read_reports", lossy)

    judgement = alone(world, Run(name="lost", config="green"), "lost")

    assert judgement.verdict is Verdict.INVALID
    assert "0 of 1 summary files PodStartupLatency_Startup were written" in judgement.message


def test_old_files_in_the_folder_of_the_reports_do_not_count(world: World) -> None:
    stale = "PodStartupLatency_Startup_zero-pods_2020-01-01T00:00:00Z.json"
    content = '{"version":"1.0","dataItems":[{"data":{"Perc99":7},"unit":"ms","labels":{"Metric":"pod_startup"}}]}'
    run = Run(name="stale", config="zero-pods")
    places = (world.root / "by-hand" / run.name / "reports", world.folder(run) / "main" / "reports")
    for place in places:
        place.mkdir(parents=True)
        (place / stale).write_text(content)

    upstream, result = world.by_hand(run), world.engine(run)

    assert upstream.green
    assert len(upstream.summaries("PodStartupLatency_Startup")) == 2
    assert not (places[1] / stale).exists()
    assert [value for gauge in result.gauges for _, value in gauge.series if value == 0.007] == []


EXITS_OTHERWISE = """\
#!/bin/sh
"{binary}" "$@"
code=$?
case " $* " in *" --dry-run=true "*) exit $code;; esac
{rest}
"""


@pytest.mark.parametrize(
    ("name", "rest", "says"),
    [
        ("swallowed", "exit 3", "exit code 3, though no step failed"),
        ("no-report", 'rm "{reports}/junit.xml"; exit 0', "junit.xml"),
    ],
)
def test_exit_code_and_report_are_both_needed(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, rest: str, says: str
) -> None:
    """Azure/telescope drops the exit code. The real CL2 runs, and a script around it ends otherwise."""
    run, script = Run(name=name, config="green"), tmp_path / "clusterloader2"
    rest = rest.format(reports=world.folder(run) / "main" / "reports")
    script.write_text(EXITS_OTHERWISE.format(binary=tool("clusterloader2"), rest=rest))
    script.chmod(0o755)
    monkeypatch.setenv("TELESCOPE_TOOL_CLUSTERLOADER2", str(script))

    judgement = alone(world, run, name)

    assert judgement.verdict is Verdict.ERROR
    assert says in judgement.message


def test_what_does_not_go_is_told(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Upstream only logs that its clean-up failed (pkg/test/simple_test_executor.go)."""
    run, engine = Run(name="stuck"), ClusterLoader2()
    monkeypatch.setattr(leftovers, "GONE_WITHIN", 2.0)

    upstream = world.by_hand(run, "--overwrite-test-config=Namespace.DeleteAutomanagedNamespaces=true")
    engine.prepare(world.seen(run), run.cell, world.folder(run))
    engine.run(world.seen(run), run.cell, world.folder(run), lambda _: None)
    left = engine.clean(world.seen(run), run.cell)

    assert upstream.green
    assert "Resource cleanup error" in upstream.log
    assert [(one.kind, one.name) for one in left] == [("namespaces", "telescope-local-stuck-1")]


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ("pod-issued", "image request-benchmark puts its load on from inside its pods"),
        ("dependency", "dependency DRATestDriver needs a driver whose pods really run"),
        ("custom-resource", "SandboxClaim (extensions.agents.x-k8s.io/v1beta1) is of no API group of Kubernetes"),
        ("trackers", "ClusterOOMsTracker ooms-not-enforced measures what really running containers do"),
    ],
)
def test_what_means_nothing_on_simulated_nodes_is_refused(config: str, says: str) -> None:
    cell = Run(name=config).cell

    with pytest.raises(UsageError) as refused:
        ClusterLoader2().check(cell, capabilities_of(cell.cluster))

    assert says in str(refused.value)
    ClusterLoader2().check(cell, LocalProvider.capabilities)  # not where pods really run


def test_the_page_for_users_lists_every_case() -> None:
    page = " ".join((CHECKOUT / "docs" / "vacuous-greens.md").read_text(encoding="utf-8").split())

    assert [case.name for case in CASES if f"**{case.name}.**" not in page] == []


def test_upstream_calls_a_load_that_no_pod_issues_a_success(world: World) -> None:
    assert world.by_hand(Run(name="pod-issued")).green


def test_a_misspelt_threshold_is_refused(world: World) -> None:
    """CL2 ignores params that it does not know (api/types.go), and compares with its default."""
    run = Run(name="mistyped")

    assert world.by_hand(run).green
    with pytest.raises(UsageError, match="treshold: PodStartupLatency knows no such param and ignores it"):
        review(run.cell, {})


def test_a_dry_run_fails_upstream_and_is_no_error_here(world: World) -> None:
    run = Run(name="dry", config="green")

    upstream = world.by_hand(run, dry_run=True)

    assert upstream.code == 1
    ClusterLoader2().check(run.cell, capabilities_of(run.cell.cluster))  # raises what it has against it


SCENARIO = """\
name: wrong-selector
description: Pods that its measurement does not see.
component: scheduler
cluster:
  pools:
    user: {count: 3}
load:
  clusterloader2:
    config: clusterloader2/wrong-selector/config.yaml
    overrides: {CL2_RUN: end-to-end}
    timeout: 1m
slos:
  - {use: pod-startup/running, p: 50, max: 60s, min_count: 5}
"""


def test_from_end_to_end(harness: Harness) -> None:
    folder = harness.scenario("wrong-selector", SCENARIO)
    for part in ("wrong-selector/config.yaml", "pod.yaml"):
        target = folder / "clusterloader2" / part
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(DATA / part, target)

    run = harness.run("-m", "local", "--scenario=wrong-selector")

    red = {case.name: case.red for case in run.cases if case.red}
    assert run.code == 1, run.output
    assert list(red) == ["test_slo[local-wrong-selector--engine-thresholds]"]
    assert str(red["test_slo[local-wrong-selector--engine-thresholds]"]).startswith(
        "INVALID engine-thresholds: Startup: PodStartupLatency_Startup: all its numbers are 0"
    )
