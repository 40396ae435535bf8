"""junit.xml as readers take it: what pytest wrote is brought into one shape, whatever became of the run.

Every red case has one `failure` whose message begins with its verdict, and one `system-out` with the tags by which
Azure DevOps attaches files; no two cases have the same name, and none has no name.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from collections.abc import Iterable
from pathlib import Path
from xml.etree import ElementTree

Element = ElementTree.Element
Attachments = Callable[[str], str]
"""Given a case's name, the attachment tags of what there is to look at when it is red."""

VERDICTS = ("FAIL", "INVALID", "ERROR")
MOST_MESSAGE = 500
"""Characters of a `message`; pytest's own limit. The text below it has all of it."""
_ILLEGAL = re.compile("[^\t\n\r\x20-\x7e\x80-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot hold (2.2), and DEL, which pytest takes out too."""
_ANSI = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)")
_ESCAPED_ANSI = re.compile(r"#x1B\[[0-?]*[ -/]*[@-~]")
_HEADING = re.compile(r"^-+ Captured (?:Out|Err|Log) -+$\n?", re.MULTILINE)
_ELSEWHERE = re.compile(r'failed on (setup|teardown) with "(.*)"\Z', re.DOTALL)
_TAG = re.compile(r"\[\[ATTACHMENT\|.*?\]\]\n?")


def legal(text: str) -> str:
    """Return text that XML can hold: colours of a terminal go, other control characters are spelt `#x07`."""
    return _ILLEGAL.sub(lambda found: f"#x{ord(found[0]):02X}", _ANSI.sub("", text))


def message_of(text: str) -> str:
    """Return text as the `message` of a failure: its verdict in front, not too long, in what XML can hold."""
    line = legal(text).strip() or "no reason given"
    line = line if begins_with_verdict(line) else f"ERROR {line}"
    return line if len(line) <= MOST_MESSAGE else f"{line[:MOST_MESSAGE]}..."


def begins_with_verdict(text: str) -> bool:
    """Return whether the first word is a red verdict."""
    return (text.split(maxsplit=1) or [""])[0].rstrip(":") in VERDICTS


def settle(file: Path, attachments: Attachments = lambda _name: "") -> None:
    """Bring a junit.xml into shape; all of it or nothing.

    Raises:
        OSError: it cannot be read or written.
        xml.etree.ElementTree.ParseError: it is no XML.
    """
    tree = ElementTree.parse(file)
    for suite in tree.iter("testsuite"):
        _settle_suite(suite, attachments)
    write(tree, file)


def write(tree: ElementTree.ElementTree[Element], file: Path) -> None:
    """Write XML at once, never half."""
    partial = file.with_name(f".{file.name}.partial")
    tree.write(partial, encoding="utf-8", xml_declaration=True)
    partial.replace(file)


def _settle_suite(suite: Element, attachments: Attachments) -> None:
    known: dict[tuple[str, str], Element] = {}
    for case in suite.findall("testcase"):
        key = (case.get("classname", ""), case.get("name", ""))
        if not key[1]:  # pytest's own of an item that was interrupted; the plugin has reported it by its name
            suite.remove(case)
        elif key in known:
            _join(known[key], case)
            suite.remove(case)
        else:
            known[key] = case
    for case in known.values():
        _settle_case(case, attachments)
    count(suite)


def _join(case: Element, other: Element) -> None:
    """Let one case say what two said, e.g. of an item that failed and could not be torn down either."""
    case.set("time", repr(max(_seconds(case), _seconds(other))))
    names = {one.get("name") for one in case.iter("property")}
    for part in other:
        if part.tag == "properties" and (own := case.find("properties")) is not None:
            own.extend(one for one in part if one.get("name") not in names)
        else:
            case.append(part)


def _settle_case(case: Element, attachments: Attachments) -> None:
    reds = [one for one in case if one.tag in {"failure", "error"}]
    properties, skipped = case.find("properties"), case.find("skipped")
    out = _out(case.findall("system-out"))
    for part in list(case):
        case.remove(part)
    case.set("time", f"{_seconds(case):.3f}")
    if properties is not None:
        case.append(properties)
    if reds:
        case.append(_failure(reds))
        out = "\n".join(one for one in (attachments(case.get("name", "")) or "\n".join(_tags(out)), _bare(out)) if one)
    elif skipped is not None:
        skipped.text = skipped.get("message")  # pytest has a path of this machine in front of it
        case.append(skipped)
    if out:
        ElementTree.SubElement(case, "system-out").text = out


def _failure(reds: Iterable[Element]) -> Element:
    texts = [(_message(one), _ESCAPED_ANSI.sub("", one.text or "").strip("\n")) for one in reds]
    message, text = texts[0]
    more = [f"{other}\n{below}" for other, below in texts[1:]]
    message = message_of(message)
    failure = ElementTree.Element("failure", message=message)
    failure.text = "\n\n".join([text or message, *more]) + "\n"
    return failure


def _message(red: Element) -> str:
    message = _ESCAPED_ANSI.sub("", red.get("message", ""))
    match = _ELSEWHERE.match(message)
    if match is None:
        return message
    return match[2] if begins_with_verdict(match[2]) else f"ERROR in {match[1]}: {match[2]}"


def _out(parts: Iterable[Element]) -> str:
    texts = [_ESCAPED_ANSI.sub("", _HEADING.sub("", one.text or "")).strip() for one in parts]
    return "\n".join(dict.fromkeys(one for one in texts if one))


def _tags(out: str) -> list[str]:
    return [found.strip() for found in _TAG.findall(out)]


def _bare(out: str) -> str:
    return _TAG.sub("", out).strip()


def _seconds(case: Element) -> float:
    try:
        seconds = float(case.get("time", "0"))
    except ValueError:
        return 0.0
    return seconds if math.isfinite(seconds) and seconds >= 0 else 0.0


def count(suite: Element) -> None:
    """Write how many cases there are of each kind."""
    cases = suite.findall("testcase")
    found = {"tests": len(cases), "errors": 0}
    for name, tag in (("failures", "failure"), ("skipped", "skipped")):
        found[name] = sum(case.find(tag) is not None for case in cases)
    for name, number in found.items():
        suite.set(name, str(number))
