# SPDX-License-Identifier: Apache-2.0
"""Modules that cannot be had: what traffic sees before, during and after, and who is told of it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from skiff_e2e.ads import EXTENSION, LISTENER
from skiff_e2e.agent import AgentStage, filter_yaml, inline_filter_yaml, wasm_plugin_yaml
from skiff_e2e.gateway import route_yaml
from skiff_e2e.module_server import (
    Answer,
    ModuleServer,
    body,
    gated,
    hang,
    redirect,
    stall,
    status,
    truncate,
    zeros,
)
from skiff_e2e.skiffd import Skiffd
from skiff_e2e.stage import with_backend
from skiff_e2e.wasm import digest, section

LIMIT = 1 << 20
# One attempt a round, so that the first failure comes at once and not after Istio's five.
ONCE = ["--wasm-request-attempts", "1", "--wasm-max-size", str(LIMIT)]
PLUGIN = "extensions.istio.io/wasmplugin/istio-system.mark"


@pytest.fixture
def server():
    with ModuleServer() as server:
        yield server


@pytest.fixture
def stage(tmp_path):
    with AgentStage(tmp_path) as stage:
        yield with_backend(stage)


@pytest.fixture
def module(wasm_modules: dict[str, Path]) -> bytes:
    return wasm_modules["response-headers"].read_bytes()


@pytest.fixture
def newer(module: bytes) -> bytes:
    """Another module that does the same."""
    return module + section(b"newer")


@pytest.fixture
def other(wasm_modules: dict[str, Path]) -> bytes:
    return wasm_modules["hello"].read_bytes()


def endless_module() -> Answer:
    """Begins as a module, and never ends."""

    def send(handler) -> None:
        handler.write(b"\0asm\x01\0\0\0")
        zeros(1 << 40).send(handler)

    return Answer(200, {}, send)


@dataclass(frozen=True)
class Fault:
    """What a server answers instead of the module, and what is said of it."""

    answer: Callable[[bytes, bytes], Answer]
    result: str
    reason: str
    flags: list[str] = field(default_factory=lambda: ONCE)
    # Told by a report alone: skiffd has long been answered.
    is_late: bool = False


NO_MODULE = "{url}: expected a Wasm module (00 61 73 6d), found"
TOO_LARGE = f"is larger than the limit of {LIMIT} bytes (ISTIO_WASM_MAX_BINARY_SIZE_BYTES)"
FAULTS = {
    "another-module": Fault(
        lambda module, other: body(other),
        "checksum_mismatched",
        "{url}: expected sha256:{module}, found sha256:{other}",
    ),
    "not-found": Fault(
        lambda module, other: status(404), "download_failure", "{url}: status 404 Not Found"
    ),
    # Before the agent has to answer skiffd, and after it.
    "hanging": Fault(
        lambda module, other: hang(),
        "download_failure",
        "{url}: not complete within 0.3 seconds",
        [*ONCE, "--wasm-request-timeout", "300ms"],
    ),
    "stalling": Fault(
        lambda module, other: stall(module, 1000),
        "download_failure",
        "{url}: not complete within 0.9 seconds",
        [*ONCE, "--wasm-request-timeout", "900ms"],
        is_late=True,
    ),
    "truncated": Fault(
        lambda module, other: truncate(module, 1000),
        "download_failure",
        "{url}: the body broke off after 1000 of {size} bytes",
    ),
    "a-page": Fault(
        lambda module, other: body(b"<!DOCTYPE html><title>Sign in</title>"),
        "fetch_failure",
        f"{NO_MODULE} an HTML page; does the URL name a web page or a login instead of the file? "
        "(3c 21 44 4f)",
    ),
    "zeros": Fault(
        lambda module, other: zeros(1 << 40, announced=False),
        "fetch_failure",
        f"{NO_MODULE} zero bytes (00 00 00 00)",
    ),
    "endless": Fault(
        lambda module, other: endless_module(),
        "download_failure",
        f"{{url}}: the body {TOO_LARGE}",
    ),
    "announced-too-large": Fault(
        lambda module, other: zeros(1 << 40),
        "download_failure",
        f"{{url}}: the body of {1 << 40} bytes {TOO_LARGE}",
    ),
    "metadata": Fault(
        lambda module, other: redirect("http://169.254.169.254/latest/meta-data/"),
        "download_failure",
        "http://169.254.169.254/latest/meta-data/: 169.254.169.254 is at 169.254.169.254, "
        "a link-local, metadata or otherwise blocked address; "
        "no module is fetched from there",
    ),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_fault_is_refused_and_told_and_overcome(stage, server, module, newer, other, fault):
    """The former module goes on, skiffd knows why, and the new one follows by itself."""
    stage.write("mark.yaml", filter_yaml(server.serve("good.wasm", module), "before"))
    stage.start(flags=fault.flags).said("before")
    agent, skiffd = stage.agent, stage.skiffd
    agent.wait_for("all in sync", lambda: skiffd.is_synced("gateway", EXTENSION))
    former = skiffd.status("gateway")["resources"][EXTENSION]["sent"]
    url = server.script("/new.wasm", fault.answer(newer, other))
    stage.write("mark.yaml", filter_yaml(url, "after", sha256=digest(newer)))

    (rejection,) = agent.wait_for("a rejection", lambda: skiffd.rejections("gateway"))
    reason = fault.reason.format(
        url=url, module=digest(newer), other=digest(other), size=len(newer)
    )
    subject = "" if fault.is_late else f"extension config mark: Wasm module {url}: "
    assert rejection["reason"] == f"{subject}{fault.result}: {reason}"
    assert (rejection["type"], rejection["resources"]) == (EXTENSION, ["mark"])
    assert rejection["objects"] == [
        {
            "kind": "EnvoyFilter",
            "namespace": "istio-system",
            "name": "mark",
            "generation": 2,
            "field": "spec.configPatches[1]",
        }
    ]
    (status,) = stage.wait_for_phase("FAILED")
    assert status.pop("attempts") >= 1
    assert status == {
        "resource": "mark",
        "plugin": "mark",
        "url": url,
        "phase": "FAILED",
        "sha256": "",
        "refused": True,
        "error": f"{fault.result}: {reason}",
    }
    row = skiffd.status("gateway")["resources"][EXTENSION]
    accepted = row["sent"] if fault.is_late else former
    assert (row["status"], row["acked"]) == ("ERROR", accepted)
    assert row["lastError"] == rejection["reason"]
    assert row["objects"] == ["EnvoyFilter istio-system/mark@2: spec.configPatches[1]"]
    fetches = agent.fetches()
    assert fetches.pop(fault.result) >= 1
    assert fetches == {"success": 1}
    assert agent.conversions() == {"success": 1, "fetch_failure": 1}
    # A peer that sends without end is hung up on, after what sockets hold.
    assert server.sent < 100 << 20
    stage.said("before")

    translations = skiffd.metrics("skiff_translations_total")
    server.serve("new.wasm", newer)
    stage.said("after")
    assert stage.wait_for_phase("READY")[0]["sha256"] == digest(newer)
    agent.wait_for("all in sync", lambda: skiffd.is_synced("gateway", EXTENSION))
    assert skiffd.rejections("gateway") == []
    # However many rounds there were, it is one rejection; and nothing but the agent made it good.
    assert skiffd.metrics("pilot_total_xds_rejects") == {f'type="{EXTENSION}"': 1}
    assert agent.conversions() == {"success": 2, "fetch_failure": 1}
    assert skiffd.metrics("skiff_translations_total") == translations
    assert configurations(stage) == 2


def configurations(stage: AgentStage) -> int:
    """How many configurations of a filter Envoy has applied."""
    (count,) = stage.agent.stats("extension_config_discovery.*config_reload$").values()
    return count


def test_a_module_inside_of_a_listener_is_refused_and_overcome_as_well(
    stage, server, module, newer
):
    url = server.serve("good.wasm", module)
    stage.write("mark.yaml", inline_filter_yaml(url, "before", digest(module)))
    stage.start(flags=ONCE).said("before")
    url = server.script("/new.wasm", status(404))
    stage.write("mark.yaml", inline_filter_yaml(url, "after", digest(newer)))
    agent, skiffd = stage.agent, stage.skiffd
    (rejection,) = agent.wait_for("a rejection", lambda: skiffd.rejections("gateway"))
    listener = f"0.0.0.0_{stage.port}"
    assert rejection["reason"] == (
        f"listener {listener}: Wasm module {url}: download_failure: {url}: status 404 Not Found"
    )
    assert (rejection["type"], rejection["resources"]) == (LISTENER, [listener])
    assert "EnvoyFilter" in [named["kind"] for named in rejection["objects"]]
    stage.said("before")
    server.serve("new.wasm", newer)
    stage.said("after")
    agent.wait_for("all in sync", lambda: skiffd.is_synced("gateway", LISTENER))
    assert skiffd.rejections("gateway") == []
    assert skiffd.metrics("pilot_total_xds_rejects") == {f'type="{LISTENER}"': 1}
    assert agent.conversions() == {"success": 2, "fetch_failure": 1}


def test_a_skiffd_that_comes_again_learns_what_is_refused(stage, server, module, newer):
    stage.write("mark.yaml", filter_yaml(server.serve("good.wasm", module), "before"))
    stage.start(flags=ONCE).said("before")
    agent = stage.agent
    url = server.script("/new.wasm", status(404))
    stage.write("mark.yaml", filter_yaml(url, "after"))
    (former,) = agent.wait_for("a rejection", lambda: stage.skiffd.rejections("gateway"))
    stage.skiffd.child.kill()
    stage.skiffd = stage.enter(
        Skiffd(stage.config, stage.directory, grpc=stage.skiffd.grpc, name="skiffd-again")
    ).wait_until_ready()
    (again,) = agent.wait_for("a rejection", lambda: stage.skiffd.rejections("gateway"))
    for key in ("reason", "resources", "type"):
        assert again[key] == former[key]
    assert [(named["kind"], named["name"]) for named in again["objects"]] == [
        ("EnvoyFilter", "mark")
    ]
    stage.said("before")
    server.serve("new.wasm", newer)
    stage.said("after")
    agent.wait_for("all in sync", lambda: stage.skiffd.is_synced("gateway", EXTENSION))
    assert stage.skiffd.metrics("pilot_total_xds_rejects") == {f'type="{EXTENSION}"': 1}
    assert configurations(stage) == 2
    agent.stop()


def test_two_errors_and_then_the_module_is_one_round(stage, server, module):
    busy = status(503, retry_after="0")
    url = server.script("/m.wasm", status(500), busy, body(module))
    stage.write("mark.yaml", filter_yaml(url, "there"))
    stage.start().said("there")
    assert [seen.path for seen in server.seen()] == ["/m.wasm"] * 3
    assert stage.agent.fetches() == stage.agent.conversions() == {"success": 1}
    assert stage.wait_for_phase("READY")[0]["attempts"] == 0
    assert stage.skiffd.metrics("pilot_total_xds_rejects") == {}


@pytest.mark.parametrize(
    ("strategy", "word", "during"), [("FAIL_OPEN", "allow", 200), ("FAIL_CLOSE", "deny", 403)]
)
def test_fallback_lets_all_pass_or_none(stage, server, module, newer, strategy, word, during):
    url = server.serve("good.wasm", module)
    stage.write("mark.yaml", wasm_plugin_yaml(url, {"x-said": "before"}, failStrategy=strategy))
    stage.start(flags=[*ONCE, "--wasm-failure", "fallback"]).said("before")
    url = server.script("/new.wasm", status(404))
    stage.write("mark.yaml", wasm_plugin_yaml(url, {"x-said": "after"}, failStrategy=strategy))
    stage.answer(
        lambda response: response.status == during and "x-said" not in response.headers
    )
    (module,) = stage.wait_for_phase("FALLBACK")
    assert module.pop("attempts") >= 1
    assert module == {
        "resource": PLUGIN,
        "plugin": "istio-system.mark",
        "url": url,
        "phase": "FALLBACK",
        "sha256": "",
        "fallback": word,
        "error": f"download_failure: {url}: status 404 Not Found",
    }
    assert_degraded(stage)
    server.serve("new.wasm", newer)
    stage.said("after")
    assert_mended(stage)


def test_fallback_for_a_filter_that_allows_wasm_alone_is_refused_by_envoy(
    stage, server, module, newer
):
    """As the seed's filter does: the former module goes on, and Envoy's reason is told, once."""
    stage.write("mark.yaml", filter_yaml(server.serve("good.wasm", module), "before"))
    stage.start(flags=[*ONCE, "--wasm-failure", "fallback"]).said("before")
    agent, skiffd = stage.agent, stage.skiffd
    url = server.script("/new.wasm", status(404))
    stage.write("mark.yaml", filter_yaml(url, "after"))
    (rejection,) = agent.wait_for("a rejection", lambda: skiffd.rejections("gateway"))
    assert rejection["reason"] == (
        "extension config mark: Error: filter config has type URL "
        "envoy.extensions.filters.http.rbac.v3.RBAC but expect "
        "envoy.extensions.filters.http.wasm.v3.Wasm."
    )
    agent.wait_for("another round", lambda: agent.fetches()["download_failure"] >= 2)
    assert stage.wait_for_phase("FALLBACK")[0]["attempts"] >= 2
    stage.said("before")
    server.serve("new.wasm", newer)
    stage.said("after")
    agent.wait_for("all in sync", lambda: skiffd.is_synced("gateway", EXTENSION))
    assert skiffd.metrics("pilot_total_xds_rejects") == {f'type="{EXTENSION}"': 1}


def test_keep_last_gives_the_new_configuration_to_the_last_module(stage, server, module, newer):
    url = server.serve("good.wasm", module)
    stage.write("mark.yaml", wasm_plugin_yaml(url, {"x-said": "before"}))
    stage.start(flags=[*ONCE, "--wasm-failure", "keep-last"]).said("before")
    assert running(stage) == digest(module)
    url = server.script("/new.wasm", status(404))
    stage.write("mark.yaml", wasm_plugin_yaml(url, {"x-said": "after"}))
    stage.said("after")
    assert running(stage) == digest(module)
    (kept,) = stage.wait_for_phase("FALLBACK")
    assert (kept["fallback"], kept["sha256"]) == ("keep-last", "")
    assert kept["error"] == f"download_failure: {url}: status 404 Not Found"
    assert_degraded(stage)
    server.serve("new.wasm", newer)
    stage.agent.wait_for("the new module", lambda: running(stage) == digest(newer))
    stage.said("after")
    assert_mended(stage)


def running(stage: AgentStage) -> str:
    """The digest of the module that Envoy runs."""
    return stage.local_modules()[PLUGIN].stem


def assert_degraded(stage: AgentStage) -> None:
    """Envoy has something else than was asked for, nothing is refused, and syncz shows it."""

    def status() -> str:
        return stage.skiffd.status("gateway")["resources"][EXTENSION]["status"]

    stage.agent.wait_for("DEGRADED", lambda: status() == "DEGRADED")
    assert stage.skiffd.rejections("gateway") == []


def assert_mended(stage: AgentStage) -> None:
    assert stage.wait_for_phase("READY")[0]["url"].endswith("/new.wasm")
    stage.agent.wait_for("all in sync", lambda: stage.skiffd.is_synced("gateway", EXTENSION))
    assert stage.skiffd.metrics("pilot_total_xds_rejects") == {}
    assert stage.agent.conversions() == {"success": 2, "fetch_failure": 1}


def test_a_slow_module_holds_back_nobody(stage, server, module, newer):
    def plugins(slow: str, fast: str, said: str) -> str:
        return "\n---\n".join(
            wasm_plugin_yaml(url, {f"x-{name}": said}, name=name)
            for name, url in {"slow": slow, "fast": fast}.items()
        )

    def answered(slow: str, fast: str, route: str):
        headers = {"x-slow": slow, "x-fast": fast, "x-route": route}
        return lambda response: headers.items() <= response.headers.items()

    url = server.serve("good.wasm", module)
    stage.write("plugins.yaml", plugins(url, url, "one"))
    stage.start().answer(answered("one", "one", "one"))
    gate = threading.Event()
    held = server.script("/slow.wasm", gated(body(newer), gate))
    before = stage.pushes()
    stage.write("plugins.yaml", plugins(held, url, "two"))
    stage.answer(answered("one", "two", "one"))
    assert_degraded(stage)
    phases = {module["resource"].rpartition(".")[2]: module["phase"] for module in stage.modules()}
    assert phases == {"slow": "FETCHING", "fast": "READY"}
    stage.write("route.yaml", route_yaml("two"))
    stage.answer(answered("one", "two", "two"))
    assert len(server.seen("/slow.wasm")) == 1
    gate.set()
    stage.answer(answered("two", "two", "two"))
    assert stage.pushed_since(before) == {"ecds": 1, "rds": 1}
    stage.wait_for_phase("READY", count=2)
    assert stage.skiffd.metrics("pilot_total_xds_rejects") == {}


def test_a_newer_version_overtakes_the_slow_download_of_an_older_one(
    stage, server, module, newer
):
    url = server.serve("good.wasm", module)
    stage.write("mark.yaml", filter_yaml(url, "one"))
    stage.start().said("one")
    gate = threading.Event()
    slow = server.script("/slow.wasm", gated(body(newer), gate))
    stage.write("mark.yaml", filter_yaml(slow, "two"))
    stage.agent.wait_for("the slow download", lambda: server.seen("/slow.wasm"))
    stage.write("mark.yaml", filter_yaml(url, "three"))
    stage.said("three")
    gate.set()
    # What is sent afterwards arrives, and the old version is not before it.
    stage.write("route.yaml", route_yaml("two"))
    stage.answer(lambda response: response.headers.get("x-route") == "two")
    stage.said("three")
    assert configurations(stage) == 2
    assert stage.wait_for_phase("READY")[0]["url"] == url
    assert stage.agent.conversions() == {"success": 2}
