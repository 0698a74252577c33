# SPDX-License-Identifier: Apache-2.0
"""The real kubectl against skiffd's control API."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

from .process import Process


def kubectl_path() -> str:
    """kubectl of the machine, else the one that scripts/install.sh unpacked."""
    unpacked = Path(__file__).parents[3] / ".build/kubectl/kubectl"
    return shutil.which("kubectl") or str(unpacked)


class Kubectl:
    """Runs kubectl with a home of its own, so that nothing is cached between tests."""

    def __init__(self, server: str, home: Path, *flags: str) -> None:
        self.command = [kubectl_path(), "--server", server, *flags]
        self.home = home
        home.mkdir(parents=True, exist_ok=True)

    @property
    def environment(self) -> dict[str, str]:
        return {"PATH": os.environ["PATH"], "HOME": str(self.home)}

    def run(
        self, *arguments: str, stdin: str = "", editor: str = ""
    ) -> subprocess.CompletedProcess[str]:
        """Runs a command to its end, whatever that is."""
        environment = self.environment | ({"KUBE_EDITOR": editor} if editor else {})
        return subprocess.run(
            [*self.command, *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            env=environment,
            timeout=60,
        )

    def __call__(self, *arguments: str, **options) -> str:
        """What a command prints; it must succeed."""
        done = self.run(*arguments, **options)
        assert done.returncode == 0, f"{arguments}: {done.stderr}{done.stdout}"
        return done.stdout

    def fails(self, *arguments: str, **options) -> str:
        """What a command complains about; it must fail."""
        done = self.run(*arguments, **options)
        assert done.returncode != 0, f"{arguments}: {done.stdout}"
        return done.stderr

    def json(self, *arguments: str) -> dict:
        return json.loads(self(*arguments, "-o", "json"))

    def start(self, directory: Path, name: str, *arguments: str) -> Process:
        """Starts a command that goes on; use it as a context manager."""
        return Process(name, [*self.command, *arguments], directory, env=self.environment)
