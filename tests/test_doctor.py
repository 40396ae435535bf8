"""The doctor says what is there, what is missing, what it stops, and the command that mends it."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest

from pytest_telescope import doctor
from pytest_telescope.cluster import ledger
from pytest_telescope.doctor import leases
from pytest_telescope.doctor import machine
from pytest_telescope.doctor import node
from pytest_telescope.doctor import software
from pytest_telescope.doctor.model import Check
from pytest_telescope.scenario.model import ClusterSpec
from pytest_telescope.scenario.model import PoolSpec


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TELESCOPE_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("TELESCOPE_STATE_DIR", str(tmp_path / "state"))
    for name in [name for name in os.environ if name.startswith("TELESCOPE_TOOL_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def bare_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))


def run() -> tuple[int, str]:
    stream = io.StringIO()
    return doctor.run(stream), stream.getvalue()


def by_name() -> dict[str, Check]:
    return {check.name: check for check in doctor.checks()}


def test_a_machine_that_runs_these_tests_is_fit() -> None:
    code, text = run()

    assert code == 0
    assert "make bench runs the scenario" in text.splitlines()[-1]


def test_whatever_is_not_in_order_comes_with_what_mends_it() -> None:
    for check in doctor.checks():
        assert check.state == "ok" or check.mend or check.name == "real node", check


@pytest.mark.usefixtures("bare_path")
def test_missing_programs_are_named_with_their_packages() -> None:
    checks = by_name()

    assert checks["make"].state == "warn"
    assert "apt-get install make" in checks["make"].mend
    assert "runc" in checks["C compiler"].found
    assert "apt-get install gcc" in checks["C compiler"].mend


@pytest.mark.usefixtures("bare_path")
def test_go_and_terraform_are_not_missed_where_they_can_be_had() -> None:
    checks = by_name()

    assert checks["go"].state == "ok"
    assert "is fetched from PyPI" in checks["go"].found
    assert checks["terraform"].state == "ok"
    assert "OpenTofu is built" in checks["terraform"].found


@pytest.mark.usefixtures("bare_path")
def test_without_the_means_for_a_real_node_bench_takes_simulated_ones_and_says_why() -> None:
    scenario, why = doctor.bench_choice()

    assert scenario == "pod-startup"
    assert "a real node is not possible here: " in why


def test_another_user_than_root_gets_simulated_nodes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 65534)

    scenario, why = doctor.bench_choice()

    assert scenario == "pod-startup"
    assert "root" in why or "Linux" in why


def test_bench_and_the_check_of_the_real_node_agree() -> None:
    assert (doctor.bench_choice()[0] == "cri") == (node.verdict().state == "ok")


def test_a_missing_dependency_stops_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(software, "_required", lambda: ["pyyaml>=999", "no-such-package"])

    code, text = run()

    assert code == 1
    assert "not installed, or in another version: pyyaml>=999, no-such-package" in text
    assert "pip install --require-hashes -r" in text


def test_an_override_that_cannot_run_stops_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TELESCOPE_TOOL_ETCD", "/no/such/etcd")

    code, text = run()

    assert code == 1
    assert "TELESCOPE_TOOL_ETCD: etcd is /no/such/etcd, which is not a file" in text


def test_a_full_disk_says_how_much_to_free(tmp_path: Path) -> None:
    check = machine.disk("disk: cache", tmp_path / "not" / "yet", needed=1e9)

    assert check.state == "missing"
    assert "TELESCOPE_CACHE_DIR" in check.mend


def test_open_clusters_are_shown_with_the_command_that_ends_them() -> None:
    spec = ClusterSpec(kubernetes_version="1.36", pools={"user": PoolSpec(count=1)})
    ledger.open_lease(provider="local", cell="local-pod-startup", run="20260101-000000-abcd", spec=spec)

    check = leases.leases()

    assert check.state == "warn"
    assert "1 open: local-pod-startup (run 20260101-000000-abcd, its run is alive)" in check.found
    assert "telescope reap" in check.mend


def test_without_open_clusters_the_ledger_is_in_order() -> None:
    assert leases.leases().state == "ok"
