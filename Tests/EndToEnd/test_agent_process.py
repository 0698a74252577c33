# SPDX-License-Identifier: Apache-2.0
"""How the agent is started, supervises its Envoy, answers probes, and ends."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from skiff_e2e.ads import EXTENSION, ADSClient
from skiff_e2e.agent import Agent, AgentStage, wasm_plugin_yaml
from skiff_e2e.envoy import binary
from skiff_e2e.gateway import backend_yaml, free_port, route_yaml
from skiff_e2e.http import Response, request
from skiff_e2e.module_server import ModuleServer, body, gated, hang, status
from skiff_e2e.process import Process
from skiff_e2e.prometheus import parse
from skiff_e2e.skiffd import Skiffd, program
from skiff_e2e.stage import with_backend
from skiff_e2e.wasm import digest, module_files

TEXT = {"content-type": "text/plain; charset=utf-8", "server": "skiff-agent"}
PLUGIN = "extensions.istio.io/wasmplugin/istio-system.mark"
USABLE = {
    "--type": "router",
    "--id": "gateway",
    "--namespace": "istio-system",
    "--xds-address": "127.0.0.1:1",
    "--status-address": "127.0.0.1:0",
    "--admin-address": "127.0.0.1:1",
}
UNUSABLE_FLAGS = {
    "no type": (["--type"], "Missing expected argument '--type"),
    "an unknown type": (["--type", "ztunnel"], "'ztunnel' is invalid for '--type"),
    "no name": (["--id"], "Missing expected argument '--id"),
    "an empty name": (["--id", ""], "--id must not be empty"),
    "a name with a tilde": (["--id", "a~b"], "--id must not be empty, and ~ separates"),
    "an empty namespace": (["--namespace", ""], "--namespace must not be empty"),
    "an empty directory": (["--data-dir", ""], "--data-dir must not be empty"),
    "no control plane": (["--xds-address"], "Missing expected argument '--xds-address"),
    "a control plane without a port": (["--xds-address", "skiffd"], "--xds-address"),
    "the control plane's port 0": (["--xds-address", "skiffd:0"], "--xds-address needs a port"),
    "a port out of range": (["--status-address", "127.0.0.1:65536"], "--status-address"),
    "any admin port": (["--admin-address", "127.0.0.1:0"], "--admin-address needs a port"),
    "labels without values": (["--labels", "a"], "'a' is invalid for '--labels"),
    "a duration without a unit": (["--drain-duration", "5"], "--drain-duration"),
    "neither true nor false": (["--exit-on-zero-connections", "maybe"], "'maybe' is invalid"),
    "an unknown mode": (["--wasm-failure", "explode"], "'reject', 'fallback' or 'keep-last'"),
    "a range that is none": (["--wasm-blocked-range", "10.0.0.0/33"], "--wasm-blocked-range"),
    "a bundle of no host": (["--wasm-ca-bundle", "/ca.pem"], "--wasm-ca-bundle"),
    "no attempt": (["--wasm-request-attempts", "0"], "--wasm-request-attempts"),
    "purges without a pause": (["--wasm-purge-interval", "0s"], "--wasm-purge-interval"),
    "an unknown step": (["--wasm-crash-at", "nowhere"], "--wasm-crash-at"),
    "an unknown level": (["--log-level", "loud"], "--log-level"),
    "an Envoy that is not there": (["--envoy", "/nowhere/envoy"], "--envoy /nowhere/envoy is not"),
    "arguments of no Envoy": (["--", "--concurrency", "1"], "--envoy is missing"),
    "an unknown flag": (["--nothing", "1"], "Unknown option '--nothing'"),
    "words too many": (["word", "word"], "2 unexpected arguments: 'word', 'word'"),
}


def command(data: Path, *changes: str) -> list[str]:
    """A command line: the usable flags, one of them taken away, changed, or more added."""
    flags = {"--data-dir": str(data)} | USABLE
    if len(changes) == 1:
        del flags[changes[0]]
        changes = ()
    elif changes[:1] and changes[0] in flags:
        del flags[changes[0]]
    words = [word for pair in flags.items() for word in pair]
    return [program("skiff-agent"), "proxy", *words, *changes]


def run(
    arguments: list[str], directory: Path, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Runs an agent that is expected to end by itself, in a directory that it must not litter."""
    own = {"PATH": os.environ["PATH"]} | environment
    return subprocess.run(
        arguments, cwd=directory, capture_output=True, text=True, timeout=20, env=own
    )


def text(answer: str, code: int = 200) -> Response:
    return Response(code, TEXT | {"content-length": str(len(answer))}, answer)


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


def own_address() -> str | None:
    """An address of this machine that is not the loopback's, if it has one."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            # Sends nothing: it only asks which address would be used.
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return None
        address = probe.getsockname()[0]
    return None if address.startswith("127.") else address


def http_post(address: str, port: int, path: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(address, port, timeout=10)
    try:
        connection.request("POST", path)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def marked(header: str):
    return lambda response: response.status == 200 and response.headers.get("x-route") == header


# Flags and environment


@pytest.mark.parametrize(("flags", "words"), UNUSABLE_FLAGS.values(), ids=UNUSABLE_FLAGS)
def test_unusable_flags_end_the_agent_with_64_and_a_sentence(tmp_path, flags, words):
    result = run(command(tmp_path / "data", *flags), tmp_path)
    assert (result.returncode, result.stdout) == (64, "")
    assert result.stderr.startswith("Error: ")
    assert words in result.stderr.splitlines()[0]
    assert list(tmp_path.iterdir()) == []


def test_a_proxy_of_the_environment_that_cannot_be_used_is_named(tmp_path):
    result = run(command(tmp_path / "data"), tmp_path, HTTPS_PROXY="ftp://proxy")
    assert result.returncode == 64
    assert result.stderr.splitlines()[0].startswith("Error: HTTP_PROXY, HTTPS_PROXY or NO_PROXY: ")


def test_a_status_address_that_is_taken_is_told_with_its_flag(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        result = run(command(tmp_path / "data", "--status-address", address), tmp_path)
    assert (result.returncode, result.stdout) == (1, "")
    assert f"Error: cannot listen on {address}: " in result.stderr
    assert "choose another with --status-address" in result.stderr
    assert "skiff-agent ready" not in result.stderr


def test_directories_that_cannot_be_used_are_told(tmp_path):
    (tmp_path / "file").touch()
    result = run(command(tmp_path / "file"), tmp_path)
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.startswith(f"Error: cannot make {tmp_path}/file: ")
    long = tmp_path / ("x" * 100)
    result = run(command(long), tmp_path)
    assert (result.returncode, result.stdout, result.stderr) == (
        1,
        "",
        f"Error: the path of the socket {long}/xds.sock is longer than 107 bytes; "
        "choose another --data-dir\n",
    )
    with Agent(tmp_path, 1, envoy=None) as agent:
        result = run(command(agent.data), tmp_path)
        assert (result.returncode, result.stdout, result.stderr) == (
            1,
            "",
            f"Error: another agent uses {agent.data}; each proxy needs a --data-dir of its own\n",
        )
        assert request(agent.status_port, "/healthz/live") == text("live\n")


def test_a_quiet_agent_says_one_line_and_listens_when_it_does(tmp_path):
    with Agent(tmp_path, 1, envoy=None, flags=["--log-level", "critical"]) as agent:
        assert agent.log == (
            f"skiff-agent ready xds=unix:{agent.data}/xds.sock "
            f"status=127.0.0.1:{agent.status_port}\n"
        )
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(agent.socket))
        assert request(agent.status_port, "/healthz/live") == text("live\n")
        assert request(agent.status_port, "/nothing").status == 404
        assert agent.stop() == 0
        assert agent.log.count("\n") == 1
        assert not agent.socket.exists()


def test_flags_come_from_the_environment_and_the_command_line_wins(tmp_path):
    environment = {
        "SKIFF_TYPE": "sidecar",
        "POD_NAME": "from-istio",
        "SKIFF_ID": "from-skiff",
        "POD_NAMESPACE": "shop",
        "INSTANCE_IP": "10.1.2.3",
        "SKIFF_LABELS": "app=web,tier=front",
        "SKIFF_XDS_ADDRESS": "127.0.0.1:1",
        "SKIFF_DATA_DIR": str(tmp_path / "data"),
        "SKIFF_STATUS_ADDRESS": "127.0.0.1:99999",
        "SKIFF_ADMIN_ADDRESS": f"127.0.0.1:{free_port()}",
        "SKIFF_LOG_LEVEL": "critical",
        "WASM_INSECURE_REGISTRIES": "one:5000, two:5000",
        "EXIT_ON_ZERO_ACTIVE_CONNECTIONS": "1",
        "ISTIO_META_CLUSTER_ID": "west",
        "ISTIO_METAJSON_LABELS": '{"LABELS": {"app": "other", "version": "v1"}}',
        "PROXY_CONFIG": '{"proxyMetadata": {"ISTIO_META_DNS_CAPTURE": "true"}}',
        "PATH": os.environ["PATH"],
    }
    arguments = [program("skiff-agent"), "proxy", "--status-address", "127.0.0.1:0"]
    with Process("agent", arguments, tmp_path, env=environment) as agent:
        agent.wait_for_log("skiff-agent ready")
        bootstrap = json.loads((tmp_path / "data/envoy.json").read_text())
        assert bootstrap["node"] == {
            "id": "sidecar~10.1.2.3~from-skiff.shop~shop.svc.cluster.local",
            "cluster": "from-skiff.shop",
            "metadata": {
                "CLUSTER_ID": "west",
                "DNS_CAPTURE": "true",
                "LABELS": {"app": "web", "version": "v1", "tier": "front"},
                "NAME": "from-skiff",
                "NAMESPACE": "shop",
            },
        }
        assert agent.stop() == 0
    result = run(arguments, tmp_path, **(environment | {"SKIFF_LOG_LEVEL": "loud"}))
    assert result.returncode == 64
    assert "'loud' is invalid for '--log-level" in result.stderr.splitlines()[0]
    without = {name: value for name, value in environment.items() if name != "SKIFF_ID"}
    with Process("agent", arguments, tmp_path, env=without) as agent:
        agent.wait_for_log("skiff-agent ready")
        bootstrap = json.loads((tmp_path / "data/envoy.json").read_text())
        assert bootstrap["node"]["cluster"] == "from-istio.shop"


def test_the_bootstrap_is_one_that_envoy_accepts(tmp_path):
    with Agent(tmp_path, 1, envoy=None) as agent:
        path = agent.data / "envoy.json"
        bootstrap = json.loads(path.read_text())
        (cluster,) = bootstrap["static_resources"]["clusters"]
        (locality,) = cluster["load_assignment"]["endpoints"]
        (endpoint,) = locality["lb_endpoints"]
        assert endpoint["endpoint"]["address"] == {"pipe": {"path": str(agent.socket)}}
        assert bootstrap["admin"]["address"]["socket_address"] == {
            "address": "127.0.0.1",
            "port_value": agent.admin_port,
        }
        validation = subprocess.run(
            [binary(), "--mode", "validate", "-c", str(path)],
            capture_output=True,
            text=True,
            timeout=30,
        )
        assert validation.returncode == 0, validation.stderr
        assert validation.stdout == f"configuration '{path}' OK\n"


# Probes and pages


def test_readiness_is_skiffd_that_answered_and_envoy_that_is_live(stage, server, module):
    gate = threading.Event()
    url = server.script("/mark.wasm", gated(body(module), gate))
    stage.write("plugin.yaml", wasm_plugin_yaml(url, {"x-mark": "there"}))
    port = stage.skiffd.grpc
    stage.skiffd.child.kill()

    agent = stage.start_agent(flags=["--wasm-request-timeout", "60s"])
    waiting = text("no answer of the control plane yet\n", 503)
    assert request(agent.status_port, "/healthz/ready") == waiting
    agent.wait_for_log("no stream to the control plane")
    assert request(agent.status_port, "/healthz/ready") == waiting
    assert agent.metrics("istio_agent_istiod_connection_failures")[""] >= 1

    # It comes, but what Envoy needs before it takes connections is still on its way.
    skiffd = stage.enter(Skiffd(stage.config, stage.directory, grpc=port, name="late"))
    not_live = text("Envoy is not live\n", 503)
    agent.wait_for(
        "an answer", lambda: request(agent.status_port, "/healthz/ready") == not_live
    )
    assert agent.metrics("istio_agent_startup_duration_seconds") == {"": 0}
    gate.set()
    agent.wait_for("readiness", lambda: agent.is_ready)
    assert request(agent.status_port, "/healthz/ready") == text("ready\n")
    stage.answer(lambda response: response.headers.get("x-mark") == "there")
    (startup,) = agent.metrics("istio_agent_startup_duration_seconds").values()
    assert 0 < startup < 60

    # Envoy goes on without a control plane, and so does its readiness.
    skiffd.child.kill()
    agent.wait_for(
        "the loss", lambda: agent.metrics("istio_agent_istiod_connection_terminations")
    )
    assert request(agent.status_port, "/healthz/ready") == text("ready\n")
    assert stage.get().headers["x-mark"] == "there"


def test_prometheus_can_read_the_metrics_of_the_agent_and_of_its_envoy(stage, server, module):
    url = server.serve("mark.wasm", module)
    stage.write("plugin.yaml", wasm_plugin_yaml(url, {"x-mark": "there"}))
    agent = stage.start_agent()
    stage.answer(lambda response: response.headers.get("x-mark") == "there")
    # Envoy's counters are merged every few seconds; its gauges and the agent's are as they are.
    answer = request(agent.status_port, "/stats/prometheus")
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    families = parse(answer.body)
    own = {name: family for name, family in families.items() if not name.startswith("envoy_")}
    assert {name: family.kind for name, family in own.items()} == {
        "istio_agent_envoy_connection_terminations": "counter",
        "istio_agent_istiod_connection_failures": "counter",
        "istio_agent_istiod_connection_terminations": "counter",
        "istio_agent_scrape_failures_total": "counter",
        "istio_agent_scrapes_total": "counter",
        "istio_agent_startup_duration_seconds": "gauge",
        "istio_agent_wasm_cache_entries": "gauge",
        "istio_agent_wasm_cache_lookup_count": "counter",
        "istio_agent_wasm_config_conversion_count": "counter",
        "istio_agent_wasm_config_conversion_duration": "histogram",
        "istio_agent_wasm_remote_fetch_count": "counter",
        "istio_agent_xds_proxy_requests": "counter",
        "istio_agent_xds_proxy_responses": "counter",
        "skiff_agent_wasm_cache_bytes": "gauge",
        "skiff_agent_wasm_fetches_total": "counter",
        "skiff_agent_wasm_module": "gauge",
        "skiff_agent_xds_rejects_total": "counter",
    }
    samples = {name: family.samples for name, family in own.items()}
    assert samples["istio_agent_wasm_remote_fetch_count"] == {'{result="success"}': 1}
    assert samples["istio_agent_wasm_cache_lookup_count"] == {'{hit="false"}': 1}
    assert samples["istio_agent_wasm_cache_entries"] == {"": 1}
    assert samples["skiff_agent_wasm_cache_bytes"] == {"": len(module)}
    conversions = 'istio_agent_wasm_config_conversion_duration_bucket{le="+Inf"}'
    assert samples["istio_agent_wasm_config_conversion_duration"][conversions] == 1
    assert samples["skiff_agent_wasm_module"] == {
        '{plugin="istio-system.mark",phase="ready"}': 1
    }
    assert families["envoy_server_live"].samples == {"": 1}
    assert families["envoy_cluster_upstream_cx_active"].kind == "gauge"
    assert families["envoy_listener_downstream_cx_length_ms"].kind == "histogram"


def test_metrics_without_an_envoy_are_the_agents_own(tmp_path):
    with Agent(tmp_path, 1, envoy=None) as agent:
        first = parse(request(agent.status_port, "/stats/prometheus").body)
        assert not any(name.startswith("envoy_") for name in first)
        failures = "istio_agent_scrape_failures_total"
        assert agent.metrics(failures) == {'type="envoy"': 1}
        assert agent.metrics("istio_agent_scrapes_total") == {"": 3}


def test_wasmz_shows_each_module_and_the_cache(stage, server, module):
    gate = threading.Event()
    url = server.script("/mark.wasm", gated(body(module), gate))
    agent = stage.start_agent(envoy=None)
    empty = {"served": False, "modules": [], "cache": []}
    assert agent.page() == empty
    stage.write("plugin.yaml", wasm_plugin_yaml(url, {"x-mark": "there"}))
    with ADSClient(agent.socket) as proxy:
        proxy.send(EXTENSION, [PLUGIN])
        (row,) = agent.wait_for("the module", agent.modules)
        expected = {
            "plugin": "istio-system.mark",
            "url": url,
            "type": EXTENSION,
            "resource": PLUGIN,
            "resource_version": row["resource_version"],
            "phase": "fetching",
            "refused": False,
            "attempts": 0,
        }
        assert re.fullmatch("[0-9a-f]{32}", row["resource_version"])
        assert agent.page() == {"served": True, "modules": [expected], "cache": []}
        gate.set()
        (path,) = module_files(proxy.receive(EXTENSION)).values()
        page = agent.page()
        last_use = page["cache"][0]["last_use"]
        held = {
            "path": str(path),
            "bytes": len(module),
            "last_use": last_use,
            "checked": True,
            "users": ["stream 1"],
            "plugins": [PLUGIN],
        }
        assert last_use > path.stat().st_mtime - 5
        ready = expected | {"phase": "ready", "sha256": digest(module)}
        assert page == {"served": True, "modules": [ready], "cache": [held]}

        missing = server.script("/missing.wasm", status(404))
        stage.write("plugin.yaml", wasm_plugin_yaml(missing, {"x-mark": "there"}))

        def failed() -> dict | None:
            (row,) = agent.modules()
            return row if row["phase"] == "failed" else None

        row = agent.wait_for("the failure", failed)
        assert re.fullmatch(r"[0-2]s", row.pop("next_attempt_in"))
        assert row.pop("resource_version") != expected["resource_version"]
        assert row == {
            "plugin": "istio-system.mark",
            "url": missing,
            "type": EXTENSION,
            "resource": PLUGIN,
            "phase": "failed",
            "refused": True,
            "attempts": 1,
            "error": row["error"],
        }
        assert "404" in row["error"]
        # What Envoy was given before is still its.
        assert agent.page()["cache"][0]["users"] == ["stream 1"]
    agent.wait_for("the proxy's end", lambda: agent.page()["modules"] == [])


def test_quitquitquit_ends_the_agent_for_this_machine_only(stage):
    address = own_address()
    agent = stage.start_agent(flags=["--status-address", "0.0.0.0:0"])
    agent.wait_until_ready()
    assert request(agent.status_port, "/quitquitquit").status == 404
    if address:
        outside = http_post(address, agent.status_port, "/quitquitquit")
        assert outside == (403, b"only from this machine\n")
    assert agent.is_ready
    assert request(agent.status_port, "/quitquitquit", method="POST") == text("OK")
    assert agent.child.wait(timeout=20) == 0
    assert "Envoy has ended" in agent.log


# Supervision


def test_sigterm_lets_a_request_in_flight_end_well(stage, server):
    gate = threading.Event()
    server.script("/slow", gated(body(b"slow, but whole"), gate))
    server.script("/", body(b"quick"))
    stage.write("backend.yaml", backend_yaml(server.port))
    agent = stage.start_agent(flags=["--exit-on-zero-connections", "true"])
    stage.answer(lambda response: response.body == "quick")
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(stage.get, "/slow")
        agent.wait_for("the request", lambda: server.seen("/slow"))
        agent.child.send_signal(signal.SIGTERM)
        agent.wait_for_log("Envoy drains")
        # Who does not know yet that it is going still comes, and is told.
        late = stage.get("/")
        assert (late.status, late.body, late.headers.get("connection")) == (200, "quick", "close")
        assert not slow.done()
        gate.set()
        answer = slow.result(timeout=20)
    assert (answer.status, answer.body) == (200, "slow, but whole")
    assert agent.child.wait(timeout=20) == 0
    assert "Envoy cannot be drained" not in agent.log
    assert agent.log.rstrip().endswith("Envoy has ended")


def test_a_second_signal_is_not_needed_where_a_module_hangs(stage, server, module):
    """What it fetches, and what Envoy waits for, holds up nobody's end."""
    url = server.script("/mark.wasm", hang())
    stage.write("plugin.yaml", wasm_plugin_yaml(url, {"x-mark": "there"}))
    agent = stage.start_agent(flags=["--wasm-request-timeout", "60s"])
    agent.wait_for("the request", lambda: server.seen("/mark.wasm"))
    agent.child.send_signal(signal.SIGINT)
    assert agent.child.wait(timeout=10) == 0
    assert agent.log.rstrip().endswith("Envoy has ended")


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGKILL, 137), (signal.SIGSEGV, 139), (signal.SIGTERM, 0)]
)
def test_envoys_end_is_the_agents_with_its_status(stage, number, code):
    agent = stage.start_agent()
    agent.wait_until_ready()
    os.kill(agent.envoy_pid, number)
    assert agent.child.wait(timeout=20) == code
    assert "Envoy has ended" in agent.log
    assert not agent.socket.exists()


def test_an_envoy_that_does_not_start_is_told_with_its_status(tmp_path):
    data = tmp_path / "data"

    def start(envoy: str, *arguments: str) -> tuple[int, str]:
        result = run(command(data, "--envoy", envoy, "--", *arguments), tmp_path)
        return result.returncode, result.stdout + result.stderr

    code, said = start(binary(), "--no-such-flag")
    assert (code, "Couldn't find match for argument" in said) == (1, True)
    script = tmp_path / "envoy"
    script.write_text('#!/bin/sh\necho "$@"\nexit 7\n')
    script.chmod(0o755)
    code, said = start(str(script), "--concurrency", "1", "--drain-time-s", "3")
    own = f"-c {data}/envoy.json --drain-strategy immediate --disable-hot-restart"
    assert f"{own} --concurrency 1 --drain-time-s 3\n" in said
    assert (code, "exit=code 7" in said) == (7, True)
    code, said = start("no-such-program")
    assert code == 1
    assert "Error: cannot run no-such-program: No such file or directory\n" in said


def test_an_agent_that_only_relays_serves_an_envoy_of_others_and_may_come_again(
    stage, server, module
):
    url = server.serve("mark.wasm", module)
    stage.write("plugin.yaml", wasm_plugin_yaml(url, {"x-mark": "one"}))
    agent = stage.start_agent(envoy=None)
    command = [binary(), "-c", f"{agent.data}/envoy.json", "--concurrency", "1"]
    envoy = stage.enter(Process("envoy", [*command, "--disable-hot-restart"], stage.directory))
    stage.envoy = envoy
    stage.answer(lambda response: response.headers.get("x-mark") == "one")
    agent.wait_until_ready()
    # Its metrics are found by the bootstrap's admin address.
    assert agent.metrics("envoy_server_live") == {"": 1}
    assert agent.stop() == 0
    assert stage.get().headers["x-mark"] == "one"

    server.script("/mark.wasm", status(404))
    again = stage.start_agent(envoy=None, data=agent.data)
    stage.envoy = envoy
    again.wait_until_ready()
    stage.write("plugin.yaml", wasm_plugin_yaml(url, {"x-mark": "two"}))
    stage.write("route.yaml", route_yaml("two"))
    answer = stage.answer(marked("two"))
    stage.answer(lambda response: response.headers.get("x-mark") == "two")
    assert answer.status == 200
    assert len(server.seen("/mark.wasm")) == 1
    assert again.stop() == 0
    assert envoy.child.poll() is None
