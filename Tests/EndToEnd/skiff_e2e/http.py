# SPDX-License-Identifier: Apache-2.0
"""One HTTP/1.1 request on its own connection, and the whole response as a value to compare."""

from __future__ import annotations

import http.client
from dataclasses import dataclass, field

# What differs from run to run, or says nothing about the configuration under test.
VOLATILE = frozenset({"date", "x-envoy-upstream-service-time"})


@dataclass(frozen=True)
class Response:
    status: int
    # Lower-case names, volatile ones left out.
    headers: dict[str, str] = field(default_factory=dict)
    body: str = ""


def request(
    port: int,
    path: str = "/",
    *,
    host: str | None = None,
    method: str = "GET",
    headers: dict[str, str] | None = None,
    body: bytes | str | list[bytes] | None = None,
    timeout: float = 10,
) -> Response:
    """Sends a request to 127.0.0.1. A body given as a list goes chunked, one chunk an item."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        sent = {"host": host or "example.com"} | (headers or {})
        if isinstance(body, list):
            chunked = sent | {"transfer-encoding": "chunked"}
            connection.request(method, path, iter(body), chunked, encode_chunked=True)
        else:
            connection.request(method, path, body, sent)
        answer = connection.getresponse()
        text = answer.read().decode(errors="replace")
    finally:
        connection.close()
    return Response(answer.status, _headers_of(answer), text)


def _headers_of(answer: http.client.HTTPResponse) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in answer.getheaders():
        name = name.lower()
        if name not in VOLATILE:
            found[name] = f"{found[name]},{value}" if name in found else value
    return found
