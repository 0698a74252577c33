# SPDX-License-Identifier: Apache-2.0
"""Where a real Envoy finds the endpoints of a service: listed, looked up, selected, from slices."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from skiff_e2e.backend import Backend
from skiff_e2e.gateway import gateway_yaml
from skiff_e2e.stage import Stage, seen

PORT = {"number": 80, "name": "http", "protocol": "HTTP"}


@pytest.fixture(scope="module")
def backends() -> Iterator[list[Backend]]:
    with Backend("one") as first, Backend("two") as second:
        yield [first, second]


@pytest.fixture(scope="module")
def stage(tmp_path_factory) -> Iterator[Stage]:
    with Stage(tmp_path_factory.mktemp("stage")) as stage:
        stage.write("gateway.yaml", gateway_yaml(stage.port))
        yield stage.start()


def manifest(version: str, kind: str, name: str, labels: dict | None = None, **content) -> str:
    """JSON is YAML, too."""
    metadata = {"name": name, "namespace": "default", "labels": labels or {}}
    return json.dumps({"apiVersion": version, "kind": kind, "metadata": metadata} | content)


def istio(kind: str, name: str, labels: dict | None = None, **spec) -> str:
    return manifest("networking.istio.io/v1", kind, name, labels, spec=spec)


def routed(stage: Stage, name: str, destination: str, *, subset: str = "") -> str:
    """Routes a host of its own to a destination; returns the host."""
    host = f"{name}.example.com"
    to = {"host": destination} | ({"subset": subset} if subset else {})
    http = [{"route": [{"destination": to}]}]
    spec = {"hosts": [host], "gateways": ["web"], "http": http}
    stage.write(f"{name}-route.yaml", istio("VirtualService", name, **spec))
    return host


def answers(name: str):
    return lambda response: response.status == 200 and seen(response)["backend"] == name


def test_a_name_is_looked_up(stage, backends):
    endpoint = {"address": "localhost", "ports": {"http": backends[0].port}}
    for resolution in ("DNS", "DNS_ROUND_ROBIN"):
        name = resolution.lower().replace("_", "-")
        spec = {"hosts": [f"{name}.internal"], "ports": [PORT], "resolution": resolution}
        stage.write(f"{name}.yaml", istio("ServiceEntry", name, **spec, endpoints=[endpoint]))
        stage.answer(answers("one"), host=routed(stage, name, f"{name}.internal"))


def test_the_host_itself_is_looked_up_when_a_request_comes(stage, backends):
    port = PORT | {"number": backends[0].port}
    spec = {"hosts": ["*.localhost"], "ports": [port], "resolution": "DYNAMIC_DNS"}
    stage.write("dynamic.yaml", istio("ServiceEntry", "dynamic", **spec))
    host = f"anything.localhost:{backends[0].port}"
    http = [{"route": [{"destination": {"host": "*.localhost"}}], "rewrite": {"authority": host}}]
    spec = {"hosts": ["dynamic.example.com"], "gateways": ["web"], "http": http}
    stage.write("dynamic-route.yaml", istio("VirtualService", "dynamic", **spec))
    stage.answer(answers("one"), host="dynamic.example.com")


def test_workload_entries_come_and_go(stage, backends):
    spec = {"hosts": ["vms.internal"], "ports": [PORT], "resolution": "STATIC"}
    selector = {"labels": {"app": "vm"}}
    stage.write("vms.yaml", istio("ServiceEntry", "vms", **spec, workloadSelector=selector))
    host = routed(stage, "vms", "vms.internal")
    stage.answer(lambda response: response.status == 503, host=host)

    def workload(name: str, backend: Backend, app: str = "vm") -> str:
        spec = {"address": "127.0.0.1", "ports": {"http": backend.port}, "labels": {"app": app}}
        return istio("WorkloadEntry", name, **spec)

    stage.write("vm-one.yaml", workload("one", backends[0]))
    stage.answer(answers("one"), host=host)
    before = stage.pushes()
    stage.write("vm-one.yaml", workload("one", backends[0], app="other"))
    stage.write("vm-two.yaml", workload("two", backends[1]))
    stage.answer(answers("two"), host=host)
    # Endpoints travel alone.
    assert set(stage.pushed_since(before)) == {"eds"}


def test_readiness_of_a_slice_moves_traffic(stage, backends):
    port = {"name": "http", "port": 80}
    spec = {"clusterIP": "10.96.0.1", "selector": {"app": "web"}, "ports": [port]}
    stage.write("service.yaml", manifest("v1", "Service", "web", spec=spec))

    def slice(name: str, backend: Backend, *, ready: bool) -> None:
        labels = {"kubernetes.io/service-name": "web"}
        pod = {"kind": "Pod", "name": f"web-{name}"}
        endpoint = {"addresses": ["127.0.0.1"], "conditions": {"ready": ready}, "targetRef": pod}
        content = {"addressType": "IPv4", "endpoints": [endpoint]}
        content["ports"] = [{"name": "http", "port": backend.port}]
        text = manifest("discovery.k8s.io/v1", "EndpointSlice", f"web-{name}", labels, **content)
        stage.write(f"slice-{name}.yaml", text)

    slice("one", backends[0], ready=True)
    slice("two", backends[1], ready=False)
    host = routed(stage, "slices", "web")
    stage.answer(answers("one"), host=host)
    slice("two", backends[1], ready=True)
    slice("one", backends[0], ready=False)
    stage.answer(answers("two"), host=host)

    # Labels of Pods make subsets, although slices do not have them.
    slice("one", backends[0], ready=True)
    for name in ("one", "two"):
        labels = {"app": "web", "version": name}
        pod = manifest("v1", "Pod", f"web-{name}", labels, status={"podIP": "10.0.0.1"})
        stage.write(f"pod-{name}.yaml", pod)
    subsets = [{"name": "one", "labels": {"version": "one"}}]
    stage.write("rule.yaml", istio("DestinationRule", "web", host="web", subsets=subsets))
    host = routed(stage, "pods", "web", subset="one")
    stage.answer(answers("one"), host=host)
    asked = [seen(stage.get(host=host))["backend"] for _ in range(6)]
    assert set(asked) == {"one"}


def test_a_service_is_there_for_whom_it_is_exported_to(stage, backends):
    """The gateway is in istio-system, the service in default."""

    def export(*namespaces: str) -> None:
        endpoint = {"address": "127.0.0.1", "ports": {"http": backends[0].port}}
        spec = {"hosts": ["exported.internal"], "ports": [PORT], "resolution": "STATIC"}
        more = {"endpoints": [endpoint], "exportTo": list(namespaces)}
        stage.write("exported.yaml", istio("ServiceEntry", "exported", **spec, **more))

    export("istio-system")
    host = routed(stage, "exported", "exported.internal")
    stage.answer(answers("one"), host=host)
    export(".")
    stage.answer(lambda response: response.status == 500, host=host)
    export("*")
    stage.answer(answers("one"), host=host)


def test_endpoints_have_their_share_by_weight(stage, backends):
    endpoints = [
        {"address": "127.0.0.1", "ports": {"http": backend.port}, "weight": weight}
        for backend, weight in zip(backends, (9, 1), strict=True)
    ]
    spec = {"hosts": ["weighed.internal"], "ports": [PORT], "resolution": "STATIC"}
    stage.write("weighed.yaml", istio("ServiceEntry", "weighed", **spec, endpoints=endpoints))
    balancer = {"loadBalancer": {"simple": "ROUND_ROBIN"}}
    rule = istio("DestinationRule", "weighed", host="weighed.internal", trafficPolicy=balancer)
    stage.write("weighed-rule.yaml", rule)
    host = routed(stage, "weighed", "weighed.internal")
    stage.answer(answers("two"), host=host)
    names = [seen(stage.get(host=host))["backend"] for _ in range(100)]
    # In turns, by each of the proxy's threads.
    assert 3 <= names.count("two") <= 20
