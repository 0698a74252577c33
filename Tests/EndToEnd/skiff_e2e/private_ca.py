# SPDX-License-Identifier: Apache-2.0
"""A certificate authority of a test's own, made by the openssl command."""

from __future__ import annotations

import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Certificate:
    """A server's certificate and key, as PEM files."""

    certificate: Path
    key: Path

    def server_context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, self.key)
        return context


class PrivateCA:
    """`bundle` is the PEM file that a client has to trust."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        directory.mkdir(parents=True, exist_ok=True)
        self.bundle, self._key = directory / "ca.pem", directory / "ca.key"
        openssl(
            *["req", "-x509", "-new", *NEW_KEY, "-keyout", self._key, "-out", self.bundle],
            *["-days", "2", "-subj", "/CN=Skiff test CA", "-addext", "keyUsage=keyCertSign"],
            *["-addext", "basicConstraints=critical,CA:TRUE"],
        )

    def issue(
        self, name: str = "server", *, hosts: str = "DNS:localhost,IP:127.0.0.1"
    ) -> Certificate:
        """A certificate for `hosts`, written as openssl writes subjectAltName."""
        made = Certificate(self._directory / f"{name}.pem", self._directory / f"{name}.key")
        request, extensions = self._directory / f"{name}.csr", self._directory / f"{name}.ext"
        extensions.write_text(f"subjectAltName={hosts}\n")
        openssl(
            "req", "-new", *NEW_KEY, "-keyout", made.key, "-out", request, "-subj", f"/CN={name}"
        )
        openssl(
            *["x509", "-req", "-in", request, "-CA", self.bundle, "-CAkey", self._key],
            *["-CAcreateserial", "-days", "2", "-extfile", extensions, "-out", made.certificate],
        )
        return made

    def client_context(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.bundle))


NEW_KEY = ["-newkey", "rsa:2048", "-nodes"]


def openssl(*arguments: object, stdin: bytes = b"") -> bytes:
    """Runs openssl and returns its output."""
    command = ["openssl", *map(str, arguments)]
    done = subprocess.run(command, input=stdin, capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout
