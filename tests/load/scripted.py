"""An HTTP server that answers pod lists and watches as a test scripted them: real sockets, no API server."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from collections.abc import Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from http.server import ThreadingHTTPServer
from typing import Any

from pytest_telescope.load.credentials import Credentials

Step = dict[str, Any] | float | None
"""An event to send, seconds to wait, or None: hold the stream open in silence."""


class Script:
    """What the server says.

    Attributes:
        watches: one list of steps a watch, in order; the last one is used again for all that follow.
        pods: what a list holds now; may be changed by the test.
        asked: the paths that were asked.
    """

    def __init__(self, watches: Sequence[Sequence[Step]], pods: Sequence[dict[str, Any]] = ()) -> None:
        self.watches, self.pods = list(watches), list(pods)
        self.asked: list[str] = []
        self.refuse_until = 0.0
        self.over = threading.Event()


@contextmanager
def serving(script: Script) -> Iterator[Credentials]:
    """Serve `script` on loopback and yield how to reach it."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            script.asked.append(self.path)
            if "watch=1" not in self.path:
                answer = json.dumps({"metadata": {"resourceVersion": "100"}, "items": script.pods}).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)
            elif time.time() < script.refuse_until:
                self.close_connection = True
            else:
                self._watch()

        def _watch(self) -> None:
            number = sum("watch=1" in path for path in script.asked) - 1
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for step in script.watches[min(number, len(script.watches) - 1)]:
                if step is None or isinstance(step, float):
                    script.over.wait(step if step is not None else 30)
                else:
                    line = json.dumps(step).encode() + b"\n"
                    self.wfile.write(b"%x\r\n%s\r\n" % (len(line), line))
            self.wfile.write(b"0\r\n\r\n")

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield Credentials(
            host="127.0.0.1", port=server.server_address[1], prefix="", tls=None, authorization=lambda: None
        )
    finally:
        script.over.set()
        server.shutdown()
        server.server_close()
        thread.join()
