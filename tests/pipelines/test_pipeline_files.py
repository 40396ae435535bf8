"""What is true of every pipeline and step template, looked at without running any."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from pytest_telescope import cells
from pytest_telescope import paths
from pytest_telescope.cluster.clouds.due import lasting
from pytest_telescope.cluster.providers import provider
from pytest_telescope.load.engines import tools_of
from pytest_telescope.scenario.command import all_cells
from pytest_telescope.scenario.names import PROVIDERS
from tests.pipelines.runner import OF_AGENT
from tests.pipelines.runner import OF_JOB
from tests.pipelines.runner import PREDEFINED
from tests.pipelines.runner import ROOT
from tests.pipelines.runner import SECRET
from tests.pipelines.templates import Expander
from tests.pipelines.templates import load
from tests.pipelines.variables import macros

ROOTS = ("benchmark", "nightly", "pull-request", "sweep")
FILES = sorted([*ROOT.glob("pipelines/**/*.yml"), *ROOT.glob("steps/**/*.yml")])
SCRIPTS = sorted(path for path in ROOT.glob("steps/**/*") if path.suffix in {".sh", ".py"})
CLOUDS = tuple(name for name in PROVIDERS if name != "local")
STATUS = re.compile(r"\b(always|succeeded|succeededOrFailed|failed|canceled)\(\)")
WHATEVER_HAPPENS = ["Collect results", "Tests tab", "Run as artifact", "Destroy what is left"]
Step = dict[str, Any]
Job = dict[str, Any]


def variants() -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every pipeline with every choice that changes which steps it has."""
    yield from ((name, {}) for name in ROOTS)
    yield from (("benchmark", {"provider": name, "shards": "2"}) for name in CLOUDS)
    yield "sweep", {"delete": "false"}


VARIANTS = [pytest.param(name, given, id="-".join((name, *map(str, given.values())))) for name, given in variants()]
every_variant = pytest.mark.parametrize(("name", "given"), VARIANTS)


def expanded(name: str, given: dict[str, Any]) -> dict[str, Any]:
    """Return a pipeline as an organisation has it that filled in its connections."""
    found: dict[str, Any] = json.loads(_written(name, json.dumps(given)))
    return found


@cache
def _written(name: str, given: str) -> str:
    return json.dumps(filled(Expander(root=ROOT), name, json.loads(given)))


def filled(expander: Expander, name: str, given: dict[str, Any]) -> dict[str, Any]:
    """Expand with names of connections in place of the empty ones."""
    expander.settings = {f"{cloud}Connection": f"connection-{cloud}" for cloud in CLOUDS}
    return expander.pipeline(ROOT / "pipelines" / f"{name}.yml", given)


def jobs(name: str, given: dict[str, Any] | None = None) -> list[Job]:
    found: list[Job] = expanded(name, given or {})["jobs"]
    return found


def steps(name: str, given: dict[str, Any] | None = None) -> list[Step]:
    return [step for job in jobs(name, given) for step in job["steps"]]


def minutes(some: list[Step]) -> int:
    return sum(int(step["timeoutInMinutes"]) for step in some if "checkout" not in step)


@cache
def validator() -> Any:
    """Return the schema of the Azure Pipelines language server, which tells the type of a scalar by its text."""
    import check_jsonschema  # type: ignore[import-untyped]  # ships no types

    folder = Path(check_jsonschema.__file__).parent / "builtin_schemas" / "vendor"
    types = jsonschema.Draft7Validator.TYPE_CHECKER.redefine_many(
        {
            "boolean": lambda _checker, value: str(value).casefold() in {"true", "false"},
            "integer": lambda _checker, value: re.fullmatch(r"-?\d+", str(value)) is not None,
        }
    )
    kind: Any = jsonschema.validators.extend(  # type: ignore[no-untyped-call]  # its stubs leave it untyped
        jsonschema.Draft7Validator, type_checker=types
    )
    return kind(json.loads((folder / "azure-pipelines.json").read_text(encoding="utf-8")))


@every_variant
def test_an_expanded_pipeline_is_valid_by_the_public_schema(name: str, given: dict[str, Any]) -> None:
    errors = list(validator().iter_errors(expanded(name, given)))

    assert not errors, jsonschema.exceptions.best_match(errors)


@pytest.mark.parametrize("name", ROOTS)
def test_a_pipeline_as_it_stands_is_valid_by_the_public_schema(name: str) -> None:
    from check_jsonschema.transforms.azure_pipelines import azure_main  # type: ignore[import-untyped]  # likewise

    text = json.dumps(azure_main(load(ROOT / "pipelines" / f"{name}.yml")))
    tree = json.loads(text.replace('"job": "${{ provider }}"', '"job": "provider"'))  # the schema knows names alone

    assert list(validator().iter_errors(tree)) == []


def test_the_schema_refuses_an_input_that_a_task_does_not_have() -> None:
    tree = expanded("benchmark", {})
    next(s for s in tree["jobs"][0]["steps"] if s.get("task") == "PublishTestResults@2")["inputs"]["titel"] = "x"

    assert list(validator().iter_errors(tree))


def test_every_file_is_used() -> None:
    expander = Expander(root=ROOT)
    for name, given in variants():
        filled(expander, name, given)

    assert set(FILES) == expander.read
    texts = "".join(file.read_text(encoding="utf-8") for file in [*FILES, *SCRIPTS])
    assert [script for script in SCRIPTS if str(script.relative_to(ROOT)) not in texts] == []


def test_no_two_files_differ_in_numbers_only() -> None:
    shapes = [re.sub(r"\d+", "0", file.read_text(encoding="utf-8")) for file in FILES]

    assert len(set(shapes)) == len(shapes)


@every_variant
def test_every_macro_names_a_variable_that_somebody_defines(name: str, given: dict[str, Any]) -> None:
    tree = expanded(name, given)
    own = {one["name"] for one in tree["variables"]}
    told = {found for script in [*SCRIPTS, *FILES] for found in re.findall(r"variable=(\w+)", script.read_text())}

    used = macros(json.dumps(tree))

    assert used <= {*PREDEFINED, *SECRET, *OF_AGENT, *OF_JOB, *own, *told}


@every_variant
def test_a_script_holds_no_macro_and_takes_over_the_agents_signal(name: str, given: dict[str, Any]) -> None:
    for step in steps(name, given):
        text = step.get("bash", "")
        assert "$(" not in text, "a macro that nobody defines would be run as a command"
        last = text.strip().splitlines()[-1] if text else ""
        assert last.startswith(("exec ", "echo ", "exit ")) or not text, (
            f"without exec the agent's signal is lost: {last}"
        )


def test_no_script_has_an_expression_in_it() -> None:
    """What somebody types into a form must not become a part of a script."""
    for file in FILES:
        for line in re.findall(r"^ *- bash: (.*(?:\n {4,}.*)*)", file.read_text(encoding="utf-8"), re.MULTILINE):
            script = line.split("\n  displayName")[0]
            assert "${{" not in script.partition("displayName")[0]


@every_variant
def test_every_condition_says_what_it_means_after_a_failure(name: str, given: dict[str, Any]) -> None:
    """A condition replaces the `succeeded()` that stands there without one."""
    conditions = [one["condition"] for one in [*steps(name, given), *jobs(name, given)] if "condition" in one]

    assert [text for text in conditions if not STATUS.search(text)] == []


@pytest.mark.parametrize("provider_", PROVIDERS)
def test_whatever_happens_a_benchmark_publishes_and_then_cleans(provider_: str) -> None:
    job = jobs("benchmark", {"provider": provider_})[0]

    always = [step["displayName"] for step in job["steps"] if "always()" in step.get("condition", "")]

    assert always == [step.get("displayName") for step in job["steps"]][-4:] == WHATEVER_HAPPENS
    assert job["steps"][-1]["condition"] == "always()"


@every_variant
def test_every_step_and_job_is_bounded(name: str, given: dict[str, Any]) -> None:
    for job in jobs(name, given):
        assert minutes(job["steps"]) <= int(job["timeoutInMinutes"]), job["job"]


@pytest.mark.parametrize("name", ["benchmark", "nightly"])
def test_after_a_cancel_there_is_time_to_destroy_publish_and_clean(name: str) -> None:
    interrupt = next(v["value"] for v in expanded(name, {})["variables"] if v["name"] == "PROCESS_SIGINT_TIMEOUT")
    for job in jobs(name):
        after = [step for step in job["steps"] if "always()" in step.get("condition", "")]
        if after:
            assert int(interrupt) / 60_000 + minutes(after) <= int(job["cancelTimeoutInMinutes"])


def benchmarks(name: str) -> Iterator[tuple[Job, str, str, int]]:
    """Yield job, provider, scenario and minutes of every benchmark of a pipeline."""
    for job in jobs(name):
        for step in job["steps"]:
            env = step.get("env", {})
            if "--telescope-dir" in step.get("bash", ""):
                yield job, env["PROVIDER"], env["SCENARIO"], int(step["timeoutInMinutes"])


@pytest.mark.parametrize("name", ["benchmark", "nightly", "pull-request"])
def test_a_benchmark_may_last_as_long_as_the_budgets_of_its_shard_and_its_leases_last_longer(name: str) -> None:
    for job, provider_, scenario, allowed in benchmarks(name):
        own = [cell for cell in all_cells(cells.scenario(scenario)) if cell.provider == provider_]
        own = [cell for cell in own if cell.engine == own[0].engine]  # the default engine runs alone
        share = math.ceil(len(own) / int(job["strategy"]["parallel"]))
        budget = sum(sorted((cell.budget.time or 0 for cell in own), reverse=True)[:share]) / 60
        longest = int(job["timeoutInMinutes"]) + int(job["cancelTimeoutInMinutes"])
        assert budget < allowed, f"{job['job']}: {budget} minutes of budget, {allowed} allowed"
        assert all(lasting([cell.load]) / 60 > longest for cell in own)


def test_a_tool_that_a_cloud_needs_is_built_before_the_benchmark() -> None:
    for name in CLOUDS:
        step = next(s for s in steps("benchmark", {"provider": name}) if s.get("displayName") == "Tools")
        needed = {"prometheus", "promtool"}
        for scenario in cells.scenario_names():
            for cell in all_cells(cells.scenario(scenario)):
                if cell.provider == name:
                    needed |= {*provider(name).tools_of(cell.cluster), *tools_of(cell.engine)}
        assert set(step["env"]["TOOLS"].split()) == needed


def test_the_form_offers_every_scenario_and_provider() -> None:
    values = {one["name"]: one.get("values") for one in load(ROOT / "pipelines" / "benchmark.yml")["parameters"]}

    assert values["scenario"] == sorted(path.parent.name for path in paths.scenarios().glob("*/scenario.yaml"))
    assert sorted(values["provider"]) == sorted(PROVIDERS)
    assert load(ROOT / "pipelines" / "nightly.yml")["parameters"][1]["name"] == "scenarios"


def test_the_nightly_matrix_is_every_scenario_on_every_cloud() -> None:
    found = {(provider_, scenario) for _, provider_, scenario, _ in benchmarks("nightly")}

    assert found == {(cloud, scenario) for cloud in CLOUDS for scenario in cells.scenario_names()}


@pytest.mark.parametrize("name", ["nightly", "sweep"])
def test_a_schedule_is_of_main_alone(name: str) -> None:
    (schedule,) = load(ROOT / "pipelines" / f"{name}.yml")["schedules"]

    assert schedule["branches"] == {"include": ["main"]}
    for job in jobs(name):
        guarded = "eq(variables['Build.SourceBranch'], 'refs/heads/main')" in job["condition"]
        assert guarded or job["job"] == "report"


def test_a_pull_request_sees_no_identity() -> None:
    """Whoever opens one may change every line of the pipeline and of the code that it runs."""
    text = json.dumps(expanded("pull-request", {})["jobs"])

    assert "AzureCLI" not in text
    assert "AccessToken" not in text
    assert "onnection" not in text


@every_variant
def test_credentials_come_from_service_connections_alone(name: str, given: dict[str, Any]) -> None:
    tree = expanded(name, given)

    assert [one for one in tree["variables"] if "group" in one or set(one) != {"name", "value"}] == []
    names = {name for step in steps(name, given) for name in step.get("env", {})}
    assert {name for name in names if re.search(r"SECRET|TOKEN|PASSWORD|KEY", name)} <= {"SYSTEM_ACCESSTOKEN"}
    for job in tree["jobs"]:
        connected = any(step.get("task") == "AzureCLI@2" for step in job["steps"])
        tokens = any("SYSTEM_ACCESSTOKEN" in step.get("env", {}) for step in job["steps"])
        assert connected == tokens, "a token of the job is mapped where a service connection is named, and only there"


def test_a_cloud_without_a_connection_is_refused_in_words() -> None:
    job = Expander(root=ROOT).pipeline(ROOT / "pipelines" / "benchmark.yml", {"provider": "aks"})["jobs"][0]

    step = next(step for step in job["steps"] if step.get("displayName") == "Credentials for aks")

    assert "exit 1" in step["bash"]
    assert "task" not in step


def test_the_guide_names_every_pipeline_and_step() -> None:
    text = (ROOT / "docs" / "azure-devops.md").read_text(encoding="utf-8")

    linked = set(re.findall(r"\]\(\.\./((?:pipelines|steps)/[^)]+)\)", text))

    templates = {str(file.relative_to(ROOT)) for file in FILES if "jobs" not in file.parts}
    assert linked == templates - {"steps/framework/test.yml", "steps/infrastructure/sweep.yml"}
