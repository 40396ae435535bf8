"""Terraform for one lease, run for real on modules that need no provider."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from pytest_telescope import paths
from pytest_telescope.cluster.processes import marked
from pytest_telescope.cluster.processes import wait_until
from pytest_telescope.cluster.terraform import LeaseTerraform
from pytest_telescope.cluster.terraform import TerraformError
from pytest_telescope.cluster.terraform import end_left_behind
from pytest_telescope.cluster.terraform import error_of
from pytest_telescope.toolchain import tool

LEASE = "7e57ab1e"
MODULE = """
variable "password" { type = string }
variable "command" { type = string }
resource "terraform_data" "first" { input = "kept" }
resource "terraform_data" "second" {
  depends_on = [terraform_data.first]
  provisioner "local-exec" { command = var.command }
}
output "password" {
  value     = var.password
  sensitive = true
}
output "kept" { value = terraform_data.first.output }
"""
pytestmark = pytest.mark.e2e


@pytest.fixture
def module(tmp_path: Path) -> Path:
    folder = tmp_path / "module"
    folder.mkdir()
    (folder / "main.tf").write_text(MODULE, encoding="utf-8")
    return folder


@pytest.fixture
def terraform(module: Path, tmp_path: Path) -> LeaseTerraform:
    runner = LeaseTerraform(tool("terraform"), module, tmp_path / "lease", LEASE, grace=10.0)
    runner.init_module(deadline=30)
    return runner


def test_an_apply_is_read_back_and_destroyed(terraform: LeaseTerraform, module: Path) -> None:
    terraform.apply_module({"password": "s3cret", "command": "true"}, deadline=30)
    outputs = terraform.outputs()
    terraform.destroy_module(deadline=30)

    assert outputs == {"password": "s3cret", "kept": "kept"}
    assert json.loads((terraform.folder / "terraform.tfstate").read_text(encoding="utf-8"))["resources"] == []
    assert [path.name for path in module.iterdir()] == ["main.tf"]


def test_secrets_stay_out_of_log_and_command_line(terraform: LeaseTerraform) -> None:
    seen: list[str] = []
    watcher = threading.Thread(target=lambda: seen.extend(_command_lines()))

    terraform.apply_module({"password": "s3cret", "command": "sleep 1"}, deadline=30)
    watcher.start()
    terraform.outputs()
    watcher.join()

    assert "s3cret" not in terraform.log.read_text(encoding="utf-8")
    assert not [line for line in seen if "s3cret" in line]
    assert {stat.S_IMODE(path.stat().st_mode) for path in terraform.folder.glob("*.tfvars.json")} == {0o600}
    assert stat.S_IMODE(terraform.folder.stat().st_mode) == 0o700


def _command_lines() -> list[str]:
    import psutil

    return [" ".join(process.info["cmdline"] or []) for process in psutil.process_iter(["cmdline"])]


def test_a_failure_quotes_terraform_and_names_the_log(terraform: LeaseTerraform) -> None:
    with pytest.raises(TerraformError) as caught:
        terraform.apply_module({"password": "x", "command": "echo the disk is on fire >&2; exit 3"}, deadline=30)

    message = str(caught.value)
    assert "terraform apply failed with code 1" in message
    assert "Error: local-exec provisioner error" in message
    assert "the disk is on fire" in message
    assert str(terraform.log) in message


def test_a_deadline_ends_it_with_its_state_written(terraform: LeaseTerraform) -> None:
    started = time.monotonic()

    with pytest.raises(TerraformError, match="did not end within 2 s"):
        terraform.apply_module({"password": "x", "command": "exec sleep 60"}, deadline=2)

    assert time.monotonic() - started < 15
    assert marked(LEASE) == []
    resources = json.loads((terraform.folder / "terraform.tfstate").read_text(encoding="utf-8"))["resources"]
    assert "first" in {resource["name"] for resource in resources}


def test_it_gets_one_sigint_and_then_sigkill(tmp_path: Path, module: Path) -> None:
    """A Terraform that ignores its interrupt: what it notes down is all that it ever got."""
    stubborn = tmp_path / "terraform"
    stubborn.write_text(
        f"#!{sys.executable}\n"
        "import signal, time\n"
        "for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):\n"
        f"    signal.signal(number, lambda n, _: open({str(tmp_path / 'signals')!r}, 'a').write(f'{{n}} '))\n"
        "time.sleep(60) or time.sleep(60)\n",
        encoding="utf-8",
    )
    stubborn.chmod(0o755)
    runner = LeaseTerraform(stubborn, module, tmp_path / "lease", LEASE, grace=1.0)

    with pytest.raises(TerraformError, match="did not end within 1 s"):
        runner.init_module(deadline=1)

    assert (tmp_path / "signals").read_text(encoding="utf-8").split() == [str(int(signal.SIGINT))]
    assert marked(LEASE) == []


def test_ctrl_c_interrupts_terraform_and_is_passed_on(terraform: LeaseTerraform) -> None:
    timer = threading.Timer(1.5, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()

    with pytest.raises(KeyboardInterrupt):
        terraform.apply_module({"password": "x", "command": "exec sleep 60"}, deadline=30)

    assert marked(LEASE) == []
    assert (terraform.folder / "terraform.tfstate").stat().st_size > 0


def test_a_terraform_whose_caller_died_is_found_and_ended(terraform: LeaseTerraform, module: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from pytest_telescope.cluster.terraform import LeaseTerraform\n"
        "t = LeaseTerraform(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), sys.argv[4])\n"
        "t.apply_module({'password': 'x', 'command': 'exec sleep 60'}, deadline=60)\n"
    )
    arguments = [str(tool("terraform")), str(module), str(terraform.folder), LEASE]
    caller = subprocess.Popen([sys.executable, "-c", script, *arguments], cwd=paths.checkout())
    try:
        assert wait_until(lambda: bool(marked(LEASE)), 20)
    finally:
        caller.kill()
        caller.wait()

    end_left_behind(LEASE, grace=10)

    assert not [member for member in marked(LEASE) if member.role == "terraform"]


def test_a_misspelt_method_is_no_command_of_terraform(terraform: LeaseTerraform) -> None:
    with pytest.raises(AttributeError, match="aply"):
        terraform.aply()


def test_the_error_is_found_among_other_output() -> None:
    output = "Initializing...\n\x1b[31m╷\n│ Error: No such thing\n│ \n│   on main.tf line 3:\n╵\x1b[0m\n"

    assert error_of(output) == "Error: No such thing\non main.tf line 3:"


def test_the_local_module_is_formatted_valid_and_refuses_what_it_cannot_do(tmp_path: Path) -> None:
    module = paths.modules() / "terraform" / "local"
    environment = {**os.environ, "TF_DATA_DIR": str(tmp_path / "data"), "CHECKPOINT_DISABLE": "1"}
    commands = (["fmt", "-check", "-recursive"], ["init", "-input=false"], ["validate"], ["test"])

    for command in commands:
        full = [str(tool("terraform")), f"-chdir={module}", *command]
        done = subprocess.run(full, env=environment, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
