# SPDX-License-Identifier: Apache-2.0
"""The body-rewrite plugin in a real Envoy: texts replaced however a body is cut, and 413."""

import http.client
import json
import re
import socket
import threading
from contextlib import ExitStack
from pathlib import Path

import pytest

from skiff_e2e.bootstrap import (
    cluster_route,
    direct_response,
    listener,
    static_bootstrap,
    static_cluster,
    wasm_filter,
)
from skiff_e2e.envoy import Envoy
from skiff_e2e.http import request

PAIRS = [
    {"find": "http://shop.internal", "replace": "https://shop.example.com"},
    {"find": "secret", "replace": ""},
    {"find": "abc", "replace": "abcabc"},
    {"find": "ab", "replace": "AB"},
]
SETTINGS = {
    "rewrite": {"replacements": PAIRS},
    "limit": {"max_request_bytes": 1000},
    "both": {"replacements": PAIRS, "max_request_bytes": 0, "content_types": ["Image/"]},
}


def expected(text: str) -> str:
    return re.sub(
        "http://shop.internal|secret|abc|ab",
        lambda match: next(pair["replace"] for pair in PAIRS if pair["find"] == match[0]),
        text,
    )


class Upstream:
    """Answers with the bytes that a test has set, in its pieces, each flushed on its own."""

    def __init__(self) -> None:
        self.head, self.pieces, self.trailers = "", [], ""
        self.requests: list[bytes] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection:
                try:
                    self._answer(connection)
                except OSError:
                    continue  # a client that hangs up in the middle is part of some tests

    def _answer(self, connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        head = b""
        while b"\r\n\r\n" not in head:
            received = connection.recv(65536)
            if not received:
                return
            head += received
        self.requests.append(head)
        head = (
            f"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\nconnection: close\r\n{self.head}\r\n"
        )
        connection.sendall(head.encode())
        for piece in self.pieces:
            if callable(piece):
                piece()
            else:
                connection.sendall(b"%x\r\n%s\r\n" % (len(piece), piece))
        connection.sendall(f"0\r\n{self.trailers}\r\n".encode())

    def close(self) -> None:
        # A blocked accept ends only by a shutdown.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()

    def send(self, *pieces, content_type="text/html", head="", trailers="") -> None:
        self.pieces, self.trailers = list(pieces), trailers
        self.head = f"content-type: {content_type}\r\n{head}"


@pytest.fixture(scope="module")
def upstream():
    running = Upstream()
    yield running
    running.close()


@pytest.fixture(scope="module")
def envoy(wasm_modules, upstream, tmp_path_factory):
    listeners = []
    for name, settings in SETTINGS.items():
        filter = wasm_filter(wasm_modules["body-rewrite"], json.dumps(settings))
        filter["typed_config"]["config"]["name"] = name
        listeners.append(listener(name, [filter], [cluster_route("upstream")]))
    bootstrap = static_bootstrap(listeners, [static_cluster("upstream", upstream.port)])
    with ExitStack() as running:
        folder = tmp_path_factory.mktemp("body-rewrite")
        yield running.enter_context(Envoy(bootstrap, folder)).wait_until_ready()


@pytest.fixture
def get(envoy):
    return lambda name="rewrite", path="/", **options: request(envoy.port(name), path, **options)


TEXT = "<a href=http://shop.internal/x>secret abc ab abab http://shop.interna secre</a> http://"


@pytest.mark.parametrize("size", [1, 2, 3, 5, 7, 19, 20, 21, 64, 1000])
def test_texts_are_replaced_however_the_body_is_cut(get, upstream, size):
    body = (TEXT * 3).encode()
    upstream.send(*[body[at : at + size] for at in range(0, len(body), size)])
    assert get().body == expected(TEXT * 3)


def test_every_cut_in_two_gives_the_same(get, upstream):
    body = TEXT.encode()
    for at in range(1, len(body)):
        upstream.send(body[:at], body[at:])
        assert get().body == expected(TEXT), at


def test_a_piece_is_passed_on_when_nothing_in_it_has_to_wait(envoy, upstream):
    seen = threading.Event()
    upstream.send(b"data: abc\n\n", lambda: seen.wait(10), b"data: end\n\n")
    upstream.head = "content-type: text/event-stream\r\n"
    connection = http.client.HTTPConnection("127.0.0.1", envoy.port("rewrite"), timeout=10)
    connection.request("GET", "/")
    answer = connection.getresponse()
    first = answer.read1(100)
    assert (first, seen.is_set()) == (b"data: abcabc\n\n", False)
    seen.set()
    assert answer.read() == b"data: end\n\n"


@pytest.mark.parametrize("size", [1_000_000, 8_000_000])
def test_a_body_that_always_ends_within_a_text_needs_little_memory(get, upstream, size):
    # Every piece ends in what may become a text, so nothing of it is certain until more has come.
    run = b"a" * 10_000
    upstream.send(*[run] * (size // len(run)), b"bc!")
    answer = get(timeout=30)
    assert answer.status == 200
    assert answer.body == "a" * (size - 1) + "abcabc!"


@pytest.mark.parametrize(
    ("pieces", "rewritten"),
    [
        ([b"abc secre"], "abcabc secre"),
        ([b"abc secret"], "abcabc "),
        ([b"x ab"], "x AB"),
        ([b"sec", b"ret se", b"cre"], " secre"),
        # Too much to be held in the proxy, but settled at the end.
        ([b"a" * 10_000] * 60 + [b"."], "a" * 600_000 + "."),
    ],
)
def test_trailers_that_were_announced_lose_nothing(get, upstream, pieces, rewritten):
    upstream.send(*pieces, head="trailer: x-end\r\n", trailers="x-end: yes\r\n")
    answer = get()
    assert (answer.status, answer.body) == (200, rewritten)


def test_trailers_that_were_not_announced_follow_a_settled_body(get, upstream):
    upstream.send(b"abc secret", trailers="x-end: yes\r\n")
    assert get().body == "abcabc "


@pytest.mark.parametrize(
    ("pieces", "head"), [([b"abc secre"], ""), ([b"a" * 10_000] * 60, "trailer: x-end\r\n")]
)
def test_a_body_is_reset_rather_than_cut_when_trailers_come_too_early(
    get, envoy, upstream, pieces, head
):
    upstream.send(*pieces, head=head, trailers="x-end: yes\r\n")
    with pytest.raises((OSError, http.client.HTTPException)):
        get()
    envoy.wait_for_log("trailers after a body that ends within a text: reset")


@pytest.mark.parametrize(
    "content_type", ["text/plain", "TEXT/HTML; charset=utf-8", "application/json"]
)
def test_the_default_content_types_are_rewritten(get, upstream, content_type):
    upstream.send(b"abc", content_type=content_type)
    assert get().body == "abcabc"


@pytest.mark.parametrize(
    ("name", "content_type", "head"),
    [
        ("rewrite", "image/svg+xml", ""),
        ("rewrite", "application/octet-stream", ""),
        ("rewrite", "text/html", "content-encoding: br\r\n"),
        ("rewrite", "text/html", "content-range: bytes 0-2/9\r\n"),
        ("both", "text/html", ""),
        ("limit", "text/html", ""),
    ],
)
def test_what_is_not_to_be_read_passes_as_it_is(get, upstream, name, content_type, head):
    upstream.send(b"abc", content_type=content_type, head=head)
    assert get(name).body == "abc"


def test_headers_that_would_no_longer_be_true_go(get, upstream):
    stale = "content-md5: x\r\ndigest: x\r\nrepr-digest: x\r\naccept-ranges: bytes\r\nx-kept: 1\r\n"
    upstream.send(b"abc", head=stale)
    headers = get().headers
    assert headers == {
        "content-type": "text/html",
        "x-kept": "1",
        "server": "envoy",
        "transfer-encoding": "chunked",
    }


def test_upstream_is_asked_for_plain_and_whole_bodies(get, upstream):
    upstream.send(b"abc")
    get(headers={"accept-encoding": "br", "range": "bytes=0-1", "x-kept": "1"})
    sent = upstream.requests[-1].lower()
    assert (b"accept-encoding" in sent, b"range:" in sent, b"x-kept" in sent) == (
        False,
        False,
        True,
    )


def test_a_request_body_within_the_limit_passes(get, upstream):
    upstream.send(b"done")
    assert get("limit", method="POST", body="x" * 1000).body == "done"
    assert get("limit", method="POST", body=[b"x" * 500, b"x" * 500]).body == "done"
    assert get("both", method="GET").body == "done"


REFUSAL = "The request body is longer than 1000 bytes.\n"


def test_a_request_body_above_the_limit_is_refused(get, upstream):
    upstream.send(b"done")
    before = len(upstream.requests)
    answer = get("limit", method="POST", body="x" * 1001)
    assert (answer.status, answer.body) == (413, REFUSAL)
    assert get("both", method="POST", body="x").status == 413
    # By its Content-Length: nothing of it went on.
    assert len(upstream.requests) == before


def test_a_request_body_without_a_length_is_counted(envoy, upstream):
    upstream.send(lambda: threading.Event().wait(0.2), b"done")
    text = b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n"
    with socket.create_connection(("127.0.0.1", envoy.port("limit")), timeout=10) as connection:
        connection.sendall(text + b"1f4\r\n%s\r\n" % (b"x" * 500) * 3)
        assert connection.recv(65536).startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize(
    ("configuration", "reason"),
    [
        ("{}", "the document: expected replacements, max_request_bytes or both, found an object"),
        ('{"replacements": []}', "replacements: expected at least one replacement, found an array"),
        (
            '{"replacements": [{"find": "", "replace": ""}]}',
            "replacements[0].find: expected a text of at least one byte, found a string",
        ),
        (
            '{"replacements": [{"find": "a"}]}',
            "replacements[0].replace: expected a string, found nothing",
        ),
        ('{"max_request_bytes": -1}', "max_request_bytes: expected a number of bytes from 0 to"),
        ('{"max_request_bytes": "1k"}', "max_request_bytes: expected an integer, found a string"),
        (
            '{"max_request_bytes": 1, "content_types": "text/"}',
            "content_types: expected an array, found a string",
        ),
    ],
)
def test_a_bad_configuration_keeps_the_plugin_from_starting(
    wasm_modules, start_envoy, configuration, reason
):
    filter = wasm_filter(wasm_modules["body-rewrite"], configuration)
    envoy = start_envoy(static_bootstrap([listener("in", [filter], [])]), ready=False)
    assert envoy.child.wait(timeout=20) == 1
    assert reason in envoy.log


def test_ten_thousand_requests_leave_no_memory_behind(wasm_modules, start_envoy):
    filter = wasm_filter(
        wasm_modules["body-rewrite"],
        '{"replacements": [{"find": "internal", "replace": "x"}], "max_request_bytes": 3000}',
    )
    upstream = direct_response("internal " * 300 + "intern")
    envoy = start_envoy(static_bootstrap([listener("in", [filter], [upstream])]))
    connection = http.client.HTTPConnection("127.0.0.1", envoy.port("in"), timeout=10)

    def work(count: int) -> None:
        for n in range(count):
            connection.request("POST", "/", body=b"x" * (3001 if n % 10 == 0 else 3000))
            answer = connection.getresponse()
            body = answer.read()
            if n % 10 == 0:
                assert answer.status == 413
            else:
                assert (answer.status, body) == (200, b"x " * 300 + b"intern")

    def resident() -> int:
        text = Path(f"/proc/{envoy.child.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", text)[1])

    work(3_000)
    before = resident()
    work(10_000)
    assert resident() < before + 3_000
