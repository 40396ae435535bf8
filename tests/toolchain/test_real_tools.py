"""Every pinned tool is there for this machine and is what its pin says."""

from __future__ import annotations

import subprocess
import sys

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
    "kwok": ["--version"],
    "kwokctl": ["--version"],
    "prometheus": ["--version"],
    "promtool": ["--version"],
    "containerd": ["--version"],
    "containerd-shim-runc-v2": ["-v"],
    "ctr": ["--version"],
    "pause": ["-v"],
    "runc": ["--version"],
    "ptp": [],
    "loopback": [],
    "host-local": [],
    "tflint": ["--version"],
    "node_exporter": ["--version"],
}
"""How a tool is asked for the version of its pin; the others know none."""

pytestmark = pytest.mark.e2e


@pytest.mark.parametrize("name", toolchain.for_tests())
def test_the_tool_is_there(name: str) -> None:
    path = toolchain.tool(name)

    assert path.exists()


@pytest.mark.parametrize("name", [name for name in QUESTIONS if name in toolchain.for_tests()])
def test_the_tool_has_the_pinned_version(name: str) -> None:
    command = [str(toolchain.tool(name)), *QUESTIONS[name]]

    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False, env={})

    assert recipes.recipe(name).version.lstrip("v") in done.stdout + done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="the tree is for the images of Linux nodes")
def test_the_stress_tree_is_complete() -> None:
    tree = toolchain.tool("stress")
    loader = next(tree.glob("lib*/**/ld-linux*"))
    libraries = next(tree.glob("lib/**/libc.so.6")).parent
    command = [str(loader), "--library-path", str(libraries), str(tree / "usr/bin/stress"), "--version"]

    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False, env={})

    assert done.stdout.startswith("stress ")


@pytest.mark.skipif(sys.platform != "linux", reason="containers run on Linux only")
@pytest.mark.parametrize("name", ["pause", "runc", "busybox", "resource-consumer", "consume-cpu", "node_exporter"])
def test_what_goes_into_images_and_containers_is_static(name: str) -> None:
    done = subprocess.run(["readelf", "-l", str(toolchain.tool(name))], capture_output=True, text=True, check=True)

    assert "INTERP" not in done.stdout
