"""What stands in for Azure DevOps here expands and runs as documented, and refuses what it does not know."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.pipelines import scripts
from tests.pipelines.expressions import ExpressionError
from tests.pipelines.expressions import Names
from tests.pipelines.expressions import Scope
from tests.pipelines.expressions import evaluate
from tests.pipelines.runner import Build
from tests.pipelines.runner import JobRun
from tests.pipelines.tasks import Server
from tests.pipelines.tasks import TaskError
from tests.pipelines.tasks import read_junit
from tests.pipelines.templates import Expander
from tests.pipelines.templates import TemplateError

SCOPE = Scope(
    contexts={
        "parameters": {"on": True, "number": 3.0, "list": ["a", "b"], "one": {"name": "x-y"}},
        "variables": Names({"Build.Reason": "Manual", "empty": ""}),
    },
    functions={},
)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("'it''s'", "it's"),
        ("eq('A', 'a')", True),
        ("ne(variables['build.reason'], 'Schedule')", True),
        ("eq(variables.empty, '')", True),
        ("and(parameters.on, not(false), or(false, 1))", True),
        ("eq(parameters.number, '3')", True),
        ("eq(true, 'x')", True),
        ("parameters.list[1]", "b"),
        ("replace(parameters.one.name, '-', '_')", "x_y"),
        ("format('{0}-{1}-{0}', 'a', 3)", "a-3-a"),
        ("coalesce('', null, 'c')", "c"),
        ("in('b', 'a', 'B')", True),
        ("startsWith('refs/heads/main', 'refs/')", True),
    ],
)
def test_an_expression_has_its_documented_value(text: str, value: object) -> None:
    assert evaluate(text, SCOPE) == value


@pytest.mark.parametrize(
    "text",
    [
        "parameters.none",
        "variables['none']",
        "convertToJson('x')",
        "eq('a'",
        "'a' 'b'",
        "'open",
        "secrets.x",
        "a == b",
        ")",
    ],
)
def test_an_expression_that_is_not_known_is_refused(text: str) -> None:
    with pytest.raises(ExpressionError):
        evaluate(text, SCOPE)


HEAD = "parameters:\n- {name: on, type: boolean, default: true}\n- {name: names, type: object, default: [a, b]}\n"


def pipeline(folder: Path, text: str, **files: str) -> dict[str, Any]:
    """Expand a pipeline beside which `files` lie as templates."""
    for name, content in files.items():
        (folder / f"{name}.yml").write_text(content)
    (folder / "main.yml").write_text(text)
    return Expander(root=folder).pipeline(folder / "main.yml")


def test_conditions_loops_and_templates_are_expanded(tmp_path: Path) -> None:
    text = HEAD + (
        "steps:\n"
        "- ${{ if parameters.on }}:\n  - bash: first\n"
        "- ${{ else }}:\n  - bash: never\n"
        "- ${{ each name in parameters.names }}:\n"
        "  - template: one.yml\n    parameters: {name: '${{ name }}'}\n"
        "- bash: last\n  env:\n"
        "    ${{ if not(parameters.on) }}:\n      X: never\n"
        "    ${{ elseif parameters.on }}:\n      X: always\n"
    )
    template = "parameters:\n- {name: name, values: [a, b]}\nsteps:\n- bash: of ${{ parameters.name }}\n"

    steps = pipeline(tmp_path, text, one=template)["steps"]

    assert [step["bash"] for step in steps] == ["first", "of a", "of b", "last"]
    assert steps[-1]["env"] == {"X": "always"}


@pytest.mark.parametrize(
    ("call", "said"),
    [
        ("template: none.yml", "does not exist"),
        ("template: one.yml", "parameter count is missing"),
        ("{template: one.yml, parameters: {count: 1, other: 2}}", "no parameter other"),
        ("{template: one.yml, parameters: {count: many}}", "no number"),
        ("{template: one.yml, parameters: {count: 1, kind: c}}", "none of a, b"),
        ("{template: one.yml, parameters: {count: 1}, condition: x}", "parameters alone"),
        ("{bash: a, bash: b}", "stands twice"),
        ("bash: ${{ parameters.other }}", "'other' is not among"),
        ("bash: ${{ parameters.on", "not closed"),
    ],
)
def test_what_azure_devops_refuses_is_refused(tmp_path: Path, call: str, said: str) -> None:
    template = (
        "parameters:\n- {name: count, type: number}\n- {name: kind, values: [a, b], default: a}\nsteps:\n- bash: x\n"
    )

    with pytest.raises(TemplateError, match=said):
        pipeline(tmp_path, f"{HEAD}steps:\n- {call}\n", one=template)


def job(folder: Path, *steps: dict[str, Any], **agent: Any) -> JobRun:
    """Run one job of these steps."""
    bounded = [{"timeoutInMinutes": "1", "displayName": f"{number}", **step} for number, step in enumerate(steps)]
    build = Build(folder=folder / "agents", server=Server(folder=folder / "artifacts"), sources=folder, agent=agent)
    return build.run(
        {"variables": [{"name": "mine", "value": "$(Build.BuildId)!"}], "jobs": [{"job": "j", "steps": bounded}]}
    )[0]


def test_variables_reach_later_steps_by_macro_and_by_environment(tmp_path: Path) -> None:
    done = job(
        tmp_path,
        {"bash": 'echo "##vso[task.setvariable variable=made.here]yes"'},
        {
            "bash": 'echo "$MADE_HERE $OTHER $MINE ${SYSTEM_ACCESSTOKEN:-none}"',
            "env": {"OTHER": "$(mine) $(made.here) $(none)"},
        },
    )

    assert done.step("1").text == "yes 4711! yes $(none) 4711! none"
    assert done.undefined == {"none"}


def test_after_a_failure_a_step_runs_where_its_condition_says_so(tmp_path: Path) -> None:
    done = job(
        tmp_path,
        {"bash": "exit 3"},
        {"bash": "true"},
        {"bash": "true", "condition": "always()"},
        {"bash": "true", "condition": "failed()"},
        {"bash": "true", "condition": "ne(variables['none'], 'x')"},
        {"bash": "true", "condition": "and(succeeded(), eq(1, 1))"},
    )

    assert list(done.results.values()) == ["Failed", "Skipped", "Succeeded", "Succeeded", "Succeeded", "Skipped"]
    assert done.result == "Failed"


def test_a_failure_that_is_allowed_is_an_issue(tmp_path: Path) -> None:
    done = job(tmp_path, {"bash": "exit 1", "continueOnError": "true"}, {"bash": "true"})

    assert (done.result, done.results["1"]) == ("SucceededWithIssues", "Succeeded")


def test_a_task_that_is_not_known_and_a_login_that_is_not_there_are_red(tmp_path: Path) -> None:
    done = job(
        tmp_path,
        {"task": "Bash@3"},
        {"task": "AzureCLI@2", "inputs": {"azureSubscription": "c"}, "condition": "always()"},
    )

    assert list(done.results.values()) == ["Failed", "Failed"]
    assert "no login at Azure" in done.step("1").text


@pytest.mark.parametrize(("line", "reaches"), [("exec sleep 30", True), ("sleep 30", False)])
def test_a_cancel_reaches_what_a_script_starts_only_where_it_is_the_script(
    tmp_path: Path, line: str, reaches: bool
) -> None:
    """The task signals its shell alone: why every step here ends with `exec`."""
    file = tmp_path / "script.sh"
    file.write_text(f"echo begun\n{line}\ntrue\n")
    started: list[psutil.Process] = []
    cancelled = threading.Event()

    def hear(_line: str) -> None:
        started.extend(_sleeper())
        cancelled.set()

    script = scripts.Script(file=file, folder=tmp_path, environment={"PATH": "/usr/bin:/bin"})
    ended = scripts.run(script, scripts.Patience(step=20, interrupt=5, output=0.2), hear, cancelled)

    assert ended.stopped
    assert started[0].is_running() != reaches
    for process in started:
        if process.is_running():
            process.kill()


def _sleeper() -> list[psutil.Process]:
    """Wait for the program that the script starts after its first line."""
    mine = psutil.Process()
    for _ in range(1000):
        found = [one for one in mine.children(recursive=True) if one.name() == "sleep"]
        if found:
            return found
        threading.Event().wait(0.01)
    raise AssertionError("the script began no program within 10 s")


@pytest.mark.parametrize(
    "case",
    [
        '<testcase name="" time="1"/>',
        f'<testcase name="{"x" * 513}" time="1"/>',
        '<testcase name="x" time="nan"/>',
        '<testcase name="x"><system-out>[[ATTACHMENT|none.png]]</system-out></testcase>',
        "<testcase",
    ],
)
def test_a_junit_file_that_azure_devops_drops_or_cuts_is_red(tmp_path: Path, case: str) -> None:
    (tmp_path / "junit.xml").write_text(f"<testsuites><testsuite>{case}</testsuite></testsuites>")

    with pytest.raises(TaskError):
        list(read_junit(tmp_path / "junit.xml"))
