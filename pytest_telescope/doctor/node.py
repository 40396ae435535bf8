"""Whether a real node (kubelet and containerd) can run here; a simulated cluster needs none of this."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from pytest_telescope.doctor.model import Check
from pytest_telescope.doctor.model import ok
from pytest_telescope.doctor.model import warn
from pytest_telescope.toolchain import overrides
from pytest_telescope.toolchain import recipes
from pytest_telescope.toolchain import registry

CONTROLLERS = ("cpu", "cpuset", "memory", "pids")
PROGRAMS = ("mount", "umount")
"""Kubelet calls them."""
OVERLAY = 'mount -t overlay overlay -o "lowerdir=$1/lower,upperdir=$1/upper,workdir=$1/work" "$1/merged"'


def checks() -> list[Check]:
    """Return the checks that only the real node needs, its possibility last."""
    if sys.platform != "linux":
        return [verdict()]
    return [root(), capabilities(), cgroups(), programs(), overlay(), packages(), verdict()]


def root() -> Check:
    """Check for root."""
    if os.geteuid() == 0:
        return ok("root", "yes")
    return warn("root", f"no (user id {os.geteuid()})", "run as root (sudo, or a privileged container)")


def capabilities() -> Check:
    """Check the capabilities that namespaces, mounts and containers need; user namespaces are not used."""
    from pytest_telescope.cluster.local.host import CAPABILITIES

    effective = effective_capabilities()
    lacking = [name for name, bit in CAPABILITIES.items() if not effective >> bit & 1]
    if not lacking:
        return ok("capabilities", f"all {len(CAPABILITIES)}, SYS_ADMIN and NET_ADMIN among them")
    return warn("capabilities", f"without {', '.join(lacking)}", "run as root; in a container: --privileged")


def effective_capabilities() -> int:
    """Return the effective capabilities of this process as a bit set."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return next(int(line.split()[1], 16) for line in status.splitlines() if line.startswith("CapEff"))


def cgroups() -> Check:
    """Check the cgroup version and that kubelet's controllers are there."""
    unified = Path("/sys/fs/cgroup/cgroup.controllers")
    if unified.exists():
        version, found = 2, set(unified.read_text(encoding="utf-8").split())
    else:
        version, found = 1, _controllers_v1(Path("/proc/self/mounts").read_text(encoding="utf-8"))
    lacking = [name for name in CONTROLLERS if name not in found]
    if lacking:
        return warn("cgroups", f"version {version} without {', '.join(lacking)}", "mount or enable these controllers")
    writable = os.access("/sys/fs/cgroup", os.W_OK)
    text = f"version {version} with {', '.join(CONTROLLERS)}"
    return (
        ok("cgroups", text)
        if writable
        else warn("cgroups", f"{text}, read-only", "run privileged, with /sys/fs/cgroup writable")
    )


def programs() -> Check:
    """Check for the programs that kubelet calls."""
    lacking = [name for name in PROGRAMS if not shutil.which(name)]
    if not lacking:
        return ok("programs", ", ".join(PROGRAMS))
    return warn("programs", f"not on PATH: {', '.join(lacking)}", "apt-get install util-linux mount")


def overlay() -> Check:
    """Check that overlayfs can be mounted, by doing so in a mount namespace that ends with the check."""
    if os.geteuid() != 0 or not shutil.which("unshare"):
        return warn("overlayfs", "not tried: needs root and unshare", "run as root; apt-get install util-linux")
    with tempfile.TemporaryDirectory(prefix="telescope-overlay-") as folder:
        for name in ("lower", "upper", "work", "merged"):
            (Path(folder) / name).mkdir()
        command = ["unshare", "--mount", "sh", "-c", OVERLAY, "sh", folder]
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    if done.returncode == 0:
        return ok("overlayfs", "usable")
    return warn(
        "overlayfs", f"not usable: {done.stderr.strip()}", "modprobe overlay; put the temporary folder on ext4 or xfs"
    )


def packages() -> Check:
    """Check that the parts which need the distribution's packages can be had."""
    unbuilt = [name for name in _from_packages() if registry.ready(name) is None]
    if not unbuilt:
        return ok("packages", f"{', '.join(_from_packages())} are there")
    if shutil.which("apt-get") and shutil.which("dpkg"):
        return ok("packages", f"{', '.join(unbuilt)}: made with packages that apt fetches into the cache")
    names = " ".join(f"{overrides.variable(name)}=PATH" for name in unbuilt)
    return warn("packages", f"no apt to fetch the packages for {', '.join(unbuilt)}", f"set {names}")


def verdict() -> Check:
    """Check what the provider itself says."""
    reason = why_not()
    return ok("real node", "possible") if reason is None else warn("real node", f"not possible: {reason}")


def why_not() -> str | None:
    """Return why a real node cannot run here, or None: what the provider says, then what cannot be built."""
    from pytest_telescope.cluster.local.host import why_no_real_node

    return why_no_real_node() or _why_no_parts()


def _why_no_parts() -> str | None:
    from pytest_telescope.doctor import software

    for check in (packages(), software.compiler()):
        if check.state != "ok":
            return f"{check.found}; {check.mend}"
    return None


def _from_packages() -> list[str]:
    return [recipe.name for recipe in recipes.recipes().values() if recipe.debian and not _in_system(recipe)]


def _in_system(recipe: recipes.Recipe) -> bool:
    headers = recipe.libraries.values()
    return bool(headers) and all((Path("/usr/include") / header).exists() for header in headers)


def _controllers_v1(mounts: str) -> set[str]:
    fields = (line.split() for line in mounts.splitlines())
    return {name for field in fields if field[2] == "cgroup" for name in field[3].split(",")}
