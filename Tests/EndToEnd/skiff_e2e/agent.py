# SPDX-License-Identifier: Apache-2.0
"""A real skiff-agent on free ports, with the real Envoy that it starts."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

from .envoy import Envoy, binary
from .gateway import LABELS, free_port
from .http import Response, request
from .process import Process
from .skiffd import Skiffd, program
from .stage import Stage


class Agent(Envoy):
    """`skiff-agent proxy` with its Envoy: one process, one log, and Envoy's admin interface.

    `data` is the directory that it keeps; give the same one to an agent that comes again. Without
    `envoy` it only relays, on `socket`, and nothing is to be asked of an admin interface.
    """

    admin_port = 0

    def __init__(
        self,
        directory: Path,
        grpc_port: int,
        *,
        name: str = "gateway",
        role: str = "router",
        labels: str = LABELS,
        data: Path | None = None,
        envoy: str | None = binary(),
        flags=(),
        envoy_flags=(),
        environment: dict[str, str] | None = None,
    ) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.id = name
        self.data = data or directory / f"{name}-data"
        self.admin_port = free_port()
        command = [program("skiff-agent"), "proxy", "--type", role, "--id", name]
        command += ["--namespace", "istio-system", "--labels", labels]
        command += ["--xds-address", f"127.0.0.1:{grpc_port}", "--data-dir", str(self.data)]
        command += ["--status-address", "127.0.0.1:0"]
        command += ["--admin-address", f"127.0.0.1:{self.admin_port}"]
        # The tests' clients are gone before the agent is.
        command += ["--drain-duration", "0s", *flags]
        if envoy:
            command += ["--envoy", envoy, "--", "--concurrency", "1", *envoy_flags]
        # Nothing of the machine's own setup: neither proxies nor docker's logins.
        own = {key: os.environ[key] for key in ("PATH", "LD_LIBRARY_PATH") if key in os.environ}
        Process.__init__(self, name, command, directory, env=own | (environment or {}))
        line = r"skiff-agent ready xds=unix:(\S+) status=\S*:(\d+)"
        ready = self.wait_for("ready line", lambda: re.search(line, self.log))
        self.socket, self.status_port = Path(ready[1]), int(ready[2])

    @property
    def envoy_pid(self) -> int:
        """The process id of the Envoy that it has started."""
        found = self.wait_for("Envoy", lambda: re.search(r" pid=(\d+) .*Envoy runs", self.log))
        return int(found[1])

    @property
    def is_ready(self) -> bool:
        """What its own /healthz/ready says."""
        return request(self.status_port, "/healthz/ready").status == 200

    def wait_until_ready(self, seconds: float = 20) -> Agent:
        """As the agent says it: skiffd has answered, and Envoy takes connections."""
        self.wait_for("readiness", lambda: self.is_ready, seconds)
        return self

    def modules(self) -> list[dict]:
        """The modules that the resources of its Envoy need, from the agent's own page."""
        return self.page()["modules"]

    def page(self) -> dict:
        """The agent's /debug/wasmz."""
        return json.loads(request(self.status_port, "/debug/wasmz").body)

    def metrics(self, name: str) -> dict[str, float]:
        """The series of a metric, the agent's or Envoy's, by their labels as text."""
        text = request(self.status_port, "/stats/prometheus").body
        line = rf"^{re.escape(name)}(?:\{{(.*)\}})? (\S+)$"
        return {labels: float(value) for labels, value in re.findall(line, text, re.MULTILINE)}

    def fetches(self) -> dict[str, float]:
        """How many fetches of modules ended how."""
        return _by_label(self.metrics("istio_agent_wasm_remote_fetch_count"))

    def conversions(self) -> dict[str, float]:
        """How many resources were looked at for modules, by result."""
        return _by_label(self.metrics("istio_agent_wasm_config_conversion_count"))

    def cached_files(self) -> list[Path]:
        """The modules on its disk, and whatever else was left there."""
        return sorted(path for path in (self.data / "wasm").rglob("*") if path.is_file())


def _by_label(series: dict[str, float]) -> dict[str, float]:
    return {labels.partition("=")[2].strip('"'): value for labels, value in series.items()}


class AgentStage(Stage):
    """A stage whose Envoy is run by an agent. `envoy` is the agent, too."""

    def start(self, *, ready: bool = True, **options) -> AgentStage:
        """Starts all; `ready=False` where Envoy has to wait for what does not come yet."""
        self.skiffd = self.enter(Skiffd(self.config, self.directory)).wait_until_ready()
        agent = self.start_agent(**options)
        if ready:
            agent.wait_until_ready()
        return self

    def start_agent(self, **options) -> Agent:
        """Starts the agent alone, in front of the skiffd that runs."""
        agent = Agent(self.directory, self.skiffd.grpc, **options)
        self.agent = self.envoy = self.enter(agent)
        return agent

    def said(self, text: str | None) -> Response:
        """Asks until the answer is marked with this text by one of the plugins below."""
        return self.answer(
            lambda response: response.status == 200 and response.headers.get("x-said") == text
        )

    def local_modules(self) -> dict[str, Path]:
        """The files that Envoy runs, by the names of its extension configurations."""
        dump = json.loads(self.agent.admin("/config_dump?resource=ecds_filters"))
        filters = [config["ecds_filter"] for config in dump.get("configs", [])]
        return {
            filter["name"]: Path(
                filter["typed_config"]["config"]["vm_config"]["code"]["local"]["filename"]
            )
            for filter in filters
        }

    def modules(self) -> list[dict]:
        """What skiffd's /debug/wasmz shows of the proxy, without the times of next attempts."""
        proxies = self.skiffd.get("/debug/wasmz")["proxies"]
        name = f"{self.agent.id}.istio-system"
        found = [row for proxy in proxies if proxy["proxy"] == name for row in proxy["modules"]]
        return [{key: row[key] for key in row if key != "nextAttempt"} for row in found]

    def wait_for_phase(self, phase: str, count: int = 1) -> list[dict]:
        """Waits until skiffd shows that many modules, all in one phase."""

        def probe() -> list[dict] | None:
            found = self.modules()
            phases = [module["phase"] for module in found]
            return found if phases == [phase] * count else None

        return self.agent.wait_for(f"{count} modules {phase}", probe)


WASM = "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm"


def filter_yaml(url: str, said: str, *, name: str = "mark", sha256: str = "") -> str:
    """An EnvoyFilter pair in one object: a filter by ECDS, and its configuration with a module at
    `url` (response-headers), which sets x-said. JSON is YAML, too."""
    source = {"ads": {}, "initial_fetch_timeout": "0s", "resource_api_version": "V3"}
    discovery = {"config_source": source, "type_urls": [WASM]}
    structure = "type.googleapis.com/udpa.type.v1.TypedStruct"
    value = {"config": _remote_plugin(url, said, sha256)}
    typed = {"@type": structure, "type_url": WASM, "value": value}
    return _envoy_filter(
        name,
        _http_filter({"name": name, "config_discovery": discovery}),
        {
            "applyTo": "EXTENSION_CONFIG",
            "match": {"context": "GATEWAY"},
            "patch": {"operation": "ADD", "value": {"name": name, "typed_config": typed}},
        },
    )


def inline_filter_yaml(url: str, said: str, sha256: str, *, name: str = "mark") -> str:
    """An EnvoyFilter that puts the same plugin right into the listeners, with no ECDS."""
    plugin = _remote_plugin(url, said, sha256, cluster="_", timeout="5s")
    typed = {"@type": WASM, "config": plugin}
    return _envoy_filter(name, _http_filter({"name": name, "typed_config": typed}))


def _remote_plugin(url: str, said: str, sha256: str = "", **uri: str) -> dict:
    remote = {"http_uri": {"uri": url} | uri} | ({"sha256": sha256} if sha256 else {})
    return {
        "vm_config": {"runtime": "envoy.wasm.runtime.v8", "code": {"remote": remote}},
        "configuration": {
            "@type": "type.googleapis.com/google.protobuf.StringValue",
            "value": json.dumps({"headers": {"x-said": said}}),
        },
    }


def _http_filter(value: dict) -> dict:
    manager = {"name": "envoy.filters.network.http_connection_manager"}
    return {
        "applyTo": "HTTP_FILTER",
        "match": {"context": "GATEWAY", "listener": {"filterChain": {"filter": manager}}},
        "patch": {"operation": "INSERT_FIRST", "value": value},
    }


def _envoy_filter(name: str, *patches: dict) -> str:
    return _object("networking.istio.io/v1alpha3", "EnvoyFilter", name, {"configPatches": patches})


def wasm_plugin_yaml(url: str, headers: dict[str, str], *, name: str = "mark", **spec) -> str:
    """A WasmPlugin with a module at `url` (response-headers) that sets headers of responses."""
    spec = {"url": url, "pluginConfig": {"headers": headers}} | spec
    return _object("extensions.istio.io/v1alpha1", "WasmPlugin", name, spec)


def _object(version: str, kind: str, name: str, spec: dict) -> str:
    metadata = {"name": name, "namespace": "istio-system"}
    return json.dumps({"apiVersion": version, "kind": kind, "metadata": metadata, "spec": spec})
