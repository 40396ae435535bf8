"""What a real node could leave behind on its host, looked at before and after.

A node makes nothing in the host's own namespaces. This is the check of that claim, so it looks for what a kubelet,
containerd or CNI plugin would make if the walls had a hole. The machine may be busy with other things meanwhile, so a
change counts only if it bears one of the node's own marks:

* a mount below this project's state folder or /run/telescope-*;
* a link or a route with an address of 198.18.0.0/15 (a link is named by its index too, so a reused name shows);
* an iptables or nft rule that names such an address, or the first KUBE-/CNI- chain of a machine that had none;
* a sysctl that kubelet writes, changed, and now at exactly the value kubelet wants;
* a cgroup that kubelet or containerd make by default at the top of a hierarchy (`kubepods`, `k8s.io`, `default`).

The lease's own cgroups and processes are `node.leftovers`' matter, because they are named after the lease.
"""

from __future__ import annotations

import contextlib
import ipaddress
import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

from pytest_telescope import paths
from pytest_telescope.cluster.local import cgroup
from pytest_telescope.cluster.local import network
from pytest_telescope.cluster.local import sysctl
from pytest_telescope.cluster.model import Leftover

RUNTIME_CGROUPS = ("kubepods", "kubepods.slice", "k8s.io", "default", "system.slice/kubelet.service")
_RULE_TOOLS = (("iptables-save",), ("ip6tables-save",), ("nft", "list", "ruleset"))
_CHAIN = re.compile(r"\b(?:KUBE|CNI)-[A-Z0-9-]+")
_TIMEOUT = 5.0


def snapshot(proc: Path = Path("/proc")) -> dict[str, Any]:
    """Return the state of the host that a node could change, as plain JSON."""
    if sys.platform != "linux":
        return {}
    trees = cgroup.hierarchies(proc / "self/mountinfo")
    return {
        "mounts": sorted(_mounts(proc)),
        "links": sorted(f"{index}:{name}" for index, name in socket.if_nameindex()),
        "routes": sorted(_routes(proc)),
        "addresses": sorted(_local_addresses(proc)),
        "rules": _rules(),
        "sysctls": sysctl.read(proc),
        "cgroups": sorted(
            str(tree.mount / name) for tree in trees for name in RUNTIME_CGROUPS if (tree.mount / name).is_dir()
        ),
    }


def compare(before: dict[str, Any], after: dict[str, Any] | None = None) -> list[Leftover]:
    """List what is there now, was not there before, and bears a mark of a node."""
    now = snapshot() if after is None else after
    if not now or not before:
        return []
    marked = _new(before, now, "mounts", _is_our_mount)
    found = [Leftover(kind="mount", name=name) for name in marked]
    found += [Leftover(kind="route", name=name) for name in _new(before, now, "routes", _has_our_address)]
    found += [Leftover(kind="link", name=name) for name in _new(before, now, "addresses", _has_our_address)]
    found += [Leftover(kind="cgroup", name=name) for name in _new(before, now, "cgroups", lambda _: True)]
    return found + _changed_sysctls(before["sysctls"], now["sysctls"]) + _new_rules(before["rules"], now["rules"])


def _new(before: dict[str, Any], now: dict[str, Any], what: str, ours: Any) -> list[str]:
    return [name for name in now[what] if name not in set(before[what]) and ours(name)]


def _is_our_mount(point: str) -> bool:
    return point.startswith("/run/telescope-") or Path(point).is_relative_to(paths.state())


def _has_our_address(text: str) -> bool:
    return any(_inside(word.partition("/")[0]) for word in text.split())


def _inside(word: str) -> bool:
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(word) in network.RANGE
    return False


def _changed_sysctls(before: dict[str, str], now: dict[str, str]) -> list[Leftover]:
    return [
        Leftover(kind="sysctl", name=name.replace("/", "."), detail=f"was {before[name]}, is {value}")
        for name, value in now.items()
        if name in before and value != before[name] and value == sysctl.WANTED[name]
    ]


def _new_rules(before: list[str], now: list[str]) -> list[Leftover]:
    had_chains = any(_CHAIN.search(rule) for rule in before)
    known = set(before)
    return [
        Leftover(kind="rule", name=rule)
        for rule in now
        if rule not in known and (_names_our_range(rule) or (not had_chains and _CHAIN.search(rule)))
    ]


def _names_our_range(rule: str) -> bool:
    return any(_inside(word) for word in re.findall(r"\d+\.\d+\.\d+\.\d+", rule))


def _mounts(proc: Path) -> list[str]:
    lines = (proc / "self/mountinfo").read_text(encoding="utf-8").splitlines()
    return [_unescape(line.split()[4]) for line in lines]


def _unescape(text: str) -> str:
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), text)


def mounts_below(folder: Path | None) -> list[Path]:
    """Return the mount points of this process's mount namespace at or below `folder`."""
    if folder is None or sys.platform != "linux":
        return []
    return [Path(point) for point in _mounts(Path("/proc")) if Path(point).is_relative_to(folder.absolute())]


def _routes(proc: Path) -> list[str]:
    lines = (proc / "net/route").read_text(encoding="ascii").splitlines()[1:]
    rows = [line.split() for line in lines]
    return [f"{_address(row[1])} via {_address(row[2])} dev {row[0]}" for row in rows]


def _address(little_endian: str) -> str:
    return socket.inet_ntoa(bytes.fromhex(little_endian)[::-1]) if sys.byteorder == "little" else little_endian


def _local_addresses(proc: Path) -> set[str]:
    """Read the addresses that this network namespace takes for its own, from the kernel's routing trie."""
    lines = (proc / "net/fib_trie").read_text(encoding="ascii").splitlines()
    return {lines[at - 1].split()[-1] for at, line in enumerate(lines) if at and "/32 host LOCAL" in line}


def _rules() -> list[str]:
    found: list[str] = []
    for command in _RULE_TOOLS:
        if (program := shutil.which(command[0], path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")) is None:
            continue
        with contextlib.suppress(OSError, subprocess.TimeoutExpired):
            ran = subprocess.run([program, *command[1:]], capture_output=True, text=True, timeout=_TIMEOUT, check=False)
            found += [line.strip() for line in ran.stdout.splitlines() if not line.startswith("#")]
    return sorted(set(found))
