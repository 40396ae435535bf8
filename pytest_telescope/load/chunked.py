"""HTTP/1.1's chunked transfer coding (RFC 9112, 7.1), decoded from whatever one read brings.

`http.client` reads the size of every chunk with calls of its own, which for a busy watch costs more than the events.
"""

from __future__ import annotations

import http.client
import re

_LINE_LONGEST = 1024
_SIZE = re.compile(rb"[0-9a-fA-F]+")
_LINE_END = b"\r\n"
_HEAD = re.compile(rb"([0-9a-fA-F]+)\r\n")
"""A size as it nearly always comes: nothing beside it, and its line is there to the end."""


class Dechunker:
    """Takes in the raw bytes of a body and returns what is in its chunks; `ended` once the last chunk was seen."""

    def __init__(self) -> None:
        self._rest = b""
        self._left = 0
        """Bytes of the chunk under way that have not come."""
        self._between = False
        """A chunk is over; its line end has not come."""
        self.ended = False

    def feed(self, raw: bytes) -> bytes:
        """Return the bytes of chunks that `raw` completes.

        Raises:
            http.client.HTTPException: it is no chunked body.
        """
        data, at, parts = self._rest + raw if self._rest else raw, 0, list[bytes]()
        while not self.ended:
            if self._left:
                part = data[at : at + self._left]
                parts.append(part)
                at, self._left = at + len(part), self._left - len(part)
                if self._left:
                    break
                self._between = True
            if self._between and data.startswith(_LINE_END, at):
                at, self._between = at + 2, False
            if at == len(data):
                break
            if not self._between and (head := _HEAD.match(data, at)):
                at, self._left = head.end(), int(head[1], 16)
                self.ended = self._left == 0
                continue
            if (end := data.find(_LINE_END, at)) < 0:
                break
            line, at = data[at:end], end + 2
            if not self._take(line):
                break
        self._rest = data[at:]
        if len(self._rest) > _LINE_LONGEST and not self.ended:
            raise http.client.HTTPException("the size of a chunk does not end")
        return b"".join(parts)

    def _take(self, line: bytes) -> bool:
        """Take in one line between chunks; say whether the body goes on."""
        if self._between:
            if line:
                raise http.client.HTTPException(f"a chunk is longer than its size says: {line[:40]!r}")
            self._between = False
            return True
        if (size := _SIZE.fullmatch(line.partition(b";")[0].strip())) is None:
            raise http.client.HTTPException(f"not the size of a chunk: {line[:40]!r}")
        self._left = int(size[0], 16)
        self.ended = self._left == 0
        return not self.ended
