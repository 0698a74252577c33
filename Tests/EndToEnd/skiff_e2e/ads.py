# SPDX-License-Identifier: Apache-2.0
"""gRPC's own Python stubs as an ADS client: what is sent is written out, what comes is queued."""

from __future__ import annotations

import queue
import threading
from pathlib import Path

import grpc
from envoy.config.cluster.v3 import cluster_pb2
from envoy.config.core.v3 import base_pb2, extension_pb2
from envoy.config.endpoint.v3 import endpoint_pb2
from envoy.config.listener.v3 import listener_pb2
from envoy.config.route.v3 import route_pb2
from envoy.service.discovery.v3 import ads_pb2_grpc, discovery_pb2
from google.protobuf import json_format, struct_pb2
from google.rpc import status_pb2

CLUSTER = "type.googleapis.com/envoy.config.cluster.v3.Cluster"
ENDPOINT = "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment"
EXTENSION = "type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig"
LISTENER = "type.googleapis.com/envoy.config.listener.v3.Listener"
ROUTE = "type.googleapis.com/envoy.config.route.v3.RouteConfiguration"
SECRET = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret"

_MESSAGES = {
    CLUSTER: cluster_pb2.Cluster,
    ENDPOINT: endpoint_pb2.ClusterLoadAssignment,
    EXTENSION: extension_pb2.TypedExtensionConfig,
    LISTENER: listener_pb2.Listener,
    ROUTE: route_pb2.RouteConfiguration,
}
STREAM = "/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources"
Response = discovery_pb2.DiscoveryResponse


def channel(server: int | Path) -> grpc.Channel:
    """A channel with a connection of its own, for messages of any size.

    The server is a port of the loopback interface, or a Unix socket.
    """
    options = [("grpc.use_local_subchannel_pool", 1), ("grpc.max_receive_message_length", -1)]
    target = f"unix:{server}" if isinstance(server, Path) else f"127.0.0.1:{server}"
    return grpc.insecure_channel(target, options=options)


def node(name: str = "peer", *, role: str = "router", labels: dict[str, str] | None = None):
    """A node in `istio-system`, by default one that the gateway manifests select."""
    metadata = struct_pb2.Struct()
    chosen = {"istio": "ingressgateway"} if labels is None else labels
    json_format.ParseDict({"NAMESPACE": "istio-system", "LABELS": chosen}, metadata)
    node_id = f"{role}~127.0.0.1~{name}.istio-system~istio-system.svc.cluster.local"
    return base_pb2.Node(id=node_id, cluster=name, metadata=metadata)


def names(response: Response) -> list[str]:
    """The names of the resources of a response."""
    messages = [_MESSAGES[response.type_url].FromString(any.value) for any in response.resources]
    return [getattr(message, "name", "") or message.cluster_name for message in messages]


def route_header(response: Response) -> str:
    """The header that `route_yaml` sets."""
    configuration = route_pb2.RouteConfiguration()
    assert response.resources[0].Unpack(configuration)
    (header,) = configuration.virtual_hosts[0].routes[0].response_headers_to_add
    return header.header.value


class ADSClient:
    """One stream; use it as a context manager. The first request carries the node."""

    def __init__(
        self, server: int | Path, identity: base_pb2.Node | None = None, **options
    ) -> None:
        self._node = node(**options) if identity is None else identity
        self._requests: queue.SimpleQueue = queue.SimpleQueue()
        self._responses: queue.SimpleQueue = queue.SimpleQueue()
        self._channel = channel(server)
        stub = ads_pb2_grpc.AggregatedDiscoveryServiceStub(self._channel)
        self._call = stub.StreamAggregatedResources(iter(self._requests.get, None))
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        try:
            for response in self._call:
                self._take(response)
            self._responses.put(None)
        except grpc.RpcError as error:
            self._responses.put(error)

    def _take(self, response: Response) -> None:
        """Has a response that has just come; on the stream's own thread."""
        self._responses.put(response)

    def send(
        self, type_url: str, names=(), *, nonce: str = "", version: str = "", error: str | None = None
    ) -> None:
        request = discovery_pb2.DiscoveryRequest(
            type_url=type_url, resource_names=names, response_nonce=nonce, version_info=version
        )
        if self._node is not None:
            request.node.CopyFrom(self._node)
            self._node = None
        if error is not None:
            request.error_detail.CopyFrom(status_pb2.Status(code=13, message=error))
        self._requests.put(request)

    def ack(self, response: Response, names=()) -> None:
        """Accepts a response; names are those that the subscription has from now on."""
        self.send(
            response.type_url, names, nonce=response.nonce, version=response.version_info
        )

    def nack(self, response: Response, error: str, names=(), *, version: str = "") -> None:
        """Refuses a response; `version` is that of the last one which was accepted."""
        self.send(response.type_url, names, nonce=response.nonce, version=version, error=error)

    def receive(self, type_url: str | None = None, seconds: float = 20) -> Response:
        """The next response, which must be of this type."""
        response = self._responses.get(timeout=seconds)
        if isinstance(response, BaseException):
            raise response
        assert response is not None, "the server ended the stream"
        assert type_url in (None, response.type_url), f"expected {type_url}, got {response}"
        return response

    def subscribe(self, type_url: str, names=(), *, version: str = "") -> Response:
        """Asks for a type, gets its first response and accepts it."""
        self.send(type_url, names, version=version)
        response = self.receive(type_url)
        self.ack(response, names)
        return response

    def error(self, seconds: float = 20) -> grpc.RpcError:
        """How the server ended the stream; responses that came before are dropped."""
        while True:
            response = self._responses.get(timeout=seconds)
            if isinstance(response, grpc.RpcError):
                return response
            assert response is not None, "the stream ended without an error"

    def close(self) -> None:
        self._requests.put(None)
        self._call.cancel()
        self._channel.close()

    def __enter__(self) -> ADSClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
