# SPDX-License-Identifier: Apache-2.0
"""A token server in front of a registry: who has the login gets a signed token to pull with."""

from __future__ import annotations

import base64
import json
import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from .oci import basic
from .private_ca import PrivateCA, openssl


@dataclass(frozen=True)
class TokenRequest:
    scope: str
    authorization: str | None


class TokenServer:
    """Issues the tokens that a registry wants, to whoever has the login.

    https://distribution.github.io/distribution/spec/auth/token/
    """

    ISSUER, SERVICE = "skiff-tests", "registry.test"

    def __init__(self, directory: Path, *, login: tuple[str, str] = ("puller", "pull-me")) -> None:
        self.login = login
        self.seen: list[TokenRequest] = []
        # Set to answer every request with this status, such as 500.
        self.failure: int | None = None
        self._signer = PrivateCA(directory / "tokens").issue("signer")
        self._server = _TokenListener(("127.0.0.1", 0), _TokenHandler)
        self._server.owner = self
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/token"
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.05,), daemon=True
        )

    @property
    def registry_settings(self) -> dict:
        return {
            "realm": self.url,
            "service": self.SERVICE,
            "issuer": self.ISSUER,
            "rootcertbundle": str(self._signer.certificate),
        }

    def issue(self, repository: str, actions: list[str]) -> str:
        """A token for a repository, valid for five minutes."""
        pem = self._signer.certificate.read_text()
        encoded = "".join(line for line in pem.splitlines() if not line.startswith("-----"))
        now = int(time.time())
        access = [{"type": "repository", "name": repository, "actions": actions}]
        claims = {"iss": self.ISSUER, "sub": self.login[0], "aud": self.SERVICE, "jti": str(now)}
        claims |= {"nbf": now - 60, "iat": now, "exp": now + 300, "access": access}
        header = {"typ": "JWT", "alg": "RS256", "x5c": [encoded]}
        signed = f"{_encoded(json.dumps(header))}.{_encoded(json.dumps(claims))}"
        signature = openssl("dgst", "-sha256", "-sign", self._signer.key, stdin=signed.encode())
        return f"{signed}.{_encoded(signature)}"

    def __enter__(self) -> TokenServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _TokenListener(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """A peer that hangs up in the middle is part of some tests."""


class _TokenHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        owner: TokenServer = self.server.owner
        query = parse_qs(urlsplit(self.path).query)
        scope = query.get("scope", [""])[0]
        authorization = self.headers.get("authorization")
        owner.seen.append(TokenRequest(scope, authorization))
        if owner.failure:
            return self._answer(owner.failure, {"details": "told to fail"})
        if authorization != f"Basic {basic(*owner.login)}":
            return self._answer(401, {"details": "wrong user name or password"})
        kind, repository, actions = (scope.split(":") + ["", ""])[:3]
        if kind != "repository" or query.get("service") != [owner.SERVICE]:
            return self._answer(400, {"details": f"unknown scope {scope!r} or service"})
        allowed = [action for action in actions.split(",") if action == "pull"]
        self._answer(200, {"token": owner.issue(repository, allowed), "expires_in": 300})

    def _answer(self, status: int, content: dict) -> None:
        data = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """The test's output is not the place for an access log."""


def _encoded(data: bytes | str) -> str:
    raw = data.encode() if isinstance(data, str) else data
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
