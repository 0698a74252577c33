# SPDX-License-Identifier: Apache-2.0
"""Every kind of match of a VirtualService in a real Envoy: what it takes, and what it leaves."""

from __future__ import annotations

import pytest

from skiff_e2e.stage import Stage
from skiff_e2e.virtual_services import Routes, to, virtual_service

MATCHES = {
    "exact": {"uri": {"exact": "/one"}},
    "prefix": {"uri": {"prefix": "/one"}},
    "regex": {"uri": {"regex": "/v[0-9]+/.*"}},
    "ignore-case": {"uri": {"prefix": "/One"}, "ignoreUriCase": True},
    "scheme": {"scheme": {"exact": "http"}},
    "other-scheme": {"scheme": {"exact": "https"}},
    "method": {"method": {"exact": "PUT"}},
    "authority": {"authority": {"prefix": "authority."}},
    "other-authority": {"authority": {"regex": ".*\\.org"}},
    "header-exact": {"headers": {"x-a": {"exact": "one"}}},
    "header-prefix": {"headers": {"x-a": {"prefix": "on"}}},
    "header-regex": {"headers": {"x-a": {"regex": "o[a-z]+"}}},
    "header-present": {"headers": {"x-a": {}}},
    "header-any": {"headers": {"x-a": {"regex": "*"}}},
    "without-exact": {"withoutHeaders": {"x-a": {"exact": "one"}}},
    "without-present": {"withoutHeaders": {"x-a": {}}},
    "query-exact": {"queryParams": {"q": {"exact": "one"}}},
    "query-prefix": {"queryParams": {"q": {"prefix": "on"}}},
    "query-regex": {"queryParams": {"q": {"regex": "[0-9]+"}}},
    "query-present": {"queryParams": {"q": {}}},
    "source-labels": {"sourceLabels": {"istio": "ingressgateway"}},
    "other-labels": {"sourceLabels": {"istio": "egressgateway"}},
    "source-namespace": {"sourceNamespace": "istio-system"},
    "other-namespace": {"sourceNamespace": "default"},
    "gateways": {"gateways": ["web"]},
    "other-gateways": {"gateways": ["mesh"]},
    "other-port": {"port": 1},
    "both": {"uri": {"prefix": "/one"}, "headers": {"x-a": {"exact": "one"}}},
    "claims": {"headers": {"@request.auth.claims.group": {"exact": "admin"}}},
}
A = {"headers": {"x-a": "one"}}
OTHER = {"headers": {"x-a": "two"}}
# The match, the path, the rest of the request, and whether it is taken.
CASES = [
    ("exact", "/one", {}, True),
    ("exact", "/one?q=1", {}, True),
    ("exact", "/one/two", {}, False),
    ("exact", "/One", {}, False),
    ("prefix", "/one/two", {}, True),
    ("prefix", "/onetwo", {}, True),
    ("prefix", "/two/one", {}, False),
    ("regex", "/v12/x", {}, True),
    ("regex", "/v/x", {}, False),
    ("regex", "/a/v1/x", {}, False),
    ("ignore-case", "/ONE/two", {}, True),
    ("ignore-case", "/two", {}, False),
    ("scheme", "/", {}, True),
    ("other-scheme", "/", {}, False),
    ("method", "/", {"method": "PUT"}, True),
    ("method", "/", {"method": "GET"}, False),
    ("authority", "/", {}, True),
    ("other-authority", "/", {}, False),
    ("header-exact", "/", A, True),
    ("header-exact", "/", OTHER, False),
    ("header-exact", "/", {}, False),
    ("header-prefix", "/", A, True),
    ("header-prefix", "/", OTHER, False),
    ("header-regex", "/", A, True),
    ("header-regex", "/", OTHER, False),
    ("header-present", "/", OTHER, True),
    ("header-present", "/", {}, False),
    ("header-any", "/", OTHER, True),
    ("header-any", "/", {}, False),
    ("without-exact", "/", A, False),
    ("without-exact", "/", OTHER, True),
    ("without-exact", "/", {}, True),
    ("without-present", "/", OTHER, False),
    ("without-present", "/", {}, True),
    ("query-exact", "/?q=one&r=2", {}, True),
    ("query-exact", "/?q=two", {}, False),
    ("query-prefix", "/?q=once", {}, True),
    ("query-prefix", "/?q=two", {}, False),
    ("query-regex", "/?q=12", {}, True),
    ("query-regex", "/?q=a1", {}, False),
    ("query-present", "/?q=", {}, True),
    ("query-present", "/?r=1", {}, False),
    ("source-labels", "/", {}, True),
    ("other-labels", "/", {}, False),
    ("source-namespace", "/", {}, True),
    ("other-namespace", "/", {}, False),
    ("gateways", "/", {}, True),
    ("other-gateways", "/", {}, False),
    ("other-port", "/", {}, False),
    ("both", "/one", A, True),
    ("both", "/one", {}, False),
    ("both", "/two", A, False),
    ("claims", "/", {}, False),
]


@pytest.fixture(scope="module")
def routes(tmp_path_factory):
    services = [
        virtual_service(name, [to(mark="taken", match=[match]), to(mark="left")])
        for name, match in MATCHES.items()
    ]
    one, two, three = ({"uri": {"exact": f"/{name}"}} for name in ("one", "two", "three"))
    several = [to(mark="first", match=[one, two]), to(mark="second", match=[two, three])]
    services.append(virtual_service("several", several))
    with Stage(tmp_path_factory.mktemp("match")) as stage:
        yield Routes(stage, ["one"], services)


@pytest.mark.parametrize(("name", "path", "request_", "taken"), CASES)
def test_a_match_takes_what_it_says(routes, name, path, request_, taken):
    response = routes.get(name, path, **request_)
    assert (response.status, response.headers["x-route"]) == (200, "taken" if taken else "left")


def test_any_match_of_a_route_is_enough_and_the_first_route_wins(routes):
    marks = [routes.get("several", path).headers.get("x-route") for path in ("/one", "/two", "/three")]
    assert marks == ["first", "first", "second"]
    assert routes.get("several", "/four").status == 404
