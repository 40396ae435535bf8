"""Protocol buffers and Terraform's values on the wire, by hand: only what plugin protocol 6 needs.

Source of field numbers and encodings: hashicorp/terraform, docs/plugin-protocol/tfplugin6.proto and
object-wire-format.md.
"""

from __future__ import annotations

import json
from typing import Any

import msgpack  # type: ignore[import-untyped] # ships no types

Message = dict[int, list[Any]]
"""Field number -> raw values in order: int for varints, bytes for the rest."""
UNKNOWN = msgpack.ExtType(0, b"\x00")
"""A value that only the apply will tell."""
VARINT = 0
FIXED64 = 1
DELIMITED = 2
FIXED32 = 5


def field(number: int, value: bytes | str | int) -> bytes:
    """Return one encoded field; a bool or int that is zero is left out, as proto3 wants it."""
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value) if value else b""
    body = value.encode() if isinstance(value, str) else value
    return _varint(number << 3 | DELIMITED) + _varint(len(body)) + body


def parse(data: bytes) -> Message:
    """Return the fields of a message.

    Raises:
        ValueError: a wire type that protocol buffers do not have any more.
    """
    found: Message = {}
    at = 0
    while at < len(data):
        key, at = _read_varint(data, at)
        value, at = _read_value(data, at, key & 7)
        found.setdefault(key >> 3, []).append(value)
    return found


def text(message: Message, number: int) -> str:
    """Return a string field, "" where it is absent."""
    return bytes(message[number][0]).decode() if number in message else ""


def value_of(message: Message, number: int) -> Any:
    """Return a DynamicValue field: None is null or absent; every unknown is `UNKNOWN`."""
    if number not in message:
        return None
    dynamic = parse(message[number][0])
    if 1 in dynamic:
        return msgpack.unpackb(dynamic[1][0], ext_hook=lambda _code, _data: UNKNOWN, raw=False, strict_map_key=False)
    return json.loads(dynamic[2][0]) if 2 in dynamic else None


def dynamic(value: Any) -> bytes:
    """Return a DynamicValue in msgpack."""
    return field(1, msgpack.packb(value, use_bin_type=True))


def problem(summary: str, detail: str = "") -> bytes:
    """Return a Diagnostic of severity error."""
    return field(1, 1) + field(2, summary) + field(3, detail)


def attribute_path(name: str) -> bytes:
    """Return the AttributePath of one top-level attribute."""
    return field(1, field(1, name))


def _varint(number: int) -> bytes:
    out = bytearray()
    number &= (1 << 64) - 1
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def _read_varint(data: bytes, at: int) -> tuple[int, int]:
    number = shift = 0
    while data[at] > 0x7F:
        number |= (data[at] & 0x7F) << shift
        shift += 7
        at += 1
    return number | data[at] << shift, at + 1


def _read_value(data: bytes, at: int, kind: int) -> tuple[Any, int]:
    if kind == VARINT:
        return _read_varint(data, at)
    if kind == DELIMITED:
        length, at = _read_varint(data, at)
    elif kind in (FIXED32, FIXED64):
        length = 4 if kind == FIXED32 else 8
    else:
        raise ValueError(f"wire type {kind} at byte {at}; expected 0, 1, 2 or 5")
    return data[at : at + length], at + length
