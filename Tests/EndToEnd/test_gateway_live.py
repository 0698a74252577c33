# SPDX-License-Identifier: Apache-2.0
"""Where a gateway listens, and for whom: ports through Services, addresses, selectors, hosts."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator

import pytest

from skiff_e2e.backend import Backend
from skiff_e2e.gateway import backend_yaml, free_port, get
from skiff_e2e.stage import Stage


def manifest(kind: str, name: str, namespace: str = "default", **spec) -> str:
    """JSON is YAML, too."""
    version = "v1" if kind == "Service" else "networking.istio.io/v1"
    metadata = {"name": name, "namespace": namespace}
    return json.dumps({"apiVersion": version, "kind": kind, "metadata": metadata, "spec": spec})


def gateway(name: str, number: int, *hosts: str, labels: str = "ingressgateway", **more) -> str:
    server = {"port": {"number": number, "name": "http", "protocol": "HTTP"}, "hosts": list(hosts)}
    return manifest("Gateway", name, selector={"istio": labels}, servers=[server | more])


def answering(name: str, status: int, host: str, *gateways: str, namespace: str = "default") -> str:
    http = [{"directResponse": {"status": status}}]
    return manifest(
        "VirtualService", name, namespace, hosts=[host], gateways=list(gateways), http=http
    )


@pytest.fixture(scope="module")
def stage(tmp_path_factory) -> Iterator[Stage]:
    with Stage(tmp_path_factory.mktemp("gateways")) as stage:
        stage.write("backend.yaml", backend_yaml(stage.enter(Backend("one")).port))
        stage.write("gateway.yaml", gateway("always", stage.port, "always.example.com"))
        stage.write("always.yaml", answering("always", 200, "always.example.com", "always"))
        yield stage.start()


def status(port: int, host: str) -> int | None:
    try:
        return get(port, host=host).status
    except OSError:
        return None


def until(stage: Stage, expected: int | None, port: int, host: str) -> None:
    stage.envoy.wait_for(f"{expected} for {host}", lambda: status(port, host) == expected)


def test_the_port_of_a_service_is_that_of_the_workload(stage):
    target = free_port()
    port = {"name": "web", "port": 80, "targetPort": target}
    selector = {"istio": "ingressgateway"}
    stage.write("service.yaml", manifest("Service", "web", "istio-system", selector=selector, ports=[port]))
    stage.write("mapped.yaml", gateway("mapped", 80, "mapped.example.com"))
    stage.write("mapped-route.yaml", answering("mapped", 201, "mapped.example.com", "mapped"))
    until(stage, 201, target, "mapped.example.com")
    # As a route sees it, the port is that of the Service.
    match = [{"match": [{"port": 80}], "directResponse": {"status": 202}}]
    other = [{"directResponse": {"status": 203}}]
    text = manifest(
        "VirtualService", "mapped", hosts=["mapped.example.com"], gateways=["mapped"],
        http=match + other,
    )
    stage.write("mapped-route.yaml", text)
    until(stage, 202, target, "mapped.example.com")


def test_a_server_listens_where_it_is_bound(stage):
    port = free_port()
    stage.write("bound.yaml", gateway("bound", port, "*", bind="127.0.0.9"))
    stage.write("bound-route.yaml", answering("bound", 204, "bound.example.com", "bound"))

    def answered(address: str) -> int | None:
        connection = http.client.HTTPConnection(address, port, timeout=5)
        try:
            connection.request("GET", "/", headers={"host": "bound.example.com"})
            return connection.getresponse().status
        except OSError:
            return None
        finally:
            connection.close()

    stage.envoy.wait_for("the address", lambda: answered("127.0.0.9") == 204)
    assert answered("127.0.0.1") is None


def test_a_gateway_for_other_workloads_is_not_there(stage):
    port = free_port()
    stage.write("other.yaml", gateway("other", port, "*", labels="egressgateway"))
    stage.write("other-route.yaml", answering("other", 204, "other.example.com", "other", "always"))
    until(stage, 404, stage.port, "other.example.com")
    assert status(port, "other.example.com") is None
    stage.write("other.yaml", gateway("other", port, "*"))
    until(stage, 204, port, "other.example.com")


def test_two_gateways_share_a_port_by_their_hosts(stage):
    port = free_port()
    for name, code in {"left": 208, "right": 226}.items():
        stage.write(f"{name}.yaml", gateway(name, port, f"{name}.example.com"))
        # Each asks for both hosts, and gets the one of its Gateway.
        stage.write(f"{name}-route.yaml", answering(name, code, "*.example.com", name))
    until(stage, 208, port, "left.example.com")
    until(stage, 226, port, "right.example.com")
    assert status(port, "third.example.com") == 404


def test_hosts_are_for_virtual_services_of_their_namespaces(stage):
    port = free_port()
    hosts = ("./own.example.com", "shop/shop.example.com", "*/any.example.com")
    stage.write("named.yaml", gateway("named", port, *hosts))
    texts = []
    for namespace, code in {"default": 207, "shop": 208}.items():
        for name in ("own", "shop"):
            texts.append(
                answering(f"named-{name}", code, f"{name}.example.com", "default/named", namespace=namespace)
            )
    texts.append(answering("any", 226, "any.example.com", "default/named", namespace="elsewhere"))
    stage.write("named-routes.yaml", "\n---\n".join(texts))
    until(stage, 226, port, "any.example.com")
    assert status(port, "own.example.com") == 207
    assert status(port, "shop.example.com") == 208
