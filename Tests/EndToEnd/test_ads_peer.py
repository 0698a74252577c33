# SPDX-License-Identifier: Apache-2.0
"""The ADS protocol, spoken to skiffd by a client that nobody here wrote: grpcio and its stubs.

That nothing is sent is shown by a barrier, not by waiting: requests of a stream are handled in
order, so a response to a later request that comes first proves that there was none to an earlier.
"""

from __future__ import annotations

from types import SimpleNamespace

import grpc
import pytest
from envoy.config.core.v3 import base_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc

from skiff_e2e.ads import (
    CLUSTER,
    ENDPOINT,
    EXTENSION,
    LISTENER,
    ROUTE,
    STREAM,
    ADSClient,
    channel,
    names,
    route_header,
)
from skiff_e2e.gateway import PLUGIN, backend_yaml, gateway_yaml, plugin_yaml, route_yaml
from skiff_e2e.skiffd import Skiffd, write

BACKEND = "outbound|80||backend.internal"


@pytest.fixture(scope="module")
def mesh(tmp_path_factory):
    """skiffd with a gateway on port 8080, one backend, one route and one plugin."""
    directory = tmp_path_factory.mktemp("ads")
    mesh = SimpleNamespace(config=directory / "config", directory=directory)
    write(mesh.config / "gateway.yaml", gateway_yaml(8080))
    write(mesh.config / "backend.yaml", backend_yaml(9000))
    write(mesh.config / "route.yaml", route_yaml("one"))
    write(mesh.config / "plugin.yaml", plugin_yaml("hello"))
    with Skiffd(mesh.config, directory) as skiffd:
        mesh.skiffd = skiffd.wait_until_ready()
        yield mesh


@pytest.fixture
def client(mesh):
    with ADSClient(mesh.skiffd.grpc) as client:
        yield client


def barrier(client: ADSClient) -> None:
    """Fails if a response is on its way. Asks for a route again, which always gets an answer."""
    client.send(ROUTE, ["http.8080"])
    response = client.receive(ROUTE)
    client.ack(response, ["http.8080"])


def test_wildcard_and_named_subscriptions_get_what_they_ask_for(client):
    assert sorted(names(client.subscribe(CLUSTER))) == ["BlackHoleCluster", BACKEND]
    assert names(client.subscribe(LISTENER)) == ["0.0.0.0_8080"]
    assert names(client.subscribe(ENDPOINT, [BACKEND])) == [BACKEND]
    assert names(client.subscribe(ROUTE, ["http.8080"])) == ["http.8080"]
    assert names(client.subscribe(EXTENSION, [PLUGIN])) == [PLUGIN]


def test_an_explicit_wildcard_is_one(client):
    assert sorted(names(client.subscribe(CLUSTER, ["*"]))) == ["BlackHoleCluster", BACKEND]


def test_clusters_can_be_asked_for_by_name(client):
    assert names(client.subscribe(CLUSTER, [BACKEND])) == [BACKEND]


def test_what_does_not_exist_gets_no_answer(client):
    client.send(EXTENSION, ["extensions.istio.io/wasmplugin/default.nothing"])
    client.send(ENDPOINT, ["outbound|80||nothing.internal"])
    client.send("type.googleapis.com/envoy.config.nothing.v3.Nothing", ["a"])
    barrier(client)


def test_equal_resources_have_equal_versions_on_every_stream(mesh):
    with ADSClient(mesh.skiffd.grpc) as one, ADSClient(mesh.skiffd.grpc, name="other") as two:
        for type_url in (CLUSTER, LISTENER):
            first, second = one.subscribe(type_url), two.subscribe(type_url)
            assert first.version_info == second.version_info != ""
            assert first.nonce != second.nonce
            assert first.resources == second.resources


def test_an_ack_is_answered_with_silence_and_makes_the_proxy_synced(mesh):
    with ADSClient(mesh.skiffd.grpc, name="acks") as client:
        response = client.subscribe(CLUSTER)
        barrier(client)
        entry = mesh.skiffd.status("acks")["resources"][CLUSTER]
        assert entry["status"] == "SYNCED"
        assert (entry["sent"], entry["acked"]) == (response.nonce, response.nonce)
        assert entry["ackedVersion"] == response.version_info


def test_an_unanswered_response_is_stale_not_synced(mesh):
    with ADSClient(mesh.skiffd.grpc, name="silent") as client:
        client.send(CLUSTER)
        response = client.receive(CLUSTER)
        entry = mesh.skiffd.status("silent")["resources"][CLUSTER]
        assert (entry["status"], entry["sent"], entry["acked"]) == ("STALE", response.nonce, "")


def test_a_nack_is_counted_and_shown_and_never_sent_again(mesh):
    skiffd = mesh.skiffd
    before = skiffd.count("pilot_total_xds_rejects", ROUTE)
    with ADSClient(skiffd.grpc, name="refuser") as client:
        first = client.subscribe(ROUTE, ["http.8080"])
        write(mesh.config / "route.yaml", route_yaml("refused"))
        second = client.receive(ROUTE)
        assert route_header(second) == "refused"
        client.nack(second, "no such thing", ["http.8080"], version=first.version_info)
        # The request after the NACK is answered, the NACK is not.
        client.subscribe(CLUSTER)
        assert skiffd.count("pilot_total_xds_rejects", ROUTE) == before + 1

        (reject,) = skiffd.rejections("refuser")
        assert reject["type"] == ROUTE
        assert reject["nonce"] == second.nonce
        assert reject["version"] == second.version_info
        assert reject["reason"] == "no such thing"
        assert reject["resources"] == ["http.8080"]
        assert [(object["kind"], object["name"]) for object in reject["objects"]] == [
            ("VirtualService", "web")
        ]
        entry = skiffd.status("refuser")["resources"][ROUTE]
        assert (entry["status"], entry["lastError"]) == ("ERROR", "no such thing")
        assert entry["ackedVersion"] == first.version_info

        # The same NACK again, an ACK of something else, a change of something else: silence.
        client.nack(second, "no such thing", ["http.8080"], version=first.version_info)
        client.subscribe(LISTENER)
        client.subscribe(EXTENSION, [PLUGIN])
        write(mesh.config / "plugin.yaml", plugin_yaml("bonjour"))
        client.ack(client.receive(EXTENSION), [PLUGIN])
        assert skiffd.count("pilot_total_xds_rejects", ROUTE) == before + 1
        assert len(skiffd.rejections("refuser")) == 1

        # Other bytes are sent; an ACK clears the rejection.
        write(mesh.config / "route.yaml", route_yaml("mended"))
        third = client.receive(ROUTE)
        assert route_header(third) == "mended"
        client.ack(third, ["http.8080"])
        skiffd.wait_for("all clear", lambda: not skiffd.rejections("refuser"))


def test_a_rejection_goes_with_its_proxy(mesh):
    with ADSClient(mesh.skiffd.grpc, name="leaver") as client:
        client.send(LISTENER)
        client.nack(client.receive(LISTENER), "bad listener")
        mesh.skiffd.wait_for("a rejection", lambda: mesh.skiffd.rejections("leaver"))
    mesh.skiffd.wait_for("all clear", lambda: not mesh.skiffd.rejections("leaver"))


def test_a_nack_without_a_watch_is_harmless(mesh, client):
    before = mesh.skiffd.count("pilot_total_xds_rejects", LISTENER)
    client.send(LISTENER, nonce="z-7", version="1", error="of an earlier stream")
    barrier(client)
    assert mesh.skiffd.count("pilot_total_xds_rejects", LISTENER) == before
    assert names(client.subscribe(LISTENER)) == ["0.0.0.0_8080"]


def test_a_nack_with_an_empty_text_is_one(mesh):
    before = mesh.skiffd.count("pilot_total_xds_rejects", CLUSTER)
    with ADSClient(mesh.skiffd.grpc, name="terse") as client:
        client.send(CLUSTER)
        client.nack(client.receive(CLUSTER), "")
        barrier(client)
        assert mesh.skiffd.count("pilot_total_xds_rejects", CLUSTER) == before + 1
        assert mesh.skiffd.status("terse")["resources"][CLUSTER]["status"] == "ERROR"


def test_a_stale_nonce_is_ignored_and_counted(mesh, client):
    before = mesh.skiffd.count("pilot_xds_expired_nonce", ROUTE)
    first = client.subscribe(ROUTE, ["http.8080"])
    write(mesh.config / "route.yaml", route_yaml("newer"))
    second = client.receive(ROUTE)
    # An overtaken NACK with one name more: nothing of it counts.
    client.nack(first, "late", ["http.8080", "http.9090"])
    client.subscribe(CLUSTER)
    assert mesh.skiffd.count("pilot_xds_expired_nonce", ROUTE) == before + 1
    assert mesh.skiffd.get("/debug/rejectsz")["totalRejects"] == 0
    client.ack(second, ["http.8080"])
    write(mesh.config / "route.yaml", route_yaml("newest"))
    assert route_header(client.receive(ROUTE)) == "newest"


def test_a_name_that_a_stale_request_dropped_is_sent_again(mesh, client):
    first = client.subscribe(ROUTE, ["http.8080"])
    write(mesh.config / "route.yaml", route_yaml("dropped"))
    second = client.receive(ROUTE)
    client.ack(first, [])
    client.ack(second, ["http.8080"])
    again = client.receive(ROUTE)
    assert (route_header(again), again.version_info) == ("dropped", second.version_info)


def test_only_one_response_of_a_type_is_unanswered_and_the_next_is_the_newest(mesh, client):
    client.send(ROUTE, ["http.8080"])
    first = client.receive(ROUTE)
    client.subscribe(EXTENSION, [PLUGIN])
    for step in range(3):
        write(mesh.config / "route.yaml", route_yaml(f"step-{step}"))
        write(mesh.config / "plugin.yaml", plugin_yaml(f"step-{step}"))
        client.ack(client.receive(EXTENSION), [PLUGIN])
    client.ack(first, ["http.8080"])
    second = client.receive(ROUTE)
    assert route_header(second) == "step-2"


def test_unsubscription_ends_pushes_and_resubscription_sends_again(mesh, client):
    client.subscribe(EXTENSION, [PLUGIN])
    first = client.subscribe(ROUTE, ["http.8080"])
    client.ack(first, [])
    write(mesh.config / "route.yaml", route_yaml("unwatched"))
    write(mesh.config / "plugin.yaml", plugin_yaml("watched"))
    # Both changes are in one snapshot or in two; after the next plugin, both have passed.
    for greeting in ("watched-1", "watched-2"):
        client.ack(client.receive(EXTENSION), [PLUGIN])
        write(mesh.config / "plugin.yaml", plugin_yaml(greeting))
    client.ack(client.receive(EXTENSION), [PLUGIN])

    client.ack(first, ["http.8080"])
    again = client.receive(ROUTE)
    assert route_header(again) == "unwatched"
    # Without any change in between, too: Envoy has dropped it.
    client.ack(again, [])
    client.ack(again, ["http.8080"])
    assert client.receive(ROUTE).version_info == again.version_info


def test_names_added_by_an_ack_are_answered_alone(mesh, client):
    write(mesh.config / "other.yaml", backend_yaml(9001, "other"))
    other = "outbound|80||other.internal"
    mesh.skiffd.wait_for(
        "the other service",
        lambda: "other.internal" in str(mesh.skiffd.get("/debug/registryz")),
    )
    first = client.subscribe(ENDPOINT, [BACKEND])
    client.ack(first, [BACKEND, other])
    assert names(client.receive(ENDPOINT)) == [other]
    (mesh.config / "other.yaml").unlink()
    mesh.skiffd.wait_for(
        "its end", lambda: "other.internal" not in str(mesh.skiffd.get("/debug/registryz"))
    )


def test_a_client_that_reconnects_with_its_versions_gets_nothing(mesh):
    wanted = {
        CLUSTER: [],
        ENDPOINT: [BACKEND],
        EXTENSION: [PLUGIN],
        LISTENER: [],
    }
    with ADSClient(mesh.skiffd.grpc) as client:
        versions = {
            type_url: client.subscribe(type_url, names).version_info
            for type_url, names in wanted.items()
        }
    with ADSClient(mesh.skiffd.grpc, name="again") as client:
        for type_url, type_names in wanted.items():
            client.send(type_url, type_names, version=versions[type_url])
        barrier(client)
        entries = mesh.skiffd.status("again")["resources"]
        assert {entries[type_url]["status"] for type_url in wanted} == {"SYNCED"}


def test_a_client_that_reconnects_with_an_old_version_gets_the_new_one(client):
    assert names(client.subscribe(CLUSTER, version="0123456789abcdef")) == [
        "BlackHoleCluster",
        BACKEND,
    ]


def test_a_new_client_without_a_node_is_refused(mesh):
    with ADSClient(mesh.skiffd.grpc, base_pb2.Node()) as client:
        client.send(CLUSTER)
        error = client.error()
    assert error.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert error.details() == "missing node information"


@pytest.mark.parametrize(
    ("node_id", "words"),
    [
        ("waypoint~127.0.0.1~a.b~c", 'expected a proxy type of router, sidecar, found "waypoint"'),
        ("envoy", 'expected type~ip~name.namespace~dnsDomain, found "envoy"'),
        ("router~~a.b~c", "expected an IP address"),
    ],
)
def test_a_node_that_cannot_be_served_is_refused_with_the_reason(mesh, node_id, words):
    with ADSClient(mesh.skiffd.grpc, base_pb2.Node(id=node_id)) as client:
        client.send(CLUSTER)
        error = client.error()
    assert error.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert words in error.details()


def test_bytes_that_are_no_request_end_their_stream_and_no_other(mesh, client):
    client.subscribe(CLUSTER)
    with channel(mesh.skiffd.grpc) as other:
        call = other.stream_stream(STREAM, bytes, bytes)(iter([b"\xff" * 100]), timeout=20)
        with pytest.raises(grpc.RpcError) as raised:
            next(call)
    assert raised.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert raised.value.details().startswith("expected a DiscoveryRequest")
    barrier(client)


def test_a_message_above_the_limit_is_refused(mesh, client):
    client.subscribe(CLUSTER)
    with channel(mesh.skiffd.grpc) as other:
        call = other.stream_stream(STREAM, bytes, bytes)(iter([b"\n" * (5 << 20)]), timeout=20)
        with pytest.raises(grpc.RpcError) as raised:
            next(call)
    assert raised.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
    barrier(client)


@pytest.mark.parametrize(
    "path",
    ["/envoy.service.discovery.v3.AggregatedDiscoveryService/Nothing", "/a.b.C/D", "/"],
)
def test_an_unknown_method_is_unimplemented(mesh, path):
    with channel(mesh.skiffd.grpc) as other:
        call = other.unary_unary(path, bytes, bytes)
        with pytest.raises(grpc.RpcError) as raised:
            call(b"", timeout=20)
    assert raised.value.code() == grpc.StatusCode.UNIMPLEMENTED


def test_the_health_service_says_serving(mesh):
    with channel(mesh.skiffd.grpc) as other:
        stub = health_pb2_grpc.HealthStub(other)
        answer = stub.Check(health_pb2.HealthCheckRequest(), timeout=20)
        assert answer.status == health_pb2.HealthCheckResponse.SERVING
        watch = stub.Watch(health_pb2.HealthCheckRequest(), timeout=20)
        assert next(watch).status == health_pb2.HealthCheckResponse.SERVING
        watch.cancel()
