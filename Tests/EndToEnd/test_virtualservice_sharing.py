# SPDX-License-Identifier: Apache-2.0
"""VirtualServices that share a host, delegate to each other, or are hidden from the gateway."""

from __future__ import annotations

import pytest

from skiff_e2e.stage import Stage, seen
from skiff_e2e.virtual_services import Routes, to, virtual_service


def at(path: str, **conditions) -> list[dict]:
    return [{"uri": {"prefix": path}, **conditions}]


def answers(text: str, **fields) -> dict:
    return {"directResponse": {"status": 200, "body": {"string": text}}, **fields}


def delegate(name: str, http: list[dict], **spec) -> dict:
    return virtual_service(name, http, hosts=None, gateways=None, **spec)


SHOP = [
    {"match": at("/shop", headers={"x-tenant": {"exact": "a"}}), "delegate": {"name": "shop"}},
    {"match": at("/team"), "delegate": {"name": "team", "namespace": "team"}, "timeout": "5s"},
    {"match": at("/hidden"), "delegate": {"name": "hidden", "namespace": "team"}},
    {"match": at("/absent"), "delegate": {"name": "absent"}},
    answers("root"),
]
SERVICES = [
    virtual_service("root", SHOP),
    delegate(
        "shop",
        [
            answers("cart", match=[{"uri": {"exact": "/shop/cart"}}]),
            answers("too wide", match=at("/elsewhere")),
            to("one", match=at("/shop/backend")),
            answers("shop"),
        ],
    ),
    delegate("team", [to("two")], namespace="team"),
    delegate("hidden", [answers("hidden")], namespace="team", exportTo=["."]),
    virtual_service(
        "younger",
        [answers("younger", match=at("/younger")), answers("lost", match=at("/both"))],
        hosts=["shared.example.com"],
        creationTimestamp="2026-02-01T00:00:00Z",
        namespace="other",
    ),
    virtual_service(
        "older",
        [answers("older", match=at("/both")), answers("everything")],
        hosts=["shared.example.com"],
        creationTimestamp="2026-01-01T00:00:00Z",
    ),
    virtual_service("own", [answers("own")], namespace="other", exportTo=["."]),
    virtual_service("named", [answers("named")], namespace="other", exportTo=["istio-system"]),
    virtual_service("elsewhere", [answers("elsewhere")], namespace="other", exportTo=["third"]),
    virtual_service("short", [to("one")], hosts=["short", "full.example.com"]),
]


@pytest.fixture(scope="module")
def routes(tmp_path_factory):
    with Stage(tmp_path_factory.mktemp("sharing")) as stage:
        yield Routes(stage, ["one", "two"], SERVICES)


TENANT = {"headers": {"x-tenant": "a"}}


@pytest.mark.parametrize(
    ("path", "options", "body"),
    [
        ("/shop/cart", TENANT, "cart"),
        ("/shop/other", TENANT, "shop"),
        ("/shop/cart", {}, "root"),
        ("/elsewhere", TENANT, "root"),
        ("/hidden", {}, "root"),
        ("/absent", {}, "root"),
    ],
)
def test_a_delegate_gets_what_root_and_delegate_match(routes, path, options, body):
    response = routes.get("root", path, **options)
    assert (response.status, response.body) == (200, body)


def test_a_delegate_forwards(routes):
    assert seen(routes.get("root", "/shop/backend", **TENANT))["backend"] == "one"
    assert seen(routes.get("root", "/team"))["backend"] == "two"


def test_what_is_left_out_of_a_delegation_is_said(routes):
    found = {
        (each["namespace"], each["name"], each["field"])
        for each in routes.stage.skiffd.get("/debug/problemsz")
    }
    assert {
        ("default", "root", "spec.http[2].delegate"),
        ("default", "root", "spec.http[3].delegate"),
        ("default", "shop", "spec.http[1].match[0]"),
    } <= found


def test_an_edit_of_a_delegate_changes_its_root(routes):
    edited = delegate("shop", [answers("edited")])
    routes.write([edited if each["metadata"]["name"] == "shop" else each for each in SERVICES])
    routes.stage.answer(
        lambda response: response.body == "edited", path="/shop/x", host="root.example.com", **TENANT
    )
    routes.write(SERVICES)
    routes.stage.answer(
        lambda response: response.body == "shop", path="/shop/x", host="root.example.com", **TENANT
    )


@pytest.mark.parametrize(
    ("path", "body"),
    [("/both", "older"), ("/younger", "younger"), ("/other", "everything")],
)
def test_two_on_one_host_are_tried_by_age_with_what_takes_everything_last(routes, path, body):
    assert routes.get("shared", path).body == body


@pytest.mark.parametrize(
    ("name", "status"), [("own", 404), ("named", 200), ("elsewhere", 404), ("unknown", 404)]
)
def test_what_is_not_exported_to_the_gateway_is_not_there(routes, name, status):
    assert routes.get(name).status == status


def test_a_short_host_is_a_service_of_the_namespace(routes):
    assert routes.stage.get(host="short.default.svc.cluster.local").status == 200
    assert routes.stage.get(host="full.example.com").status == 200
    assert routes.stage.get(host="short").status == 404


def test_envoy_refused_nothing(routes):
    assert routes.stage.skiffd.get("/debug/rejectsz")["totalRejects"] == 0
