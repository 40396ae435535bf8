"""scenario.yaml files found and loaded; all that is wrong with them is said at once."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Mapping
from pathlib import Path

from pytest_telescope.errors import UsageError
from pytest_telescope.scenario import document
from pytest_telescope.scenario.document import Node
from pytest_telescope.scenario.merge import mapping
from pytest_telescope.scenario.merge import overlaid
from pytest_telescope.scenario.model import Place
from pytest_telescope.scenario.names import PROVIDERS
from pytest_telescope.scenario.names import suggest
from pytest_telescope.scenario.parts import Part
from pytest_telescope.scenario.problems import Problems
from pytest_telescope.scenario.scenario import Scenario
from pytest_telescope.scenario.view import View
from pytest_telescope.scenario.view import fixed_problems
from pytest_telescope.scenario.view import view
from pytest_telescope.scenario.written import FIXED
from pytest_telescope.scenario.written import Head
from pytest_telescope.scenario.written import Written

FILE = "scenario.yaml"


def names(root: Path) -> tuple[str, ...]:
    """Return the names of the scenarios in `root`, sorted; no file is read."""
    return tuple(sorted(path.parent.name for path in root.glob(f"*/{FILE}")))


def load(folder: Path) -> Scenario:
    """Return the scenario of one folder.

    What is alike in all rows is checked here, for every provider and with the first row; the other rows are checked
    when their cells are made.

    Raises:
        UsageError: the file is not there or not right; one line a problem, each with file:line.
    """
    folder = folder.resolve()
    shown = _shown(folder / FILE)
    root = document.read(folder / FILE, shown)
    if not isinstance(root.content, Mapping):
        raise UsageError(f"{shown}:{root.place.line}: not a mapping of keys; see docs/scenario.md for the keys")
    problems = Problems()
    _unknown_keys(root, "", tuple(Written.model_fields), problems)
    overlays = _overlays(root.content.get("on"), problems)
    base = overlaid(
        Node({}, root.place), Node({k: v for k, v in root.content.items() if k != "on"}, root.place), problems
    )
    head = _head(base, folder, problems)
    views: dict[str, View] = {}
    for provider, overlay in overlays.items():
        seen = view(provider, overlaid(base, overlay, problems), folder, problems)
        if seen:
            fixed_problems(seen, problems)
            views[provider] = seen
    problems.check()
    assert head is not None
    place = root.content["name"].place
    return Scenario(head=head, document=base, overlays=overlays, views=views, folder=folder, place=place)


def load_all(root: Path) -> dict[str, Scenario]:
    """Return all scenarios in `root` by name.

    Raises:
        UsageError: one or more are not right; the message has all problems of all files.
    """
    return load_named(root, names(root))


def load_named(root: Path, wanted: Iterable[str]) -> dict[str, Scenario]:
    """Return the scenarios `wanted` by name, in that order.

    Raises:
        UsageError: an unknown name, or one or more are not right; the message has all problems of all files.
    """
    known = names(root)
    loaded: dict[str, Scenario] = {}
    wrong: list[str] = []
    for name in wanted:
        try:
            if name not in known:
                raise UsageError(suggest("scenario", name, known))
            loaded[name] = load(root / name)
        except UsageError as error:
            wrong.append(str(error))
    if wrong:
        raise UsageError("\n".join(wrong))
    return loaded


def _shown(path: Path) -> Path:
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


def _unknown_keys(node: Node, path: str, known: tuple[str, ...], problems: Problems) -> None:
    for key, value in mapping(node).items():
        if key in known:
            continue
        text = f"{key!r} is alike on every provider; remove it here" if key in FIXED else suggest("key", key, known)
        problems.add(value.place, f"{path}{key}", text)


def _overlays(on: Node | None, problems: Problems) -> dict[str, Node]:
    overlays: dict[str, Node] = {}
    written = mapping(on)
    if on is not None and on.content is not None and not isinstance(on.content, Mapping):
        problems.add(on.place, "on", "not a mapping of providers; write e.g. {local: {matrix: {p60: {pods: 60}}}}")
    for name, value in written.items():
        if name not in PROVIDERS:
            problems.add(value.place, f"on.{name}", suggest("provider", name, PROVIDERS))
    for provider in PROVIDERS:
        overlay = written.get(provider)
        if overlay is None or overlay.content is None or overlay.content is True:
            overlays[provider] = Node({}, on.place) if on else Node({}, _NOWHERE)
        elif isinstance(overlay.content, Mapping):
            keys = tuple(key for key in Written.model_fields if key not in FIXED)
            _unknown_keys(overlay, f"on.{provider}.", keys, problems)
            overlays[provider] = overlay
        elif overlay.content is not False:
            text = "not an overlay; write the keys that differ, or false where the scenario does not run there"
            problems.add(overlay.place, f"on.{provider}", text)
    if on and all(written.get(provider) and written[provider].content is False for provider in PROVIDERS):
        problems.add(on.place, "on", "every provider is switched off; leave one on")
    return overlays


_NOWHERE = Place(Path(FILE), 0)


def _head(base: Node, folder: Path, problems: Problems) -> Head | None:
    content = {key: value for key, value in mapping(base).items() if key in Head.model_fields}
    head = Part(Node(content, base.place), Head, "", folder).build({}, problems)
    if head is not None and head.name != folder.name:
        text = f"{head.name!r} is not the name of its folder {folder.name!r}; rename one"
        problems.add(content["name"].place, "name", text)
    return head
