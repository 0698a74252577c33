# SPDX-License-Identifier: Apache-2.0
"""The agent ends in the middle of its work, at every step that changes its disk. What a restart
finds is whole, the module is served, and no more is downloaded again than was not yet safe."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from skiff_e2e.ads import EXTENSION, ADSClient
from skiff_e2e.agent import Agent, AgentStage, wasm_plugin_yaml
from skiff_e2e.http import request
from skiff_e2e.module_server import ModuleServer, body, stall, status
from skiff_e2e.process import ProcessDied
from skiff_e2e.skiffd import Skiffd
from skiff_e2e.stage import with_backend
from skiff_e2e.wasm import (
    assert_cache_is_whole,
    assert_modules_are_whole,
    digest,
    module_files,
    padded,
)

# Steps of a download and of the index after it, in their order, and whether the module is on the
# disk when the agent dies before the step.
STEPS = {
    "create-module": False,
    "write-module": False,
    "write-module:3": False,
    "sync-module": False,
    "rename-module": False,
    "sync-modules": True,
    "create-index": True,
    "write-index": True,
    "sync-index": True,
    "rename-index": True,
    "sync-directory": True,
}
NAME = "extensions.istio.io/wasmplugin/istio-system.mark"


def plugin_yaml(url: str, sha256: str = "", *, name: str = "mark") -> str:
    checksum = {"sha256": sha256} if sha256 else {}
    return wasm_plugin_yaml(url, {f"x-{name}": "there"}, name=name, **checksum)


@pytest.fixture
def server() -> Iterator[ModuleServer]:
    with ModuleServer() as running:
        yield running


@pytest.fixture(scope="module")
def module(wasm_modules) -> bytes:
    """A module that comes in many pieces."""
    return padded(wasm_modules["response-headers"].read_bytes(), 1 << 20)


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[AgentStage]:
    """skiffd and a backend; each case starts its agents itself."""
    with AgentStage(tmp_path) as stage:
        skiffd = with_backend(stage).enter(Skiffd(stage.config, tmp_path))
        stage.skiffd = skiffd.wait_until_ready()
        yield stage


def is_gone(port: int) -> bool:
    """Whether nobody listens any more, that is, all threads of a killed Envoy have ended."""
    try:
        request(port)
    except ConnectionRefusedError:
        return True
    except OSError:
        pass
    return False


def is_served(response) -> bool:
    return response.status == 200 and response.headers.get("x-mark") == "there"


@contextmanager
def relay(stage: AgentStage, *flags: str, name: str = "relay") -> Iterator[Agent]:
    """An agent without an Envoy, on the directory that all agents of the stage share."""
    data = stage.directory / "data"
    with Agent(
        stage.directory, stage.skiffd.grpc, name=name, data=data, envoy=None, flags=flags
    ) as agent:
        yield agent


def crash(stage: AgentStage, step: str, names=(NAME,)) -> Path:
    """Lets an agent die at a step of what a proxy's request for plugins makes it do."""
    with relay(stage, "--wasm-crash-at", step) as agent, ADSClient(agent.socket) as proxy:
        proxy.send(EXTENSION, names)
        # As after a kill -9: the exit code is the crash point's own.
        assert agent.child.wait(timeout=20) == 9
    assert_modules_are_whole(agent.data)
    return agent.data


def restart(stage: AgentStage, data: Path) -> Agent:
    """The agent comes again, with an Envoy, and what goes through that has the plugin."""
    agent = stage.start_agent(data=data)
    stage.answer(is_served)
    assert [found["phase"] for found in agent.modules()] == ["ready"]
    return agent


@pytest.mark.parametrize(("step", "is_safe"), STEPS.items(), ids=STEPS)
def test_a_crash_at_any_step_leaves_a_whole_cache(stage, server, module, step, is_safe):
    url = server.serve("mark.wasm", module)
    stage.write("plugin.yaml", plugin_yaml(url, digest(module)))
    data = crash(stage, step)
    assert (assert_modules_are_whole(data) == [digest(module)]) == is_safe
    assert len(server.seen("/mark.wasm")) == 1
    restart(stage, data)
    # Its digest finds a module that the index never came to know.
    assert len(server.seen("/mark.wasm")) == (1 if is_safe else 2)
    assert stage.agent.stop() == 0
    assert_cache_is_whole(data, digest(module))


@pytest.mark.parametrize(
    ("step", "downloads"), [("create-index", 2), ("rename-index", 2), ("sync-directory", 1)]
)
def test_without_a_digest_only_the_index_knows_what_a_url_named(
    stage, server, module, step, downloads
):
    stage.write("plugin.yaml", plugin_yaml(server.serve("mark.wasm", module)))
    data = crash(stage, step)
    assert_modules_are_whole(data)
    restart(stage, data)
    assert len(server.seen("/mark.wasm")) == downloads
    assert stage.agent.stop() == 0
    assert_cache_is_whole(data, digest(module))


def test_a_crash_while_a_refused_download_is_removed_leaves_nothing_of_it(stage, server, module):
    url = server.serve("mark.wasm", module)
    stage.write("plugin.yaml", plugin_yaml(url, digest(b"another")))
    data = crash(stage, "remove")
    (left,) = (data / "wasm/modules").iterdir()
    assert (left.name.startswith(".incoming-"), left.read_bytes()) == (True, module)
    stage.write("plugin.yaml", plugin_yaml(url, digest(module)))
    restart(stage, data)
    assert stage.agent.stop() == 0
    assert_cache_is_whole(data, digest(module))


def test_a_crash_while_the_start_clears_up_is_cleared_up_by_the_next(stage, server, module):
    url = server.serve("mark.wasm", module)
    stage.write("plugin.yaml", plugin_yaml(url, digest(module)))
    data = crash(stage, "rename-module")
    assert [path.suffix for path in (data / "wasm/modules").iterdir()] != [".wasm"]
    with pytest.raises(ProcessDied, match="ended with 9 before ready line"):
        with relay(stage, "--wasm-crash-at", "remove", name="clearing"):
            pass
    restart(stage, data)
    assert stage.agent.stop() == 0
    assert_cache_is_whole(data, digest(module))


def test_a_crash_in_the_second_download_leaves_the_first(stage, server, module):
    other = padded(module, (1 << 20) + 100)
    stage.write("one.yaml", plugin_yaml(server.serve("one.wasm", module), name="one"))
    stage.write("mark.yaml", plugin_yaml(server.serve("mark.wasm", other)))
    first = NAME.replace("mark", "one")
    with relay(stage, "--wasm-crash-at", "sync-module:2") as agent:
        with ADSClient(agent.socket) as proxy:
            proxy.send(EXTENSION, [first])
            file = agent.data / f"wasm/modules/{digest(module)}.wasm"
            assert module_files(proxy.receive(EXTENSION)) == {first: file}
            proxy.send(EXTENSION, [first, NAME])
            assert agent.child.wait(timeout=20) == 9
    assert assert_modules_are_whole(agent.data) == [digest(module)]
    server.script("/one.wasm", status(404))
    agent = stage.start_agent(data=agent.data)
    stage.answer(is_served)
    assert stage.get().headers["x-one"] == "there"
    assert len(server.seen("/one.wasm")) == 1
    assert agent.stop() == 0
    assert_cache_is_whole(agent.data, digest(module), digest(other))


def test_what_a_power_cut_may_leave_is_not_served(stage, server, module):
    """A file system that ignores fsync loses bytes of what was renamed: module and index."""
    url = server.serve("mark.wasm", module)
    stage.write("plugin.yaml", plugin_yaml(url))
    data = crash(stage, "sync-directory")
    file = data / f"wasm/modules/{digest(module)}.wasm"
    file.write_bytes(module[: len(module) // 2])
    (data / "wasm/index.json").write_text('{"version": 1, "sal')
    restart(stage, data)
    assert len(server.seen("/mark.wasm")) == 2
    assert "a module on disk is corrupt and is not used" in stage.agent.log
    assert "the index of the module cache cannot be read and is made anew" in stage.agent.log
    assert stage.agent.stop() == 0
    assert_cache_is_whole(data, digest(module))


def test_an_agent_that_is_killed_in_a_download_begins_it_anew(stage, server, module):
    url = server.script("/mark.wasm", stall(module, 600_000), body(module))
    stage.write("plugin.yaml", plugin_yaml(url, digest(module)))

    def has_half(data: Path) -> bool:
        sizes = [path.stat().st_size for path in (data / "wasm/modules").iterdir()]
        return sizes == [600_000]

    with relay(stage) as agent, ADSClient(agent.socket) as proxy:
        proxy.send(EXTENSION, [NAME])
        agent.wait_for("half of the module", lambda: has_half(agent.data))
        agent.child.kill()
        assert agent.child.wait() == -signal.SIGKILL
    assert assert_modules_are_whole(agent.data) == []
    restart(stage, agent.data)
    assert len(server.seen("/mark.wasm")) == 2
    assert stage.agent.stop() == 0
    assert_cache_is_whole(agent.data, digest(module))


def test_envoy_does_not_outlive_a_killed_agent_and_a_restart_needs_no_server(stage, server, module):
    url = server.serve("mark.wasm", module)
    stage.write("plugin.yaml", plugin_yaml(url))
    agent = stage.start_agent()
    stage.answer(is_served)
    agent.child.kill()
    assert agent.child.wait() == -signal.SIGKILL
    stage.skiffd.wait_for("Envoy's end", lambda: is_gone(stage.port))
    assert is_gone(agent.admin_port)

    server.script("/mark.wasm", status(404))
    restart(stage, agent.data)
    assert len(server.seen("/mark.wasm")) == 1
    # The cache goes on where it was: an edit, the next module, a clean end.
    newer = padded(module, (1 << 20) + 100)
    stage.write("plugin.yaml", plugin_yaml(server.serve("new.wasm", newer)))

    def is_newer() -> bool:
        (found,) = stage.agent.modules()
        return (found["phase"], found["url"]) == ("ready", f"{server.url}/new.wasm")

    stage.agent.wait_for("the new module", is_newer)
    assert stage.agent.stop() == 0
    assert_cache_is_whole(agent.data, digest(module), digest(newer))


def test_agents_that_die_again_and_again_get_there(stage, server, module):
    """Each life ends one step later than the one before, on the same directory."""
    url = server.serve("mark.wasm", module)
    stage.write("plugin.yaml", plugin_yaml(url, digest(module)))
    steps = [step for step, is_safe in STEPS.items() if not is_safe or step == "sync-modules"]
    for step in steps:
        data = crash(stage, step)
        left = [path.name for path in (data / "wasm/modules").iterdir()]
        # A life leaves at most its own unfinished file.
        assert len(left) <= 1
    restart(stage, data)
    assert len(server.seen("/mark.wasm")) == len(steps)
    assert stage.agent.stop() == 0
    assert_cache_is_whole(data, digest(module))
