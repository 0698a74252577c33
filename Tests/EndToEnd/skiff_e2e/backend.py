# SPDX-License-Identifier: Apache-2.0
"""An upstream that answers with what it was sent, trailers included, in a thread of the test.

It keeps what it was sent. A request can ask for more: `x-answers: 503,200` gives the status of the
first, second … request with the same `x-key` (the last one for all after it), and `x-hold` keeps the
answer back until the test lets go.
"""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class _Echo(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _answer(self) -> None:
        trailers: dict[str, str] = {}
        if self.headers.get("transfer-encoding") == "chunked":
            body, trailers = self._chunks()
        else:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
        seen = {
            "backend": self.server.name,
            "method": self.command,
            "path": self.path,
            "headers": sorted([name.lower(), value] for name, value in self.headers.items()),
            "body": body.decode(),
            "trailers": trailers,
        }
        status = self.server.note(seen)
        if self.headers.get("x-hold"):
            self.server.let_go.wait(10)
        self.server.gate.wait(20)
        answer = json.dumps(seen).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        if trailers:
            # One chunk, then a trailer of its own.
            self.send_header("transfer-encoding", "chunked")
            self.end_headers()
            self.wfile.write(b"%x\r\n%s\r\n0\r\nx-backend: trailer\r\n\r\n" % (len(answer), answer))
        else:
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

    do_GET = do_POST = do_PUT = do_DELETE = do_OPTIONS = do_PATCH = _answer

    def _chunks(self) -> tuple[bytes, dict[str, str]]:
        body = b""
        while size := int(self.rfile.readline().partition(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        trailers = {}
        while line := self.rfile.readline().strip():
            name, _, value = line.decode().partition(":")
            trailers[name.strip().lower()] = value.strip()
        return body, trailers

    def log_message(self, *_: object) -> None:
        """The test's output is not the place for an access log."""


def key(request: dict) -> str | None:
    """The `x-key` of a request, by which tests know their own."""
    return dict(request["headers"]).get("x-key")


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    name = ""

    def __init__(self, *arguments: object) -> None:
        super().__init__(*arguments)
        self.requests: list[dict] = []
        self.let_go = threading.Event()
        self._lock = threading.Lock()

    def note(self, seen: dict) -> int:
        """Keeps a request; the status that it asks for."""
        headers = dict(seen["headers"])
        with self._lock:
            self.requests.append(seen)
            same = [each for each in self.requests if key(each) == headers.get("x-key")]
        answers = headers.get("x-answers", "200").split(",")
        return int(answers[min(len(same), len(answers)) - 1])

    def handle_error(self, *_: object) -> None:
        """A peer that hangs up in the middle is part of some tests."""


class Backend:
    """The server, on a free port of the loopback interface; use it as a context manager."""

    def __init__(
        self,
        name: str = "backend",
        port: int = 0,
        *,
        tls: ssl.SSLContext | None = None,
        clients: Path | None = None,
    ) -> None:
        """With `tls` it speaks TLS; with `clients` to those with a certificate of this authority."""
        self._server = _Server(("127.0.0.1", port), _Echo)
        self._server.name = self.name = name
        self._server.gate = threading.Event()
        self.release()
        if tls:
            if clients:
                tls.load_verify_locations(clients)
                tls.verify_mode = ssl.CERT_REQUIRED
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Answers nothing until it is released, or until the end."""
        self._server.gate.clear()
        try:
            yield
        finally:
            self.release()

    def release(self) -> None:
        self._server.gate.set()

    def __enter__(self) -> Backend:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def requests(self, wanted: str) -> list[dict]:
        """What came with an `x-key`, headers as a dict, in order."""
        found = [each for each in list(self._server.requests) if key(each) == wanted]
        return [each | {"headers": dict(each["headers"])} for each in found]

    def let_go(self) -> None:
        """Answers the requests that are held back, and all to come."""
        self._server.let_go.set()
