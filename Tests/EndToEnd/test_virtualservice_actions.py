# SPDX-License-Identifier: Apache-2.0
"""What a VirtualService does with a request: redirects, answers, rewrites, headers, weights, CORS."""

from __future__ import annotations

import base64
import json
from collections import Counter

import pytest

from skiff_e2e.stage import Stage, seen
from skiff_e2e.virtual_services import Routes, to, virtual_service

ORIGIN = "https://shop.example.com"


def at(path: str) -> list[dict]:
    return [{"uri": {"prefix": path}}]


REDIRECTS = {
    "uri": {"uri": "/new"},
    "authority": {"authority": "new.example.com"},
    "scheme": {"scheme": "https"},
    "port": {"port": 8443, "scheme": "https"},
    "elided": {"port": 443, "scheme": "https"},
    "request-port": {"derivePort": "FROM_REQUEST_PORT", "authority": "new.example.com"},
    "all": {
        "uri": "/new?a=b",
        "authority": "new.example.com",
        "scheme": "https",
        "port": 8443,
        "redirectCode": 308,
    },
    **{f"code-{code}": {"uri": "/", "redirectCode": code} for code in (302, 303, 307)},
}
REWRITES = [
    to(match=at("/prefix/"), rewrite={"uri": "/"}),
    to(match=[{"uri": {"exact": "/exact"}}], rewrite={"uri": "/other"}),
    to(
        match=at("/regex"),
        rewrite={"uriRegexRewrite": {"match": "^/regex/([^/]+)/(.*)$", "rewrite": "/\\2/of/\\1"}},
    ),
    to(match=at("/authority"), rewrite={"authority": "inner.example.com"}),
    to(match=at("/header"), headers={"request": {"set": {"Host": "set.example.com"}}}),
    to(),
]
HEADERS = to(
    headers={
        "request": {
            "set": {"x-set": "new", "x-from": "%REQ(:AUTHORITY)%", "x-percent": "100%%"},
            "add": {"x-add": "two"},
            "remove": ["x-secret"],
        },
        "response": {"set": {"x-set": "b"}, "add": {"x-add": "a"}, "remove": ["content-type"]},
    }
)
HEADERS["route"][0]["headers"] = {
    "request": {"set": {"x-destination": "one"}},
    "response": {"set": {"x-destination": "one"}},
}
WEIGHTS = {
    "route": [
        {"destination": {"host": "one.internal"}, "weight": 75},
        {
            "destination": {"host": "two.internal"},
            "weight": 25,
            "headers": {"response": {"set": {"x-version": "two"}}},
        },
        {"destination": {"host": "never.internal"}, "weight": 0},
    ]
}


def cors(path: str, **policy) -> dict:
    return to(match=at(path), corsPolicy={"allowOrigins": [{"exact": ORIGIN}], **policy})


CORS = [
    cors(
        "/full",
        allowMethods=["GET", "PUT"],
        allowHeaders=["x-one"],
        exposeHeaders=["x-two"],
        maxAge="1h",
        allowCredentials=True,
        unmatchedPreflights="IGNORE",
    ),
    cors("/forward", unmatchedPreflights="FORWARD"),
    to(match=at("/regex"), corsPolicy={"allowOrigins": [{"regex": "https://[a-z]+\\.example\\.com"}]}),
    to(match=at("/prefix"), corsPolicy={"allowOrigins": [{"prefix": "https://shop."}]}),
    to(),
]


@pytest.fixture(scope="module")
def routes(tmp_path_factory):
    redirects = [
        {"match": [{"uri": {"exact": f"/{name}"}}], "redirect": redirect}
        for name, redirect in REDIRECTS.items()
    ]
    binary = base64.b64encode(b"bytes").decode()
    answers = [
        {"match": at("/text"), "directResponse": {"status": 503, "body": {"string": "closed"}}},
        {"match": at("/bytes"), "directResponse": {"status": 200, "body": {"bytes": binary}}},
        {"match": at("/large"), "directResponse": {"status": 200, "body": {"string": "x" * 99_000}}},
        {"directResponse": {"status": 404}},
    ]
    services = [
        virtual_service("redirects", redirects),
        virtual_service("answers", answers),
        virtual_service("rewrites", REWRITES),
        virtual_service("headers", [HEADERS]),
        virtual_service("weights", [WEIGHTS]),
        virtual_service("cors", CORS),
    ]
    with Stage(tmp_path_factory.mktemp("actions")) as stage:
        yield Routes(stage, ["one", "two"], services)


@pytest.mark.parametrize(
    ("name", "status", "location"),
    [
        ("uri", 301, "http://redirects.example.com/new"),
        ("authority", 301, "http://new.example.com/authority"),
        ("scheme", 301, "https://redirects.example.com/scheme"),
        ("port", 301, "https://redirects.example.com:8443/port"),
        ("elided", 301, "https://redirects.example.com/elided"),
        ("request-port", 301, "http://new.example.com:{port}/request-port"),
        ("all", 308, "https://new.example.com:8443/new?a=b"),
        ("code-302", 302, "http://redirects.example.com/"),
        ("code-303", 303, "http://redirects.example.com/"),
        ("code-307", 307, "http://redirects.example.com/"),
    ],
)
def test_a_redirect_says_where(routes, name, status, location):
    response = routes.get("redirects", f"/{name}")
    expected = location.format(port=routes.stage.port)
    assert (response.status, response.headers["location"]) == (status, expected)


def test_a_redirect_keeps_path_and_query_that_it_does_not_replace(routes):
    response = routes.get("redirects", "/scheme?a=b")
    assert response.headers["location"] == "https://redirects.example.com/scheme?a=b"


@pytest.mark.parametrize(
    ("path", "status", "body"),
    [("/text", 503, "closed"), ("/bytes", 200, "bytes"), ("/large", 200, "x" * 99_000), ("/", 404, "")],
)
def test_a_direct_response_is_the_answer(routes, path, status, body):
    response = routes.get("answers", path)
    assert (response.status, response.body) == (status, body)


@pytest.mark.parametrize(
    ("path", "sent", "host"),
    [
        ("/prefix/a/b?c=d", "/a/b?c=d", "rewrites.example.com"),
        ("/exact", "/other", "rewrites.example.com"),
        ("/regex/one/two/three", "/two/three/of/one", "rewrites.example.com"),
        ("/authority", "/authority", "inner.example.com"),
        ("/header", "/header", "set.example.com"),
        ("/none", "/none", "rewrites.example.com"),
    ],
)
def test_a_rewrite_changes_what_the_backend_sees(routes, path, sent, host):
    request = seen(routes.get("rewrites", path))
    assert (request["path"], request["headers"]["host"]) == (sent, host)


def test_headers_are_set_added_and_removed_on_both_ways(routes):
    sent = {"x-set": "old", "x-add": "one", "x-secret": "s"}
    response = routes.get("headers", headers=sent)
    headers = dict(seen(response)["headers"])
    assert headers["x-set"] == "new" and "x-secret" not in headers
    assert headers["x-from"] == "headers.example.com" and headers["x-percent"] == "100%"
    assert headers["x-destination"] == "one"
    every = json.loads(response.body)["headers"]
    received = [value for name, value in every if name == "x-add"]
    assert received in (["one", "two"], ["one,two"])
    assert response.headers["x-set"] == "b" and "content-type" not in response.headers
    assert response.headers["x-add"] == "a" and response.headers["x-destination"] == "one"


def test_weights_share_the_requests(routes):
    """200 requests at 75 to 25: six standard deviations around the mean."""
    answers = [routes.get("weights") for _ in range(200)]
    counts = Counter(seen(answer)["backend"] for answer in answers)
    assert set(counts) == {"one", "two"} and 13 <= counts["two"] <= 87
    marked = {(seen(answer)["backend"], answer.headers.get("x-version")) for answer in answers}
    assert marked == {("one", None), ("two", "two")}


def preflight(routes, path: str, origin: str):
    asked = {"origin": origin, "access-control-request-method": "PUT"}
    return routes.get("cors", path, method="OPTIONS", headers=asked)


def test_a_preflight_of_an_allowed_origin_is_answered(routes):
    response = preflight(routes, "/full", ORIGIN)
    assert (response.status, response.body) == (200, "")
    wanted = {
        "access-control-allow-origin": ORIGIN,
        "access-control-allow-methods": "GET,PUT",
        "access-control-allow-headers": "x-one",
        "access-control-max-age": "3600",
        "access-control-allow-credentials": "true",
    }
    assert wanted.items() <= response.headers.items()


def test_a_request_of_an_allowed_origin_is_marked(routes):
    response = routes.get("cors", "/full", headers={"origin": ORIGIN})
    assert seen(response)["backend"] == "one"
    assert response.headers["access-control-allow-origin"] == ORIGIN
    assert response.headers["access-control-expose-headers"] == "x-two"
    other = routes.get("cors", "/full", headers={"origin": "https://evil.example.com"})
    assert other.status == 200 and "access-control-allow-origin" not in other.headers


def test_a_preflight_of_another_origin_is_ignored_or_forwarded(routes):
    ignored = preflight(routes, "/full", "https://evil.example.com")
    assert ignored.body == "" and "access-control-allow-origin" not in ignored.headers
    forwarded = preflight(routes, "/forward", "https://evil.example.com")
    assert seen(forwarded)["method"] == "OPTIONS"
    assert "access-control-allow-origin" not in forwarded.headers


@pytest.mark.parametrize("path", ["/regex", "/prefix"])
def test_origins_match_by_expression_and_prefix(routes, path):
    allowed = preflight(routes, path, ORIGIN)
    assert allowed.headers["access-control-allow-origin"] == ORIGIN
    other = preflight(routes, path, "https://x1.example.org")
    assert "access-control-allow-origin" not in other.headers


def test_a_route_without_a_policy_knows_no_cors(routes):
    assert seen(preflight(routes, "/none", ORIGIN))["method"] == "OPTIONS"
