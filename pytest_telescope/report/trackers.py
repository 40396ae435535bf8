"""Nobody learns that a report was opened: what would ask other machines is taken out, and the rest forbidden."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

POLICY = (
    "default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob: file:; "
    "connect-src 'self' data: blob: file:; form-action 'none'; object-src 'none'; base-uri 'self' file:"
)
"""Content security policy of the report: only itself, also for what an attachment would load."""

_SCRIPT = re.compile(r"<script\b", re.IGNORECASE)
_END = re.compile(r"</script\s*>", re.IGNORECASE)
_ELSEWHERE = re.compile(r"<script\b[^>]*\bsrc\s*=\s*[\"']?\s*(?:https?:)?//", re.IGNORECASE)
_SENDS = re.compile(r"window\.dataLayer|\bgtag\(|google-analytics|googletagmanager", re.IGNORECASE)
_LARGEST = 4096
"""Characters; the snippet of a tracker is short, and the program of the report is not one, whatever its text."""
_ATTRIBUTES = {"script": "src", "link": "href", "img": "src", "iframe": "src", "source": "src", "object": "data"}


def strip(html: str) -> str:
    """Return `html` without scripts from elsewhere and the snippets that feed them, and with the policy."""
    kept = "".join(part for part in _parts(html) if not _is_tracker(part))
    meta = f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
    return re.sub(r"(<head\b[^>]*>)", lambda match: f"{match[1]}\n    {meta}", kept, count=1, flags=re.IGNORECASE)


def external(html: str) -> list[str]:
    """Return the addresses on other machines that `html` would load by itself, and why it cannot be told if so."""
    parser = _Loads()
    try:
        parser.feed(html)
    except AssertionError as error:  # html.parser's way of saying that a declaration is none
        parser.found.append(f"no HTML ({error})")
    return parser.found


def strip_folder(folder: Path) -> list[str]:
    """Strip every page below `folder` in place; return what of other machines is left, which should be nothing."""
    left = []
    for page in sorted(folder.rglob("*.html")):
        html = strip(page.read_bytes().decode("utf-8", "surrogateescape"))
        page.write_bytes(html.encode("utf-8", "surrogateescape"))
        left += [f"{page.relative_to(folder)}: {address}" for address in _addresses(html)]
    return left


def _parts(html: str) -> Iterator[str]:
    """Yield `html` in pieces: every script element whole, and what stands between them."""
    position = 0
    while begin := _SCRIPT.search(html, position):
        end = _END.search(html, begin.end())
        stop = end.end() if end else len(html)
        yield html[position : begin.start()]
        yield html[begin.start() : stop]
        position = stop
    yield html[position:]


def _is_tracker(part: str) -> bool:
    if not _SCRIPT.match(part):
        return False
    return _ELSEWHERE.match(part) is not None or (len(part) <= _LARGEST and _SENDS.search(part) is not None)


def _addresses(html: str) -> Iterator[str]:
    yield from external(html)
    yield from re.findall(r"https?://(?:www\.)?google(?:tagmanager|-analytics)\.com[^\s\"'<]*", html)


class _Loads(HTMLParser):
    """Collects what elements load without being clicked; what stands inside a script is text."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        wanted = _ATTRIBUTES.get(tag)
        self.found += [
            value
            for name, value in attrs
            if name == wanted and value and re.match(r"\s*(https?:)?//", value, re.IGNORECASE)
        ]
