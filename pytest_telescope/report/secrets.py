"""Secrets are taken out of what is published: those that the session knows, and what looks like one.

Known ones (see `secret_sources`) are looked for as they are and as JSON, XML, a URL, a shell line or base64 spell them.
What is withheld (see `secret_files`) is decided at the end of a run; text on its way to a terminal is masked at once.
"""

from __future__ import annotations

import base64
import html
import json
import re
import urllib.parse
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from functools import cache
from pathlib import Path
from typing import Any

DATA = Path(__file__).with_name("secrets.yaml")
KEY_LINE = 20
"""Characters from which a line of a secret of several lines is looked for by itself."""
QUICK = 20_000_000
"""Bytes times secrets up to which a search for one after the other is as quick as any other."""
SLICE = 4 * 1024 * 1024
MULTIPLIER = 2654435761
"""2^32 divided by the golden ratio, which spreads multiples evenly (Knuth, The Art of Computer Programming, 6.4)."""


_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{40,}={0,2}")
"""Base64 of 30 bytes and more, or a long word."""
_STANDARD = bytes.maketrans(b"-_", b"+/")


@cache
def rules() -> Mapping[str, Any]:
    """Return what `secrets.yaml` says."""
    import yaml

    found: Mapping[str, Any] = yaml.safe_load(DATA.read_text(encoding="utf-8"))
    return found


@dataclass(frozen=True, slots=True)
class Look:
    """A pattern, and texts one of which must be there before it is tried."""

    hints: tuple[bytes, ...]
    pattern: re.Pattern[bytes]


@cache
def looks() -> tuple[Look, ...]:
    """Return how secrets look that nobody told of."""
    return tuple(
        Look(tuple(hint.encode() for hint in one["hint"]), re.compile(one["pattern"].encode()))
        for one in rules()["looks"]
    )


@cache
def fields() -> tuple[tuple[re.Pattern[bytes], re.Pattern[bytes]], ...]:
    """Return pairs: a field in lower case up to its value, as JSON, YAML, Go and shells write it, and its value.

    Two steps, because the first one is quick only where case does not matter.
    """
    quote = r"(?:\\*[\"'])?"
    sign = rf"{quote}[ \t]*[:=]>?[ \t]*{quote}"
    always = "|".join("[ _-]?".join(name.split()) for name in rules()["fields"])
    long = "|".join(rules()["long_fields"])
    value = rb"(?!\d+(?![\w.-])|nil\b|null\b|true\b|false\b)(?:(?<=[\"'])[^\"'\\\n]{8,}|[^\s\"'\\,;&<>(){}\[\]]{8,})"
    long_value = rf"(?=[A-Za-z._~+/=-]*\d)[A-Za-z0-9._~+/=-]{{{rules()['long']},}}".encode()
    return (
        (re.compile(f"(?:{always}){sign}".encode()), re.compile(value)),
        (re.compile(f"(?:{long}){sign}".encode()), re.compile(long_value)),
    )


def spellings(secret: str) -> set[bytes]:
    """Return how a secret may be written, each long enough not to be a chance hit.

    Of one with several lines, a key, each line: logs break them, and JSON has all of them in one string.
    """
    shortest = rules()["shortest"]
    lines = [line.strip() for line in secret.splitlines() if line.strip() and "-----" not in line]
    if len(lines) > 1:
        long = [line for line in lines if len(line) >= KEY_LINE]
        found = {*long, *(one for line in long for one in _encoded(line.encode()))}
        found.add(base64.b64encode(secret.encode()).decode().rstrip("="))
    else:
        found = {secret, repr(secret)[1:-1], json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]}
        found.add(json.dumps(json.dumps(secret))[3:-3])
        found |= {html.escape(secret), html.escape(secret, quote=False)}
        found |= {urllib.parse.quote(secret, safe=safe) for safe in ("", "/")} | {urllib.parse.quote_plus(secret)}
        found |= {one for text in (secret, f"{secret}\n") for one in _encoded(text.encode())}
    return {one.encode() for one in found if len(one) >= shortest}


def _encoded(data: bytes) -> Iterator[str]:
    """Yield the base64 of `data` wherever it begins in a longer text, without what its neighbours decide."""
    for before in range(3):
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            text = encode(b"\0" * before + data).decode()
            first, last = -(-before * 8 // 6), (before + len(data)) * 8 // 6
            yield text[first:last]


@dataclass(slots=True)
class Secrets:
    """What must not be published.

    Attributes:
        names: the names of a run's items, which no secret may take out: they are the keys of every history.
    """

    names: str = ""
    _known: set[str] = field(default_factory=set)
    _needles: list[bytes] | None = None

    def add(self, secrets: Iterable[str]) -> None:
        """Learn secrets; a short value, a number, an everyday word or a part of a name is none."""
        new = {one for one in secrets if is_secret(one) and one not in self.names} - self._known
        if new:
            self._known |= new
            self._needles = None

    def __len__(self) -> int:
        return len(self._known)

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._known))

    def mask(self, text: str) -> str:
        """Return `text` with the mark in place of every secret."""
        data = text.encode("utf-8", errors="surrogatepass")
        return self.mask_bytes(data).decode("utf-8", errors="surrogatepass")

    def mask_bytes(self, data: bytes) -> bytes:
        """Return text in any ASCII-like encoding with the mark in place of every secret."""
        mark = rules()["mark"].encode()
        data = _BASE64.sub(lambda found: mark if _hides(found[0]) else found[0], data)  # before it is in pieces
        for needle in self.in_(data):
            data = data.replace(needle, mark)
        return masked_by_looks(data, mark)

    def in_(self, data: bytes) -> list[bytes]:
        """Return which spellings of known secrets are in `data`, the longest first: a part must not hide the whole."""
        if self._needles is None:
            found = {one for secret in self._known for one in spellings(secret)}
            self._needles = sorted(found, key=lambda one: (-len(one), one))
        likely = self._needles if len(data) * len(self._needles) < QUICK else _likely(self._needles, data)
        return [needle for needle in likely if needle in data]


def _hides(encoded: bytes) -> bool:
    """Return whether base64 hides what looks like a secret; the known ones are looked for encoded."""
    plain = encoded.translate(_STANDARD).rstrip(b"=")
    try:
        data = base64.b64decode(plain + b"=" * (-len(plain) % 4))
        data.decode("utf-8")
    except ValueError:  # no base64, or no text
        return False
    return masked_by_looks(data, b"") != data


def _likely(needles: Iterable[bytes], data: bytes) -> list[bytes]:
    """Return the needles whose first eight bytes are in `data`, found in one pass however many there are."""
    import numpy as np

    heads = {needle: int.from_bytes(needle[:8], "little") for needle in needles}
    wanted = np.zeros(1 << 16, dtype=bool)
    wanted[[((head & 0xFFFFFFFF) * MULTIPLIER & 0xFFFFFFFF) >> 16 for head in heads.values()]] = True
    there: set[int] = set()
    for start in range(0, len(data) - 7, SLICE):
        part = np.frombuffer(data, np.uint8, min(SLICE + 7, len(data) - start), start).astype(np.uint32)
        fours = part[:-3] | part[1:-2] << 8 | part[2:-1] << 16 | part[3:] << 24
        at = np.flatnonzero(wanted[fours[:-4] * np.uint32(MULTIPLIER) >> np.uint32(16)])
        there.update(np.unique(fours[at] | fours[at + 4].astype(np.uint64) << np.uint64(32)).tolist())
    return [needle for needle, head in heads.items() if head in there]


def is_secret(text: str) -> bool:
    """Return whether a value that is called a secret can be one: taking out a word would spoil what is published."""
    found = rules()
    return len(text) >= found["shortest"] and not text.isdigit() and text.lower() not in found["words"]


def masked_by_looks(data: bytes, mark: bytes) -> bytes:
    """Return text without what looks like a secret."""
    for look in looks():
        if any(map(data.__contains__, look.hints)):
            data = look.pattern.sub(lambda _found: mark, data)
    spans = list(values(data))
    for start, end in reversed(spans):
        data = data[:start] + mark + data[end:]
    return data


def values(data: bytes) -> Iterator[tuple[int, int]]:
    """Yield where the values of secret fields begin and end, in their order, none within another."""
    lower = data.lower()
    found = sorted(
        match.span()
        for name, value in fields()
        for one in name.finditer(lower)
        if (match := value.match(data, one.end())) is not None
    )
    last = 0
    for start, end in found:
        if start >= last and not data.startswith(rules()["mark"].encode(), start):
            last = end
            yield start, end


def seen(text: str) -> set[str]:
    """Return what looks like a secret in a text that is private and known to hold some."""
    data = text.encode("utf-8", errors="surrogatepass")
    found = {match[0] for look in looks() for match in look.pattern.finditer(data)}
    found |= {data[start:end] for start, end in values(data)}
    return {one.decode("utf-8", errors="replace") for one in found}
