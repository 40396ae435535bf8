"""How far Terraform is, read off its log as it writes it."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_telescope.cluster.progress import Line
from pytest_telescope.cluster.progress import Progress
from pytest_telescope.cluster.progress import progress_of
from pytest_telescope.cluster.terraform import LeaseTerraform
from pytest_telescope.cluster.terraform_progress import Changes
from pytest_telescope.cluster.terraform_progress import LogProgress
from pytest_telescope.cluster.terraform_progress import planned
from pytest_telescope.toolchain import tool

APPLY = """\
Plan: 1 to import, 3 to add, 1 to change, 1 to destroy.
azurerm_resource_group.this: Creating...
azurerm_resource_group.this: Creation complete after 2s [id=/subscriptions/x]
azurerm_kubernetes_cluster.this: Creating...
azurerm_subnet.this[0]: Creating...
azurerm_kubernetes_cluster.this: Still creating... [10s elapsed]
azurerm_subnet.this[0]: Creation complete after 5s [id=x]
terraform_data.x (deposed object 1a2b): Destroying... [id=x]
terraform_data.x (deposed object 1a2b): Destruction complete after 0s
"""


def after(text: str, command: str = "apply") -> Line | None:
    changes = Changes()
    for line in text.splitlines():
        changes.take(line)
    return changes.line(command)


def test_an_apply_tells_how_many_resources_are_done_and_what_it_waits_for() -> None:
    line = after(APPLY)

    assert line == "terraform apply: 3 of 5 resources, now azurerm_kubernetes_cluster.this"
    assert progress_of(line) == Progress(done=3, total=5, unit="resources", even=False)


def test_of_several_the_oldest_is_named() -> None:
    line = after("\n".join(APPLY.splitlines()[:5]))

    assert line == "terraform apply: 1 of 5 resources, now azurerm_kubernetes_cluster.this and 1 more"


def test_the_steps_of_a_local_cluster_are_told() -> None:
    text = "a.b: Creating...\na.b (local-exec): step 2/11 done: etcd\n"

    line = after(text)

    assert line == "terraform apply: 0 resources, now a.b: etcd is done, 2 of 11 steps"
    assert progress_of(line or "") == Progress(done=2, total=11, unit="steps", even=False)


def test_what_a_program_of_a_resource_prints_is_no_change() -> None:
    assert after("a.b (local-exec): c.d: Creating...\n") is None


def test_a_replacement_in_a_plan_is_two_changes() -> None:
    actions = (["create"], ["delete", "create"], ["no-op"], ["read"], ["update"])

    assert planned({"resource_changes": [{"change": {"actions": one}} for one in actions]}) == 4


def test_a_log_is_read_on_from_where_it_was_and_half_a_line_waits(tmp_path: Path) -> None:
    log, said = tmp_path / "log", list[str]()
    progress = LogProgress(log, 0, "apply", said.append, total=2)

    progress.look()
    log.write_text("a.b: Creating...\na.b: Creation com")
    progress.look()
    with log.open("a") as file:
        file.write("plete after 1s\n")
    progress.look()
    progress.look()

    assert said == ["terraform apply: 0 of 2 resources, now a.b", "terraform apply: 1 of 2 resources"]


@pytest.mark.e2e
def test_a_real_apply_and_destroy_tell_how_far_they_are(tmp_path: Path) -> None:
    module = tmp_path / "module"
    module.mkdir()
    (module / "main.tf").write_text(
        'resource "terraform_data" "a" {}\n'
        'resource "terraform_data" "b" {\n  depends_on = [terraform_data.a]\n'
        '  provisioner "local-exec" {\n    command = "echo step 1/1 done: it"\n  }\n}\n'
    )
    said = list[str]()
    terraform = LeaseTerraform(tool("terraform"), module, tmp_path / "lease", "0badc0de", grace=10.0)
    terraform.say = said.append

    terraform.init_module(60)
    terraform.apply_module({}, 60)
    applied = said[-1]
    terraform.destroy_module(60)

    assert applied == "terraform apply: 2 of 2 resources"
    assert said[-1] == "terraform destroy: 2 of 2 resources"
