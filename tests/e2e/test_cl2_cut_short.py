"""ClusterLoader2 ends before its time on a cluster that lives on: told as it was, and nothing of its load stays."""

from __future__ import annotations

import re
import shutil
import signal
from collections.abc import Callable
from dataclasses import dataclass
from dataclasses import field
from pathlib import Path
from typing import Any

import pytest

from pytest_telescope.cluster import processes
from pytest_telescope.load.clusterloader2.command import environment
from tests.e2e.conftest import Harness
from tests.e2e.conftest import Run
from tests.e2e.conftest import traces
from tests.e2e.watched import RBAC
from tests.e2e.watched import Watched
from tests.e2e.watched import secrets

pytestmark = [pytest.mark.e2e, pytest.mark.extra]  # three minutes; test_cl2_signals is what CI runs of it

DATA = Path(__file__).parent / "data" / "signals"
FOREIGN = f"{RBAC}/clusterroles/somebody-elses"
FROM_OURS = {
    "CL2_DEPLOYMENTS": "50",
    "NUM_NODES": "7",
    "PROVIDER": "gke",
    "ENABLE_EXEC_SERVICE": "true",
    "TZ": "Asia/Tokyo",
}
"""Variables of the caller that CL2 would obey."""


@dataclass
class Story:
    """What was seen of the run while it was under way."""

    objects: dict[str, set[str]] = field(default_factory=dict)
    secrets: set[bytes] = field(default_factory=set)
    marked: set[tuple[str, str]] = field(default_factory=set)
    environment: dict[str, str] = field(default_factory=dict)
    command: list[str] = field(default_factory=list)
    lease: str = ""

    def look(self, name: str) -> Callable[[Watched], None]:
        """Return what notes the cluster's objects under a name."""

        def look(run: Watched) -> None:
            with run.standing_still():
                self.objects[name] = run.objects()

        return look

    def end_unborn(self, run: Watched) -> None:
        """Kill CL2 while it sets its Prometheus up."""
        loader = run.loader()
        self.environment, self.command, self.lease = loader.environ(), loader.cmdline(), run.lease.name
        self.secrets = secrets(run.lease / "kubeconfig")
        self.marked = {(one.lease, one.role) for one in processes.marked(self.lease)}
        run.wait_for("customresourcedefinitions/prometheuses")
        loader.send_signal(signal.SIGKILL)

    def end_in_create(self, run: Watched) -> None:
        """Let somebody else make something, wait for all kinds of objects, and end CL2."""
        run.make(f"{RBAC}/clusterroles", _role("somebody-elses"))
        run.make(f"{RBAC}/clusterroles", _role("apiserver-debug-viewer"))
        run.make(f"{RBAC}/clusterrolebindings", _binding("anonymous:apiserver-debug-viewer"))
        run.wait_for(*(f"/signals-{kind}-0" for kind in ("role", "binding", "class", "space")))
        run.wait_for_pod("telescope-local-cut--ended-1")
        self.objects["at its end"] = run.objects()
        run.loader().send_signal(signal.SIGTERM)


def _role(name: str) -> dict[str, Any]:
    return {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": name}}


def _binding(name: str) -> dict[str, Any]:
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "apiserver-debug-viewer"}
    return {**_role(name), "kind": "ClusterRoleBinding", "roleRef": role}


@pytest.fixture(scope="module")
def story() -> Story:
    return Story()


@pytest.fixture(scope="module")
def run(shared: Harness, story: Story) -> Run:
    """One run of four rows on one cluster, and on a fresh one after the row that left something of somebody else's."""
    folder = shared.scenario("cut", (DATA / "rows.yaml").read_text())
    shutil.copytree(DATA, folder / "clusterloader2")
    plan = [
        (_line("unborn", "load       started"), story.look("before")),
        (_line("unborn", "load       clusterloader2 starts"), story.end_unborn),
        (_line("unborn", "destroy    done"), story.look("unborn")),
        (_line("ended", "load       step 2/5 create"), story.end_in_create),
        (_line("late", "load       started"), story.look("fresh")),
        (_line("late", "destroy    done"), story.look("late")),
    ]
    return shared.run("-m", "local", "--scenario=cut", when=Watched(shared.root, plan), environment=FROM_OURS)


def _line(row: str, text: str) -> str:
    return f"local-cut--{row}  {text}"


def test_nothing_of_a_load_stays_in_the_cluster(run: Run, story: Story) -> None:
    before = story.objects["before"]

    assert story.objects["unborn"] == before, run.output
    assert story.objects["late"] == story.objects["fresh"] == before
    assert traces(run.state) == []


def test_there_was_something_of_every_kind(run: Run, story: Story) -> None:
    made = story.objects["at its end"] - story.objects["before"]
    expected = {
        "/api/v1/namespaces/telescope-local-cut--ended-1",
        "/api/v1/namespaces/telescope-local-cut--ended-2",
        "/api/v1/namespaces/monitoring",
        "/api/v1/namespaces/signals-space-0",
        "/api/v1/nodes/telescope-monitoring",
        "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/servicemonitors.monitoring.coreos.com",
        "/apis/scheduling.k8s.io/v1/priorityclasses/signals-class-0",
        "/apis/storage.k8s.io/v1/storageclasses/ssd",
        f"{RBAC}/clusterroles/prometheus-k8s",
        f"{RBAC}/clusterroles/signals-role-0",
        f"{RBAC}/clusterrolebindings/anonymous:apiserver-debug-viewer",
        f"{RBAC}/clusterrolebindings/signals-binding-0",
    }

    assert expected <= made, run.output


def test_what_is_not_surely_of_the_load_is_named(run: Run) -> None:
    red = run.case("test_destroy[local-cut--ended]").red or ""

    assert red.startswith("ERROR leak: the load left clusterroles.rbac.authorization.k8s.io somebody-elses ("), (
        run.output
    )
    assert all(" somebody-elses (" in part for part in red.split("; "))


def test_one_that_began_no_step_is_an_error_and_nothing_is_judged(run: Run) -> None:
    red = run.case("test_load[local-cut--unborn]").red or ""

    assert re.match(r"ERROR clusterloader2 began no step: .*(signal 9|SIGKILL)", red), run.output
    assert all(case.skipped for case in run.cases if "test_slo[local-cut--unborn" in case.name)
    assert run.judgements("local-cut--unborn") == {}


@pytest.mark.parametrize(
    ("row", "words"),
    [("ended", r"create: ended by (signal 15|SIGTERM)"), ("late", r"rest: ended by the time-out after 1\d s")],
)
def test_one_that_began_is_judged_as_far_as_it_came(run: Run, row: str, words: str) -> None:
    thresholds = run.case(f"test_slo[local-cut--{row}--engine-thresholds]").red or ""

    assert (run.case(f"test_load[local-cut--{row}]").red or "").startswith("FAIL the load is incomplete"), run.output
    assert re.match(f"ERROR engine-thresholds: (ERROR )?{words}", thresholds)
    verdicts = {slo: one["verdict"] for slo, one in run.judgements(f"local-cut--{row}").items()}
    assert verdicts == {"engine-thresholds": "ERROR", "pods-complete": "PASS", "running": "PASS"}


def test_the_next_one_on_the_same_cluster_is_green(run: Run) -> None:
    assert [case.red for case in run.cases if "--whole" in case.name] == [None] * 6, run.output
    assert run.judgements("local-cut--whole")["running"]["count"] == 20


def test_each_has_its_own_reports(run: Run) -> None:
    folders = [run.folder.cell(cell).path / "load" / "main" for cell in run.folder.cells()]
    reports = {folder.parent.parent.name: {file.name for file in (folder / "reports").iterdir()} for folder in folders}

    assert {cell for cell, names in reports.items() if "junit.xml" in names} == {"local-cut--whole"}, run.output
    assert all(len(list(folder.glob("dry-run/generatedConfig_*"))) == 1 for folder in folders)


def test_it_sees_nothing_of_the_callers_environment_and_carries_the_lease(run: Run, story: Story) -> None:
    marks = {"TELESCOPE_LEASE": story.lease, "TELESCOPE_ROLE": "clusterloader2"}

    assert story.environment == environment(story.environment, marks), run.output
    assert not {name for name in story.environment if name.startswith("CL2_")} | {*FROM_OURS} & {*story.environment} - {
        "TZ"
    }
    assert story.environment["TZ"] == "UTC"
    assert (story.lease, "clusterloader2") in story.marked


def test_no_credential_gets_out(run: Run, story: Story) -> None:
    published = {path: path.read_bytes() for path in run.folder.publish.rglob("*") if path.is_file()}
    told = [*published.values(), run.output.encode(), " ".join(story.command).encode()]

    assert len(story.secrets) > 10
    assert any(path.name == "clusterloader2.log" for path in published)
    assert not [secret for secret in story.secrets if any(secret in text for text in told)]
