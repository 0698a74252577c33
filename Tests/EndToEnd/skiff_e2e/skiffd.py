# SPDX-License-Identifier: Apache-2.0
"""A real skiffd on free ports, fed from a directory that the test writes to."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

from .http import request
from .process import Process


def program(name: str) -> str:
    """The path of a built program, where `swift build` or SKIFF_BIN puts it."""
    folder = os.environ.get("SKIFF_BIN", Path(__file__).parents[3] / ".build/debug")
    return str(Path(folder) / name)


def skiffctl(*arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """Runs skiffctl to its end."""
    command = [program("skiffctl"), *arguments]
    return subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=60)


def write(path: Path, text: str) -> None:
    """Replaces a file in one step, as an editor or kubectl's ConfigMap does."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.new")
    temporary.write_text(text)
    temporary.rename(path)


class Skiffd(Process):
    """skiffd; `grpc`, `http`, `monitoring` and, where it is served, `api` are its ports."""

    def __init__(
        self, config: Path | None, directory: Path, *, grpc: int = 0, name: str = "skiffd", flags=()
    ) -> None:
        command = [program("skiffd")]
        command += ["--config-dir", str(config)] if config else []
        command += ["--grpc-address", f"127.0.0.1:{grpc}", "--http-address", "127.0.0.1:0"]
        command += ["--monitoring-address", "127.0.0.1:0", *flags]
        super().__init__(name, command, directory)
        line = r"skiffd ready grpc=\S+:(\d+) http=\S+:(\d+) monitoring=\S+:(\d+)"
        line += r"(?: api=\S+:(\d+))?\n"
        ready = self.wait_for("ready line", lambda: re.search(line, self.log))
        self.grpc, self.http, self.monitoring = map(int, ready.groups()[:3])
        self.api = int(ready[4] or 0)

    def wait_until_ready(self) -> Skiffd:
        self.wait_for("readiness", lambda: request(self.http, "/ready").status == 200)
        return self

    def get(self, path: str):
        """A debug page as Python values."""
        return json.loads(request(self.http, path).body)

    def status(self, name: str) -> dict:
        """The row of a proxy of `istio-system` on syncz."""
        rows = self.get("/debug/syncz")
        return next((row for row in rows if row["proxy"] == f"{name}.istio-system"), {})

    def is_synced(self, name: str, type_url: str) -> bool:
        entry = self.status(name).get("resources", {}).get(type_url, {})
        return entry.get("status") == "SYNCED"

    def rejections(self, name: str) -> list[dict]:
        """The rejections of a proxy of `istio-system`."""
        rejects = self.get("/debug/rejectsz")["rejects"]
        return [reject for reject in rejects if reject["proxy"] == f"{name}.istio-system"]

    def count(self, metric: str, type_url: str) -> float:
        """The series of a metric for one type."""
        return self.metrics(metric).get(f'type="{type_url}"', 0)

    def metrics(self, name: str) -> dict[str, float]:
        """The series of a metric, by their labels as text."""
        lines = request(self.monitoring, "/metrics").body.splitlines()
        pairs = (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
        found = {}
        for series, value in pairs:
            base, _, labels = series.partition("{")
            if base == name:
                found[labels.rstrip("}")] = float(value)
        return found

    @property
    def rss_kib(self) -> int:
        status = Path(f"/proc/{self.child.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status)[1])

    @property
    def peak_rss_kib(self) -> int:
        status = Path(f"/proc/{self.child.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+)", status)[1])
