"""What needs a C compiler: the pause binary, and C libraries that Go tools link."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

from pytest_telescope.errors import ToolError
from pytest_telescope.toolchain import debian
from pytest_telescope.toolchain.recipes import Recipe


def compiler(recipe: Recipe) -> str:
    """Return the C compiler: $CC, else cc.

    Raises:
        ToolError: There is none.
    """
    found = shutil.which(os.environ.get("CC") or "cc")
    if found:
        return found
    raise ToolError(
        f"{recipe.name} needs a C compiler, and there is none: install gcc (Debian: apt-get install gcc libc6-dev)"
    )


def make(recipe: Recipe, go: Path, environment: dict[str, str], output: Path, step: debian.Step) -> None:
    """Compile the one C file of `recipe`, which lies in the Go module that pins it.

    Raises:
        ToolError: The module cannot be had, or the compiler failed.
    """
    source = _module_folder(recipe, go, environment, step) / recipe.file
    command = [compiler(recipe), *recipe.fill(recipe.cflags).split(), "-o", str(output), str(source)]
    step(command, recipe.module_folder, f"{recipe.name} does not compile")


def libraries(recipe: Recipe, work: Path, step: debian.Step) -> dict[str, str]:
    """Return the environment with which cgo finds the C libraries of `recipe`, from the system or from its packages.

    Raises:
        ToolError: They are neither on this machine nor can be fetched.
    """
    cc = compiler(recipe)
    if all(_links(cc, library, header, work) for library, header in recipe.libraries.items()):
        return {"CC": cc, "PKG_CONFIG": str(_pkg_config(recipe, None, work))}
    usr = debian.unpack(recipe, work, step) / "usr"
    # Go's cache would keep the folders that pkg-config names, and link with them when they are long gone.
    return {"CC": cc, "PKG_CONFIG": str(_pkg_config(recipe, usr, work)), "GOCACHE": str(work / "go-cache")}


def _pkg_config(recipe: Recipe, usr: Path | None, work: Path) -> Path:
    # cgo asks pkg-config, which not every machine has, and which would answer with the system's folders.
    folders = dict.fromkeys(str(path.parent) for path in usr.rglob("*.a")) if usr else {}
    link = " ".join([*(f"-L{folder}" for folder in folders), *(f"-l{library}" for library in recipe.libraries)])
    include = f"-I{usr / 'include'}" if usr else ""
    script = work / "pkg-config"
    script.write_text(
        f'#!/bin/sh\ncase "$*" in *--libs*) echo "{link}";; *) echo "{include}";; esac\n', encoding="utf-8"
    )
    script.chmod(0o755)
    return script


def _links(cc: str, library: str, header: str, work: Path) -> bool:
    probe = work / "probe.c"
    probe.write_text(f"#include <{header}>\nint main(void) {{ return 0; }}\n", encoding="utf-8")
    command = [cc, "-static", "-o", str(work / "probe"), str(probe), f"-l{library}"]
    return subprocess.run(command, capture_output=True, timeout=60, check=False).returncode == 0


def _module_folder(recipe: Recipe, go: Path, environment: dict[str, str], step: debian.Step) -> Path:
    step([str(go), "mod", "download", recipe.source], recipe.module_folder, f"{recipe.source} cannot be had")
    command = [str(go), "list", "-mod=readonly", "-m", "-json", recipe.source]
    done = subprocess.run(
        command, cwd=recipe.module_folder, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    if done.returncode:
        raise ToolError(f"{recipe.source} cannot be found for {recipe.name}: {done.stderr.strip()}")
    return Path(json.loads(done.stdout)["Dir"])
