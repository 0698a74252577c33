# SPDX-License-Identifier: Apache-2.0
"""A real registry (Debian's docker-registry) on the loopback interface: open, with a password, or
behind a token server, over HTTP or HTTPS."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

from .oci import OCILayout, RegistryClient
from .private_ca import Certificate, PrivateCA
from .process import Process
from .token_server import TokenServer

# Where scripts/install.sh unpacks the package, so that no system service is installed.
UNPACKED = Path(__file__).parents[3] / ".build/registry/usr/bin/docker-registry"


def binary() -> str:
    """The path of the registry's program."""
    if UNPACKED.is_file():
        return str(UNPACKED)
    if found := shutil.which("docker-registry"):
        return found
    raise FileNotFoundError("no docker-registry: run scripts/install.sh")


class Registry(Process):
    """The registry; use it as a context manager.

    `storage` outlives it, so one that was stopped can come again with the same `port`. With
    `password=True` it wants the login in `login`, with a token server the tokens of that one.
    """

    def __init__(
        self,
        directory: Path,
        *,
        name: str = "registry",
        port: int = 0,
        storage: Path | None = None,
        tls: tuple[PrivateCA, Certificate] | None = None,
        password: bool = False,
        tokens: TokenServer | None = None,
    ) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.tls, self.tokens, self.login = tls, tokens, None
        self.storage = storage or directory / f"{name}-storage"
        self.storage.mkdir(parents=True, exist_ok=True)
        settings: dict = {
            "version": 0.1,
            "log": {"level": "info", "accesslog": {"disabled": False}},
            "storage": {
                "filesystem": {"rootdirectory": str(self.storage)},
                "delete": {"enabled": True},
                # Background jobs would only write to the log.
                "maintenance": {"uploadpurging": {"enabled": False}},
            },
            "http": {"addr": f"127.0.0.1:{port}", "secret": "for tests"},
        }
        if tls:
            certificate, key = str(tls[1].certificate), str(tls[1].key)
            settings["http"]["tls"] = {"certificate": certificate, "key": key}
        if password:
            # The registry makes the missing file, with a password that it writes to its log.
            passwords = directory / f"{name}.htpasswd"
            passwords.unlink(missing_ok=True)
            settings["auth"] = {"htpasswd": {"realm": "skiff", "path": str(passwords)}}
        if tokens:
            settings["auth"] = {"token": tokens.registry_settings}
        configuration = directory / f"{name}.yml"
        configuration.write_text(json.dumps(settings))  # JSON is YAML
        super().__init__(name, [binary(), "serve", str(configuration)], directory)
        line = r"listening on 127\.0\.0\.1:(\d+)"
        self.port = int(self.wait_for("port", lambda: re.search(line, self.log))[1])
        self.host = f"{'localhost' if tls else '127.0.0.1'}:{self.port}"
        self.url = f"{'https' if tls else 'http'}://{self.host}"
        if password:
            self.login = self._generated_login()

    def _generated_login(self) -> tuple[str, str]:
        client = RegistryClient(self.port, context=self._context)
        client.ask("GET", "/v2/", expect=401)  # the file is made when it is first asked for
        line = r"password=([\w/+=-]+) user=(\w+)|user=(\w+) .*password=([\w/+=-]+)"
        found = self.wait_for("generated password", lambda: re.search(line, self.log))
        return (found[2] or found[3], found[1] or found[4])

    @property
    def _context(self):
        return self.tls[0].client_context() if self.tls else None

    def client(self, repository: str = "") -> RegistryClient:
        """A client with the rights to push to a repository."""
        token = self.tokens.issue(repository, ["pull", "push"]) if self.tokens else None
        return RegistryClient(self.port, context=self._context, login=self.login, token=token)

    def push(self, layout: Path, repository: str, tag: str = "latest") -> str:
        """Pushes an OCI layout; returns the digest that the tag now names."""
        return self.client(repository).push(OCILayout(layout), repository, tag)

    def reference(self, repository: str, tag: str = "latest") -> str:
        """The URL of an image, as a WasmPlugin has it."""
        separator = "@" if tag.startswith("sha256:") else ":"
        return f"oci://{self.host}/{repository}{separator}{tag}"

    def requests(self, pattern: str) -> list[str]:
        """The lines of the access log that match: `GET /v2/…/blobs/sha256:…`."""
        return re.findall(rf'"((?:GET|HEAD) /v2/\S*{pattern}\S*) HTTP', self.log)
