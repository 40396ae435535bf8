"""What Allure shows of a run as a whole: environment.properties, executor.json, categories.json."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pytest_telescope.report.allure_case import observed

PACKAGES = ("pytest", "allure-pytest", "pytest-telescope")


def write(
    folder: Path, run: str, cells: Mapping[str, Mapping[str, Any]], environ: Mapping[str, str] = os.environ
) -> None:
    """Write the three files beside the results.

    Args:
        folder: of the results.
        run: id of the run.
        cells: cell -> its cell.json, empty where it was never provisioned.
        environ: of the build, see `executor`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _put(folder / "environment.properties", properties(environment(run, cells)))
    _put(folder / "categories.json", json.dumps(categories(), indent=1) + "\n")
    if build := executor(environ):
        _put(folder / "executor.json", json.dumps(build, indent=1) + "\n")


def environment(run: str, cells: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Return what the run was made of; what differs between cells is said of each, what does not once."""
    seen = {cell: observed(about) for cell, about in cells.items()}
    names = dict.fromkeys(name for found in seen.values() for name in found)
    common = {name: one for name in names if (one := _said(name, seen))}
    return {"run": run, "cells": ", ".join(cells), **common, **_versions()}


def _said(name: str, seen: Mapping[str, Mapping[str, str]]) -> str:
    found = {cell: values[name] for cell, values in seen.items() if name in values}
    if len(set(found.values())) == 1:
        return next(iter(found.values()))
    return "; ".join(f"{cell}: {value}" for cell, value in found.items())


def _versions() -> dict[str, str]:
    found = {}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:  # a bare checkout
            continue
    return found


def executor(environ: Mapping[str, str]) -> dict[str, Any]:
    """Return the build that the run is part of, on Azure Pipelines and GitHub Actions; {} elsewhere."""
    if environ.get("TF_BUILD"):
        return _azure(environ)
    return _github(environ) if environ.get("GITHUB_ACTIONS") else {}


def _azure(environ: Mapping[str, str]) -> dict[str, Any]:
    """Return the build of Azure Pipelines (learn.microsoft.com: predefined variables)."""
    base = environ.get("SYSTEM_COLLECTIONURI") or environ.get("SYSTEM_TEAMFOUNDATIONCOLLECTIONURI", "")
    project, build = environ.get("SYSTEM_TEAMPROJECT", ""), environ.get("BUILD_BUILDID", "")
    url = f"{base.rstrip('/')}/{project}/_build/results?buildId={build}" if base and build else ""
    return _known(
        name="Azure Pipelines",
        type="azure",
        url=base,
        buildOrder=_whole(build),
        buildName=" ".join(filter(None, (environ.get("BUILD_DEFINITIONNAME"), environ.get("BUILD_BUILDNUMBER")))),
        buildUrl=url.replace(" ", "%20"),
        reportName=environ.get("BUILD_BUILDNUMBER", ""),
    )


def _github(environ: Mapping[str, str]) -> dict[str, Any]:
    """Return the run of GitHub Actions (docs.github.com: default environment variables)."""
    server, repository = environ.get("GITHUB_SERVER_URL", ""), environ.get("GITHUB_REPOSITORY", "")
    run, number = environ.get("GITHUB_RUN_ID", ""), environ.get("GITHUB_RUN_NUMBER", "")
    return _known(
        name="GitHub Actions",
        type="github",
        url=f"{server}/{repository}" if server and repository else "",
        buildOrder=_whole(number),
        buildName=f"{environ.get('GITHUB_WORKFLOW', '')} #{number}".strip(),
        buildUrl=f"{server}/{repository}/actions/runs/{run}" if server and repository and run else "",
    )


def _known(**values: object) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value not in ("", None)}


def _whole(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() else None


def categories() -> list[dict[str, Any]]:
    """Return why items are red, by the beginning of their message."""
    import yaml

    found: list[dict[str, Any]] = yaml.safe_load(Path(__file__).with_name("allure_categories.yaml").read_text("utf-8"))
    return found


def properties(values: Mapping[str, str]) -> str:
    """Return a file of Java properties; Allure 3 ends a key at a space, a colon or an equals sign."""
    return "".join(f"{_key(name)}={_value(value)}\n" for name, value in values.items())


def _key(name: str) -> str:
    return "".join("_" if one in " :=#!\\" or one.isspace() else one for one in name)


def _value(value: str) -> str:
    return value.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t")


def _put(file: Path, text: str) -> None:
    partial = file.with_name(f".{file.name}.partial")
    partial.write_text(text, encoding="utf-8")
    partial.replace(file)
