"""From what an item shows to Allure's own model. Allure is only imported where something is written."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pytest_telescope.report.allure_shape import Attached
from pytest_telescope.report.allure_shape import Shown
from pytest_telescope.report.allure_shape import Step

SUITES = ("parentSuite", "suite", "subSuite")
Mask = Callable[[str], str]
"""Takes secrets out of a text."""
_VERDICT = re.compile(r"(FAIL|INVALID|ERROR)\b")
_TAG = "[[ATTACHMENT|"


def add(result: Any, shown: Shown, mask: Mask) -> None:
    """Add steps, attachments and parameters to a TestResult, without secrets; its historyId is not made of them."""
    from allure_commons.model2 import Parameter

    result.steps.extend(_step(one, mask) for one in shown.steps)
    have = {one.name for one in result.attachments}
    result.attachments.extend(attachment(one, mask) for one in shown.attached if one.name not in have)
    result.parameters.extend(
        Parameter(name=name, value=mask(value), excluded=True) for name, value in shown.parameters.items() if value
    )


def label(result: Any, suites: Iterable[str], labels: Mapping[str, str]) -> None:
    """Give a TestResult its place in the tree and labels, instead of those made from the file of the tests."""
    from allure_commons.model2 import Label

    own = dict(zip(SUITES, suites, strict=False))
    kept = [one for one in result.labels if one.name not in {*SUITES, *labels} or one.name == "tag"]
    tags = {one.value for one in kept if one.name == "tag"}
    new = [(name, value) for name, value in {**own, **labels}.items() if not (name == "tag" and value in tags)]
    result.labels[:] = [*kept, *(Label(name=name, value=value) for name, value in new)]
    result.titlePath = [*own.values()]


def plain_parameters(result: Any) -> None:
    """Show `cell` and `slo` as they are: allure-pytest shows their repr, its historyId is made of the values."""
    for parameter in result.parameters:
        parameter.value = re.sub(r"^'(.*)'$", r"\1", str(parameter.value))


def plain_details(result: Any, mask: Mask) -> None:
    """Let the message of a red item begin with its verdict, and that of a skip with its reason.

    allure-pytest puts the class of the exception in front, and shows where in its own files a skip was raised.
    """
    details = result.statusDetails
    if details is None:
        return
    first = str(details.trace or "").partition("\n")[0]
    if _VERDICT.match(first):
        details.message = first
    elif result.status == "skipped":
        details.message = str(details.message or "").removeprefix("Skipped: ")
        details.trace = None
    details.message, details.trace = mask(str(details.message or "")), mask(str(details.trace or ""))


def without_tags(result: Any, folder: Path) -> None:
    """Take out captured output that is nothing but the tags by which Azure DevOps attaches files."""
    for one in [one for one in result.attachments if one.name == "stdout"]:
        file = folder / one.source
        if file.is_file() and all(
            line.startswith(_TAG) for line in file.read_text(encoding="utf-8").split("\n") if line
        ):
            result.attachments.remove(one)
            file.unlink()


def attachment(one: Attached, mask: Mask) -> Any:
    """Write an attachment and return what a result names it by."""
    from allure_commons import plugin_manager
    from allure_commons.model2 import ATTACHMENT_PATTERN
    from allure_commons.model2 import Attachment
    from allure_commons.types import AttachmentType

    known = AttachmentType[one.kind.upper()]
    file = ATTACHMENT_PATTERN.format(prefix=uuid.uuid4(), ext=known.extension)
    plugin_manager.hook.report_attached_data(body=mask(one.body), file_name=file)
    return Attachment(name=one.name, source=file, type=known.mime_type)


def _step(step: Step, mask: Mask) -> Any:
    from allure_commons.model2 import Parameter
    from allure_commons.model2 import StatusDetails
    from allure_commons.model2 import TestStepResult

    return TestStepResult(
        name=mask(step.name),
        status=step.status,
        statusDetails=StatusDetails(message=mask(step.message)) if step.message else None,
        start=milliseconds(step.start),
        stop=milliseconds(step.stop),
        parameters=[Parameter(name=name, value=mask(value)) for name, value in step.parameters.items()],
        steps=[_step(one, mask) for one in step.steps],
        attachments=[attachment(one, mask) for one in step.attached],
    )


def milliseconds(unix: float | None) -> int | None:
    """Return Allure's unit of time."""
    return None if unix is None else round(1000 * unix)
