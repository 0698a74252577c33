# SPDX-License-Identifier: Apache-2.0
"""How skiffd is started: its flags, their environment variables, and what it logs."""

from __future__ import annotations

import json
import os
import socket
import subprocess
from contextlib import ExitStack

import pytest

from skiff_e2e.ads import LISTENER, ADSClient
from skiff_e2e.gateway import backend_yaml, free_port, gateway_yaml, route_yaml
from skiff_e2e.http import request
from skiff_e2e.process import Process
from skiff_e2e.skiffd import Skiffd, program, write

UNUSABLE_FLAGS = {
    "no directory": ([], "--config-dir is missing"),
    "an address without a port": (["--grpc-address", "localhost"], "--grpc-address"),
    "a port out of range": (["--http-address", "127.0.0.1:65536"], "--http-address"),
    "an open gRPC address": (["--grpc-address", "0.0.0.0:0"], "say --allow-plaintext"),
    "an open HTTP address": (["--http-address", "[::]:0"], "say --allow-plaintext"),
    "an open monitoring address": (["--monitoring-address", "10.1.2.3:0"], "--allow-plaintext"),
    "an unknown level": (["--log-level", "loud"], "--log-level"),
    "an unknown format": (["--log-format", "xml"], "--log-format"),
    "a duration without a unit": (["--debounce-after", "100"], "--debounce-after"),
    "a pause that is longer than the limit": (["--debounce-after", "20s"], "--debounce-max"),
    "an unknown flag": (["--nothing"], "--nothing"),
    "a word too many": (["word"], "word"),
}


def run_skiffd(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs a skiffd that is expected to end by itself."""
    return subprocess.run(
        [program("skiffd"), *arguments],
        capture_output=True,
        text=True,
        timeout=30,
        env=os.environ | environment,
    )


@pytest.mark.parametrize(("flags", "words"), UNUSABLE_FLAGS.values(), ids=UNUSABLE_FLAGS)
def test_unusable_flags_end_skiffd_with_64_and_a_sentence(tmp_path, flags, words):
    directory = ["--config-dir", str(tmp_path)] if flags else []
    result = run_skiffd(*directory, *flags)
    assert (result.returncode, result.stdout) == (64, "")
    assert result.stderr.startswith("Error: ")
    assert words in result.stderr.splitlines()[0]
    assert "skiffd ready" not in result.stderr


@pytest.mark.parametrize("flag", ["--grpc-address", "--http-address", "--monitoring-address"])
def test_an_address_that_is_taken_is_told_with_its_flag(tmp_path, flag):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        flags = {
            name: "127.0.0.1:0"
            for name in ("--grpc-address", "--http-address", "--monitoring-address")
        } | {flag: address}
        words = [word for pair in flags.items() for word in pair]
        result = run_skiffd("--config-dir", str(tmp_path), *words)
    assert result.returncode == 1
    assert f"cannot listen on {address}: " in result.stderr
    assert f"choose another with {flag}" in result.stderr
    assert "skiffd ready" not in result.stderr


def test_flags_come_from_the_environment_and_the_command_line_wins(tmp_path):
    for folder in ("one", "two"):
        write(tmp_path / folder / "backend.yaml", backend_yaml(9000, folder))
    environment = {
        "SKIFF_CONFIG_DIR": f"{tmp_path}/one:{tmp_path}/two",
        "SKIFF_GRPC_ADDRESS": "127.0.0.1:0",
        "SKIFF_HTTP_ADDRESS": f"127.0.0.1:{free_port()}",
        "SKIFF_MONITORING_ADDRESS": "127.0.0.1:99999",
        "SKIFF_LOG_FORMAT": "json",
        "SKIFF_DEBOUNCE_AFTER": "1ms",
    }
    http = int(environment["SKIFF_HTTP_ADDRESS"].rpartition(":")[2])
    command = [program("skiffd"), "--monitoring-address", "127.0.0.1:0"]
    quiet = environment | {"SKIFF_LOG_LEVEL": "warning"}
    with Process("skiffd", command, tmp_path, env=os.environ | quiet) as skiffd:
        skiffd.wait_for_log("skiffd ready")
        skiffd.wait_for("readiness", lambda: request(http, "/ready").status == 200)
        services = json.loads(request(http, "/debug/registryz").body)
        hosts = {service["hostname"] for service in services}
        assert hosts == {"one.internal", "two.internal"}
        # Nothing to warn of: the ready line is all.
        assert skiffd.log.count("\n") == 1

    result = run_skiffd("--monitoring-address", "127.0.0.1:0", **environment, SKIFF_LOG_LEVEL="loud")
    assert result.returncode == 64
    assert "loud" in result.stderr.splitlines()[0]


def test_an_open_address_is_fine_when_plaintext_is_allowed(tmp_path):
    with ExitStack() as running:
        flags = ["--allow-plaintext", "--monitoring-address", "0.0.0.0:0"]
        skiffd = running.enter_context(Skiffd(tmp_path, tmp_path / "..", name="open", flags=flags))
        skiffd.wait_until_ready()
        assert request(skiffd.monitoring, "/ready").status == 200


def test_a_json_log_is_one_object_a_line(tmp_path):
    config = tmp_path / "config"
    write(config / "gateway.yaml", gateway_yaml(8080))
    write(config / "bad.yaml", route_yaml().replace("number: 80", "number: eighty"))
    with ExitStack() as running:
        flags = ["--log-format", "json", "--log-level", "debug"]
        skiffd = running.enter_context(Skiffd(config, tmp_path, flags=flags)).wait_until_ready()
        with ADSClient(skiffd.grpc, name="logged") as client:
            client.send(LISTENER)
            client.nack(client.receive(LISTENER), 'a "quoted"\nreason \\ é')
            skiffd.wait_for_log("proxy rejected resources")
        skiffd.wait_for_log("proxy disconnected")
        assert skiffd.stop() == 0
        lines = skiffd.log.splitlines()
    ready = [line for line in lines if line.startswith("skiffd ready ")]
    assert len(ready) == 1
    entries = [json.loads(line) for line in lines if line not in ready]
    assert all({"time", "level", "logger", "msg"} <= set(entry) for entry in entries)
    (rejection,) = [entry for entry in entries if entry["msg"] == "proxy rejected resources"]
    assert rejection["level"] == "warning"
    assert rejection["reason"] == 'a "quoted"\nreason \\ é'
    assert rejection["type"] == LISTENER
    (problem,) = [entry for entry in entries if entry["msg"] == "configuration problem"]
    assert problem["level"] == "error"
    assert problem["problem"] == (
        "VirtualService default/web: spec.http[0].route[0].destination.port.number: "
        f'expected an integer from 1 to 65535, found "eighty" ({config}/bad.yaml:16)'
    )
