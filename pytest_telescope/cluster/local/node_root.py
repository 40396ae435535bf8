"""The root of a node: a small tree of its own in which the host is visible read-only, and only where it must be.

A pod with a `hostPath` volume, kubelet, containerd and runc all see this tree; nothing they write leaves the node's
folder. It exists in the node's mount namespace alone, so the host's mount table never shows any of it.
"""

from __future__ import annotations

from pathlib import Path

from pytest_telescope.cluster.local import node_ns as ns
from pytest_telescope.cluster.local.node_plan import BIN
from pytest_telescope.cluster.local.node_plan import IMAGES
from pytest_telescope.cluster.local.node_plan import TOOLS
from pytest_telescope.cluster.local.node_plan import NodePlan

HOST_FOLDERS = ("bin", "sbin", "lib", "lib32", "lib64", "usr", "nix", "gnu")
"""Programs and libraries: kubelet calls mount(8) and umount(8)."""
DEVICES = ("null", "zero", "full", "random", "urandom", "tty", "kmsg", "fuse")
_FOLDERS = ("proc", "sys", "dev", "run", "tmp", "var", "etc", "root", "opt", "mnt", BIN.lstrip("/"), IMAGES.lstrip("/"))


def enter(plan: NodePlan) -> None:
    """Build the root in the caller's new mount namespace, which shares nothing with the host's, and move into it."""
    root = plan.root
    ns.mount("tmpfs", root, "tmpfs", ns.NOSUID | ns.NODEV, "mode=755,size=16m")
    for name in _FOLDERS:
        (root / name).mkdir(parents=True, exist_ok=True)
    _show_host(root)
    _kernel_views(root)
    _devices(root / "dev")
    _shield_sysctls(plan)
    _own_folders(plan)
    ns.change_root(root)
    ns.mount(None, "/", None, ns.REC | ns.SHARED)  # shared among the node's own mount namespaces only


def overlay_works(folder: Path) -> bool:
    """Try an overlay mount below `folder`; the caller's mount namespace must be its own."""
    lower, upper, work, merged = (folder / "probe" / name for name in ("lower", "upper", "work", "merged"))
    for path in (lower, upper, work, merged):
        path.mkdir(parents=True, exist_ok=True)
    try:
        ns.mount("overlay", merged, "overlay", 0, f"lowerdir={lower},upperdir={upper},workdir={work}")
    except OSError:
        return False
    ns.unmount(merged)
    return True


def _show_host(root: Path) -> None:
    for name in HOST_FOLDERS:
        source, target = Path("/", name), root / name
        if source.is_symlink():
            target.symlink_to(source.readlink())
        elif source.is_dir():
            target.mkdir()
            ns.bind(source, target, read_only=True)


def _kernel_views(root: Path) -> None:
    safe = ns.NOSUID | ns.NODEV | ns.NOEXEC
    ns.mount("proc", root / "proc", "proc", safe)
    ns.mount("sysfs", root / "sys", "sysfs", safe)
    ns.bind(Path("/sys/fs/cgroup"), root / "sys/fs/cgroup", recursive=True)


def _devices(folder: Path) -> None:
    ns.mount("tmpfs", folder, "tmpfs", ns.NOSUID, "mode=755,size=1m")
    for name in DEVICES:
        source = Path("/dev", name)
        if source.exists():
            (folder / name).touch()
            ns.bind(source, folder / name)
    for name, kind, data in (("pts", "devpts", "newinstance,ptmxmode=0666,mode=0620"), ("shm", "tmpfs", "mode=1777")):
        (folder / name).mkdir()
        ns.mount(kind, folder / name, kind, ns.NOSUID | ns.NOEXEC, data)
    (folder / "ptmx").symlink_to("pts/ptmx")
    for name, target in (("fd", ""), ("stdin", "/0"), ("stdout", "/1"), ("stderr", "/2")):
        (folder / name).symlink_to(f"/proc/self/fd{target}")


def _shield_sysctls(plan: NodePlan) -> None:
    for file, entry in plan.shields.items():
        target = plan.root / "proc/sys" / entry
        if target.exists():
            ns.bind(file, target, read_only=True)


def _own_folders(plan: NodePlan) -> None:
    root = plan.root
    ns.mount("tmpfs", root / "run", "tmpfs", ns.NOSUID | ns.NODEV, "mode=755")
    ns.mount("tmpfs", root / "tmp", "tmpfs", ns.NOSUID | ns.NODEV, "mode=1777")
    ns.bind(plan.var, root / "var")
    ns.bind(plan.etc, root / "etc", read_only=True)
    for name, file in plan.tools.items():
        _show_tool(name, file.resolve(), root)
    for file in plan.images:
        target = root / IMAGES.lstrip("/") / file.name
        target.touch()
        ns.bind(file, target, read_only=True)


def _show_tool(name: str, file: Path, root: Path) -> None:
    """Show the whole folder: runc looks at its own file through an overlay of the folder, blind for mounts in it."""
    folder = root / TOOLS.lstrip("/") / name
    folder.mkdir(parents=True)
    ns.bind(file.parent, folder, read_only=True)
    (root / BIN.lstrip("/") / name).symlink_to(f"{TOOLS}/{name}/{file.name}")
