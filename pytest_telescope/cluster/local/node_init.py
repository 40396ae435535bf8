"""Process 1 of a node: builds its root, starts its daemons, reaps, stops them in order.

When it ends, for whatever reason, the kernel kills everything else in its PID namespace, pods included.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Callable
from collections.abc import Mapping
from pathlib import Path

from pytest_telescope.cluster.local import cgroup
from pytest_telescope.cluster.local import network
from pytest_telescope.cluster.local import node_ns as ns
from pytest_telescope.cluster.local import node_root
from pytest_telescope.cluster.local.node_plan import BIN
from pytest_telescope.cluster.local.node_plan import CONTAINERD_SOCKET
from pytest_telescope.cluster.local.node_plan import IMAGES
from pytest_telescope.cluster.local.node_plan import NodePlan

ENVIRONMENT_PATH = f"{BIN}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
CONTAINERD_CONFIG = "containerd/config.toml"
SNAPSHOTTER_MARK = "@snapshotter@"
READY_TIMEOUT = 30.0
GRACE = 1.5
"""Seconds that kubelet, then containerd, get between SIGTERM and the end of the namespace."""


def enter_namespaces(plan: NodePlan, trees: tuple[cgroup.Hierarchy, ...]) -> None:
    """Move this process, already first in a new PID namespace, into the node's cgroup, namespaces and root."""
    cgroup.join(plan.lease_id, "containerd", trees)
    ns.unshare(ns.NEWNS | ns.NEWNET | ns.NEWIPC | ns.NEWUTS)
    socket.sethostname(plan.name)
    network.bring_up()
    ns.mount(None, "/", None, ns.REC | ns.PRIVATE)
    _choose_snapshotter(plan)
    node_root.enter(plan)


def _choose_snapshotter(plan: NodePlan) -> None:
    name = "overlayfs" if node_root.overlay_works(plan.var / "lib") else "native"
    config = plan.etc / CONTAINERD_CONFIG
    config.write_text(config.read_text().replace(SNAPSHOTTER_MARK, name))


class Init:
    """The daemons of one node, from the first to the last."""

    def __init__(self, plan: NodePlan, trees: tuple[cgroup.Hierarchy, ...], logs: dict[str, int]) -> None:
        self._plan = plan
        self._trees = trees
        self._logs = logs
        self._ended: dict[int, int] = {}
        self._asked_to_stop = False
        self._wake, waker = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
        signal.signal(signal.SIGTERM, self._on_stop)
        signal.signal(signal.SIGCHLD, lambda *_: None)

    def run(self, announce: Callable[[str], None]) -> int:
        """Start everything, say each step through `announce`, and stay until a daemon ends or SIGTERM comes."""
        exporter = self._spawn("node_exporter", self._plan.node_exporter)  # ready long before containerd is
        containerd = self._spawn("containerd", self._plan.containerd)
        self._await_socket(containerd)
        announce("containerd")
        for image in self._plan.images:
            self._import(image)
        announce("images")
        kubelet = self._spawn("kubelet", self._plan.kubelet)
        announce("running")
        daemons = {"kubelet": kubelet, "containerd": containerd, "node_exporter": exporter}
        while not self._asked_to_stop and not self._ended.keys() & {*daemons.values()}:
            self._pause(5.0)
        return self._wind_down(daemons)

    def _wind_down(self, daemons: Mapping[str, int]) -> int:
        for name, pid in daemons.items():
            if pid in self._ended and not self._asked_to_stop:
                print(f"{name} ended by itself: wait status {self._ended[pid]}", file=sys.stderr)
        for pid in daemons.values():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
            self._wait(pid, GRACE)
        return 0 if self._asked_to_stop else 1

    def _on_stop(self, *_: object) -> None:
        self._asked_to_stop = True

    def _spawn(self, daemon: str, arguments: tuple[str, ...]) -> int:
        cgroup.join(self._plan.lease_id, daemon, self._trees)
        environment = {**os.environ, "PATH": ENVIRONMENT_PATH, "HOME": "/root"}
        log = self._logs[daemon]
        actions = ((os.POSIX_SPAWN_DUP2, log, 1), (os.POSIX_SPAWN_DUP2, log, 2))
        return os.posix_spawn(arguments[0], arguments, environment, file_actions=actions, setsid=True)

    def _await_socket(self, containerd: int) -> None:
        deadline = time.monotonic() + READY_TIMEOUT
        while not _answers(CONTAINERD_SOCKET):
            if containerd in self._ended:
                raise OSError(f"containerd ended at start, wait status {self._ended[containerd]}")
            if time.monotonic() > deadline:
                raise TimeoutError(f"containerd has no socket after {READY_TIMEOUT:g} s")
            self._pause(0.05)

    def _import(self, image: Path) -> None:
        arguments = (
            f"{BIN}/ctr",
            "-a",
            CONTAINERD_SOCKET,
            "-n",
            "k8s.io",
            "images",
            "import",
            f"{IMAGES}/{image.name}",
        )
        status = self._wait(self._spawn("containerd", arguments), READY_TIMEOUT)
        if status != 0:
            raise OSError(f"ctr could not import {image.name}: wait status {status}")

    def _wait(self, pid: int, timeout: float) -> int | None:
        deadline = time.monotonic() + timeout
        while pid not in self._ended and time.monotonic() < deadline:
            self._pause(0.05)
        return self._ended.get(pid)

    def _pause(self, seconds: float) -> None:
        """Sleep until a signal comes, at most `seconds`, then reap all children that ended."""
        if select.select([self._wake], [], [], seconds)[0]:
            with contextlib.suppress(BlockingIOError):
                os.read(self._wake, 4096)
        with contextlib.suppress(ChildProcessError):
            while (reaped := os.waitpid(-1, os.WNOHANG))[0]:
                self._ended[reaped[0]] = reaped[1]


def _answers(path: str) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(path)
        except OSError:
            return False
    return True
