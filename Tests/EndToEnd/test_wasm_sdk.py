# SPDX-License-Identifier: Apache-2.0
"""The whole Proxy-Wasm SDK in a real Envoy: a probe plugin tries each part and says what it saw."""

import json
import re
import socket

import pytest

from skiff_e2e.bootstrap import (
    cluster_route,
    listener,
    static_bootstrap,
    static_cluster,
    wasm_filter,
)
from skiff_e2e.http import Response, request

CONFIGURATION = '{"tick_ms": 5}'


def closed_port() -> int:
    """A port of the loopback interface on which nobody listens."""
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        return reserved.getsockname()[1]


@pytest.fixture
def probe(wasm_modules, start_envoy, backend):
    filter = wasm_filter(
        wasm_modules["probe"],
        CONFIGURATION,
        vm_configuration="from the VM",
        environment={"PROBE_NAME": "sea=deep"},
    )
    named = wasm_filter(wasm_modules["probe"], root_id="named")
    routes = [cluster_route("backend")]
    listeners = [listener("in", [filter], routes), listener("named", [named], routes)]
    clusters = [static_cluster("backend", backend.port), static_cluster("refusing", closed_port())]
    bootstrap = static_bootstrap(listeners, clusters)
    # Histograms are merged at every flush.
    return start_envoy(bootstrap | {"stats_flush_interval": "0.1s"})


def ask(envoy, path: str, **options) -> str:
    """The text of a local response, after checking the rest of it."""
    answer = request(envoy.port("in"), path, **options)
    headers = {
        "x-probe": "local",
        "content-length": str(len(answer.body.encode())),
        "content-type": "text/plain",
        "server": "envoy",
    }
    assert answer == Response(200, headers, answer.body)
    return answer.body


def echoed(envoy, path: str, **options) -> dict:
    """What the upstream was sent."""
    answer = request(envoy.port("in"), path, **options)
    assert answer.status == 200, answer
    return json.loads(answer.body)


def test_request_headers_can_be_read_changed_and_replaced(probe):
    sent = {"x-many": "1", "x-old": "old", "x-gone": "gone", "x-drop": "d" * 100, "x-kept": "café"}
    seen = echoed(probe, "/headers", headers=sent)["headers"]
    envoys = ("x-envoy-", "x-forwarded-", "x-request-id")
    own = [pair for pair in seen if pair[0].startswith("x-") and not pair[0].startswith(envoys)]
    assert own == [
        ["x-kept", "café"],
        ["x-many", "1"],
        ["x-many", "2"],
        ["x-old", "new"],
        ["x-set", "set"],
        ["x-smaller", "yes"],
        ["x-whole", "whole"],
    ]


def test_bodies_are_buffered_and_rewritten_both_ways(probe):
    answer = request(probe.port("in"), "/body", method="POST", body=[b"abc", b"def", b"gh"])
    body, tail = answer.body.rsplit("}", 1)
    assert json.loads(body + "}")["body"] == "size 8: abcdefgh (16 bytes, bcd, status 2)"
    assert (answer.status, tail) == (200, " and back")


def test_trailers_are_seen_and_added_both_ways(probe):
    text = (
        b"POST /trailers HTTP/1.1\r\nhost: a\r\nconnection: close\r\nte: trailers\r\n"
        b"transfer-encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nx-client: trailer\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", probe.port("in")), timeout=10) as connection:
        connection.sendall(text)
        answer = b"".join(iter(lambda: connection.recv(65536), b"")).decode()
    upstream = json.loads(answer[answer.index("{") : answer.rindex("}") + 1])
    assert upstream["trailers"] == {"x-client": "trailer", "x-probe-trailer": "request 1"}
    assert answer.endswith("\r\n0\r\nx-backend: trailer\r\nx-probe-trailer: response 1\r\n\r\n")


def test_a_call_pauses_the_request_and_its_answer_resumes_it(probe):
    seen = echoed(probe, "/call")
    assert seen["path"] == "/call"
    assert ["x-called", "200 true"] in seen["headers"]


def test_a_call_that_fails_says_so(probe):
    # Envoy answers the call in the place of an upstream that refuses connections.
    assert ask(probe, "/call-nowhere") == "failed false status 503"
    assert ask(probe, "/call-unknown") == "status 2"


def test_shared_data_is_compared_and_swapped(probe):
    assert ask(probe, "/shared") == "nothing, 2!, stale write status 8"
    assert ask(probe, "/shared") == "something, 2!, stale write status 8"


def test_a_queue_brings_items_to_the_root(probe):
    assert ask(probe, "/queue-put") == "put"
    probe.wait_for("queue item", lambda: ask(probe, "/queue-seen") == "1 an item")
    assert ask(probe, "/queue-missing") == "status 1"


def test_metrics_are_shown_by_the_proxy(probe):
    assert ask(probe, "/metrics") == "level 5"
    assert probe.stats("probe_(requests|level)") == {
        "wasmcustom.probe_requests": 1,
        "wasmcustom.probe_level": 5,
    }
    sum_of_sizes = re.compile(r"probe_sizes_sum\{\} 10\d")
    prometheus = "/stats/prometheus?filter=probe_sizes"
    probe.wait_for("histogram", lambda: sum_of_sizes.search(probe.admin(prometheus)))


def test_properties_are_read_and_written(probe):
    assert ask(probe, "/properties") == "GET probe port>0 true missing none mark marked"


def test_time_environment_and_vm_configuration_are_there(probe):
    assert ask(probe, "/surroundings") == (
        "vm from the VM, clock true, monotonic true, PROBE_NAME sea=deep, missing none"
    )


def test_ticks_come_to_the_root(probe):
    probe.wait_for("ticks", lambda: ask(probe, "/ticks") == "ticking")


def test_functions_of_the_host_can_be_called(probe):
    assert ask(probe, "/foreign") == "true true"


def test_a_context_lives_until_it_says_done(probe):
    assert echoed(probe, "/unfinished")["path"] == "/unfinished"
    probe.wait_for_log("log of /unfinished 200")
    probe.wait_for_log("delete of /unfinished")


def test_a_stream_can_be_reset(probe):
    with pytest.raises(OSError):
        request(probe.port("in"), "/close")


def test_a_module_holds_several_plugins_by_root_id(probe):
    answer = request(probe.port("named"))
    assert (answer.status, answer.body) == (200, "named")


def test_a_crash_fails_closed_and_harms_nobody_else(probe):
    assert request(probe.port("in"), "/crash").status in (500, 503)
    assert request(probe.port("in"), "/metrics").status in (500, 503)
    assert probe.child.poll() is None


def test_a_refused_vm_configuration_keeps_the_plugin_from_starting(wasm_modules, start_envoy):
    filter = wasm_filter(wasm_modules["probe"], CONFIGURATION, vm_configuration="refuse")
    envoy = start_envoy(static_bootstrap([listener("in", [filter], [])]), ready=False)
    assert envoy.child.wait(timeout=20) == 1
    assert "the VM configuration says so" in envoy.log


def test_requests_leave_no_memory_behind(probe):
    def work() -> None:
        for path in ("/shared", "/properties", "/surroundings", "/foreign", "/call", "/metrics"):
            request(probe.port("in"), path)
        request(probe.port("in"), "/json", method="POST", body='{"a": [1, "two", {"b": null}]}')
        request(probe.port("in"), "/headers", headers={"x-drop": "d" * 10_000})

    def in_use() -> int:
        return int(ask(probe, "/memory"))

    for _ in range(5):
        work()
    before = in_use()
    for _ in range(40):
        work()
    # A stream that is about to be released may still count; hundreds of them may not.
    assert in_use() < before + 4_000
