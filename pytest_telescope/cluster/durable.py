"""Files that survive a crash, or were never there."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

PRIVATE_FILE = 0o600
PRIVATE_FOLDER = 0o700


def private_folder(path: Path) -> Path:
    """Make `path` and its parents, readable by this user alone, and return it."""
    path.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
    path.chmod(PRIVATE_FOLDER)
    return path


def durable_folder(path: Path) -> Path:
    """Make `path` and its parents like `private_folder`, so that after a power cut they are still there."""
    missing = [folder for folder in (path, *path.parents) if not folder.exists()]
    private_folder(path)
    for folder in missing:
        sync_folder(folder.parent)
    return path


def write_private(path: Path, content: str | bytes) -> Path:
    """Write `content` as a file of mode 0600, replacing a former one at once, and return the path."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    data = content.encode() if isinstance(content, str) else content
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE_FILE)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
    temporary.replace(path)
    return path


def write_durably(path: Path, document: Any) -> Path:
    """Write `document` as JSON so that after a power cut either all of it or the former file is there."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE_FILE)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(document, file, indent=2, sort_keys=True)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    sync_folder(path.parent)
    return path


def remove_durably(path: Path) -> None:
    """Remove `path` if it is there and make that last."""
    path.unlink(missing_ok=True)
    sync_folder(path.parent)


def sync_folder(path: Path) -> None:
    """Flush the names in a folder to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
