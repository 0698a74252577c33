# SPDX-License-Identifier: Apache-2.0
"""OCI image layouts on disk, and pushing them by the distribution API.

https://github.com/opencontainers/distribution-spec/blob/v1.0.1/spec.md#push
"""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
import ssl
from pathlib import Path
from urllib.parse import urlencode, urlsplit

LISTS = ("image.index.v1+json", "manifest.list.v2+json")


class OCILayout:
    """A folder with oci-layout, index.json and blobs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        version = json.loads((folder / "oci-layout").read_text())
        assert version == {"imageLayoutVersion": "1.0.0"}, version
        (self.root,) = json.loads((folder / "index.json").read_text())["manifests"]

    @property
    def digest(self) -> str:
        """The digest that a tag of this image resolves to."""
        return self.root["digest"]

    def blob(self, descriptor: dict) -> bytes:
        """A blob, checked against its descriptor."""
        data = (self.folder / "blobs" / descriptor["digest"].replace(":", "/")).read_bytes()
        assert len(data) == descriptor["size"], descriptor
        assert f"sha256:{hashlib.sha256(data).hexdigest()}" == descriptor["digest"], descriptor
        return data

    def manifests(self, root: dict | None = None) -> list[dict]:
        """Descriptors of all manifests, what an index names before the index itself."""
        root = root or self.root
        if not root["mediaType"].endswith(LISTS):
            return [root]
        named = json.loads(self.blob(root))["manifests"]
        return [inner for each in named for inner in self.manifests(each)] + [root]

    def blobs(self) -> list[dict]:
        """Descriptors of all configurations and layers."""
        found = {}
        for descriptor in self.manifests():
            if not descriptor["mediaType"].endswith(LISTS):
                manifest = json.loads(self.blob(descriptor))
                for blob in (manifest["config"], *manifest["layers"]):
                    found[blob["digest"]] = blob
        return list(found.values())


class RegistryClient:
    """Pushes and pulls; `context` is for TLS, `login` for a registry that wants a password."""

    def __init__(
        self,
        port: int,
        *,
        context: ssl.SSLContext | None = None,
        login: tuple[str, str] | None = None,
        token: str | None = None,
    ) -> None:
        self._port, self._context, self._headers = port, context, {}
        if login:
            self._headers["authorization"] = f"Basic {basic(*login)}"
        if token:
            self._headers["authorization"] = f"Bearer {token}"

    def push(self, layout: OCILayout, repository: str, tag: str = "latest") -> str:
        """Pushes an image under a tag and returns its digest."""
        for descriptor in layout.blobs():
            self._push_blob(repository, descriptor["digest"], layout.blob(descriptor))
        for descriptor in layout.manifests():
            reference = tag if descriptor["digest"] == layout.digest else descriptor["digest"]
            path = f"/v2/{repository}/manifests/{reference}"
            headers = {"content-type": descriptor["mediaType"]}
            _, answer, _ = self.ask("PUT", path, layout.blob(descriptor), headers, expect=201)
            assert answer["docker-content-digest"] == descriptor["digest"]
        return layout.digest

    def manifest(self, repository: str, reference: str, accept: str) -> tuple[str, bytes]:
        """The digest and the bytes of a manifest."""
        path = f"/v2/{repository}/manifests/{reference}"
        _, headers, data = self.ask("GET", path, headers={"accept": accept}, expect=200)
        return headers["docker-content-digest"], data

    def blob(self, repository: str, digest: str) -> bytes:
        return self.ask("GET", f"/v2/{repository}/blobs/{digest}", expect=200)[2]

    def ask(
        self, method: str, path: str, body: bytes = b"", headers: dict | None = None, *, expect=None
    ) -> tuple[int, dict[str, str], bytes]:
        """One request: status, headers (lower-case names) and body."""
        if self._context:
            connection = http.client.HTTPSConnection(
                "localhost", self._port, timeout=20, context=self._context
            )
        else:
            connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=20)
        try:
            connection.request(method, path, body, self._headers | (headers or {}))
            answer = connection.getresponse()
            data = answer.read()
        finally:
            connection.close()
        named = {name.lower(): value for name, value in answer.getheaders()}
        assert expect in (None, answer.status), (method, path, answer.status, data)
        return answer.status, named, data

    def _push_blob(self, repository: str, digest: str, data: bytes) -> None:
        blobs = f"/v2/{repository}/blobs"
        if self.ask("HEAD", f"{blobs}/{digest}")[0] == 200:
            return
        _, headers, _ = self.ask("POST", f"{blobs}/uploads/", expect=202)
        upload = urlsplit(headers["location"])
        query = "&".join(filter(None, [upload.query, urlencode({"digest": digest})]))
        binary = {"content-type": "application/octet-stream"}
        self.ask("PUT", f"{upload.path}?{query}", data, binary, expect=201)


def basic(user: str, password: str) -> str:
    return base64.b64encode(f"{user}:{password}".encode()).decode()


def docker_config(registries: dict[str, tuple[str, str]]) -> str:
    """A dockerconfigjson with a login for every host[:port]."""
    auths = {
        host: {"username": user, "password": password, "auth": basic(user, password)}
        for host, (user, password) in registries.items()
    }
    return json.dumps({"auths": auths})
