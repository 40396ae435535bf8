"""One real node, kubelet and containerd, in namespaces and a cgroup subtree of its own. Linux, root.

`start` leaves two processes that the host can see by name: the keeper (relay and parent) and the node's process 1.
Both are recorded before they do anything. `stop` needs only the lease id: what the records do not tell, the environment
of the processes and the cgroup subtree do.
"""

from __future__ import annotations

import dataclasses
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pytest_telescope import paths
from pytest_telescope.cluster import node_exporter
from pytest_telescope.cluster import processes
from pytest_telescope.cluster.durable import private_folder
from pytest_telescope.cluster.durable import write_durably
from pytest_telescope.cluster.durable import write_private
from pytest_telescope.cluster.local import cgroup
from pytest_telescope.cluster.local import host
from pytest_telescope.cluster.local import image
from pytest_telescope.cluster.local import network
from pytest_telescope.cluster.local import node_config
from pytest_telescope.cluster.local import node_plan
from pytest_telescope.cluster.local import node_ready
from pytest_telescope.cluster.local import sysctl
from pytest_telescope.cluster.local.egress import Upstream
from pytest_telescope.cluster.local.node_end import ROLE
from pytest_telescope.cluster.local.node_end import leftovers
from pytest_telescope.cluster.local.node_end import stop
from pytest_telescope.cluster.local.node_init import CONTAINERD_CONFIG
from pytest_telescope.cluster.local.node_plan import egress_socket
from pytest_telescope.errors import PreflightError
from pytest_telescope.errors import ProvisionError

__all__ = ["IMAGE_TOOLS", "TOOLS", "NodeFacts", "NodeSpec", "egress_socket", "leftovers", "start", "stop"]

KEEPER = "pytest_telescope.cluster.local.node_keeper"
DAEMON_TOOLS = ("containerd", "containerd-shim-runc-v2", "ctr", "runc", "kubelet", "node_exporter")
TOOLS = (*DAEMON_TOOLS, "ptp", "loopback", "host-local")
IMAGE_TOOLS = ("pause", "busybox", "stress", "resource-consumer", "consume-cpu")
READY_TIMEOUT = 90.0
_LOG_LINES = 8

Scalar = str | int | float | bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeSpec:
    """One node to start.

    Attributes:
        folder: the node's own folder; its logs are what `stop` leaves.
        taints: each `key=value:Effect`.
        api_server: `https://127.0.0.1:<port>` on the host; the node sees the same address.
        prometheus: what the node's relay shows to the API server at `egress.PROMETHEUS`.
        cpu_limit: cores of daemons and pods together; None means all but one core, at least one.
        memory_limit: bytes of daemons and pods together; None means half of what is available.
    """

    lease_id: str
    folder: Path
    name: str
    labels: Mapping[str, str]
    taints: tuple[str, ...]
    max_pods: int
    api_server: str
    ca: Path
    kubelet_certificate: Path
    kubelet_key: Path
    prometheus: Upstream
    cpu_limit: float | None = None
    memory_limit: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeFacts:
    """A node that is Ready; `address` exists only inside its network namespace."""

    name: str
    address: str
    kubelet_port: int
    facts: Mapping[str, Scalar]
    logs: tuple[Path, ...]
    labels_to_set: Mapping[str, str]
    """Labels that kubelet may not give itself; an administrator sets them through the API."""


def start(spec: NodeSpec) -> NodeFacts:
    """Start the node and return when it is Ready.

    Raises:
        PreflightError: no node can run on this machine; nothing was made.
        ProvisionError: it did not become Ready; what exists is for `stop` to remove.
    """
    if reason := host.why_no_real_node():
        raise PreflightError(f"no real node on this machine: {reason}")
    limits = _limits(spec)
    try:
        plan = _prepare(spec, limits)
        cgroup.create(spec.lease_id, limits, cgroup.hierarchies())
        keeper = _start_keeper(plan)
    except OSError as error:
        raise ProvisionError(f"node {spec.name} could not be started: {error}") from error
    node = node_ready.wait(lambda: _fetch(spec), lambda: _why_failed(plan, keeper), timeout=READY_TIMEOUT)
    return _facts(spec, plan, limits, node)


def _limits(spec: NodeSpec) -> cgroup.Limits:
    default = host.default_limits()
    limits = cgroup.Limits(cpu=spec.cpu_limit or default.cpu, memory=spec.memory_limit or default.memory)
    least = node_config.LEAST_MEMORY
    if limits.memory < least or limits.cpu <= node_config.DAEMON_CPU:
        raise PreflightError(
            f"a node needs more than {node_config.DAEMON_CPU:g} cores and {least // node_config.MIB} MiB, "
            f"the limits are {limits.cpu:g} cores and {limits.memory // node_config.MIB} MiB"
        )
    return limits


def _prepare(spec: NodeSpec, limits: cgroup.Limits) -> node_plan.NodePlan:
    """Write everything the node's processes read; start nothing."""
    from pytest_telescope.toolchain import ensure

    tools = ensure((*TOOLS, *IMAGE_TOOLS))
    for name in ("logs", "processes", "etc", "var", "root", "shields"):
        private_folder(spec.folder / name)
    own_labels, _ = node_config.split_labels(spec.labels)
    plan = node_plan.NodePlan(
        lease_id=spec.lease_id,
        name=spec.name,
        folder=spec.folder,
        api_port=_port(spec.api_server),
        prometheus=spec.prometheus,
        socket=egress_socket(spec.lease_id, spec.folder),
        tools={name: tools[name] for name in TOOLS},
        images=_images(tools),
        shields=sysctl.write_shields(spec.folder / "shields"),
        containerd=(f"{node_plan.BIN}/containerd", "--config", f"/etc/{CONTAINERD_CONFIG}"),
        kubelet=node_config.kubelet_arguments(lease_id=spec.lease_id, name=spec.name, labels=own_labels),
        node_exporter=(
            f"{node_plan.BIN}/node_exporter",
            *node_exporter.arguments(f"{network.NODE_ADDRESS}:{network.NODE_EXPORTER_PORT}"),
        ),
    )
    private_folder(plan.socket.parent)
    _write_etc(spec, plan, limits)
    _make_var(plan.var)
    write_private(spec.folder / "plan.json", plan.dump())
    return plan


def _port(server: str) -> int:
    url = urlsplit(server)
    if url.hostname != "127.0.0.1" or url.port is None:
        raise ProvisionError(f"the API server must be https://127.0.0.1:<port> for a real node, not {server}")
    return url.port


def _images(tools: Mapping[str, Path]) -> tuple[Path, ...]:
    consumer = image.resource_consumer(
        consumer=tools["resource-consumer"],
        consume_cpu=tools["consume-cpu"],
        busybox=tools["busybox"],
        stress=tools["stress"],
    )
    return (image.cached(image.pause(node_config.PAUSE, tools["pause"])), image.cached(consumer))


def _write_etc(spec: NodeSpec, plan: node_plan.NodePlan, limits: cgroup.Limits) -> None:
    config = node_config.kubelet(
        lease_id=spec.lease_id,
        capacity=host.capacity(),
        limits=limits,
        max_pods=spec.max_pods,
        taints=spec.taints,
    )
    credentials = {"ca.crt": spec.ca, "kubelet.crt": spec.kubelet_certificate, "kubelet.key": spec.kubelet_key}
    contents = node_config.files(
        name=spec.name,
        lease_id=spec.lease_id,
        server=spec.api_server,
        kubelet_config=config,
        credentials=credentials,
    )
    for path, content in contents.items():
        private_folder((plan.etc / path).parent)
        write_private(plan.etc / path, content)


def _make_var(var: Path) -> None:
    for name in ("lib/kubelet", "lib/containerd", "log/pods", "log/containers", "tmp", "cache"):
        (var / name).mkdir(parents=True, exist_ok=True)
    for folder in (var, var / "lib", var / "log", var / "tmp", var / "cache"):
        folder.chmod(0o755)
    if not (var / "run").is_symlink():
        (var / "run").symlink_to("../run")


def _start_keeper(plan: node_plan.NodePlan) -> processes.Identity:
    gate, opener = os.pipe()
    log = os.open(plan.log("keeper"), os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    arguments = (sys.executable, "-m", KEEPER, str(plan.folder / "plan.json"))
    actions = [(os.POSIX_SPAWN_DUP2, source, target) for source, target in ((gate, 0), (log, 1), (log, 2))]
    try:
        pid = os.posix_spawn(arguments[0], arguments, _environment(plan.lease_id), file_actions=actions, setsid=True)
        identity = processes.identity_of(pid)
        if identity is None:
            raise OSError("the node's keeper ended at once")
        write_durably(plan.record("keeper"), dataclasses.asdict(identity))
        os.write(opener, b"1")
    finally:
        for descriptor in (gate, opener, log):
            os.close(descriptor)
    return identity


def _environment(lease_id: str) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "LD_LIBRARY_PATH") if name in os.environ}
    marks = {processes.LEASE: lease_id, processes.ROLE: ROLE}
    return {**kept, **marks, "HOME": "/root", "PYTHONPATH": str(paths.checkout()), "PYTHONDONTWRITEBYTECODE": "1"}


def _fetch(spec: NodeSpec) -> dict[str, Any] | None:
    return node_ready.fetch(
        server=spec.api_server,
        name=spec.name,
        ca=spec.ca,
        certificate=spec.kubelet_certificate,
        key=spec.kubelet_key,
    )


def _why_failed(plan: node_plan.NodePlan, keeper: processes.Identity) -> str | None:
    if keeper.alive():
        return None
    phase = plan.phase.read_text(encoding="utf-8") if plan.phase.exists() else "nothing"
    tails = "\n".join(_tail(plan.log(name)) for name in ("keeper", *cgroup.DAEMONS))
    return f"node {plan.name} ended at start, its last word was {phase}; logs in {plan.folder / 'logs'}\n{tails}"


def _tail(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines() if log.exists() else []
    return "\n".join(f"{log.stem}: {line}" for line in lines[-_LOG_LINES:])


def _facts(spec: NodeSpec, plan: node_plan.NodePlan, limits: cgroup.Limits, node: Mapping[str, Any]) -> NodeFacts:
    status = node["status"]
    info = status["nodeInfo"]
    config = (plan.etc / CONTAINERD_CONFIG).read_text(encoding="utf-8")
    facts: dict[str, Scalar] = {
        "kubelet": info["kubeletVersion"],
        "container_runtime": info["containerRuntimeVersion"],
        "kernel": info["kernelVersion"],
        "os_image": info["osImage"],
        "architecture": info["architecture"],
        "cgroup_version": cgroup.version(cgroup.hierarchies()),
        "snapshotter": "overlayfs" if 'snapshotter = "overlayfs"' in config else "native",
        "cni": "ptp",
        "cpu_limit": limits.cpu,
        "memory_limit": limits.memory,
        "allocatable_cpu": status["allocatable"]["cpu"],
        "allocatable_memory": status["allocatable"]["memory"],
        "containerd_metrics_port": network.CONTAINERD_METRICS_PORT,
    }
    return NodeFacts(
        name=spec.name,
        address=network.NODE_ADDRESS,
        kubelet_port=network.KUBELET_PORT,
        facts=facts,
        logs=tuple(plan.log(name) for name in ("keeper", *cgroup.DAEMONS)),
        labels_to_set=node_config.split_labels(spec.labels)[1],
    )
