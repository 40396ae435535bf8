"""A chunked body is what `http.client` makes of it, however it arrives."""

from __future__ import annotations

import http.client
import io
import socket
from collections.abc import Sequence
from itertools import pairwise
from typing import cast

import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from pytest_telescope.load.chunked import Dechunker

settings.register_profile("ci", deadline=None)
settings.load_profile("ci")  # no time limit an example: these machines are busy

HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
DATA = st.binary(min_size=1, max_size=40) | st.sampled_from([b"\r\n", b"0\r\n\r\n", b"5\r\nabcde", b"\n", b"x" * 3000])
EXTENSIONS = st.sampled_from([b"", b";a", b";name=value", b'; quoted="x"', b" "])
TRAILERS = st.sampled_from([b"", b"Name: value\r\n", b"A: b\r\nC: d\r\n"])


class _Socket:
    """What `http.client` needs of one."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def makefile(self, _mode: str) -> io.BytesIO:
        return io.BytesIO(self._content)


def as_http_client_reads(body: bytes) -> bytes:
    response = http.client.HTTPResponse(cast(socket.socket, _Socket(HEAD + body)))
    response.begin()
    return response.read()


def chunked(chunks: Sequence[tuple[bytes, bytes]], trailers: bytes = b"", *, upper: bool = False) -> bytes:
    form = b"%X%s\r\n%s\r\n" if upper else b"%x%s\r\n%s\r\n"
    return b"".join(form % (len(data), extension, data) for data, extension in chunks) + b"0\r\n" + trailers + b"\r\n"


def fed(body: bytes, cuts: Sequence[int] = ()) -> tuple[bytes, Dechunker]:
    """The decoded bytes of a body that arrives in pieces."""
    decoder, edges = Dechunker(), [0, *sorted(min(cut, len(body)) for cut in cuts), len(body)]
    return b"".join(decoder.feed(body[start:end]) for start, end in pairwise(edges)), decoder


@given(
    st.lists(st.tuples(DATA, EXTENSIONS), max_size=6),
    TRAILERS,
    st.booleans(),
    st.lists(st.integers(0, 4000), max_size=12),
)
def test_any_split_of_any_body_gives_the_bytes_of_http_client(
    chunks: list[tuple[bytes, bytes]], trailers: bytes, upper: bool, cuts: list[int]
) -> None:
    body = chunked(chunks, trailers, upper=upper)

    found, decoder = fed(body, cuts)

    assert found == as_http_client_reads(body) == b"".join(data for data, _ in chunks)
    assert decoder.ended


@given(st.lists(st.tuples(DATA, EXTENSIONS), min_size=1, max_size=4))
def test_a_body_that_comes_byte_by_byte_is_whole(chunks: list[tuple[bytes, bytes]]) -> None:
    body = chunked(chunks)[:400]

    assert fed(body, range(len(body)))[0] == fed(body)[0]


@given(st.lists(st.tuples(DATA, EXTENSIONS), min_size=1, max_size=4), st.data())
def test_what_has_come_is_given_at_once_and_the_end_is_not_made_up(
    chunks: list[tuple[bytes, bytes]], data: st.DataObject
) -> None:
    body = chunked(chunks)
    whole = b"".join(content for content, _ in chunks)
    cut = data.draw(st.integers(0, len(body) - len(b"0\r\n\r\n")))

    found, decoder = fed(body[:cut])

    assert whole.startswith(found)
    assert not decoder.ended
    assert found + decoder.feed(body[cut:]) == whole


def test_part_of_a_chunk_is_not_held_back() -> None:
    decoder = Dechunker()

    assert decoder.feed(b"a\r\n01234") == b"01234"
    assert decoder.feed(b"56789\r\n") == b"56789"


def test_a_chunk_of_zero_in_the_data_is_data() -> None:
    assert fed(chunked([(b"0\r\n\r\n", b"")]))[0] == b"0\r\n\r\n"


def test_nothing_comes_after_the_end() -> None:
    found, decoder = fed(b"1\r\na\r\n0\r\n\r\n")

    assert found + decoder.feed(b"5\r\nabcde\r\n") == b"a"
    assert fed(b"0\r\n" + b"Long: trailers\r\n" * 200 + b"\r\n")[0] == b""


@pytest.mark.parametrize(
    "body",
    [
        b"x\r\n",
        b"\r\n",
        b"-5\r\nabcde\r\n",
        b"+5\r\nabcde\r\n",
        b"0x5\r\nabcde\r\n",
        b"1_0\r\n0123456789abcdef\r\n",
        b";5\r\n",
        b"5\r\nabcdefgh\r\n",
        b"5\r\nabcde5\r\nabcde\r\n",
        b"3\r\nabc\r\n\r\n",
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"1" * 2000,
        b"5;" + b"x" * 2000,
        b'{"kind":"Status"}\r\n',
        "\uff15\r\n".encode(),
    ],
)
def test_what_is_no_chunked_body_is_refused(body: bytes) -> None:
    for cuts in ((), (1,), (2, 3), range(len(body))):
        with pytest.raises(http.client.HTTPException):
            fed(body, cuts)


@given(
    st.binary(max_size=200) | st.lists(st.sampled_from([b"5\r\n", b"abcde", b"\r\n", b"0\r\n", b"-1"])).map(b"".join)
)
def test_any_bytes_are_decoded_or_refused(body: bytes) -> None:
    try:
        found, _ = fed(body, (1, 5, 9))
    except http.client.HTTPException:
        return
    assert len(found) <= len(body)
