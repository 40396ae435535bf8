"""Every library entry can be used as it is, says what somebody on call needs, and Prometheus can read what it asks."""

from __future__ import annotations

import itertools
import json
import re
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pytest_telescope.errors import UsageError
from pytest_telescope.metrics.client import Prometheus
from pytest_telescope.metrics.serving import serve
from pytest_telescope.scenario.model import PROVIDERS
from pytest_telescope.scenario.model import ClusterSpec
from pytest_telescope.slo import library
from pytest_telescope.slo import queries
from pytest_telescope.slo.model import Judgement
from pytest_telescope.slo.model import Slo
from pytest_telescope.slo.model import Verdict
from pytest_telescope.slo.resolve import resolve
from pytest_telescope.toolchain import tool
from tests.slo.asked import judged
from tests.slo.conftest import record_world
from tests.slo.test_resolving import cell
from tests.slo.world import T0
from tests.slo.world import WINDOW
from tests.slo.world import World
from tests.slo.world import observed

SPAN = queries.span(WINDOW, 5.0)
VERSIONS = (None, "1.32", "1.33", "1.34", "1.35", "1.36", "1.37")
CONTROL_PLANE = (
    "api-server",
    "controller-manager",
    "coredns",
    "etcd",
    "kube-proxy",
    "priority-and-fairness",
    "scheduler",
    "watch-cache",
)
BASIC = {"real-nodes", "etcd-metrics", "controlplane-metrics"}
NAMED = re.compile(r"\b([a-z][a-z-]*)/([a-z][a-z0-9-]*)\b")
ALL = tuple(library.entries().values())


def needs(entry: library.Entry) -> set[str]:
    return {*entry.keys.get("requires", ()), *(one for one in entry.available_on if one not in PROVIDERS)}


CAPABILITIES = frozenset(name for entry in ALL for name in needs(entry))


def everything(provider: str = "local", version: str | None = "1.36") -> dict[str, Slo]:
    """Return every entry as it stands, resolved for a provider and a version, by name."""
    names = {entry.name.replace("/", "-"): entry.name for entry in ALL if not entry.name.startswith("builtin/")}
    made = cell(*({"use": name, "id": id_} for id_, name in names.items()), provider=provider)
    made = replace(made, cluster=ClusterSpec(kubernetes_version=version))
    found = {slo.id: slo for slo in resolve(made, CAPABILITIES)}
    return {names.get(id_, f"builtin/{id_}"): slo for id_, slo in found.items()}


def used(name: str, **keys: Any) -> Slo:
    return resolve(cell({"use": name, **keys}), CAPABILITIES)[-1]


def asked(slo: Slo) -> list[str]:
    if slo.form == "query":
        return [queries.fill(slo.query, SPAN, {"nodes": ["n1"]})]
    written = {"histogram": [f"{name}_bucket" for name in slo.metrics], "counter": [slo.counter]}
    names = written.get(slo.form, [slo.bad, slo.total])
    chosen = [_selected(slo, name) for name in names]
    made = [queries.delta, queries.born_safe_increase]
    return [build(one, slo.by, SPAN) for one in chosen for build in made]


def _selected(slo: Slo, written: str) -> str:
    name, _, matchers = written.partition("{")
    return queries.selector(name, queries.is_job(slo.job), matchers.rstrip("}"), slo.where)


def test_every_entry_resolves_for_every_provider_and_version() -> None:
    for provider in PROVIDERS:
        for version in VERSIONS:
            found = everything(provider, version)

            of_the_other_engine = {"builtin/engine-thresholds"}
            assert set(library.entries()) - set(found) == of_the_other_engine, (provider, version)


def test_every_entry_says_what_it_means_where_it_comes_from_and_where_to_look() -> None:
    lacking = [text for entry in ALL if not entry.name.startswith("builtin/") for text in library.mistakes(entry)]

    assert lacking == []


def test_what_an_entry_lacks_is_told_by_name() -> None:
    found = library.Entry(name="x/y", keys={"description": "one\ntwo", "job": "x"}, look_at="z")

    assert library.mistakes(found) == ("x/y has no ref", "x/y: description is not one line")


def test_key_that_means_nothing_is_an_error_when_the_library_is_read(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("ready: {histogram: a_seconds, min_counts: 3}\n", encoding="utf-8")

    with pytest.raises(UsageError, match=r"mine/ready has the unknown key min_counts: did you mean min_count\?"):
        library.read(file)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("late: {job: b, max: 1s, job: c}", "job is there twice in the mapping that starts at line 2"),
        ("ready: {job: d}", "ready is there twice in the mapping that starts at line 1"),
        ("late: {max: 2026-01-01}", "'2026-01-01' at line 2 is a timestamp"),
    ],
)
def test_what_yaml_would_take_silently_is_an_error_when_the_library_is_read(
    tmp_path: Path, text: str, told: str
) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(f"ready: {{job: a}}\n{text}\n", encoding="utf-8")

    with pytest.raises(UsageError, match=told):
        library.read(file)


def test_library_is_read_as_yaml_says() -> None:
    import yaml

    for file in library.FOLDER.glob("*.yaml"):
        document = yaml.safe_load(file.read_text(encoding="utf-8"))
        for entry in library.read(file):
            body = document[entry.name.partition("/")[2]]
            assert entry.keys == {key: body[key] for key in entry.keys}
            assert set(body) - set(entry.keys) <= {"available_on", "buckets", "look_at"}


def test_every_entry_that_is_pointed_to_is_there() -> None:
    files = {name.partition("/")[0] for name in library.entries()}
    pointed = {(entry.name, found[0]) for entry in ALL for found in NAMED.finditer(entry.look_at) if found[1] in files}

    assert {(at, name) for at, name in pointed if name not in library.entries()} == set()
    assert len(pointed) > 100


def test_every_bound_of_a_histogram_is_one_of_its_buckets_in_every_version() -> None:
    for version in VERSIONS:
        for name, slo in everything(version=version).items():
            known = library.entry(name).buckets_of(version)
            if slo.form == "histogram" and not slo.metrics[0].startswith("telescope_"):
                assert known, f"{name} has no buckets"
                assert list(known) == sorted(set(known)), f"{name}: buckets that do not rise"
                assert slo.bound.values[0] in known, f"{name} in {version}"


def test_what_an_entry_requires_is_a_basic_capability_or_that_of_its_own_job() -> None:
    strange = {
        entry.name: sorted(odd)
        for entry in ALL
        if (odd := set(entry.keys.get("requires", ())) - BASIC - {f"{entry.keys['job']}-metrics"})
    }

    assert strange == {}


def test_official_slos_gate_with_their_official_bounds() -> None:
    official = {"mutating": 1.0, "read-resource": 1.0, "read-namespace": 30.0, "pod-start": 5.0}

    found = {name: used(f"api-server/{name}") for name in official}

    assert {name: slo.bound.values[0] for name, slo in found.items()} == official
    assert {(slo.p, slo.level) for slo in found.values()} == {(99.0, "gate")}
    assert all("sig-scalability/slos" in slo.ref for slo in found.values())


def test_what_load_costs_never_gates() -> None:
    costs = [
        entry for entry in ALL if entry.name.endswith(("/cpu", "/memory")) and entry.name.startswith(CONTROL_PLANE)
    ]

    assert len(costs) == 12
    assert {entry.keys["level"] for entry in costs} == {"info"}


@pytest.mark.parametrize("stem", CONTROL_PLANE)
def test_file_says_which_versions_of_the_source_were_read(stem: str) -> None:
    lines = (library.FOLDER / f"{stem}.yaml").read_text(encoding="utf-8").splitlines()
    head = "\n".join(itertools.takewhile(lambda line: line.startswith("#"), lines))

    assert len(re.findall(r"v\d+\.\d+\.\d+", head)) >= 2


@pytest.mark.parametrize(
    ("name", "version", "why"),
    [
        ("scheduler/event-handling", "1.35", "kubernetes 1.35 is outside >=1.36"),
        ("api-server/pod-start", "1.34", "kubernetes 1.34 is outside >=1.36"),
        ("api-server/watch-list", "1.33", "kubernetes 1.33 is outside >=1.32, <1.33 or >=1.34"),
    ],
)
def test_metric_that_meant_something_else_is_skipped_in_those_versions(name: str, version: str, why: str) -> None:
    assert why in (everything(version=version)[name].skip or "")
    assert everything(version="1.36")[name].skip is None


def test_what_local_does_not_count_is_skipped_there_and_asked_for_on_clouds() -> None:
    names = [name for name in library.entries() if name.startswith("priority-and-fairness/")]
    local = resolve(cell(*({"use": name} for name in names)), frozenset())
    cloud = resolve(cell(*({"use": name} for name in names), provider="aks"), frozenset())

    assert all("not on local" in (slo.skip or "") for slo in local if not slo.id.startswith(("pods-", "consumed-")))
    assert [slo.skip for slo in cloud if not slo.id.startswith(("pods-", "consumed-"))] == [None] * 5


def test_watch_lists_are_judged_by_the_buckets_of_their_version() -> None:
    keys = {"use": "api-server/watch-list", "max": "180s"}
    new = replace(cell(keys), cluster=ClusterSpec(kubernetes_version="1.37"))

    assert resolve(new, CAPABILITIES)[-1].bound.values == (180.0,)
    with pytest.raises(UsageError, match="above the last bucket"):
        resolve(cell(keys), CAPABILITIES)


def test_every_exponential_layout_is_that_of_the_go_client() -> None:
    found = library.entry("kubelet/sandbox-create").buckets_of("1.36")

    assert found[:4] == (0.005, 0.0125, 0.03125, 0.078125)
    assert len(found) == 14


def test_buckets_are_those_of_the_newest_version_that_is_not_newer() -> None:
    entry = library.Entry(name="x/y", keys={}, buckets={"default": (1.0,), "1.30": (2.0,), "1.9": (3.0,)})

    assert [entry.buckets_of(version) for version in ("1.8", "1.10", "1.36", None)] == [(1.0,), (3.0,), (2.0,), (1.0,)]


def test_buckets_of_a_histogram_are_known_without_its_entry() -> None:
    assert library.known_buckets("coredns_dns_request_duration_seconds", None)[0] == 0.00025
    assert library.known_buckets("nobody_knows_me_seconds", "1.36") == ()


def test_unknown_entry_names_the_nearest_or_those_of_its_file() -> None:
    with pytest.raises(UsageError, match=r"did you mean api-server/mutating\?"):
        library.entry("api-server/mutatin")
    with pytest.raises(UsageError, match="there are watch-cache/read-wait, "):
        library.entry("watch-cache/0000000000")
    with pytest.raises(UsageError, match="is not in the library"):
        library.entry("../library/etcd")


@pytest.mark.e2e
def test_prometheus_can_read_every_query(tmp_path: Path) -> None:
    texts = [text for slo in everything().values() for text in asked(slo)]
    file = tmp_path / "rules.yml"
    rules = [{"record": f"r{number}", "expr": text} for number, text in enumerate(texts)]
    file.write_text(json.dumps({"groups": [{"name": "library", "rules": rules}]}))

    done = subprocess.run(
        [str(tool("promtool")), "check", "rules", str(file)], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stdout + done.stderr


SLI = "apiserver_request_sli_duration_seconds"
SLI_EDGES = (*library.entry("api-server/mutating").buckets_of("1.36"), float("inf"))


def control_plane() -> World:
    """Return a world in which the odd queries of the library have answers that are known by hand."""
    made = World()
    server = {"job": "kube-apiserver", "instance": "i1"}
    for job in ("kube-apiserver", "kube-scheduler", "kube-controller-manager", "kube-proxy"):
        made.target(job)
    slow = {**server, "verb": "POST", "scope": "resource"}
    made.histogram(SLI, {**slow, "group": "example.com", "resource": "widgets"}, observed(400, 9.0), edges=SLI_EDGES)
    made.histogram(SLI, {**slow, "group": "apps", "resource": "deployments"}, observed(400, 0.3), edges=SLI_EDGES)
    made.histogram(SLI, {**slow, "resource": "pods"}, observed(400, 0.7), edges=SLI_EDGES)
    made.histogram(SLI, {**slow, "resource": "pods", "subresource": "exec"}, observed(400, 50.0), edges=SLI_EDGES)
    made.counter("apiserver_resource_objects", {**server, "group": "apps", "resource": "deployments"}, lambda _: 7.0)
    made.counter(
        "apiserver_resource_objects", {**server, "resource": "pods"}, lambda now: 90.0 if now < T0 + 20 else -1
    )
    made.counter("apiserver_storage_objects", {**server, "resource": "deployments.apps"}, lambda _: 7.0)
    bound = {"job": "kube-scheduler", "instance": "i1", "result": "scheduled", "profile": "default"}
    made.counter("scheduler_schedule_attempts_total", bound, lambda now: 240.0 if now > T0 + 20 else None)
    for queue, depth in (("active", 0.0), ("gated", 40.0)):
        labels = {"job": "kube-scheduler", "instance": "i1", "queue": queue}
        made.counter("scheduler_pending_pods", labels, lambda now, d=depth: d if now > T0 + 50 else 60.0)  # type: ignore[misc] # bound early
    for name, total, count in (("replicaset", 30.0, 120.0), ("idle", 4.0, 4.0)):
        labels = {"job": "kube-controller-manager", "instance": "i1", "name": name}
        busy = float(name != "idle")
        made.counter(
            "workqueue_queue_duration_seconds_sum",
            labels,
            lambda now, t=total, b=busy: t * (1 + b * (now - T0)),  # type: ignore[misc] # bound early
        )
        made.counter(
            "workqueue_queue_duration_seconds_count",
            labels,
            lambda now, c=count, b=busy: c * (1 + b * (now - T0)),  # type: ignore[misc] # bound early
        )
    proxy = {"job": "kube-proxy", "instance": "i1", "node": "n1", "ip_family": "IPv4"}
    last = "kubeproxy_sync_proxy_rules_last"
    made.counter(f"{last}_queued_timestamp_seconds", proxy, lambda now: now - 1)
    made.counter(f"{last}_timestamp_seconds", proxy, lambda now: min(now, T0 + 10))
    return made


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    with serve(record_world(tmp_path_factory.mktemp("control-plane"), control_plane().openmetrics())) as prometheus:
        yield prometheus


def values(found: Judgement) -> dict[tuple[str, ...], float | None]:
    return {tuple(element.labels.values()): element.value for element in found.elements}


@pytest.mark.e2e
def test_official_latency_leaves_custom_resources_and_streams_out(served: Prometheus) -> None:
    found = judged(served, used("api-server/mutating"))

    assert found.verdict is Verdict.PASS
    assert set(values(found)) == {("", "pods", "POST"), ("apps", "deployments", "POST")}
    assert found.count == 800


@pytest.mark.e2e
def test_objects_are_told_by_their_new_name_where_there_are_both_and_never_minus_one(served: Prometheus) -> None:
    found = judged(served, used("api-server/objects"))

    assert values(found) == {("", "pods"): 90.0, ("apps", "deployments"): 7.0}


@pytest.mark.e2e
def test_objects_are_told_by_their_old_name_where_there_is_no_other(tmp_path: Path) -> None:
    old = World()
    old.target("kube-apiserver")
    labels = {"job": "kube-apiserver", "instance": "i1", "resource": "deployments.apps"}
    old.counter("apiserver_storage_objects", labels, lambda _: 7.0)
    with serve(record_world(tmp_path / "old", old.openmetrics())) as prometheus:
        found = judged(prometheus, used("api-server/objects"))

    assert values(found) == {("", "deployments.apps"): 7.0}


@pytest.mark.e2e
def test_objects_that_nobody_counted_are_invalid(tmp_path: Path) -> None:
    bare = World()
    bare.target("kube-apiserver")
    with serve(record_world(tmp_path / "bare", bare.openmetrics())) as prometheus:
        found = judged(prometheus, used("api-server/objects"))

    assert found.verdict is Verdict.INVALID


@pytest.mark.e2e
def test_throughput_counts_the_pods_that_its_counter_was_born_with(served: Prometheus) -> None:
    assert judged(served, used("scheduler/throughput")).value == 240 / 60


@pytest.mark.e2e
def test_gated_pods_do_not_wait_for_the_scheduler(served: Prometheus) -> None:
    assert judged(served, used("scheduler/pending")).value == 0
    assert values(judged(served, used("scheduler/pending-peak"))) == {("active",): 60.0, ("gated",): 60.0}


@pytest.mark.e2e
def test_mean_wait_in_a_queue_leaves_idle_queues_out(served: Prometheus) -> None:
    found = values(judged(served, used("controller-manager/queue-wait")))

    assert found == {("replicaset",): pytest.approx(0.25)}


@pytest.mark.e2e
def test_proxy_that_stopped_writing_rules_lags(served: Prometheus) -> None:
    found = judged(served, used("kube-proxy/sync-lag"))

    assert found.verdict is Verdict.FAIL
    assert found.value == pytest.approx(45, abs=5)
