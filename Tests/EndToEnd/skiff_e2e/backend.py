# SPDX-License-Identifier: Apache-2.0
"""An upstream that answers with what it was sent, trailers included, in a thread of the test."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


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
        answer = json.dumps(seen).encode()
        self.send_response(200)
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

    do_GET = do_POST = do_PUT = do_DELETE = _answer

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


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    name = ""

    def handle_error(self, *_: object) -> None:
        """A peer that hangs up in the middle is part of some tests."""


class Backend:
    """The server, on a free port of the loopback interface; use it as a context manager."""

    def __init__(self, name: str = "backend", port: int = 0) -> None:
        self._server = _Server(("127.0.0.1", port), _Echo)
        self._server.name = name
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self) -> Backend:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
