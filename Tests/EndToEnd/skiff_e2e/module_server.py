# SPDX-License-Identifier: Apache-2.0
"""A web server that does what a test tells it to: bytes, statuses, redirects, and every way to
fail. It also stands in for a registry that misbehaves, since paths may be anything."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from .private_ca import Certificate


@dataclass(frozen=True)
class Seen:
    """A request that has come; header names in lower case."""

    method: str
    path: str
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Answer:
    """A response. `send` writes the body, and may stop early."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    send: Callable[[_Handler], None] = lambda handler: None


def body(data: bytes, status: int = 200, **headers: str) -> Answer:
    """All of `data`, with its length. Header names are written with `_` for `-`."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    length = {"content-length": str(len(data))}
    return Answer(status, length | named, lambda handler: handler.write(data))


def status(code: int, text: str = "", **headers: str) -> Answer:
    return body(text.encode(), code, **headers)


def redirect(location: str, code: int = 302) -> Answer:
    return status(code, location=location)


def hang() -> Answer:
    """No byte at all until the server stops or the client goes."""
    return Answer(status=0)


def stall(data: bytes, after: int) -> Answer:
    """The head and `after` bytes of `data`; the rest never comes."""

    def send(handler: _Handler) -> None:
        handler.write(data[:after])
        handler.server.stopping.wait()

    return Answer(200, {"content-length": str(len(data))}, send)


def truncate(data: bytes, after: int) -> Answer:
    """Promises all of `data`, and closes the connection after some bytes."""
    return Answer(
        200, {"content-length": str(len(data))}, lambda handler: handler.write(data[:after])
    )


def zeros(count: int, *, announced: bool = True) -> Answer:
    """`count` zero bytes, made as they go; without a length if not `announced`."""

    def send(handler: _Handler) -> None:
        rest, block = count, bytes(1 << 20)
        while rest > 0 and not handler.server.stopping.is_set():
            handler.write(block[: min(rest, len(block))])
            rest -= len(block)

    return Answer(200, {"content-length": str(count)} if announced else {}, send)


def gated(answer: Answer, gate: threading.Event) -> Answer:
    """Holds an answer back until the test opens the gate."""

    def send(handler: _Handler) -> None:
        answer.send(handler)

    return Answer(answer.status, answer.headers | {GATE: gate}, send)


GATE = ":gate"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def setup(self) -> None:
        # A handshake belongs to the connection's own thread: one that stalls must not stop others.
        if self.server.certificate:
            context = self.server.certificate.server_context()
            self.request = context.wrap_socket(self.request, server_side=True)
        super().setup()

    def _answer(self) -> None:
        self.rfile.read(int(self.headers.get("content-length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        answer = self.server.next_answer(Seen(self.command, self.path, headers))
        named = dict(answer.headers)
        if gate := named.pop(GATE, None):
            while not gate.wait(0.05) and not self.server.stopping.is_set():
                pass
        # Every answer ends its connection, so that each request is one that the test can count.
        self.close_connection = True
        if answer.status == 0:
            self.server.stopping.wait()
            return
        self.send_response(answer.status)
        for name, value in ({"connection": "close"} | named).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            answer.send(self)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_CONNECT = _answer

    def write(self, data: bytes) -> None:
        self.wfile.write(data)
        self.server.sent += len(data)

    def log_message(self, *_: object) -> None:
        """The test's output is not the place for an access log."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    certificate: Certificate | None = None
    sent = 0
    connections = most_connections = 0
    # Many clients may come at once.
    request_queue_size = 128

    def __init__(self, *arguments) -> None:
        self.lock = threading.Lock()
        super().__init__(*arguments)

    def process_request_thread(self, *connection) -> None:
        with self.lock:
            self.connections += 1
            self.most_connections = max(self.most_connections, self.connections)
        try:
            super().process_request_thread(*connection)
        finally:
            with self.lock:
                self.connections -= 1

    def handle_error(self, *_: object) -> None:
        """A peer that hangs up in the middle is part of some tests."""


class ModuleServer:
    """The server, on a port of the loopback interface; use it as a context manager.

    `script` says what a path (with its query) answers, one after the other; the last answer is
    given for ever. What is not in the script is 404. `seen` are the requests so far, `sent` the
    bytes of bodies.
    """

    def __init__(self, *, certificate: Certificate | None = None, port: int = 0) -> None:
        self._answers: dict[str, list[Answer]] = {}
        self._lock = threading.Lock()
        self._requests: list[Seen] = []
        self._server = _Server(("127.0.0.1", port), _Handler)
        self._server.certificate = certificate
        self._server.next_answer = self._next
        self._server.stopping = threading.Event()
        self.port = self._server.server_address[1]
        self.host = f"{'localhost' if certificate else '127.0.0.1'}:{self.port}"
        self.url = f"{'https' if certificate else 'http'}://{self.host}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.05,), daemon=True
        )

    def script(self, path: str, *answers: Answer) -> str:
        """Replaces the answers of a path and returns its URL."""
        with self._lock:
            self._answers[path] = list(answers)
        return self.url + path

    def serve(self, name: str, module: bytes) -> str:
        """A module at `/name`; returns its URL."""
        return self.script(f"/{name}", body(module, content_type="application/wasm"))

    def seen(self, path: str | None = None) -> list[Seen]:
        with self._lock:
            return [seen for seen in self._requests if path in (None, seen.path)]

    @property
    def sent(self) -> int:
        return self._server.sent

    @property
    def most_connections(self) -> int:
        """The most that were open at once."""
        return self._server.most_connections

    def _next(self, seen: Seen) -> Answer:
        with self._lock:
            self._requests.append(seen)
            answers = self._answers.get(seen.path)
            if not answers:
                return status(404, "no such path in the script\n")
            return answers.pop(0) if len(answers) > 1 else answers[0]

    def __enter__(self) -> ModuleServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stopping.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def registry_script(
    server: ModuleServer, repository: str, tag: str, manifest: bytes, blobs: list[bytes]
) -> str:
    """Lets a module server answer like a registry that holds one image; returns its digest.

    Single answers can be replaced afterwards, to misbehave.
    """
    digest = f"sha256:{hashlib.sha256(manifest).hexdigest()}"
    media_type = json.loads(manifest)["mediaType"]
    answer = body(manifest, content_type=media_type, docker_content_digest=digest)
    server.script("/v2/", status(200, "{}"))
    for reference in (tag, digest):
        server.script(f"/v2/{repository}/manifests/{reference}", answer)
    for blob in blobs:
        name = f"sha256:{hashlib.sha256(blob).hexdigest()}"
        server.script(f"/v2/{repository}/blobs/{name}", body(blob))
    return digest
