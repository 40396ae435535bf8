"""An existing cluster by its kubeconfig: what is copied, and which namespaces are whose."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from pytest_telescope.cluster import attached_look
from pytest_telescope.cluster import attached_spaces
from pytest_telescope.cluster import kept
from pytest_telescope.cluster import ledger
from pytest_telescope.cluster.attached import AttachedProvider
from pytest_telescope.cluster.model import Cluster
from pytest_telescope.cluster.model import Lease
from pytest_telescope.cluster.providers import provider
from pytest_telescope.errors import PreflightError
from pytest_telescope.errors import ProvisionError
from pytest_telescope.scenario.model import ClusterSpec
from pytest_telescope.scenario.model import PoolSpec

OURS = {"app.kubernetes.io/managed-by": "pytest-telescope"}
TWO = """\
current-context: two
contexts:
  - {name: one, context: {cluster: first, user: first}}
  - {name: two, context: {cluster: second, user: second}}
clusters:
  - {name: first, cluster: {server: "https://127.0.0.1:1"}}
  - {name: second, cluster: {server: "https://127.0.0.1:2", certificate-authority: ca.pem}}
users:
  - {name: first, user: {token: hidden}}
  - {name: second, user: {exec: {command: ./login, args: [a]}, tokenFile: token}}
"""


@pytest.fixture
def kubeconfig(tmp_path: Path) -> Path:
    (tmp_path / "ca.pem").write_text("authority")
    (tmp_path / "config").write_text(TWO)
    return tmp_path / "config"


def lease(tmp_path: Path, cell: str = "aks-cri--p60") -> Lease:
    return Lease(id="0a1b2c3d", provider="attached", cell=cell, run="run", folder=tmp_path, created=0.0)


def test_the_copy_holds_the_current_context_alone_with_its_files(kubeconfig: Path, tmp_path: Path) -> None:
    copied = attached_look.copy(kubeconfig, tmp_path / "lease" / "kubeconfig")

    told = yaml.safe_load(copied.read_text())
    assert "hidden" not in copied.read_text()
    assert copied.stat().st_mode & 0o777 == 0o600
    assert [one["name"] for one in told["contexts"]] == ["two"]
    assert base64.b64decode(told["clusters"][0]["cluster"]["certificate-authority-data"]) == b"authority"
    assert told["users"][0]["user"]["exec"]["command"] == str(tmp_path / "login")
    assert told["users"][0]["user"]["tokenFile"] == str(tmp_path / "token")


@pytest.mark.parametrize("text", ["", "[]", "current-context: three\ncontexts: []\n", "{", "current-context: x\n"])
def test_what_is_no_kubeconfig_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "config").write_text(text)

    with pytest.raises(ProvisionError, match="not a usable kubeconfig"):
        attached_look.copy(tmp_path / "config", tmp_path / "copy")


def test_a_kubeconfig_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(PreflightError, match="missing is not there"):
        AttachedProvider(of="aks", kubeconfig=tmp_path / "missing").preflight(ClusterSpec())


def test_an_api_server_that_does_not_answer_is_named(kubeconfig: Path) -> None:
    kubeconfig.write_text(TWO.replace("current-context: two", "current-context: one"))

    with pytest.raises(PreflightError, match=r"https://127\.0\.0\.1:1 cannot be asked"):
        AttachedProvider(of="aks", kubeconfig=kubeconfig).preflight(ClusterSpec())


def test_a_leases_namespaces_are_those_with_its_label_and_new_ones_of_its_cell_without_any(tmp_path: Path) -> None:
    mine, other = {**OURS, "pytest-telescope/lease": "0a1b2c3d"}, {**OURS, "pytest-telescope/lease": "ffffffff"}
    there = {
        "default": {},
        "telescope-aks-cri--p60": mine,
        "telescope-aks-cri--p60-1": {},
        "telescope-aks-cri--p60-e2-1": {},
        "telescope-aks-cri--p60-2": {},
        "telescope-aks-cri--p600-1": {},
        "telescope-aks-api-1": {},
        "telescope-aks-cri--p60-3": other,
    }

    found = list(attached_spaces.chosen(there, lease(tmp_path), before=["telescope-aks-cri--p60-2"]))

    assert found == ["telescope-aks-cri--p60", "telescope-aks-cri--p60-1", "telescope-aks-cri--p60-e2-1"]


def test_a_name_that_an_engine_cut_is_still_the_cells(tmp_path: Path) -> None:
    cell = "aks-" + "long-" * 12 + "cell"

    found = attached_spaces.chosen({f"telescope-{cell}"[:41] + "-0123abcd-1": {}}, lease(tmp_path, cell), before=[])

    assert len(list(found)) == 1


def test_a_namespace_of_a_live_run_or_another_machine_keeps_others_away(
    open_lease: Callable[[ClusterSpec], Lease],
) -> None:
    live = open_lease(ClusterSpec())
    there = {
        "mine": {**OURS, "pytest-telescope/lease": live.id},
        "elsewhere": {**OURS, "pytest-telescope/lease": "ffffffff"},
        "theirs": {},
    }

    assert [text.split()[1] for text in attached_spaces.in_use(there)] == ["mine", "elsewhere"]


def test_a_kept_cluster_is_known_by_its_own_kubeconfig_alone(
    shared_cluster: Cluster, shared_lease: Lease, tmp_path: Path
) -> None:
    kept.remember(shared_cluster, shared_lease)
    (tmp_path / "config").write_bytes(shared_cluster.kubeconfig.read_bytes())

    assert kept.remembered(shared_cluster.kubeconfig) == shared_cluster
    assert kept.remembered(tmp_path / "config") is None
    assert (shared_lease.folder / kept.CLUSTER).stat().st_mode & 0o077 == 0


def test_a_kept_cluster_whose_run_still_lives_is_refused(shared_cluster: Cluster, shared_lease: Lease) -> None:
    kept.remember(shared_cluster, shared_lease)
    spec = ClusterSpec(pools={"user": PoolSpec(count=2, labels={"color": "blue"})})

    with pytest.raises(PreflightError, match="run test-run, which made the cluster, still runs"):
        AttachedProvider(of="local", kubeconfig=shared_cluster.kubeconfig).preflight(spec)


def test_a_lease_for_which_nothing_was_made_is_finished_by_the_ledger_alone(tmp_path: Path) -> None:
    finisher = provider("attached")

    finisher.destroy(lease(tmp_path))

    assert finisher.leftovers(lease(tmp_path)) == []


def test_a_kept_cluster_is_told_with_its_price_due_time_and_kubeconfig(
    shared_cluster: Cluster, shared_lease: Lease
) -> None:
    entries = [one for one in ledger.entries() if one.lease.id == shared_lease.id]

    (line,) = kept.lines(entries, lambda _provider, _spec: "costs 2.77 USD/h")

    assert line == (
        f"kept: local-shared, lease {shared_lease.id}; costs 2.77 USD/h; stays until reaped; "
        f"KUBECONFIG={shared_cluster.kubeconfig}; `telescope reap --run test-run`"
    )
