"""Every pinned tool is there for this machine and is what its pin says."""

from __future__ import annotations

import subprocess

import pytest

from pytest_telescope import toolchain
from pytest_telescope.toolchain import recipes

QUESTIONS = {
    "etcd": ["--version"],
    "kube-apiserver": ["--version"],
    "kube-controller-manager": ["--version"],
    "kube-scheduler": ["--version"],
    "kubelet": ["--version"],
    "kubectl": ["version", "--client"],
    "pause": ["-v"],
    "runc": ["--version"],
    "ptp": [],
    "loopback": [],
    "host-local": [],
}
"""How a tool is asked for the version of its pin; the others do not know theirs when built from modules."""

pytestmark = pytest.mark.e2e


@pytest.mark.parametrize("name", toolchain.for_tests())
def test_the_tool_is_there(name: str) -> None:
    path = toolchain.tool(name)

    assert path.exists()


@pytest.mark.parametrize("name", [name for name in QUESTIONS if name in toolchain.for_tests()])
def test_the_tool_has_the_pinned_version(name: str) -> None:
    command = [toolchain.tool(name), *QUESTIONS[name]]

    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False, env={})

    assert recipes.recipe(name).version.lstrip("v") in done.stdout + done.stderr
