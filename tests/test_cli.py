"""The `telescope` command: exit codes, and errors without tracebacks."""

from __future__ import annotations

import json

import pytest

from pytest_telescope import cells
from pytest_telescope.cli import main


@pytest.fixture(autouse=True)
def _shipped_scenarios(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TELESCOPE_SCENARIOS", raising=False)
    cells.scenario.cache_clear()


def test_list_names_the_shipped_scenarios(capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["list"])

    out = capsys.readouterr().out
    assert code == 0
    assert "cri" in out
    assert "pod-startup" in out


def test_validate_resolves_every_slo_of_the_shipped_scenarios(capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["validate"])

    assert code == 0
    assert "SLOs resolved" in capsys.readouterr().out


def test_validate_of_an_unknown_scenario_is_exit_4_with_a_suggestion(capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["validate", "crj"])

    captured = capsys.readouterr()
    assert code == 4
    assert "cri" in captured.out + captured.err


def test_schema_is_json(capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["schema"])

    assert code == 0
    assert json.loads(capsys.readouterr().out)["$schema"].startswith("https://json-schema.org/")


def test_reap_without_leases_is_fine(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    monkeypatch.setenv("TELESCOPE_STATE_DIR", str(tmp_path_factory.mktemp("state")))

    code = main(["reap"])

    assert code == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("command", [["sweep"], ["sweep", "-m", "aks", "--run", "r", "--due"], ["kube-token", "aks"]])
def test_a_command_that_names_no_cloud_or_two_choices_is_refused(
    command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(command)

    assert "usage: telescope" in capsys.readouterr().err


def test_bench_passes_on_what_begins_with_a_dash_too(capfd: pytest.CaptureFixture[str]) -> None:
    code = main(["bench", "-p", "no:cacheprovider", "--collect-only", "-q"])

    assert code == 0
    assert "scenarios/test_scenarios.py::test_provision[local-" in capfd.readouterr().out


def test_other_commands_refuse_what_they_do_not_know(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["list", "--quick"])

    assert "unrecognized arguments: --quick" in capsys.readouterr().err
