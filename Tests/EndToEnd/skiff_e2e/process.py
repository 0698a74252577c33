# SPDX-License-Identifier: Apache-2.0
"""A child process whose output is kept, and waiting for it that ends when it dies or time is up."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")


class ProcessDied(AssertionError):
    """The process ended while something was still expected of it."""


class Process:
    """A program with standard output and error in one file; use it as a context manager."""

    def __init__(self, name: str, command: list[str], directory: Path, **options) -> None:
        self.name = name
        self.log_path = directory / f"{name}.log"
        with self.log_path.open("wb") as log:
            self.child = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, **options
            )

    @property
    def log(self) -> str:
        return self.log_path.read_text(errors="replace")

    def wait_for(self, what: str, probe: Callable[[], T | None], seconds: float = 20) -> T:
        """Calls `probe` until it returns something true. The process must live as long."""
        deadline = time.monotonic() + seconds
        while True:
            if found := probe():
                return found
            # Waiting on the process paces the loop and sees at once when it dies.
            try:
                code = self.child.wait(timeout=0.02)
            except subprocess.TimeoutExpired:
                pass
            else:
                raise ProcessDied(f"{self.name} ended with {code} before {what}\n{self._tail}")
            if time.monotonic() > deadline:
                raise AssertionError(f"{self.name}: no {what} in {seconds} s\n{self._tail}")

    @property
    def _tail(self) -> str:
        return self.log[-4000:]

    def wait_for_log(self, text: str, seconds: float = 20) -> None:
        self.wait_for(f"log line with {text!r}", lambda: text in self.log, seconds)

    def stop(self, grace: float = 10) -> int:
        """SIGTERM, then SIGKILL. Returns the exit code."""
        if self.child.poll() is None:
            self.child.terminate()
            try:
                self.child.wait(timeout=grace)
            except subprocess.TimeoutExpired:
                self.child.kill()
        return self.child.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
