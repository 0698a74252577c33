# SPDX-License-Identifier: Apache-2.0
"""What must not hurt: garbage, floods and silence on the gRPC port."""

from __future__ import annotations

import socket
import ssl
from contextlib import ExitStack

import pytest

from skiff_e2e.survival import assert_alive, small_mesh

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


@pytest.fixture(scope="module")
def mesh(tmp_path_factory):
    with small_mesh(tmp_path_factory.mktemp("mesh")) as mesh:
        yield mesh


def frame(kind: int, payload: bytes, *, flags: int = 0, stream: int = 0) -> bytes:
    return (
        len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload
    )


SETTINGS = PREFACE + frame(4, b"")
GARBAGE = {
    "random bytes": bytes(range(256)) * 64,
    "zeros": bytes(4096),
    "http/1.1": b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "http/1.1 post": b"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
    "a preface and garbage": PREFACE + b"\xff" * 1000,
    "a frame that is too long": SETTINGS + b"\xff\xff\xff\x00\x00\x00\x00\x00\x01" + bytes(99),
    "data on stream 0": SETTINGS + frame(0, b"x"),
    "data on an idle stream": SETTINGS + frame(0, b"x", stream=1),
    "headers that do not decode": SETTINGS + frame(1, b"\xff" * 50, flags=4, stream=1),
    "a continuation of nothing": SETTINGS + frame(9, b"x", stream=1),
    "a push promise": SETTINGS + frame(5, bytes(8), flags=4, stream=1),
    "settings of a wrong length": PREFACE + frame(4, b"123"),
    "a window update of zero": SETTINGS + frame(8, bytes(4)),
}


@pytest.mark.parametrize("sent", GARBAGE.values(), ids=GARBAGE)
def test_garbage_ends_its_own_connection_only(mesh, sent):
    with socket.create_connection(("127.0.0.1", mesh.skiffd.grpc), timeout=20) as connection:
        connection.sendall(sent)
        try:
            # Ends with the connection; otherwise the socket's timeout fails the test.
            while connection.recv(65536):
                pass
        except ConnectionResetError:
            pass
    assert_alive(mesh)


def test_a_tls_hello_is_refused(mesh):
    context = ssl.create_default_context()
    with socket.create_connection(("127.0.0.1", mesh.skiffd.grpc), timeout=20) as connection:
        with pytest.raises((ssl.SSLError, ConnectionError)):
            context.wrap_socket(connection, server_hostname="localhost")
    assert_alive(mesh)


def test_a_hundred_connections_that_say_nothing_harm_nobody(mesh):
    with ExitStack() as running:
        for number in range(100):
            connection = running.enter_context(
                socket.create_connection(("127.0.0.1", mesh.skiffd.grpc), timeout=20)
            )
            connection.sendall(PREFACE[: number % len(PREFACE)])
        assert_alive(mesh)
    assert_alive(mesh)


def test_a_flood_of_pings_is_bounded(mesh):
    before = mesh.skiffd.rss_kib
    with socket.create_connection(("127.0.0.1", mesh.skiffd.grpc), timeout=20) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        burst = frame(6, bytes(8)) * 10_000
        try:
            connection.sendall(SETTINGS)
            # Without reading an answer: the server must not queue them all.
            for _ in range(20):
                connection.sendall(burst)
        except (ConnectionError, TimeoutError):
            pass
    assert mesh.skiffd.rss_kib - before < 20 << 10
    assert_alive(mesh)
