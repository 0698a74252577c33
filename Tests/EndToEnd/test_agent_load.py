# SPDX-License-Identifier: Apache-2.0
"""Two hundred plugins at once, each with a module of 8 MB: what that costs the agent, its servers,
and the configuration that has nothing to do with modules."""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from multiprocessing.connection import Connection
from pathlib import Path

from skiff_e2e.ads import EXTENSION, ROUTE, ADSClient, Response, route_header
from skiff_e2e.agent import Agent, wasm_plugin_yaml
from skiff_e2e.gateway import backend_yaml, gateway_yaml, route_yaml
from skiff_e2e.module_server import Answer, ModuleServer
from skiff_e2e.skiffd import Skiffd, write
from skiff_e2e.wasm import digest, module_files, section

PLUGINS = int(os.environ.get("SKIFF_LOAD_PLUGINS", 200))
SIZE = 8 << 20
# The same in all modules; the rest is what tells them apart.
BULK = b"\x00asm\x01\x00\x00\x00" + section(bytes(SIZE - 64))
NAME = "extensions.istio.io/wasmplugin/istio-system.load-{}"
MIB = 1 << 20


def tail(number: int) -> bytes:
    """The end of a module, which makes all of it `SIZE` long."""
    rest = SIZE - len(BULK)
    return section(f"{number:0{rest - len(section(b''))}}".encode())


def serve(pipe: Connection) -> None:
    """Serves all modules, in a process of its own, so that it costs the test's clients no time.

    Tells its URL; when asked, how many requests and how many connections at once there were.
    """

    def module(number: int) -> Answer:
        # The bulk is in memory only once.
        def send(handler) -> None:
            handler.write(BULK)
            handler.write(tail(number))

        return Answer(200, {"content-length": str(SIZE)}, send)

    with ModuleServer() as server:
        for number in range(PLUGINS):
            server.script(f"/{number}.wasm", module(number))
        pipe.send(server.url)
        pipe.recv()
        pipe.send((len(server.seen()), server.most_connections))


@contextmanager
def modules_elsewhere() -> Iterator[Connection]:
    """The server; its URL is the first thing to receive."""
    processes = multiprocessing.get_context("spawn")
    pipe, end = processes.Pipe()
    server = processes.Process(target=serve, args=(end,), daemon=True)
    server.start()
    try:
        yield pipe
    finally:
        server.terminate()
        server.join()


def digests() -> dict[str, str]:
    """The digest of each plugin's module, by the plugin's name."""
    bulk, found = hashlib.sha256(BULK), {}
    for number in range(PLUGINS):
        whole = bulk.copy()
        whole.update(tail(number))
        found[NAME.format(number)] = whole.hexdigest()
    return found


class TimedClient(ADSClient):
    """Notes when each version of its routes came, as soon as its bytes are there."""

    def __init__(self, *arguments, **options) -> None:
        self.times: dict[str, float] = {}
        super().__init__(*arguments, **options)

    def _take(self, response: Response) -> None:
        now = time.monotonic()
        if response.type_url == ROUTE:
            self.times[route_header(response)] = now
            super()._take(response)


class Proxy(TimedClient):
    """A proxy that wants all plugins as well, and accepts what comes of them."""

    def __init__(self, *arguments, **options) -> None:
        self.names = [NAME.format(number) for number in range(PLUGINS)]
        self.extensions: list[Response] = []
        super().__init__(*arguments, **options)

    def _take(self, response: Response) -> None:
        super()._take(response)
        if response.type_url == EXTENSION:
            self.ack(response, self.names)
            self.extensions.append(response)

    @property
    def files(self) -> dict[str, Path]:
        """The files of all modules that came so far."""
        found: dict[str, Path] = {}
        for response in self.extensions:
            found |= module_files(response)
        return found

    @property
    def has_all(self) -> bool:
        return sum(len(response.resources) for response in self.extensions) >= PLUGINS


def added_times(config: Path, direct: TimedClient, relayed, rounds) -> list[list[float]]:
    """Milliseconds by which edits of routes came later through agents, for each client of one."""
    added: list[list[float]] = [[] for _ in relayed]
    for marker in rounds:
        write(config / "route.yaml", route_yaml(marker))
        for client in (direct, *relayed):
            response = client.receive(ROUTE)
            assert route_header(response) == marker
            client.ack(response, ["http.8080"])
        for client, times in zip(relayed, added):
            times.append((client.times[marker] - direct.times[marker]) * 1000)
    return added


def described(times: list[float]) -> str:
    ranked = sorted(times)
    at = {part: ranked[min(len(ranked) * part // 100, len(ranked) - 1)] for part in (50, 99)}
    parts = [f"p{part} {time:.2f} ms" for part, time in at.items()]
    return f"{len(ranked)} edits, {', '.join(parts)}, most {ranked[-1]:.2f} ms"


def memory(agent: Agent, kind: str) -> int:
    status = Path(f"/proc/{agent.child.pid}/status").read_text()
    return int(re.search(rf"{kind}:\s+(\d+) kB", status)[1]) * 1024


def test_two_hundred_modules_at_once_are_bounded_and_delay_no_routes(tmp_path):
    config = tmp_path / "config"
    write(config / "gateway.yaml", gateway_yaml(8080))
    write(config / "backend.yaml", backend_yaml(9000))
    write(config / "route.yaml", route_yaml("start"))
    with ExitStack() as running:
        server = running.enter_context(modules_elsewhere())
        flags = ["--debounce-after", "1ms"]
        skiffd = running.enter_context(Skiffd(config, tmp_path, flags=flags)).wait_until_ready()
        agent = running.enter_context(Agent(tmp_path, skiffd.grpc, envoy=None))
        running.callback(shutil.rmtree, agent.data)
        # Has nothing to download: what the machine's load alone costs a relay.
        bystander = running.enter_context(
            Agent(tmp_path, skiffd.grpc, envoy=None, name="bystander")
        )
        direct = running.enter_context(TimedClient(skiffd.grpc, name="direct"))
        control = running.enter_context(TimedClient(bystander.socket, name="control"))
        relayed = running.enter_context(Proxy(agent.socket, name="relayed"))
        clients = (control, relayed)
        for client in (direct, *clients):
            client.subscribe(ROUTE, ["http.8080"])
        _, idle = added_times(config, direct, clients, (f"idle-{step}" for step in range(100)))
        idle_rss = memory(agent, "VmRSS")

        url = server.recv()
        plugins = [
            wasm_plugin_yaml(f"{url}/{number}.wasm", {"x-load": "1"}, name=f"load-{number}")
            for number in range(PLUGINS)
        ]
        write(config / "plugins.yaml", "\n---\n".join(plugins))
        began = time.monotonic()
        relayed.send(EXTENSION, relayed.names)

        def until_all_are_there():
            while not relayed.has_all:
                assert time.monotonic() < began + 50, f"only {len(relayed.files)} modules"
                yield f"busy-{len(relayed.times)}"

        noise, busy = added_times(config, direct, clients, until_all_are_there())
        elapsed = time.monotonic() - began
        peak = memory(agent, "VmHWM")
        server.send("figures")
        requests, connections = server.recv()
        print(
            f"\n{PLUGINS} modules of {SIZE // MIB} MiB in {elapsed:.1f} s"
            f"\nagent: RSS {idle_rss / MIB:.0f} MiB before, {peak / MIB:.0f} MiB at most"
            f"\nconnections to the server: {connections} at most"
            f"\nadded by the relay: idle {described(idle)}"
            f"\n  downloading {described(busy)}"
            f"\n  at the same time, by one that does not: {described(noise)}"
        )

        modules = agent.data / "wasm/modules"
        expected = digests()
        assert relayed.files == {name: modules / f"{expected[name]}.wasm" for name in expected}
        assert sorted(path.stem for path in modules.iterdir()) == sorted(expected.values())
        for path in modules.iterdir():
            assert digest(path.read_bytes()) == path.stem
        assert requests == PLUGINS
        assert agent.fetches() == {"success": PLUGINS}
        assert [module["phase"] for module in agent.modules()] == ["ready"] * PLUGINS
        assert connections <= 10
        assert peak < 300 * MIB
        # Enough to tell a relay that waits for downloads or disks; the figures are printed.
        assert sorted(busy)[len(busy) // 2] < 20
        assert max(busy) < 1000
