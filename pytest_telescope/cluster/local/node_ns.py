"""The Linux calls behind a node's namespaces that Python 3.11 does not offer; Linux only, root only."""

from __future__ import annotations

import contextlib
import ctypes
import functools
import os
from collections.abc import Iterator
from pathlib import Path

NEWNS = 0x00020000
NEWUTS = 0x04000000
NEWIPC = 0x08000000
NEWPID = 0x20000000
NEWNET = 0x40000000

RDONLY = 0x1
NOSUID = 0x2
NODEV = 0x4
NOEXEC = 0x8
REMOUNT = 0x20
BIND = 0x1000
MOVE = 0x2000
REC = 0x4000
PRIVATE = 0x40000
SHARED = 0x100000

_DETACH = 2
_SET_PDEATHSIG = 1


@functools.cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _check(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def unshare(flags: int) -> None:
    """Give the calling process new namespaces; NEWPID takes effect for its children."""
    _check(_libc().unshare(flags), f"unshare({flags:#x})")


def setns(descriptor: int, kind: int) -> None:
    """Move the calling thread into the namespace behind an open /proc/<pid>/ns file."""
    _check(_libc().setns(descriptor, kind), f"setns({kind:#x})")


def die_with_parent(signal_number: int) -> None:
    """Have the kernel send `signal_number` to this process when its parent ends."""
    _check(_libc().prctl(_SET_PDEATHSIG, signal_number, 0, 0, 0), "prctl(PR_SET_PDEATHSIG)")


def mount(source: str | Path | None, target: str | Path, kind: str | None, flags: int = 0, data: str = "") -> None:
    """Attach a file system or a tree; `source` may be None where the kernel ignores it."""
    encoded = [None if value is None else os.fsencode(value) for value in (source, target, kind)]
    result = _libc().mount(encoded[0], encoded[1], encoded[2], ctypes.c_ulong(flags), data.encode() or None)
    _check(result, f"mount {source or kind} on {target}")


def bind(source: Path, target: Path, *, read_only: bool = False, recursive: bool = False) -> None:
    """Show `source` at `target`; a read-only bind needs a second call, which keeps the flags it must keep."""
    mount(source, target, None, BIND | (REC if recursive else 0))
    if read_only:
        mount(None, target, None, BIND | REMOUNT | RDONLY | _locked_flags(target))


def _locked_flags(target: Path) -> int:
    """Return nosuid/nodev/noexec as the mount has them: dropping one may be refused."""
    flags = os.statvfs(target).f_flag
    kept = ((os.ST_NOSUID, NOSUID), (os.ST_NODEV, NODEV), (os.ST_NOEXEC, NOEXEC))
    return sum(mount_flag for stat_flag, mount_flag in kept if flags & stat_flag)


def unmount(target: Path) -> None:
    """Detach what is mounted at `target`, busy or not."""
    _check(_libc().umount2(os.fsencode(target), _DETACH), f"umount {target}")


def change_root(root: Path) -> None:
    """Make the mount at `root` the root of this mount namespace and let go of the old one."""
    os.chdir(root)
    (root / ".old").mkdir()
    try:
        _check(_libc().pivot_root(b".", b".old"), f"pivot_root {root}")
    except OSError:  # the old root is an initramfs, which cannot be pivoted away
        mount(".", "/", None, MOVE)
        os.chroot(".")
        os.chdir("/")
        return
    os.chdir("/")
    unmount(Path("/.old"))
    Path("/.old").rmdir()


@contextlib.contextmanager
def inside(descriptor: int, home: int) -> Iterator[None]:
    """Create sockets of another network namespace within this block; `home` is the way back. Never await in it."""
    setns(descriptor, NEWNET)
    try:
        yield
    finally:
        setns(home, NEWNET)
