"""The host sysctls that kubelet writes at start, and how a node gets its own view of them.

Kubelet compares each with the value it wants and writes only on a difference. A file that already holds the wanted
value, bound over the entry in the node's private mount namespace, therefore keeps the kernel's own value untouched.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

WANTED: Mapping[str, str] = {
    "vm/overcommit_memory": "1",
    "vm/panic_on_oom": "0",
    "kernel/panic": "10",
    "kernel/panic_on_oops": "1",
    "kernel/keys/root_maxkeys": "1000000",
    "kernel/keys/root_maxbytes": "25000000",
}
"""Entry below /proc/sys -> kubelet's value (`setupKernelTunables` of kubelet 1.36's container manager)."""


def read(proc: Path = Path("/proc")) -> dict[str, str]:
    """Return the kernel's values of the entries that exist on this machine."""
    files = {name: proc / "sys" / name for name in WANTED}
    return {name: file.read_text().strip() for name, file in files.items() if file.exists()}


def write_shields(folder: Path) -> dict[Path, str]:
    """Write one file a wanted value; return file -> entry below /proc/sys that it is to cover."""
    folder.mkdir(parents=True, exist_ok=True)
    shields = {}
    for name, value in WANTED.items():
        file = folder / name.replace("/", ".")
        file.write_text(value + "\n")
        shields[file] = name
    return shields
