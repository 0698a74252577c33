# SPDX-License-Identifier: Apache-2.0
"""Calls a server under test with grpcio and prints what came of it as one JSON object."""

import json
import sys
import threading

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

ADDRESS = sys.argv[1]
WAIT = 20  # seconds; only a failure takes so long


class Requests:
    """An iterator of requests that stays open until it is closed."""

    def __init__(self, *requests):
        self.condition = threading.Condition()
        self.requests = list(requests)
        self.closed = False

    def send(self, request):
        with self.condition:
            self.requests.append(request)
            self.condition.notify()

    def close(self):
        with self.condition:
            self.closed = True
            self.condition.notify()

    def __iter__(self):
        return self

    def __next__(self):
        with self.condition:
            self.condition.wait_for(lambda: self.requests or self.closed)
            if self.requests:
                return self.requests.pop(0)
            raise StopIteration


def failure(function):
    try:
        function()
    except grpc.RpcError as error:
        return [error.code().name, error.details()]
    return ["OK", ""]


def stream(channel, method="Echo"):
    return channel.stream_stream(f"/test.Test/{method}")


def bidirectional(channel):
    requests = Requests()
    call = stream(channel)(requests, timeout=WAIT, metadata=[("x-label", "a")])
    answers = []
    for text in [b"one", b"", b"three"]:
        requests.send(text)
        answers.append(next(call).decode())
    requests.close()
    answers += [answer.decode() for answer in call]
    return [answers, call.code().name, dict(call.initial_metadata())]


def big(channel):
    payload = bytes(range(128)) * 24000
    answers = list(stream(channel)(iter([payload]), timeout=WAIT))
    return [len(answers), answers[0] == b"echo " + payload]


def too_big(channel):
    return failure(lambda: list(stream(channel)(iter([bytes(5 << 20)]), timeout=WAIT)))


def status(channel):
    return failure(lambda: list(stream(channel, "Status")(iter([b"x"]), timeout=WAIT)))


def unknown(channel):
    return failure(lambda: list(stream(channel, "Unknown")(iter([b"x"]), timeout=WAIT)))


def deadline(channel):
    return failure(lambda: list(stream(channel, "Hang")(Requests(b"x"), timeout=0.2)))[0]


def cancel(channel):
    call = stream(channel, "Hang")(Requests(b"x"), timeout=WAIT)
    call.initial_metadata()  # the server has answered, so it knows of the call
    call.cancel()
    return call.code().name


def compressed(channel):
    return failure(
        lambda: list(
            stream(channel)(iter([b"x" * 1000]), timeout=WAIT, compression=grpc.Compression.Gzip)
        )
    )


def many(channel):
    calls = [(i, stream(channel)(iter([b"%d" % i] * 3), timeout=WAIT)) for i in range(500)]
    return sum(list(call) == [b"echo %d" % i] * 3 for i, call in calls)


def health(channel):
    stub = health_pb2_grpc.HealthStub(channel)
    request = health_pb2.HealthCheckRequest
    watch = stub.Watch(request(service="ads"), timeout=WAIT)
    first = next(watch).status
    list(stream(channel, "SetHealth")(iter([b"x"]), timeout=WAIT))
    second = next(watch).status
    watch.cancel()
    return [
        stub.Check(request(), timeout=WAIT).status,
        first,
        second,
        failure(lambda: stub.Check(request(service="none"), timeout=WAIT)),
    ]


def drain(channel):
    call = stream(channel, "Drain")(Requests(b"x"), timeout=WAIT)
    ending = failure(lambda: list(call))
    return [ending, failure(lambda: list(stream(channel)(iter([b"x"]), timeout=0.3)))[0]]


CASES = [bidirectional, big, too_big, status, unknown, deadline, cancel, compressed, many, health]
with grpc.insecure_channel(ADDRESS) as channel:
    # The last one ends the server.
    print(json.dumps({case.__name__: case(channel) for case in CASES + [drain]}, sort_keys=True))
