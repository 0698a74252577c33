# SPDX-License-Identifier: Apache-2.0
"""What may be done to the agent's socket: several proxies, garbage, and those that do not read."""

from __future__ import annotations

import os
import queue
import re
import signal
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import grpc
import pytest
from envoy.service.discovery.v3 import ads_pb2_grpc, discovery_pb2
from google.protobuf import any_pb2
from test_hostile_peers import GARBAGE, PREFACE

from skiff_e2e.ads import (
    CLUSTER,
    EXTENSION,
    LISTENER,
    ROUTE,
    STREAM,
    ADSClient,
    Response,
    channel,
    names,
    node,
    route_header,
)
from skiff_e2e.agent import Agent, AgentStage, wasm_plugin_yaml
from skiff_e2e.gateway import backend_yaml, gateway_yaml, lua_filter_yaml, route_yaml
from skiff_e2e.module_server import ModuleServer, body, gated
from skiff_e2e.skiffd import Skiffd, write
from skiff_e2e.stage import with_backend
from skiff_e2e.wasm import digest, module_files

PLUGIN = "extensions.istio.io/wasmplugin/istio-system.mark"


@pytest.fixture
def server() -> Iterator[ModuleServer]:
    with ModuleServer() as running:
        yield running


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[AgentStage]:
    """skiffd and a backend; each case starts its agent itself."""
    with AgentStage(tmp_path) as stage:
        skiffd = with_backend(stage).enter(Skiffd(stage.config, tmp_path))
        stage.skiffd = skiffd.wait_until_ready()
        yield stage


@pytest.fixture
def module(wasm_modules) -> bytes:
    return wasm_modules["response-headers"].read_bytes()


def memory(agent: Agent, kind: str = "VmRSS") -> int:
    found = Path(f"/proc/{agent.child.pid}/status").read_text()
    return int(re.search(rf"{kind}:\s+(\d+) kB", found)[1]) << 10


def first_request(type_url: str) -> bytes:
    request = discovery_pb2.DiscoveryRequest(type_url=type_url)
    request.node.CopyFrom(node("stopped"))
    return request.SerializeToString()


class Flood(ads_pb2_grpc.AggregatedDiscoveryServiceServicer):
    """A control plane that sends all it has to "stopped" and waits for no answer of it; others get
    a message for each request. Use it as a context manager."""

    def __init__(self, messages: int, size: int) -> None:
        self.sent = 0
        self._messages, self._size = messages, size
        self._server = grpc.server(ThreadPoolExecutor(8))
        ads_pb2_grpc.add_AggregatedDiscoveryServiceServicer_to_server(self, self._server)
        self.port = self._server.add_insecure_port("127.0.0.1:0")

    def StreamAggregatedResources(self, requests, context):
        request = next(requests)
        is_flooded = "~stopped." in request.node.id
        type_url = request.type_url
        resource = any_pb2.Any(type_url=type_url, value=bytes(self._size))
        for number in range(self._messages):
            self.sent += is_flooded
            version = str(number)
            yield Response(
                version_info=version, nonce=version, type_url=type_url, resources=[resource]
            )
            if not is_flooded:
                next(requests)
        for _ in requests:
            pass

    def __enter__(self) -> Flood:
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop(None).wait()


def test_two_streams_at_once_are_both_served_and_share_the_download(stage, server, module):
    gate = threading.Event()
    url = server.script("/mark.wasm", gated(body(module), gate))
    stage.write("plugin.yaml", wasm_plugin_yaml(url, {"x-mark": "there"}))
    agent = stage.start_agent(envoy=None)
    routes = [f"http.{stage.port}"]
    with ADSClient(agent.socket, name="one") as one, ADSClient(agent.socket, name="two") as two:
        for client in (one, two):
            assert len(names(client.subscribe(CLUSTER))) == 2
            assert route_header(client.subscribe(ROUTE, routes)) == "one"
            client.send(EXTENSION, [PLUGIN])
        agent.wait_for("both", lambda: len(agent.page()["modules"]) == 2)
        gate.set()
        file = agent.data / f"wasm/modules/{digest(module)}.wasm"
        for client in (one, two):
            response = client.receive(EXTENSION)
            assert module_files(response) == {PLUGIN: file}
            client.ack(response, [PLUGIN])
        assert len(server.seen("/mark.wasm")) == 1
        (held,) = agent.page()["cache"]
        assert held["users"] == ["stream 1", "stream 2"]
        # skiffd sees two proxies, each with its own node.
        rows = [row["proxy"] for row in stage.skiffd.get("/debug/syncz")]
        assert sorted(rows) == ["one.istio-system", "two.istio-system"]
        stage.write("route.yaml", route_yaml("two"))
        for client in (one, two):
            response = client.receive(ROUTE)
            assert route_header(response) == "two"
            client.ack(response, routes)
        one.close()
        agent.wait_for("one's end", lambda: len(agent.page()["modules"]) == 1)
        stage.write("route.yaml", route_yaml("three"))
        assert route_header(two.receive(ROUTE)) == "three"


@pytest.fixture(scope="module")
def relay(tmp_path_factory) -> Iterator[tuple[Agent, ADSClient]]:
    """An agent to be ill-treated, and a proxy that each case asks whether the service goes on."""
    directory = tmp_path_factory.mktemp("relay")
    write(directory / "config/gateway.yaml", gateway_yaml(8080))
    write(directory / "config/backend.yaml", backend_yaml(9000))
    write(directory / "config/route.yaml", route_yaml("start"))
    with ExitStack() as running:
        skiffd = running.enter_context(Skiffd(directory / "config", directory))
        skiffd.wait_until_ready()
        agent = running.enter_context(Agent(directory, skiffd.grpc, envoy=None))
        proxy = running.enter_context(ADSClient(agent.socket))
        proxy.subscribe(ROUTE, ["http.8080"])
        yield agent, proxy


def assert_relays(agent: Agent, proxy: ADSClient) -> None:
    """An edit reaches the proxy that was there before, and a new one is served."""
    marker = f"alive-{os.urandom(4).hex()}"
    write(agent.data.parent / "config/route.yaml", route_yaml(marker))
    response = proxy.receive(ROUTE)
    assert route_header(response) == marker
    proxy.ack(response, ["http.8080"])
    with ADSClient(agent.socket, name="newcomer") as newcomer:
        assert len(names(newcomer.subscribe(CLUSTER))) == 2


@pytest.mark.parametrize("sent", GARBAGE.values(), ids=GARBAGE)
def test_garbage_on_the_socket_ends_its_own_connection_only(relay, sent):
    agent, proxy = relay
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(20)
        connection.connect(str(agent.socket))
        try:
            connection.sendall(sent)
            # Ends with the connection; otherwise the socket's timeout fails the test.
            while connection.recv(65536):
                pass
        except (ConnectionResetError, BrokenPipeError):
            pass
    assert_relays(agent, proxy)


def test_a_message_that_is_no_request_ends_its_own_stream_only(relay):
    agent, proxy = relay
    with channel(agent.socket) as other:
        call = other.stream_stream(STREAM, bytes, bytes)(iter([b"\xff" * 100]), timeout=20)
        with pytest.raises(grpc.RpcError) as raised:
            next(call)
    assert raised.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert_relays(agent, proxy)


def test_connections_that_say_nothing_harm_nobody(relay):
    agent, proxy = relay
    with ExitStack() as running:
        for number in range(100):
            connection = running.enter_context(socket.socket(socket.AF_UNIX))
            connection.settimeout(20)
            connection.connect(str(agent.socket))
            connection.sendall(PREFACE[: number % len(PREFACE)])
        assert_relays(agent, proxy)
    assert_relays(agent, proxy)


def test_an_envoy_that_stops_reading_costs_little_and_delays_nobody(stage):
    size, edits = 300_000, 12
    agent = stage.start_agent()
    agent.wait_until_ready()
    with ADSClient(agent.socket, name="reader") as reader:
        reader.subscribe(CLUSTER)
        reader.subscribe(LISTENER)

        def edit(step: int) -> None:
            stage.write("lua.yaml", lua_filter_yaml(f"-- {step} " + "x" * size))
            response = reader.receive(LISTENER, seconds=5)
            assert f"-- {step} ".encode() in response.resources[0].value
            reader.ack(response)

        edit(0)
        stage.skiffd.wait_for(
            "the first", lambda: stage.skiffd.is_synced(agent.id, LISTENER)
        )
        os.kill(agent.envoy_pid, signal.SIGSTOP)
        try:
            for step in range(1, 5):
                edit(step)
            settled = memory(agent)
            for step in range(5, 5 + edits):
                edit(step)
            # Kept back for the one that does not read, these versions would take 3.6 MB.
            assert memory(agent) - settled < 2 << 20
            assert not stage.skiffd.is_synced(agent.id, LISTENER)
        finally:
            os.kill(agent.envoy_pid, signal.SIGCONT)
        stage.skiffd.wait_for(
            "the newest", lambda: stage.skiffd.is_synced(agent.id, LISTENER)
        )


def test_a_control_plane_that_waits_for_no_answer_cannot_fill_the_agent(tmp_path):
    """The stream of a proxy that reads nothing ends at 64 MiB; others go on."""
    count, size = 40, 4 << 20
    with ExitStack() as running:
        flood = running.enter_context(Flood(count, size))
        agent = running.enter_context(Agent(tmp_path, flood.port, envoy=None))
        before = memory(agent)
        stopped = running.enter_context(channel(agent.socket))
        requests: queue.SimpleQueue = queue.SimpleQueue()
        requests.put(first_request(CLUSTER))
        # Without asking it for a response, gRPC reads no more than a window.
        call = stopped.stream_stream(STREAM, bytes, bytes)(iter(requests.get, None))
        agent.wait_for_log("the proxy does not read its responses")
        assert flood.sent < count
        assert memory(agent, "VmHWM") - before < 160 << 20
        with pytest.raises(grpc.RpcError):
            list(call)
        requests.put(None)
        with ADSClient(agent.socket, name="reader") as reader:
            reader.send(CLUSTER)
            for number in range(count):
                response = reader.receive(CLUSTER)
                assert (response.version_info, len(response.resources[0].value)) == (
                    str(number),
                    size,
                )
                reader.ack(response)
