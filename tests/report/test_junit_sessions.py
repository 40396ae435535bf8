"""However a run ends, its junit.xml keeps Azure DevOps' rules, and every red case begins with its verdict."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import junitparser
import pytest

from pytest_telescope.metrics.model import Recording
from tests.report.junit_rules import problems
from tests.report.stub_session import CELL
from tests.report.stub_session import CHECKOUT
from tests.report.stub_session import GREEN
from tests.report.stub_session import RED
from tests.report.stub_session import Done
from tests.report.stub_session import Run
from tests.report.stub_session import session

HOSTILE = "\x1b[31mred\x1b[0m \x07bell \x00nul \ufffe " + "ä<&>\"'" + "x" * 10_000
VERDICTS = ("FAIL", "INVALID", "ERROR")


@pytest.fixture(scope="module")
def all_verdicts(tmp_path_factory: pytest.TempPathFactory, busy_recording: Recording) -> Done:
    """A run with an SLO of every verdict, whose description is hostile."""
    described = RED.replace("DESCRIPTION", json.dumps(HOSTILE.replace("\ufffe", "").replace("\x00", "")))
    return session(tmp_path_factory.mktemp("all"), busy_recording.path, slos=GREEN + described)


def is_read(done: Done) -> list[str]:
    """Return the names of the cases that junitparser reads as failed."""
    suites = junitparser.JUnitXml.fromfile(str(done.junit))
    cases = [case for suite in suites for case in suite]
    assert len(cases) == suites.tests
    return [str(case.name) for case in cases if any(isinstance(one, junitparser.Failure) for one in case.result)]


def test_every_verdict_keeps_the_rules_and_is_told_by_the_first_word(all_verdicts: Done) -> None:
    words = {name: message.split()[0] for name, message in all_verdicts.red().items()}

    assert problems(all_verdicts.junit) == []
    assert words == {
        f"test_slo[{CELL}--slow]": "FAIL",
        f"test_slo[{CELL}--too-few]": "INVALID",
        f"test_slo[{CELL}--absent]": "INVALID",
        f"test_slo[{CELL}--pods-complete]": "INVALID",
        f"test_slo[{CELL}--refused]": "ERROR",
    }
    assert sorted(is_read(all_verdicts)) == sorted(words)


def test_skips_and_greens_carry_no_failure_and_no_console(all_verdicts: Done) -> None:
    cases = all_verdicts.cases()

    skipped = cases[f"test_slo[{CELL}--consumed-as-asked]"].find("skipped")
    assert skipped is not None
    assert (skipped.get("message") or "").startswith("SKIP ")
    assert str(CHECKOUT) not in (skipped.text or "")
    assert [one.tag for one in cases[f"test_slo[{CELL}--green]"]] == ["properties"]


def test_properties_tell_value_bound_and_versions(all_verdicts: Done) -> None:
    found = {
        name: {one.get("name"): one.get("value") for one in case.iter("property")}
        for name, case in all_verdicts.cases().items()
    }

    slow = found[f"test_slo[{CELL}--slow]"]
    assert {name: slow[name] for name in ("verdict", "value", "bound", "unit", "count")} == {
        "verdict": "FAIL",
        "value": "4.7",
        "bound": "2s",
        "unit": "s",
        "count": "408.0",
    }
    assert float(slow["margin"] or "nan") == pytest.approx(-1.35)
    provision = found[f"test_provision[{CELL}]"]
    assert provision["kubernetes"] == "v1.36.3"
    assert float(provision["duration_s"] or "nan") >= 0
    assert "region" not in provision


def test_a_replay_keeps_the_rules_and_the_names(all_verdicts: Done) -> None:
    root = all_verdicts.run.parent.parent.parent

    subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-p", "no:cacheprovider"),
            *(f"--telescope-dir={root}/telescope", "--replay", all_verdicts.run.name),
        ],
        cwd=CHECKOUT,
        env={**os.environ, "TELESCOPE_SCENARIOS": f"{root}/scenarios", "TELESCOPE_STATE_DIR": f"{root}/state"},
        stdout=subprocess.PIPE,
        timeout=60,
        check=False,
    )

    again = Done(code=1, text="", run=all_verdicts.run)
    (folder,) = (all_verdicts.run / "replays").iterdir()
    assert problems(folder / "junit.xml") == []
    names = {name for name in again.cases() if name.startswith("test_slo")}
    assert {
        str(case.name) for suite in junitparser.JUnitXml.fromfile(str(folder / "junit.xml")) for case in suite
    } == names


def test_a_provision_that_fails_with_a_hostile_message_is_one_error(run: Run) -> None:
    done = run(stub={"at": {"provision": "error"}, "message": HOSTILE})

    assert problems(done.junit) == []
    assert list(done.red()) == [f"test_provision[{CELL}]"]
    assert done.red()[f"test_provision[{CELL}]"].startswith("ERROR")
    assert "\x1b" not in done.text


def test_a_bug_is_an_error_with_a_traceback(run: Run) -> None:
    done = run(stub={"at": {"load": "bug"}, "message": HOSTILE})

    assert problems(done.junit) == []
    assert done.red()[f"test_load[{CELL}]"].startswith("ERROR RuntimeError: red #x07bell #x00nul")
    failure = done.cases()[f"test_load[{CELL}]"].find("failure")
    assert failure is not None
    assert "happen" in (failure.text or "")
    assert "#x1B" not in (failure.text or "")


def test_a_destroy_that_fails_leaves_a_leak_with_its_files(run: Run) -> None:
    done = run(stub={"at": {"destroy": "error"}, "message": "the cloud says no", "files": {"logs:terraform.log": "no"}})

    assert problems(done.junit) == []
    assert list(done.red()) == [
        *(f"test_slo[{CELL}--pods-complete]", f"test_destroy[{CELL}]"),
        f"leak[{CELL}]",
    ]
    out = done.cases()[f"leak[{CELL}]"].findtext("system-out") or ""
    assert f"[[ATTACHMENT|cells/{CELL}/logs/terraform.log]]" in out


def test_a_red_case_names_logs_that_were_collected_after_it(run: Run) -> None:
    done = run(
        slos=GREEN + RED, stub={"files": {"logs:kubelet.log": "I1126", "logs:a,b].log": "no", "logs:empty.log": ""}}
    )

    out = done.cases()[f"test_slo[{CELL}--slow]"].findtext("system-out") or ""
    assert problems(done.junit) == []
    assert out.splitlines()[0] == f"[[ATTACHMENT|cells/{CELL}/pictures/slow.svg]]"
    assert f"[[ATTACHMENT|cells/{CELL}/logs/kubelet.log]]" in out
    assert "a,b" not in out
    assert "empty" not in out


@pytest.mark.parametrize(("stage", "sent"), [("provision", "SIGTERM"), ("load", "SIGINT")])
def test_an_interrupted_run_names_its_stage(run: Run, stage: str, sent: str) -> None:
    done = run(stub={"at": {stage: sent}})

    assert done.code == pytest.ExitCode.INTERRUPTED, done.text
    assert problems(done.junit) == []
    assert done.red()[f"test_{stage}[{CELL}]"].startswith("ERROR interrupted")
    assert all(message.split()[0] in VERDICTS for message in done.red().values())


def test_a_crashed_worker_is_an_error_with_the_name_of_its_item(run: Run) -> None:
    done = run("-n1", stub={"at": {"load": "exit"}})

    assert problems(done.junit) == []
    assert done.red()[f"test_load[{CELL}]"].startswith("ERROR worker 'gw0' crashed")
    assert "Traceback" not in done.text


def test_workers_write_what_one_process_writes(run: Run, all_verdicts: Done) -> None:
    done = run("-n1", slos=GREEN + RED)

    assert problems(done.junit) == []
    assert set(done.cases()) == set(all_verdicts.cases())
    assert set(done.red()) == set(all_verdicts.red())
    lines = [(one.run / "publish" / "results.jsonl").read_text().count("\n") for one in (all_verdicts, done)]
    assert lines[0] == lines[1] > 0


def test_the_first_red_cell_ends_a_run_after_its_destroy(run: Run) -> None:
    done = run("-x", scenarios=("alpha", "beta"))

    assert problems(done.junit) == []
    assert f"test_destroy[{CELL}]" in done.cases()
    assert not any("beta" in name for name in done.cases())
