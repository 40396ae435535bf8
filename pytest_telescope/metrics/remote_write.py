"""Samples as Prometheus' remote write takes them, version 1: protobuf in snappy, without a library; pure.

Formats: `prompb/remote.proto` and `prompb/types.proto` of Prometheus, and snappy's block format, of which only literals
are used: nothing is compressed, since it goes over loopback.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable
from collections.abc import Mapping

STALE = 0x7FF0000000000002
"""Bits of the NaN that says that a series ended (`model/value/value.go`); a query never answers it."""
NAN = 0x7FF8000000000001
"""Bits of every other NaN."""
HEADERS = {
    "Content-Type": "application/x-protobuf",
    "Content-Encoding": "snappy",
    "X-Prometheus-Remote-Write-Version": "0.1.0",
}
_LITERAL = 65_536
_SAMPLE = struct.Struct("<BBBdB")
_BITS = struct.Struct("<BBBQB")

Sample = tuple[int, float | None]
"""Milliseconds since 1970 and a value; None is the mark that the series ended."""


def request(series: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Return the body of a request: (`labels`, `samples`) of each series."""
    return snappy(b"".join(_field(0x0A, labels + samples) for labels, samples in series))


def labels(found: Mapping[str, str]) -> bytes:
    """Return the labels of one series, `__name__` among them."""
    return b"".join(
        _field(0x0A, _field(0x0A, name.encode()) + _field(0x12, value.encode()))
        for name, value in sorted(found.items())
    )


def samples(values: Iterable[Sample]) -> bytes:
    """Return the samples of one series, which must rise in time."""
    return b"".join(_sample(when, value) for when, value in values)


def snappy(content: bytes) -> bytes:
    """Return `content` in snappy's block format, as literals of at most 64 KiB."""
    parts = [varint(len(content))]
    for start in range(0, len(content), _LITERAL):
        part = content[start : start + _LITERAL]
        parts += (struct.pack("<BH", 61 << 2, len(part) - 1), part)
    return b"".join(parts)


def varint(number: int) -> bytes:
    """Return a number that is not negative as protobuf's variable length integer."""
    found = bytearray()
    while number > 0x7F:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    found.append(number)
    return bytes(found)


def _field(tag: int, content: bytes) -> bytes:
    return bytes((tag,)) + varint(len(content)) + content


def _sample(when: int, value: float | None) -> bytes:
    stamp = varint(when)
    size = 10 + len(stamp)
    if value is None or math.isnan(value):
        return _BITS.pack(0x12, size, 0x09, STALE if value is None else NAN, 0x10) + stamp
    return _SAMPLE.pack(0x12, size, 0x09, value, 0x10) + stamp
