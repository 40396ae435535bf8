"""What Allure is shown, made from what a cell left: pure functions and files, no session."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_telescope.report import allure_case
from pytest_telescope.report import allure_files
from pytest_telescope.report import allure_metrics
from pytest_telescope.report import allure_run
from pytest_telescope.report import allure_slo
from pytest_telescope.report import allure_stages
from pytest_telescope.report.allure_case import Case
from pytest_telescope.report.allure_shape import MOST_STEPS
from pytest_telescope.report.allure_shape import Step
from pytest_telescope.report.allure_shape import limited
from pytest_telescope.report.allure_shape import timeline
from pytest_telescope.report.allure_shape import walk
from pytest_telescope.report.allure_terraform import commands
from pytest_telescope.report.allure_terraform import seconds
from pytest_telescope.report.folder import CellFolder
from pytest_telescope.report.record import Record
from pytest_telescope.slo.model import Bound
from pytest_telescope.slo.model import Element
from pytest_telescope.slo.model import Judgement
from pytest_telescope.slo.model import Slo
from pytest_telescope.slo.model import Verdict

T0 = 1_700_000_000.0
LOG = """\

$ terraform apply  # 2023-11-14T22:13:20+0000
group.this: Creating...
group.this: Creation complete after 2s [id=g]
net.this: Creating...
cluster.this: Creating...
net.this: Still creating... [00m10s elapsed]
net.this: Creation complete after 12s [id=n]
cluster.this: Creation complete after 4m30s [id=c]
pool.a: Creating...
Error: quota
  with pool.a,

$ terraform output  # 2023-11-14T22:18:00+0000
"""
RECORD = Record(
    run="20231114-221320-aaaa",
    cell="aks-cri--p300",
    provider="aks",
    scenario="cri",
    row="p300",
    metric="sandbox-create",
    slo="sandbox-create",
    value=1.5,
    unit="s",
    n=300.0,
    better="lower",
    verdict="PASS",
    operator="max",
    bound=2.0,
    window_start=T0,
    window_end=T0 + 60,
    fingerprint="0" * 16,
    functional=False,
)
SLO = Slo(id="slow", form="histogram", bound=Bound(operator="max", values=(2.0,), unit="s", text="2s"), p=90.0)


def times(step: Step) -> tuple[float, float]:
    assert step.start is not None
    assert step.stop is not None
    return step.start - T0, step.stop - T0


def test_resources_of_terraform_begin_when_what_was_told_before_had_happened() -> None:
    apply, output = commands(LOG.splitlines())

    found = {step.name: (*times(step), step.status) for step in apply.steps(T0 + 280)}

    assert found == {
        "group.this": (0, 2, "passed"),
        "net.this": (2, 14, "passed"),
        "cluster.this": (2, 272, "passed"),
        "pool.a": (272, 280, "broken"),
    }
    assert (output.name, output.began - T0, output.steps(T0 + 281)) == ("output", 280, ())


@pytest.mark.parametrize(("text", "length"), [("0s", 0), ("59s", 59), ("1m30s", 90), ("1h0m1s", 3601), ("", 0)])
def test_lengths_of_terraform_are_read(text: str, length: float) -> None:
    assert seconds(text) == length


@given(st.text(alphabet="ab:. \n$#()Creating...complete after1s", max_size=300))
def test_no_log_of_terraform_is_too_strange_to_read(text: str) -> None:
    for command in commands(f"$ terraform apply  # 2023-11-14T22:13:20+0000\n{text}".splitlines()):
        command.steps(T0 + 10)


@given(st.lists(st.tuples(st.floats(-10, 110), st.sampled_from("abc"))))
def test_steps_of_a_stage_follow_each_other_without_a_gap(marks: list[tuple[float, str]]) -> None:
    found = timeline(0, 100, [(0, "first"), *marks])

    assert found[-1].stop == 100
    assert all(one.stop == other.start for one, other in pairwise(found))
    assert all(0 <= (one.start or 0) <= (one.stop or 0) <= 100 for one in found)


def test_of_very_many_steps_the_rest_is_counted() -> None:
    found = limited([Step(name=str(number)) for number in range(MOST_STEPS + 5)])

    assert len(found) == MOST_STEPS + 1
    assert found[-1].name == "and 5 more, left out here"


@pytest.fixture
def cell(tmp_path: Path) -> CellFolder:
    """A cell that came up, had a load in two waves, and whose destroy was interrupted."""
    folder = CellFolder(tmp_path / "local-alpha")
    stages = (("provision", 0, 300, "done"), ("load", 300, 400, "done"), ("destroy", 400, 410, "interrupted in: x"))
    for stage, begun, over, outcome in stages:
        folder.append("status.jsonl", {"stage": stage, "started": T0 + begun, "ended": T0 + over, "outcome": outcome})
    notes = (
        ("provision", 0, "started"),
        ("provision", 100, "terraform apply: 1 of 4 resources, now net.this"),
        ("provision", 281, "waiting for nodes: pool user lacks 2 of 3"),
        ("provision", 290, "waiting for nodes: pool user lacks 1 of 3"),
        ("load", 305, "waiting for one scrape of every target"),
        ("load", 320, "wave 1/2: 10 of 20 pods running"),
        ("load", 371, "waiting for two scrapes of every target"),
        ("load", 390, "20 of 20 pods ran"),
        ("load", 400, "done after 100.0 s"),
        ("destroy", 401, "collecting events"),
    )
    for note, when, text in notes:
        folder.append("notes.jsonl", {"time": T0 + when, "stage": note, "text": text})
    steps = {"hold-1": [T0 + 350, T0 + 370], "wave-1": [T0 + 310, T0 + 350]}
    folder.sub("load")
    document = {"started": T0 + 310, "ended": T0 + 370, "steps": steps, "message": "20 of 20 pods ran", "pods": {}}
    (folder.path / "load" / "load.json").write_text(json.dumps(document))
    return folder


def test_the_load_stands_between_what_came_before_and_after(cell: CellFolder) -> None:
    found = allure_stages.load(cell)

    assert [(one.name, *times(one)) for one in walk(found.steps)] == [
        ("prepare", 300, 305),
        ("waiting for one scrape of every target", 305, 310),
        ("the load", 310, 370),
        ("wave-1", 310, 350),
        ("hold-1", 350, 370),
        ("waiting for two scrapes of every target", 371, 400),
    ]
    assert found.attached[0].body.splitlines()[1] == "    20.0 s  wave 1/2: 10 of 20 pods running"


def test_a_stage_that_was_cut_short_is_broken_in_its_last_step(cell: CellFolder) -> None:
    steps = allure_stages.destroy(cell).steps

    assert [(one.name, one.status) for one in steps] == [("clean up", "passed"), ("collecting events", "broken")]
    assert steps[-1].message == "interrupted in: x"


def test_a_stage_that_left_nothing_shows_nothing(tmp_path: Path) -> None:
    assert allure_stages.load(CellFolder(tmp_path)).steps == ()
    assert allure_stages.destroy(CellFolder(tmp_path)).attached == ()


def test_long_logs_keep_their_end_and_long_documents_their_beginning(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text("x" * allure_files.LARGEST + "the end")
    (tmp_path / "a.json").write_text("[" + "1," * allure_files.LARGEST)

    log, document = allure_files.attached(tmp_path, ("*.log", "*.json"))

    assert (log.name, log.body[-7:]) == ("a.log (last 128 KiB of 128)", "the end")
    assert (document.name, document.kind, document.body[:3]) == ("a.json (first 128 KiB of 256)", "text", "[1,")


def test_what_is_too_much_for_one_item_is_named(tmp_path: Path) -> None:
    for number in range(10):
        (tmp_path / f"{number}.log").write_text("x" * allure_files.LARGEST)

    found = allure_files.attached(tmp_path, ("*.log",))

    assert sum(len(one.body) for one in found[:-1]) <= allure_files.MOST
    assert found[-1].name == "left out"
    assert found[-1].body.splitlines()[1:] == ["8.log", "9.log"]


def test_infinities_of_a_judgement_stay_json(tmp_path: Path) -> None:
    element = Element(labels={}, verdict=Verdict.FAIL, value=10.0, bucket=(10.0, float("inf")))
    judgement = Judgement(
        slo="slow", verdict=Verdict.FAIL, message="", unit="s", bound=SLO.bound, value=10.0, elements=(element,)
    )

    found = allure_slo.shown(judgement, tmp_path / "none.svg", tmp_path / "none.jsonl")

    assert json.loads(found.attached[-1].body)["elements"][0]["bucket"] == [10.0, "inf"]


@pytest.mark.parametrize(
    ("slo", "title"),
    [
        (SLO, "slow: p90 <= 2 s"),
        (replace(SLO, p=None), "slow: <= 2 s"),
        (replace(SLO, bound=Bound(operator="max", values=(0.0,), unit="count", text="0")), "slow"),
        (
            replace(SLO, bound=Bound(operator="between", values=(1.0, 2.0), unit="s", text="")),
            "slow: p90 between 1 s and 2 s",
        ),
    ],
)
def test_a_title_says_what_is_asked(slo: Slo, title: str) -> None:
    assert allure_slo.title(slo) == title


def test_a_node_id_is_read_back_with_the_name_that_histories_have() -> None:
    path = "scenarios/test_scenarios.py"

    assert allure_case.parsed(f"{path}::test_slo[aks-cri--p300--slow]") == (
        Case(test="test_slo", cell="aks-cri--p300", slo="slow"),
        "scenarios.test_scenarios#test_slo",
    )
    assert allure_case.parsed(f"{path}::leak[aks-cri]")[0] == Case(test="leak", cell="aks-cri")
    assert allure_case.parsed(f"{path}::check")[0] == Case(test="check", cell="")


def test_suites_are_provider_scenario_and_the_rest_of_the_cell() -> None:
    assert allure_case.suites("aks-cri") == ["aks", "cri"]
    assert allure_case.suites("aks-api-server--p1--clusterloader2") == ["aks", "api-server", "p1 clusterloader2"]


def test_a_metric_is_one_key_a_cell_and_slo() -> None:
    assert allure_metrics.entry(RECORD) == {
        "id": "20231114-221320-aaaa/aks-cri--p300/sandbox-create",
        "key": "aks-cri--p300/sandbox-create",
        "value": 1500.0,
        "start": 1_700_000_000_000,
        "stop": 1_700_000_060_000,
        "title": "aks p300: sandbox-create",
        "unit": "ms",
        "group": "cri",
        "better": "lower",
    }


def test_arms_are_metrics_of_their_own_and_local_ones_are_marked() -> None:
    arm = RECORD.model_copy(update={"arm": "a-old", "repeat": 2})
    local = RECORD.model_copy(update={"cell": "local-cri", "provider": "local", "row": None, "functional": True})

    assert allure_metrics.entry(arm)["key"] == "aks-cri--p300/sandbox-create/a-old"
    assert allure_metrics.title(local) == "local: sandbox-create (functional)"


@pytest.mark.parametrize("change", [{"value": None}, {"verdict": "INVALID"}, {"verdict": "ERROR"}, {"slo": None}])
def test_only_what_an_slo_measured_is_a_metric(tmp_path: Path, change: dict[str, object]) -> None:
    assert allure_metrics.write(tmp_path, "run", [RECORD.model_copy(update=change)]) is None
    assert list(tmp_path.iterdir()) == []


def test_what_differs_between_cells_is_said_of_each() -> None:
    cells = {
        "aks-cri": {"facts": {"kubernetes": "v1.34", "kernel": "6.6"}},
        "eks-cri": {"facts": {"kubernetes": "v1.33", "kernel": "6.6"}},
        "gke-cri": {},
    }

    found = allure_run.environment("run", cells)

    assert found["kubernetes"] == "aks-cri: v1.34; eks-cri: v1.33"
    assert found["kernel"] == "6.6"


def test_properties_keep_to_what_a_reader_of_java_properties_takes() -> None:
    assert allure_run.properties({"a b:c": "x\\y\nz=1"}) == "a_b_c=x\\\\y\\nz=1\n"


def test_the_build_is_named_on_azure_pipelines_and_github_and_nowhere_else() -> None:
    azure = {
        "TF_BUILD": "True",
        "SYSTEM_COLLECTIONURI": "https://dev.azure.com/org/",
        "SYSTEM_TEAMPROJECT": "my project",
        "BUILD_BUILDID": "17",
        "BUILD_BUILDNUMBER": "20231114.1",
        "BUILD_DEFINITIONNAME": "nightly",
    }
    github = {
        "GITHUB_ACTIONS": "true",
        "GITHUB_SERVER_URL": "https://github.com",
        "GITHUB_REPOSITORY": "a/b",
        "GITHUB_RUN_ID": "5",
        "GITHUB_RUN_NUMBER": "2",
        "GITHUB_WORKFLOW": "bench",
    }

    found = allure_run.executor(azure)

    assert found["buildUrl"] == "https://dev.azure.com/org/my%20project/_build/results?buildId=17"
    assert (found["buildOrder"], found["buildName"]) == (17, "nightly 20231114.1")
    assert allure_run.executor(github)["buildUrl"] == "https://github.com/a/b/actions/runs/5"
    assert allure_run.executor({}) == {}


@pytest.mark.parametrize(
    ("message", "name"),
    [
        ("FAIL slow p90 4 s <= 2 s\nmore", "SLO violated"),
        ("INVALID slow: no data", "Data missing or too thin"),
        ("ERROR capacity: no room", "No capacity in the cloud"),
        ("ERROR leak: lease 1 is not destroyed", "Left behind: not destroyed"),
        ("ERROR terraform apply failed", "Infrastructure, load or query failed"),
        ("KeyError: 'x'", "Red for a reason that nobody foresaw"),
    ],
)
def test_every_message_has_one_category(message: str, name: str) -> None:
    assert [one["name"] for one in allure_run.categories() if re.fullmatch(one["messageRegex"], message)] == [name]
