"""The one process of a node outside its namespaces: parent of the node's process 1, and its relay.

Run as `python -m pytest_telescope.cluster.local.node_keeper <plan.json>`. It begins when a byte comes on standard
input, so that whoever started it can first record its identity. When it dies, the kernel kills the node.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import os
import signal
import sys
import traceback
from pathlib import Path
from typing import NoReturn

from pytest_telescope.cluster import processes
from pytest_telescope.cluster.durable import write_durably
from pytest_telescope.cluster.durable import write_private
from pytest_telescope.cluster.local import cgroup
from pytest_telescope.cluster.local import network
from pytest_telescope.cluster.local import node_init
from pytest_telescope.cluster.local import node_ns as ns
from pytest_telescope.cluster.local import node_plan
from pytest_telescope.cluster.local.door import Door
from pytest_telescope.cluster.local.egress import PROMETHEUS
from pytest_telescope.cluster.local.relay import Relay
from pytest_telescope.cluster.local.relay import socket_here
from pytest_telescope.cluster.local.relay import socket_in

FAILED = "failed"


def main(arguments: list[str]) -> int:
    """Keep the node of the plan file until its process 1 ends; return 0 if that was asked for."""
    plan = node_plan.load(Path(arguments[0]).read_text(encoding="utf-8"))
    if not os.read(0, 1):
        return 1
    os.chdir("/")
    go, may_go = os.pipe()
    words, say = os.pipe()
    home = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    init = _fork_init(plan, go, say, (may_go, words, home))
    os.close(go)
    os.close(say)
    identity = processes.identity_of(init)
    if identity is not None:
        write_durably(plan.record("init"), dataclasses.asdict(identity))
    os.write(may_go, b"1")
    return asyncio.run(_keep(plan, init, home, words, may_go))


def _fork_init(plan: node_plan.NodePlan, go: int, say: int, not_its: tuple[int, ...]) -> int:
    back = os.open("/proc/self/ns/pid", os.O_RDONLY | os.O_CLOEXEC)
    ns.unshare(ns.NEWPID)
    pid = os.fork()
    if pid == 0:
        for descriptor in (back, *not_its):
            os.close(descriptor)
        _be_init(plan, go, say)
    ns.setns(back, ns.NEWPID)  # only the first child belongs there
    os.close(back)
    return pid


def _be_init(plan: node_plan.NodePlan, go: int, say: int) -> NoReturn:
    status = 1
    try:
        ns.die_with_parent(signal.SIGKILL)
        status = _init(plan, go, say)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(status)


def _init(plan: node_plan.NodePlan, go: int, say: int) -> int:
    if not os.read(go, 1):
        return 1
    trees = cgroup.hierarchies()
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
    logs = {name: os.open(plan.log(name), flags, 0o600) for name in cgroup.DAEMONS}
    node_init.enter_namespaces(plan, trees)
    os.write(say, b"namespaces\n")
    if not os.read(go, 1):
        return 1
    os.close(go)
    return node_init.Init(plan, trees, logs).run(lambda word: _tell(say, word))


def _tell(say: int, word: str) -> None:
    os.write(say, f"{word}\n".encode())


async def _keep(plan: node_plan.NodePlan, init: int, home: int, words: int, may_go: int) -> int:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, _forward_stop, init)
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(words, "rb"))
    relay = None
    while line := await reader.readline():
        word = line.decode().strip()
        if word == "namespaces":
            relay = await _open_relay(plan, init, home)
            os.write(may_go, b"1")
        write_private(plan.phase, word)
    status = os.waitstatus_to_exitcode(os.waitpid(init, 0)[1])
    if relay is not None:
        await relay.close()
    write_private(plan.phase, "stopped" if status == 0 else f"{FAILED} {status}")
    return 0 if status == 0 else 1


def _forward_stop(init: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(init, signal.SIGTERM)


async def _open_relay(plan: node_plan.NodePlan, init: int, home: int) -> Relay:
    namespace = os.open(f"/proc/{init}/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    relay = Relay(
        inside=lambda: socket_in(namespace, home),
        outside=socket_here,
        api_port=plan.api_port,
        listen_port=plan.api_port,
        uds=plan.socket,
        service=network.KUBERNETES_SERVICE,
        own={PROMETHEUS: Door(plan.prometheus).serve},
    )
    await relay.start()
    return relay


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
