"""How CL2 is started, and what it sees."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pytest_telescope.load.clusterloader2.command import LEAST_CLIENTS
from pytest_telescope.load.clusterloader2.command import MOST_CLIENTS
from pytest_telescope.load.clusterloader2.command import PROVIDERS
from pytest_telescope.load.clusterloader2.command import THROTTLING
from pytest_telescope.load.clusterloader2.command import VERBOSE
from pytest_telescope.load.clusterloader2.command import Invocation
from pytest_telescope.load.clusterloader2.command import clients_for
from pytest_telescope.load.clusterloader2.command import environment
from pytest_telescope.load.clusterloader2.model import Entry
from pytest_telescope.scenario.names import PROVIDERS as ALL_PROVIDERS

NEVER = (
    *("CL2_PODS", "CL2_PROMETHEUS_PVC_ENABLED", "KUBECONFIG", "PROVIDER", "NODES", "NUM_NODES", "DRY_RUN", "LOG_DIR"),
    *("ENABLE_PROMETHEUS_SERVER", "PROMETHEUS_SCRAPE_KUBELETS", "DELETE_NAMESPACE", "MASTER_IP", "REPORT_DIR"),
    *("KUBE_SSH_KEY", "PYTHONPATH", "LD_PRELOAD", "TELESCOPE_STATE_DIR", "GODEBUG", "TZ"),
)
CREDENTIALS = (
    *("AZURE_CONFIG_DIR", "AZURE_CLIENT_SECRET", "AAD_LOGIN_METHOD", "AWS_PROFILE", "AWS_SESSION_TOKEN"),
    *("GOOGLE_APPLICATION_CREDENTIALS", "CLOUDSDK_CONFIG", "USE_GKE_GCLOUD_AUTH_PLUGIN", "HTTPS_PROXY", "no_proxy"),
    *("SSL_CERT_FILE", "HOME", "PATH"),
)


def invocation(provider: str = "local", extra: tuple[str, ...] = ("--enable-prometheus-server=true",)) -> Invocation:
    return Invocation(
        binary=Path("bin") / "clusterloader2",
        entry=Entry(name="main", config=Path("config.yaml"), overrides=(Path("suite.yaml"),)),
        provider=provider,
        kubeconfig=Path("kubeconfig"),
        reports=Path("reports"),
        overrides=(Path("suite.yaml"), Path("over rides.yaml")),
        prefix="telescope-x",
        nodes=5,
        clients=7,
        extra=extra,
    )


def flags(command: list[str]) -> list[tuple[str, str]]:
    return [(name, value) for name, _, value in (word.partition("=") for word in command[1:])]


def test_a_command_line_is_flags_with_their_values_alone() -> None:
    for dry_run in (False, True):
        program, *rest = invocation().command(dry_run=dry_run)

        assert program == str(Path("bin") / "clusterloader2")
        assert all(word.startswith("--") and "=" in word for word in rest)


def test_what_is_asked_stands_in_the_command_line() -> None:
    given = flags(invocation().command())

    assert dict(given) | {"--overwrite-test-config": "", "--vmodule": "", "--testoverrides": ""} == {
        "--provider": "kind",
        "--kubeconfig": "kubeconfig",
        "--testconfig": "config.yaml",
        "--testoverrides": "",
        "--report-dir": "reports",
        "--nodes": "5",
        "--k8s-clients-number": "7",
        "--enable-exec-service": "false",
        "--port": "0",
        "--overwrite-test-config": "",
        "--v": "1",
        "--vmodule": "",
        "--enable-prometheus-server": "true",
    }
    assert [value for name, value in given if name == "--testoverrides"] == ["suite.yaml", "over rides.yaml"]
    assert [value for name, value in given if name == "--overwrite-test-config"] == [
        "Namespace.Prefix=telescope-x",
        "Namespace.DeleteAutomanagedNamespaces=false",
        "Namespace.DeleteStaleNamespaces=false",
    ]


def test_only_chosen_files_are_verbose_as_all_would_print_the_kubeconfig() -> None:
    given = dict(flags(invocation().command()))
    levels = dict(part.split("=") for part in given["--vmodule"].split(","))

    assert given["--v"] == "1"
    assert set(levels) == {*VERBOSE, THROTTLING}
    assert {name for name, level in levels.items() if level != "2"} == {THROTTLING}


def test_a_dry_run_needs_no_cluster_and_no_prometheus() -> None:
    given = dict(flags(invocation().command(dry_run=True)))

    assert given["--dry-run"] == given["--skip-cluster-verification"] == "true"
    assert given["--master-endpoint"]
    assert "--enable-prometheus-server" not in given


def test_every_provider_has_its_word() -> None:
    assert set(PROVIDERS) == set(ALL_PROVIDERS)
    assert [flags(invocation(name).command())[0][1] for name in PROVIDERS] == ["kind", "aks", "eks", "gke"]


@pytest.mark.parametrize("name", NEVER)
def test_what_would_change_the_test_never_passes(name: str) -> None:
    assert environment({name: "1", "PATH": "/bin"}, {}) == {"PATH": "/bin", "TZ": "UTC"}


@pytest.mark.parametrize("name", CREDENTIALS)
def test_what_the_credential_helpers_read_passes(name: str) -> None:
    assert environment({name: "1"}, {})[name] == "1"


def test_the_clock_of_the_log_is_utc_and_marks_are_seen() -> None:
    assert environment({"TZ": "Asia/Tokyo"}, {"MARK": "x"}) == {"TZ": "UTC", "MARK": "x"}


def test_the_own_environment_stays_as_it_is() -> None:
    before = dict(os.environ)

    environment(os.environ, {"MARK": "x"})

    assert dict(os.environ) == before


@pytest.mark.parametrize(
    ("rates", "clients"),
    [
        ((), LEAST_CLIENTS),
        ((0.1,), LEAST_CLIENTS),
        ((250.0,), 5),
        ((251.0,), 6),
        ((10.0, 1000.0, 5.0), 20),
        ((4999.0,), 100),
        ((1e9,), MOST_CLIENTS),
    ],
)
def test_clients_are_never_the_bottleneck(rates: tuple[float, ...], clients: int) -> None:
    assert clients_for(rates) == clients
    assert clients == MOST_CLIENTS or clients * 100 >= 2 * max(rates, default=0)
