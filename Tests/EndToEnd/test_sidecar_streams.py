# SPDX-License-Identifier: Apache-2.0
"""`tls` and `tcp` of VirtualServices in a real Envoy as a client's sidecar.

Nothing redirects connections here, so the proxy says INTERCEPTION_MODE NONE and listens on loopback;
a listener of a Sidecar resource on all addresses shows that networks are told apart.
"""

from __future__ import annotations

import json
import socket
import ssl
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from skiff_e2e import tls
from skiff_e2e.backend import Backend
from skiff_e2e.envoy import Envoy
from skiff_e2e.gateway import free_port, gateway_envoy
from skiff_e2e.private_ca import PrivateCA
from skiff_e2e.skiffd import Skiffd
from skiff_e2e.stage import Stage


def manifest(kind: str, name: str, **spec) -> str:
    """JSON is YAML, too."""
    metadata = {"name": name, "namespace": "default"}
    header = {"apiVersion": "networking.istio.io/v1", "kind": kind, "metadata": metadata}
    return json.dumps(header | {"spec": spec})


def service(name: str, number: int, target: int, protocol: str) -> str:
    port = {"number": number, "name": "main", "protocol": protocol, "targetPort": target}
    return manifest(
        "ServiceEntry", name, hosts=[f"{name}.internal"], ports=[port], resolution="STATIC",
        endpoints=[{"address": "127.0.0.1"}],
    )


def to(*names: str) -> list[dict]:
    """Destinations with equal shares."""
    weight = {"weight": 100 // len(names)} if len(names) > 1 else {}
    return [{"destination": {"host": f"{name}.internal"}} | weight for name in names]


@dataclass
class Site:
    stage: Stage
    skiffd: Skiffd
    envoy: Envoy
    context: ssl.SSLContext
    secure: int
    shared: int
    networks: int
    pair: int
    quiet: int

    def route(self, **spec) -> None:
        self.stage.write("route.yaml", manifest("VirtualService", "routes", **spec))

    def greeted(self, name: str) -> str:
        """Who answers to a name; nothing where nobody does."""
        answer = tls.answered(self.secure, f"{name}.internal", self.context)
        return answer.body if answer else ""

    def wait(self, what: str, probe):
        return self.envoy.wait_for(what, probe)


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Iterator[Site]:
    directory = tmp_path_factory.mktemp("streams")
    ca = PrivateCA(directory / "ca")
    names = ("vault", "spare", "ledger", "alias")
    made = ca.issue("all", hosts=",".join(f"DNS:{name}.internal" for name in names))
    with Stage(directory) as stage:
        secure, shared, networks, pair, quiet = (free_port() for _ in range(5))
        for name in ("vault", "spare", "ledger"):
            backend = stage.enter(tls.TLSBackend(name, made))
            stage.write(f"{name}.yaml", service(name, secure, backend.port, "TLS"))
        lines: list[tls.LineBackend] = []
        for name, port in {"one": shared, "two": free_port(), "three": networks}.items():
            lines.append(backend := stage.enter(tls.LineBackend(name)))
            stage.write(f"{name}.yaml", service(name, port, backend.port, "TCP"))
        stage.write("quiet.yaml", service("quiet", quiet, stage.enter(Backend()).port, "TCP"))
        both = [{"address": "127.0.0.1", "ports": {"main": each.port}} for each in lines[:2]]
        port = {"number": pair, "name": "main", "protocol": "TCP"}
        stage.write(
            "pair.yaml",
            manifest(
                "ServiceEntry", "pair", hosts=["pair.internal"], ports=[port], endpoints=both,
                resolution="STATIC",
            ),
        )
        port = {"number": networks, "protocol": "TCP", "name": "networks"}
        listener = {
            "port": port, "bind": "0.0.0.0", "captureMode": "NONE", "hosts": ["*/three.internal"]
        }
        stage.write("sidecar.yaml", manifest("Sidecar", "all", egress=[listener, {"hosts": ["*/*"]}]))
        skiffd = stage.enter(Skiffd(stage.config, stage.directory)).wait_until_ready()
        envoy = stage.enter(
            gateway_envoy(
                directory, skiffd.grpc, name="client", role="sidecar", namespace="default",
                labels="app=client,tier=web", metadata={"INTERCEPTION_MODE": "NONE"},
            )
        ).wait_until_ready()
        yield Site(stage, skiffd, envoy, ca.client_context(), secure, shared, networks, pair, quiet)


@pytest.fixture(autouse=True)
def without_routes(site: Site):
    yield
    (site.stage.config / "route.yaml").unlink(missing_ok=True)
    (site.stage.config / "more.yaml").unlink(missing_ok=True)
    (site.stage.config / "rule.yaml").unlink(missing_ok=True)


def test_without_routes_each_name_is_its_service(site):
    for name in ("vault", "ledger"):
        site.wait(name, lambda name=name: site.greeted(name) == name)
    site.wait("a line", lambda: tls.line(site.shared) == "one")
    assert site.greeted("unknown") == ""


def test_tls_is_shared_out_by_weight_for_one_name(site):
    match = [{"sniHosts": ["vault.internal"]}]
    site.route(hosts=["vault.internal"], tls=[{"match": match, "route": to("vault", "spare")}])
    site.wait("the spare", lambda: site.greeted("vault") == "spare")
    answers = Counter(site.greeted("vault") for _ in range(100))
    # Five standard deviations of 100 drawings at a half.
    assert set(answers) == {"vault", "spare"} and min(answers.values()) >= 25
    assert {site.greeted("ledger") for _ in range(10)} == {"ledger"}


def test_tls_routes_are_for_some_workloads_ports_and_gateways(site):
    name = {"sniHosts": ["vault.internal"]}
    others = [
        name | {"sourceLabels": {"app": "other"}},
        name | {"sourceNamespace": "elsewhere"},
        name | {"port": site.secure - 1},
        name | {"gateways": ["elsewhere/gateway"]},
    ]
    own = name | {
        "sourceLabels": {"app": "client", "tier": "web"}, "sourceNamespace": "default",
        "port": site.secure, "gateways": ["mesh"],
    }
    site.route(
        hosts=["vault.internal"],
        tls=[{"match": others, "route": to("ledger")}, {"match": [own], "route": to("spare")}],
    )
    site.wait("the spare", lambda: site.greeted("vault") == "spare")


def test_a_name_that_is_no_service_leads_to_one(site):
    names = ["alias.internal", "vault.internal"]
    match = [{"sniHosts": ["alias.internal"]}]
    site.route(hosts=names, tls=[{"match": match, "route": to("ledger")}])
    site.wait("the alias", lambda: site.greeted("alias") == "ledger")
    # The service keeps its own name.
    assert site.greeted("vault") == "vault"


def test_tcp_goes_by_weight_and_by_port(site):
    site.route(
        hosts=["one.internal"],
        tcp=[
            {"match": [{"port": site.shared - 1}], "route": to("three")},
            {"match": [{"port": site.shared}], "route": to("one", "two")},
            {"route": to("three")},
        ],
    )
    site.wait("the second", lambda: tls.line(site.shared) == "two")
    lines = Counter(tls.line(site.shared) for _ in range(100))
    assert set(lines) == {"one", "two"} and min(lines.values()) >= 25


def test_tcp_goes_by_the_network_that_the_client_connects_to(site):
    site.route(
        hosts=["three.internal"],
        tcp=[{"match": [{"destinationSubnets": ["127.0.9.0/24"]}], "route": to("two")}],
    )
    site.wait("the other", lambda: tls.line(site.networks, "127.0.9.1") == "two")
    assert tls.line(site.networks, "127.0.0.1") == "three"
    assert tls.line(site.networks, "127.0.8.1") == "three"


def test_of_two_virtual_services_the_first_has_a_name(site):
    match = [{"sniHosts": ["vault.internal"]}]
    site.route(hosts=["vault.internal"], tls=[{"match": match, "route": to("spare")}])
    second = manifest(
        "VirtualService", "second", hosts=["vault.internal", "ledger.internal"],
        tls=[
            {"match": match, "route": to("ledger")},
            {"match": [{"sniHosts": ["ledger.internal"]}], "route": to("spare")},
        ],
    )
    site.stage.write("more.yaml", second)
    site.wait("the second's name", lambda: site.greeted("ledger") == "spare")
    site.wait("the first's name", lambda: site.greeted("vault") == "spare")

    def problem() -> dict | None:
        problems = site.skiffd.get("/debug/problemsz")
        return next((each for each in problems if each["name"] == "second"), None)

    found = site.wait("the problem", problem)
    assert found["field"] == "spec.tls[0].match[0].sniHosts"
    assert "already taken by VirtualService default/routes" in found["reason"]


def rule(name: str, **policy) -> str:
    return manifest("DestinationRule", name, host=f"{name}.internal", trafficPolicy=policy)


def test_bytes_stay_with_an_endpoint_by_the_address_of_the_client(site):
    def lines() -> set[str]:
        return {tls.line(site.pair) for _ in range(20)}

    site.wait("both", lambda: lines() == {"one", "two"})
    hashing = {"consistentHash": {"useSourceIp": True}}
    site.stage.write("rule.yaml", rule("pair", loadBalancer=hashing))
    site.wait("one of them", lambda: len(lines()) == 1)


def test_a_connection_that_says_nothing_is_ended(site):
    def ended() -> bool:
        try:
            with socket.create_connection(("127.0.0.1", site.quiet), 1) as connection:
                return connection.recv(1) == b""
        except OSError:
            return False

    assert not ended()
    site.stage.write("rule.yaml", rule("quiet", connectionPool={"tcp": {"idleTimeout": "100ms"}}))
    site.wait("the end", ended)
