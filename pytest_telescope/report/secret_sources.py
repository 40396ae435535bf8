"""Where the secrets of a session are found: variables of the environment, and the private folders of its clusters."""

from __future__ import annotations

import base64
import contextlib
import json
import re
import urllib.parse
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pytest_telescope.report.secrets import rules
from pytest_telescope.report.secrets import seen

LARGEST = 1024 * 1024
"""Bytes of a file that is read for secrets; what holds more is data of a component."""
DEEPEST = 4
"""Folders below a lease's in which its secrets are."""
NAME = "secrets.jsonl"
"""File in the private half of a run."""
DATA = {"etcd", "prometheus", "node", "logs", "module", ".terraform", "processes"}
"""Folders of a lease with data of components, or with what is not private."""
_OWN = re.compile(r"""\b(?:token|password|secret)["']?[ \t]*[:=][ \t]*["']?([^\s"',{}\[\]]{8,})""", re.IGNORECASE)
"""Fields of private files that hold secrets of any look, of kubeconfigs for one."""


def of_environment(environ: Mapping[str, str]) -> set[str]:
    """Return the secrets that variables hold by their names, or in a URL; or in the files that they name."""
    found = set()
    for name, value in environ.items():
        if _ends(name, rules()["files"]) and (files := _files(value)):
            found |= {
                one for file in files for one in of_file(file, is_secret=_ends(name, ["TOKEN_FILE", "TOKEN_FILE_PATH"]))
            }
        elif _ends(name, rules()["variables"]):
            found.add(value.strip())
        elif "://" in value:
            found |= set(_of_url(value))
    return found


def _ends(name: str, ends: Iterable[str]) -> bool:
    return any(f"_{name.upper()}".endswith(f"_{end}") for end in ends)


def _files(value: str) -> list[Path]:
    with contextlib.suppress(OSError, ValueError):
        return [file for one in value.split(":") if one and (file := Path(one)).is_file()]
    return []


def _of_url(url: str) -> Iterator[str]:
    with contextlib.suppress(ValueError):
        if password := urllib.parse.urlsplit(url).password:
            yield password
            yield urllib.parse.unquote(password)


def of_folder(folder: Path) -> set[str]:
    """Return the secrets in a lease's folder: kubeconfigs, keys, tokens, Terraform's state and variables."""
    found: set[str] = set()
    for file in _private(folder, DEEPEST):
        found |= of_file(file, is_secret=file.suffix == ".token" or file.name in {"token", "password"})
    return found


def _private(folder: Path, depth: int) -> Iterator[Path]:
    with contextlib.suppress(OSError):
        for path in sorted(folder.iterdir()):
            if path.is_symlink() or path.name in DATA:
                continue
            if path.is_file() and path.suffix not in {".log", ".tf", ".crt"}:
                yield path
            elif path.is_dir() and depth:
                yield from _private(path, depth - 1)


def of_file(file: Path, *, is_secret: bool = False) -> set[str]:
    """Return the secrets in a file; `is_secret`: its whole content is one."""
    try:
        if file.stat().st_size > LARGEST:
            return set()
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return set()
    found = {one.strip() for one in seen(text)} | set(_OWN.findall(text)) | ({text.strip()} if is_secret else set())
    with contextlib.suppress(ValueError, RecursionError):
        found |= set(_of_document(json.loads(text)))
    return found | set(_decoded(found))


def _of_document(document: Any) -> Iterator[str]:
    """Yield the strings that a JSON document calls secret: Terraform's sensitive ones, and by the look of each."""
    if isinstance(document, dict):
        if document.get("sensitive") is True:
            yield from _strings(document.get("value"))
        for path in document.get("sensitive_attributes") or ():
            yield from _strings(_at(document.get("attributes"), path))
        for value in document.values():
            yield from _of_document(value)
    elif isinstance(document, list):
        for value in document:
            yield from _of_document(value)
    elif isinstance(document, str):
        yield from seen(document)


def _at(value: Any, path: Iterable[Mapping[str, Any]]) -> Any:
    """Return what a path of Terraform's state leads to; None where it leads nowhere."""
    for step in path:
        key = step.get("value")
        key = key.get("value") if isinstance(key, dict) else key
        try:
            value = value[key]
        except (KeyError, IndexError, TypeError):
            return None
    return value


def _strings(value: Any) -> Iterator[str]:
    """Yield every string in a value that is secret as a whole; of a kubeconfig only what is secret in it."""
    if isinstance(value, str):
        if "certificate-authority" in value or "clusters" in value:
            yield from seen(value)
        else:
            yield value
    elif isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _strings(one)


def _decoded(secrets: Iterable[str]) -> Iterator[str]:
    """Yield what base64 hides, e.g. the key in a kubeconfig's `client-key-data`."""
    for one in secrets:
        with contextlib.suppress(ValueError):
            text = base64.b64decode(one, validate=True).decode("utf-8")
            if text.isprintable() or "-----" in text:
                yield text.strip()


def remember(private: Path, secrets: Iterable[str]) -> None:
    """Write down, in the private half of a run, what a cluster's folder knew: its end takes that folder away.

    The process that publishes the run may be another one: pytest-xdist's controller, or who comes after a kill.
    """
    lines = [json.dumps(one) + "\n" for one in secrets]
    if lines and private.is_dir():
        (private / NAME).touch(mode=0o600)
        with (private / NAME).open("a", encoding="utf-8") as stream:
            stream.write("".join(lines))


def remembered(private: Path) -> set[str]:
    """Return what was written down; a line that was cut short is left out."""
    found = set()
    with contextlib.suppress(OSError):
        for line in (private / NAME).read_text(encoding="utf-8").splitlines():
            with contextlib.suppress(ValueError):
                found.add(str(json.loads(line)))
    return found


def forget(private: Path) -> None:
    """Delete what was written down."""
    (private / NAME).unlink(missing_ok=True)
