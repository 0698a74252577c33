# SPDX-License-Identifier: Apache-2.0
"""DestinationRules in a real Envoy: which backend answers, and what becomes of one that fails."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import grpc
import pytest
from skiff_e2e import tls
from skiff_e2e.backend import Backend
from skiff_e2e.gateway import gateway_yaml
from skiff_e2e.http import Response
from skiff_e2e.private_ca import PrivateCA
from skiff_e2e.stage import Stage, seen

HOST = "reviews.internal"


@pytest.fixture(scope="module")
def backends() -> Iterator[list[Backend]]:
    """Three of them, told apart by their names; each also says what it was asked."""
    with Backend("v1-a") as first, Backend("v1-b") as second, Backend("v2") as third:
        yield [first, second, third]


@pytest.fixture(scope="module")
def stage(tmp_path_factory, backends) -> Iterator[Stage]:
    """One gateway and one service of three endpoints for all cases, which write the rule."""
    with Stage(tmp_path_factory.mktemp("stage")) as stage:
        stage.write("gateway.yaml", gateway_yaml(stage.port))
        stage.write("service.yaml", service(*backends))
        stage.write("route.yaml", routes())
        yield stage.start()


steps = count(1)


def apply(stage: Stage, text: str, *http: dict) -> None:
    """Writes a rule and routes, and waits until Envoy serves both."""
    step = str(next(steps))
    stage.write("rule.yaml", text)
    stage.write("route.yaml", routes(*http, step=step))
    # Routes come after clusters and endpoints, so what a request meets is all new.
    stage.answer(lambda response: response.headers.get("x-step") == step)


def yaml(kind: str, name: str, spec: dict, **metadata) -> str:
    """JSON is YAML, too."""
    metadata = {"name": name, "namespace": "default"} | metadata
    header = {"apiVersion": "networking.istio.io/v1", "kind": kind, "metadata": metadata}
    return json.dumps(header | {"spec": spec})


def service(*backends: Backend, host: str = HOST, resolution: str = "STATIC") -> str:
    endpoints = [
        {
            "address": "127.0.0.1",
            "ports": {"http": backend.port},
            "labels": {"version": backend.name[:2]},
        }
        for backend in backends
    ]
    port = {"number": 80, "name": "http", "protocol": "HTTP"}
    spec = {"hosts": [host], "ports": [port], "resolution": resolution, "endpoints": endpoints}
    return yaml("ServiceEntry", host.partition(".")[0], spec)


def routes(*http: dict, step: str = "0") -> str:
    spec = {"hosts": ["web.example.com"], "gateways": ["web"]}
    marked = {"headers": {"response": {"set": {"x-step": step}}}}
    return yaml("VirtualService", "web", spec | {"http": [each | marked for each in http or [to()]]})


def to(subset: str = "", path: str = "", host: str = HOST) -> dict:
    destination = {"host": host} | ({"subset": subset} if subset else {})
    match = {"match": [{"uri": {"prefix": path}}]} if path else {}
    # Answers tell what became of the first try.
    return match | {"route": [{"destination": destination}], "retries": {"attempts": 0}}


def rule(policy: dict | None = None, *subsets: dict, host: str = HOST) -> str:
    spec = {"host": host, "subsets": list(subsets)} | ({"trafficPolicy": policy} if policy else {})
    return yaml("DestinationRule", "reviews", spec)


def names(stage: Stage, count: int, path: str = "/", **options) -> set[str]:
    responses = [stage.get(path, **options) for _ in range(count)]
    assert {response.status for response in responses} == {200}
    return {seen(response)["backend"] for response in responses}


def test_subsets_lead_to_their_endpoints(stage):
    subsets = [{"name": name, "labels": {"version": name}} for name in ("v1", "v2")]
    text = rule({"loadBalancer": {"simple": "ROUND_ROBIN"}}, *subsets)
    apply(stage, text, to("v1", "/one"), to("v2", "/two"), to())
    assert names(stage, 8, "/one") == {"v1-a", "v1-b"}
    assert names(stage, 4, "/two") == {"v2"}
    assert names(stage, 12, "/") == {"v1-a", "v1-b", "v2"}


def test_a_subset_that_no_rule_has_is_no_destination(stage):
    apply(stage, rule(), to("v9"))
    assert stage.get().status == 500


def test_a_header_decides_by_consistent_hash(stage):
    apply(stage, rule({"loadBalancer": {"consistentHash": {"httpHeaderName": "x-user"}}}))
    chosen = {user: names(stage, 4, headers={"x-user": user}) for user in map(str, range(20))}
    assert all(len(backends) == 1 for backends in chosen.values()), chosen
    assert set().union(*chosen.values()) == {"v1-a", "v1-b", "v2"}
    assert len(names(stage, 30)) > 1, "requests without the header are spread"


def test_a_cookie_is_made_and_sticks(stage):
    cookie = {"name": "stick", "ttl": "60s", "path": "/"}
    apply(stage, rule({"loadBalancer": {"consistentHash": {"httpCookie": cookie, "maglev": {}}}}))
    first = stage.get()
    value, _, attributes = first.headers["set-cookie"].partition(";")
    assert value.startswith("stick=") and "Max-Age=60" in attributes and "Path=/" in attributes
    assert names(stage, 8, headers={"cookie": value}) == {seen(first)["backend"]}


def test_an_endpoint_that_fails_is_ejected(stage, backends):
    """One of two endpoints refuses connections; after two failures only the other is asked."""
    with Backend("gone") as gone:
        pass
    detection = {"consecutiveGatewayErrors": 2, "interval": "0.1s", "baseEjectionTime": "60s"}
    policy = {"outlierDetection": detection | {"maxEjectionPercent": 100}}
    policy["loadBalancer"] = {"simple": "ROUND_ROBIN"}
    stage.write("outlier.yaml", service(backends[0], gone, host="outlier.internal"))
    apply(stage, rule(policy, host="outlier.internal"), to(host="outlier.internal"))

    def ejected() -> bool:
        stage.get()
        return list(stage.envoy.stats("outlier.internal.*ejections_active").values()) == [1]

    stage.envoy.wait_for("the ejection", ejected)
    assert {stage.get().status for _ in range(8)} == {200}


def test_requests_beyond_the_limits_are_answered_503(stage, backends):
    limits = {"tcp": {"maxConnections": 1}, "http": {"http1MaxPendingRequests": 1}}
    stage.write("single.yaml", service(backends[0], host="single.internal"))
    text = rule({"connectionPool": limits}, host="single.internal")
    apply(stage, text, to(host="single.internal"))
    with ThreadPoolExecutor(6) as pool:
        with backends[0].held():
            asked = [pool.submit(stage.get) for _ in range(6)]

            def refused() -> list[Response] | None:
                answers = [each.result() for each in asked if each.done()]
                return answers if len(answers) == 4 else None

            refusals = stage.envoy.wait_for("four refusals", refused)
        overloaded = {(each.status, each.headers["x-envoy-overloaded"]) for each in refusals}
        assert overloaded == {(503, "true")}
        assert sorted(each.result().status for each in asked) == [200, 200, 503, 503, 503, 503]


def test_tls_to_a_backend_with_a_private_ca(stage, tmp_path):
    authority = PrivateCA(tmp_path / "ca")
    certificate = authority.issue(hosts="DNS:secure.internal")
    client = authority.issue("client", hosts="DNS:client.internal")
    named = to(host="secure.internal") | {"rewrite": {"authority": "secure.internal"}}

    def answer(mode: str = "MUTUAL", *, route: dict | None = None, **more) -> Response:
        settings = {"mode": mode, "caCertificates": str(authority.bundle)}
        if mode == "MUTUAL":
            settings |= {"clientCertificate": str(client.certificate), "privateKey": str(client.key)}
        settings = {key: value for key, value in (settings | more).items() if value}
        apply(stage, rule({"tls": settings}, host="secure.internal"), route or to(host="secure.internal"))
        return stage.get()

    def unverified() -> int:
        return sum(stage.envoy.stats("secure.internal.ssl.fail_verify_").values())

    def refused(**options) -> bool:
        """Whether the proxy found fault with the certificate of the server."""
        before = unverified()
        return answer(**options).status == 503 and unverified() > before

    with Backend("secure", tls=certificate.server_context(), clients=authority.bundle) as secure:
        stage.write("secure.yaml", service(secure, host="secure.internal"))
        apply(stage, rule(host="secure.internal"), to(host="secure.internal"))
        assert stage.get().status == 503, "plain text"
        accepted = answer(sni="secure.internal", subjectAltNames=["secure.internal"])
        assert accepted.status == 200 and seen(accepted)["backend"] == "secure"
        assert refused(sni="secure.internal", subjectAltNames=["other.internal"])
        # Nobody in public vouches for this certificate.
        assert refused(sni="secure.internal", caCertificates=None)
        assert answer(insecureSkipVerify=True, caCertificates=None).status == 200
        # Without names of the rule's own the certificate must be for the host that is asked for.
        assert refused()
        assert answer(route=named).status == 200
        # No client certificate: the server refuses.
        assert answer("SIMPLE", route=named).status == 503


def test_tls_to_a_backend_with_certificates_from_a_secret(stage, tmp_path):
    authority, stranger = PrivateCA(tmp_path / "ca"), PrivateCA(tmp_path / "stranger")
    certificate = authority.issue(hosts="DNS:secure.internal")

    def keep(ca: PrivateCA, client: PrivateCA) -> None:
        entries = tls.key_pair(client.issue("client", hosts="DNS:client.internal"))
        stage.write("secret.yaml", tls.secret("upstream", entries | {"ca.crt": ca.bundle.read_text()}))

    def status_becomes(status: int) -> None:
        stage.answer(lambda response: response.status == status)

    settings = {"mode": "MUTUAL", "credentialName": "upstream", "sni": "secure.internal"}
    names = {"subjectAltNames": ["secure.internal"]}
    with Backend("secure", tls=certificate.server_context(), clients=authority.bundle) as secure:
        keep(authority, authority)
        stage.write("secure.yaml", service(secure, host="secure.internal"))
        route = to(host="secure.internal")
        # A connection lives on with the certificates that it began with.
        policy = {"tls": settings | names, "connectionPool": {"http": {"maxRequestsPerConnection": 1}}}
        apply(stage, rule(policy, host="secure.internal"), route)
        status_becomes(200)
        assert seen(stage.get())["backend"] == "secure"
        # The server does not know the client's issuer, then the client not the server's.
        keep(authority, stranger)
        status_becomes(503)
        keep(authority, authority)
        status_becomes(200)
        keep(stranger, authority)
        status_becomes(503)
        assert sum(stage.envoy.stats("secure.internal.ssl.fail_verify_error").values())
    for name in ("secret.yaml", "secure.yaml"):
        (stage.config / name).unlink()


def test_localities_are_weighted(stage, backends):
    places = ["eu/a", "eu/b", "us/a"]
    endpoints = [
        {"address": "127.0.0.1", "ports": {"http": backend.port}, "locality": place}
        for backend, place in zip(backends, places, strict=True)
    ]
    port = {"number": 80, "name": "http", "protocol": "HTTP"}
    spec = {"hosts": ["local.internal"], "ports": [port], "resolution": "STATIC"}
    stage.write("local.yaml", yaml("ServiceEntry", "local", spec | {"endpoints": endpoints}))
    distribute = [{"from": "*", "to": {"eu/a": 50, "us/*": 50}}]
    policy = {"loadBalancer": {"localityLbSetting": {"distribute": distribute}}}
    apply(stage, rule(policy, host="local.internal"), to(host="local.internal"))
    assert names(stage, 24) == {"v1-a", "v2"}
    # The same with a ring, where a user stays in a locality.
    policy["loadBalancer"]["consistentHash"] = {"httpHeaderName": "x-user"}
    apply(stage, rule(policy, host="local.internal"), to(host="local.internal"))
    chosen = [names(stage, 2, headers={"x-user": user}) for user in map(str, range(16))]
    assert sorted(set().union(*chosen)) == ["v1-a", "v2"] and {len(each) for each in chosen} == {1}


def test_other_keys_of_consistent_hash(stage):
    hashing = {"useSourceIp": True}
    apply(stage, rule({"loadBalancer": {"consistentHash": hashing}}))
    assert len(names(stage, 20)) == 1
    hashing = {"httpQueryParameterName": "user", "ringHash": {"minimumRingSize": 2048}}
    apply(stage, rule({"loadBalancer": {"consistentHash": hashing}}))
    chosen = [names(stage, 3, f"/?user={user}") for user in range(20)]
    assert {len(each) for each in chosen} == {1} and len(set().union(*chosen)) == 3


def test_the_settings_of_a_port_and_of_a_subset_come_first(stage):
    """Only they hash, so what they leave out does not."""
    hashing = {"loadBalancer": {"consistentHash": {"useSourceIp": True}}}
    plain = {"loadBalancer": {"simple": "RANDOM"}}
    settings = [hashing | {"port": {"number": 80}}, plain | {"port": {"number": 81}}]
    apply(stage, rule(plain | {"portLevelSettings": settings}))
    assert len(names(stage, 20)) == 1
    subsets = [
        {"name": name, "labels": {"version": "v1"}, "trafficPolicy": policy}
        for name, policy in {"stuck": hashing, "spread": plain}.items()
    ]
    apply(stage, rule(plain, *subsets), to("stuck", "/stuck"), to("spread", "/spread"), to())
    assert len(names(stage, 20, "/stuck")) == 1
    assert names(stage, 30, "/spread") == {"v1-a", "v1-b"}
    assert len(names(stage, 40)) == 3


def test_a_rule_for_other_workloads_or_namespaces_is_none_here(stage):
    hashing = {"loadBalancer": {"consistentHash": {"useSourceIp": True}}}
    spec = {"host": HOST, "trafficPolicy": hashing}
    other = {"workloadSelector": {"matchLabels": {"app": "other"}}}
    apply(stage, yaml("DestinationRule", "reviews", spec | other))
    assert len(names(stage, 40)) == 3
    apply(stage, yaml("DestinationRule", "reviews", spec | {"exportTo": ["."]}))
    assert len(names(stage, 40)) == 3
    own = {"workloadSelector": {"matchLabels": {"istio": "ingressgateway"}}}
    selected = yaml("DestinationRule", "reviews", spec | own, namespace="istio-system")
    apply(stage, selected)
    assert len(names(stage, 20)) == 1


def test_a_connection_carries_as_many_requests_as_it_may(stage):
    def connections(limit: int) -> int:
        apply(stage, rule({"connectionPool": {"http": {"maxRequestsPerConnection": limit}}}))
        counter = "reviews.internal.upstream_cx_max_requests"
        before = sum(stage.envoy.stats(counter).values())
        names(stage, 12)
        return sum(stage.envoy.stats(counter).values()) - before

    assert connections(1) == 12
    assert connections(1000) == 0


def test_endpoints_further_away_are_for_when_the_near_ones_fail(stage, backends):
    with Backend("near") as near:
        port = {"number": 80, "name": "http", "protocol": "HTTP"}
        endpoints = [
            {"address": "127.0.0.1", "ports": {"http": backend.port}, "labels": {"place": place}}
            for backend, place in ((near, "near"), (backends[0], "far"))
        ]
        spec = {"hosts": ["failing.internal"], "ports": [port], "resolution": "STATIC"}
        stage.write("failing.yaml", yaml("ServiceEntry", "failing", spec | {"endpoints": endpoints}))
        detection = {"consecutiveGatewayErrors": 1, "interval": "0.1s", "baseEjectionTime": "60s"}
        policy = {"outlierDetection": detection | {"maxEjectionPercent": 100}}
        policy["loadBalancer"] = {"localityLbSetting": {"failoverPriority": ["place=near"]}}
        # A connection that is there would outlive its server.
        policy["connectionPool"] = {"http": {"maxRequestsPerConnection": 1}}
        apply(stage, rule(policy, host="failing.internal"), to(host="failing.internal"))
        assert names(stage, 12) == {"near"}
    stage.answer(lambda response: response.status == 200 and seen(response)["backend"] == "v1-a")


def test_http_2_goes_to_a_backend_where_a_rule_says_so(stage):
    """The port says HTTP, and the server speaks HTTP/2 alone."""

    def call() -> bytes | grpc.StatusCode:
        options = [("grpc.default_authority", "web.example.com")]
        with grpc.insecure_channel(f"127.0.0.1:{stage.port}", options) as channel:
            try:
                return channel.unary_unary("/echo.Echo/Say")(b"hello", timeout=10)
            except grpc.RpcError as error:
                return error.code()

    with tls.GRPCBackend() as calls:
        port = {"number": 80, "name": "http", "protocol": "HTTP"}
        endpoint = {"address": "127.0.0.1", "ports": {"http": calls.port}}
        spec = {"hosts": ["calls.internal"], "ports": [port], "resolution": "STATIC"}
        stage.write("calls.yaml", yaml("ServiceEntry", "calls", spec | {"endpoints": [endpoint]}))
        found = {}
        for name, http in {
            "neither": {"maxRetries": 3},
            "upgrade": {"h2UpgradePolicy": "UPGRADE"},
            "client": {"useClientProtocol": True},
        }.items():
            text = rule({"connectionPool": {"http": http}}, host="calls.internal")
            apply(stage, text, to(host="calls.internal"))
            found[name] = call()
    said = b"/echo.Echo/Say hello"
    assert found == {"neither": grpc.StatusCode.UNAVAILABLE, "upgrade": said, "client": said}
