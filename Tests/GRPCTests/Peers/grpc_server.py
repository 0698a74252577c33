# SPDX-License-Identifier: Apache-2.0
"""Serves a client under test with grpcio: prints its port, and stops when it is told to."""

import sys
from concurrent import futures

import grpc


def echo(requests, context):
    context.send_initial_metadata((("x-first", "1"),))
    for request in requests:
        yield b"echo " + request
    context.set_trailing_metadata((("x-last", "2"),))


def status(requests, context):
    next(requests)
    context.abort(grpc.StatusCode.DATA_LOSS, "verloren: 50 % 🙁")
    yield b""


def hang(requests, context):
    for _ in requests:
        pass
    yield b""


class Methods(grpc.GenericRpcHandler):
    def service(self, details):
        methods = {"/test.Test/Echo": echo, "/test.Test/Status": status, "/test.Test/Hang": hang}
        method = methods.get(details.method)
        return method and grpc.stream_stream_rpc_method_handler(method)


server = grpc.server(futures.ThreadPoolExecutor(max_workers=64), handlers=[Methods()])
print(server.add_insecure_port("127.0.0.1:0"), flush=True)
server.start()
sys.stdin.readline()
server.stop(grace=0.2).wait()
