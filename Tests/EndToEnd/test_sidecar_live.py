# SPDX-License-Identifier: Apache-2.0
"""Two real Envoys as the sidecars of a client and of a server.

Nothing redirects connections here, so the proxies say INTERCEPTION_MODE NONE and open the ports
that clients connect to: outbound by port and Host, inbound by the ingress of a Sidecar resource.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from skiff_e2e.backend import Backend
from skiff_e2e.envoy import Envoy
from skiff_e2e.gateway import free_port, gateway_envoy
from skiff_e2e.http import Response, request
from skiff_e2e.skiffd import Skiffd, write
from skiff_e2e.stage import Stage, seen


@dataclass
class Mesh:
    """What the cases need: the store, both proxies, and the ports that lead through them."""

    stage: Stage
    skiffd: Skiffd
    client: Envoy
    server: Envoy
    app: Backend
    other: Backend
    port: int  # of both services, so where the client's sidecar listens
    inbound: int
    guessed: int

    def write(self, name: str, text: str) -> None:
        write(self.stage.config / name, text)

    def get(self, host: str, **options) -> Response:
        return request(self.port, host=host, **options)

    def answer(self, host: str, expected) -> Response:
        def probe() -> Response | None:
            try:
                response = self.get(host)
            except OSError:
                return None
            return response if expected(response) else None

        return self.client.wait_for("the expected answer", probe)


def manifest(kind: str, name: str, **spec) -> str:
    """JSON is YAML, too."""
    metadata = {"name": name, "namespace": "default"}
    header = {"apiVersion": "networking.istio.io/v1", "kind": kind, "metadata": metadata}
    return json.dumps(header | {"spec": spec})


def service(name: str, number: int, target: int, protocol: str = "HTTP") -> str:
    port = {"number": number, "name": "main", "protocol": protocol, "targetPort": target}
    endpoints = [{"address": "127.0.0.1"}]
    return manifest(
        "ServiceEntry", name, hosts=[f"{name}.internal"], ports=[port], endpoints=endpoints,
        resolution="STATIC", location="MESH_INTERNAL",
    )


def selected(app: str) -> dict:
    return {"workloadSelector": {"labels": {"app": app}}}


def ingress(number: int, target: int, protocol: str = "HTTP") -> dict:
    port = {"number": number, "protocol": protocol, "name": f"in-{number}"}
    return {"port": port, "bind": "127.0.0.1", "defaultEndpoint": f"127.0.0.1:{target}"}


@pytest.fixture(scope="module")
def mesh(tmp_path_factory) -> Iterator[Mesh]:
    with Stage(tmp_path_factory.mktemp("mesh")) as stage:
        app, other = stage.enter(Backend("app")), stage.enter(Backend("other"))
        port, inbound, guessed = free_port(), free_port(), free_port()
        listeners = [ingress(inbound, app.port), ingress(guessed, app.port, "UNSPECIFIED")]
        # The server calls nobody.
        limits = {"ingress": listeners, "egress": [{"hosts": ["~/*"]}]}
        stage.write("server-sidecar.yaml", manifest("Sidecar", "server", **selected("server"), **limits))
        stage.write("server.yaml", service("server", port, inbound))
        stage.write("other.yaml", service("other", port, other.port))
        skiffd = stage.enter(Skiffd(stage.config, stage.directory)).wait_until_ready()

        def sidecar(name: str) -> Envoy:
            return stage.enter(
                gateway_envoy(
                    stage.directory, skiffd.grpc, name=name, role="sidecar", namespace="default",
                    labels=f"app={name}", metadata={"INTERCEPTION_MODE": "NONE"},
                )
            ).wait_until_ready()

        client, server = sidecar("client"), sidecar("server")
        yield Mesh(stage, skiffd, client, server, app, other, port, inbound, guessed)


def clusters(envoy: Envoy) -> set[str]:
    lines = envoy.admin("/clusters").splitlines()
    return {name for line in lines if (name := line.partition("::")[0])}


def test_a_request_goes_through_both_sidecars(mesh):
    answer = mesh.answer("server.internal", lambda response: response.status == 200)
    assert seen(answer)["backend"] == "app"
    assert mesh.client.stats(r"cluster.outbound.*server.internal.upstream_rq_200")
    assert mesh.server.stats(rf"http.inbound_0.0.0.0_{mesh.inbound}.downstream_rq_2xx")
    other = mesh.answer("other.internal", lambda response: response.status == 200)
    assert seen(other)["backend"] == "other"


def test_a_sidecar_gets_what_it_may_call(mesh):
    outbound = {name for name in clusters(mesh.server) if name.startswith("outbound")}
    assert outbound == set()
    assert {f"inbound|{mesh.inbound}||", f"inbound|{mesh.guessed}||"} <= clusters(mesh.server)
    hosts = {"egress": [{"hosts": ["./other.internal"]}]}
    mesh.write("client-sidecar.yaml", manifest("Sidecar", "client", **selected("client"), **hosts))

    def limited() -> bool:
        found = {name for name in clusters(mesh.client) if name.startswith("outbound")}
        return found == {f"outbound|{mesh.port}||other.internal"}

    mesh.client.wait_for("fewer clusters", limited)
    mesh.answer("other.internal", lambda response: response.status == 200)
    assert mesh.get("server.internal").status != 200

    # Unknown hosts are refused where the Sidecar says so.
    policy = {"outboundTrafficPolicy": {"mode": "REGISTRY_ONLY"}}
    text = manifest("Sidecar", "client", **selected("client"), **hosts, **policy)
    mesh.write("client-sidecar.yaml", text)
    mesh.answer("server.internal", lambda response: response.status == 502)
    (mesh.stage.config / "client-sidecar.yaml").unlink()
    mesh.answer("server.internal", lambda response: response.status == 200)


def test_http_is_found_out_where_nobody_says_it(mesh):
    response = request(mesh.guessed, host="anything")
    assert (response.status, seen(response)["backend"]) == (200, "app")
    assert response.headers["server"] == "istio-envoy"
    # What is no HTTP goes through as bytes; here the application itself finds fault with it.
    with socket.create_connection(("127.0.0.1", mesh.guessed), timeout=10) as connection:
        connection.sendall(b"\x00\x01\x02 no http\r\n\r\n")
        assert b"istio-envoy" not in connection.recv(4096)
    assert mesh.server.stats(rf"tcp.inbound\|{mesh.guessed}.*downstream_cx_total")


def test_bytes_go_through_a_listener_of_the_sidecar_resource(mesh):
    number = free_port()
    mesh.write("bytes.yaml", service("bytes", number, mesh.app.port, "TCP"))
    port = {"number": number, "protocol": "TCP", "name": "bytes"}
    listener = {"port": port, "bind": "127.0.0.1", "captureMode": "NONE", "hosts": ["*/bytes.internal"]}
    egress = [listener, {"hosts": ["./*"]}]
    mesh.write("client-sidecar.yaml", manifest("Sidecar", "client", **selected("client"), egress=egress))

    def through() -> Response | None:
        try:
            return request(number, host="anything")
        except OSError:
            return None

    assert seen(mesh.client.wait_for("an answer", through))["backend"] == "app"
    assert mesh.client.stats(rf"tcp.outbound\|{number}.*downstream_cx_total")
    (mesh.stage.config / "client-sidecar.yaml").unlink()
