# SPDX-License-Identifier: Apache-2.0
"""TLS against a gateway on loopback: the manifests, clients that choose SNI, and backends."""

from __future__ import annotations

import base64
import socket
import ssl
import textwrap
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import grpc

from .private_ca import Certificate

NAMESPACE = "istio-system"


def gateway(name: str, *servers: str, namespace: str = "default") -> str:
    """A Gateway; each server is YAML in flow style."""
    lines = "".join(f"  - {server}\n" for server in servers)
    return (
        "apiVersion: networking.istio.io/v1\nkind: Gateway\n"
        f"metadata: {{name: {name}, namespace: {namespace}}}\n"
        f"spec:\n  selector: {{istio: ingressgateway}}\n  servers:\n{lines}"
    )


def server(port: int, protocol: str, hosts: str, tls: str = "") -> str:
    """A server in YAML's flow style, its port named after its hosts."""
    tls = f", tls: {{{tls}}}" if tls else ""
    name = f"{protocol.lower()}-{port}-" + "".join(filter(str.isalnum, hosts))
    return f"{{port: {{number: {port}, name: {name}, protocol: {protocol}}}, hosts: [{hosts}]{tls}}}"


def virtual_service(name: str, hosts: str, gateways: str, body: str) -> str:
    return (
        "apiVersion: networking.istio.io/v1\nkind: VirtualService\n"
        f"metadata: {{name: {name}, namespace: default}}\n"
        f"spec:\n  hosts: [{hosts}]\n  gateways: [{gateways}]\n{textwrap.indent(body, '  ')}\n"
    )


def service(name: str, port: int, protocol: str = "TCP") -> str:
    return (
        "apiVersion: networking.istio.io/v1\nkind: ServiceEntry\n"
        f"metadata: {{name: {name}, namespace: default}}\n"
        f"spec:\n  hosts: [{name}.internal]\n  resolution: STATIC\n"
        f"  ports: [{{number: 80, name: main, protocol: {protocol}}}]\n"
        f"  endpoints: [{{address: 127.0.0.1, ports: {{main: {port}}}}}]\n"
    )


def secret(name: str, entries: dict[str, str], *, namespace: str = NAMESPACE) -> str:
    """A Secret with PEM texts; of the TLS type where it has that type's entries."""
    kind = "kubernetes.io/tls" if "tls.key" in entries else "Opaque"
    blocks = "".join(f"  {key}: |\n{textwrap.indent(text, '    ')}\n" for key, text in entries.items())
    return (
        "apiVersion: v1\nkind: Secret\n"
        f"metadata: {{name: {name}, namespace: {namespace}}}\ntype: {kind}\nstringData:\n{blocks}"
    )


def key_pair(made: Certificate) -> dict[str, str]:
    return {"tls.crt": made.certificate.read_text(), "tls.key": made.key.read_text()}


@dataclass(frozen=True)
class Answer:
    """What came back over TLS, and whom the server said it was."""

    status: int
    head: str
    body: str
    # The names of the server's certificate.
    names: tuple[str, ...]
    serial: str
    protocol: str | None


@contextmanager
def connection(
    port: int, host: str, context: ssl.SSLContext, timeout: float = 10
) -> Iterator[ssl.SSLSocket]:
    """A connection to 127.0.0.1 with `host` as SNI."""
    with (
        socket.create_connection(("127.0.0.1", port), timeout) as plain,
        context.wrap_socket(plain, server_hostname=host) as encrypted,
    ):
        yield encrypted


def encodings(key: str) -> list[str]:
    """The middle of a text in base64, for each position that it may begin at."""
    encoded = (base64.b64encode(key.encode()[start:]).decode() for start in range(3))
    return [text[40:80] for text in encoded]


def get(
    port: int, host: str, context: ssl.SSLContext, path: str = "/", *, timeout: float = 10
) -> Answer:
    """One HTTP/1.1 request to 127.0.0.1 with `host` as SNI and authority."""
    with connection(port, host, context, timeout) as stream:
        shown = stream.getpeercert() or {}
        stream.sendall(
            f"GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n".encode()
        )
        received = b""
        while chunk := stream.recv(65536):
            received += chunk
        head, _, body = received.decode().partition("\r\n\r\n")
        return Answer(
            int(head.split()[1]),
            head,
            body,
            tuple(value for kind, value in shown.get("subjectAltName", ()) if kind == "DNS"),
            shown.get("serialNumber", ""),
            stream.selected_alpn_protocol(),
        )


def answered(port: int, host: str, context: ssl.SSLContext, path: str = "/") -> Answer | None:
    """The answer, or nothing where the connection or the handshake fails."""
    try:
        return get(port, host, context, path)
    except (OSError, IndexError):
        return None


class TLSBackend:
    """Ends TLS itself and answers every request with its name, over any number of connections."""

    def __init__(self, name: str, made: Certificate) -> None:
        self._name = name
        self._context = made.server_context()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]

    def __enter__(self) -> TLSBackend:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, plain: socket.socket) -> None:
        with suppress(OSError), self._context.wrap_socket(plain, server_side=True) as connection:
            connection.recv(65536)
            body = self._name.encode()
            connection.sendall(
                b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: %d\r\n\r\n%b"
                % (len(body), body)
            )
            connection.unwrap()


class EchoRPC(grpc.GenericRpcHandler):
    """Answers every unary call with its method and what it was sent."""

    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler:
        return grpc.unary_unary_rpc_method_handler(
            lambda sent, _: details.method.encode() + b" " + sent
        )


class GRPCBackend:
    """A gRPC server in plain text."""

    def __init__(self) -> None:
        self._server = grpc.server(ThreadPoolExecutor(2))
        self._server.add_generic_rpc_handlers((EchoRPC(),))
        self.port = self._server.add_insecure_port("127.0.0.1:0")

    def __enter__(self) -> GRPCBackend:
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop(0)


def call(port: int, host: str, roots: bytes, method: str, sent: bytes) -> bytes:
    """One unary call over TLS with `host` as SNI and authority; its errors are the library's."""
    options = [("grpc.ssl_target_name_override", host), ("grpc.default_authority", host)]
    credentials = grpc.ssl_channel_credentials(roots)
    with grpc.secure_channel(f"127.0.0.1:{port}", credentials, options) as channel:
        return channel.unary_unary(method)(sent, timeout=10)


class LineBackend:
    """Plain TCP: says its name in a line and closes."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]

    def __enter__(self) -> LineBackend:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                with connection:
                    connection.sendall(f"{self._name}\n".encode())


def line(port: int, address: str = "127.0.0.1", timeout: float = 10) -> str:
    """What a TCP server says first; nothing where it says nothing."""
    with suppress(OSError), socket.create_connection((address, port), timeout) as connection:
        return connection.makefile().readline().strip()
    return ""
