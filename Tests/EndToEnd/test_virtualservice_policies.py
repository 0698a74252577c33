# SPDX-License-Identifier: Apache-2.0
"""How a VirtualService treats a request on its way: timeouts, retries, faults, mirrors."""

from __future__ import annotations

import time

import pytest

from skiff_e2e.stage import Stage, seen
from skiff_e2e.virtual_services import Routes, new_key, to, virtual_service

ALL = {"value": 100}
# Envoy counts the milliseconds of its loop, which may have begun a little earlier.
EARLY = 0.01


def at(path: str) -> list[dict]:
    return [{"uri": {"prefix": path}}]


TIMEOUTS = [
    to(match=at("/short"), timeout="0.2s", retries={"attempts": 0}),
    to(
        match=at("/per-try"),
        retries={"attempts": 2, "perTryTimeout": "150ms", "retryOn": "gateway-error"},
    ),
    to(),
]
RETRIES = [
    to(match=at("/codes"), retries={"attempts": 3, "retryOn": "503", "backoff": "1ms"}),
    to(match=at("/5xx"), retries={"attempts": 2, "retryOn": "5xx", "backoff": "1ms"}),
    to(match=at("/none"), retries={"attempts": 0}),
    to(),
]
FAULTS = [
    to(match=at("/delay"), fault={"delay": {"fixedDelay": "0.4s", "percentage": ALL}}),
    to(match=at("/abort"), fault={"abort": {"httpStatus": 418, "percentage": ALL}}),
    to(match=at("/grpc"), fault={"abort": {"grpcStatus": "UNAVAILABLE", "percentage": ALL}}),
    to(match=at("/half"), fault={"abort": {"httpStatus": 503, "percentage": {"value": 50}}}),
    to(match=at("/zero"), fault={"abort": {"httpStatus": 503, "percentage": {"value": 0}}}),
    to(
        match=at("/both"),
        fault={
            "delay": {"fixedDelay": "0.3s", "percentage": ALL},
            "abort": {"httpStatus": 500, "percentage": ALL},
        },
    ),
    to(),
]
COPY = {"host": "copy.internal"}
MIRRORS = [
    to(match=at("/all"), mirror=COPY),
    to(match=at("/zero"), mirror=COPY, mirrorPercentage={"value": 0}),
    to(match=at("/half"), mirror=COPY, mirrorPercentage={"value": 50}),
    to(match=at("/two"), mirrors=[{"destination": COPY}, {"destination": {"host": "two.internal"}}]),
    to(),
]


@pytest.fixture(scope="module")
def routes(tmp_path_factory):
    services = [
        virtual_service("timeouts", TIMEOUTS),
        virtual_service("retries", RETRIES),
        virtual_service("faults", FAULTS),
        virtual_service("mirrors", MIRRORS),
    ]
    with Stage(tmp_path_factory.mktemp("policies")) as stage:
        running = Routes(stage, ["one", "two", "copy"], services)
        yield running
        running.backends["one"].let_go()


def arrived(routes, backend: str, key: dict[str, str]) -> list[dict]:
    return routes.backends[backend].requests(key["x-key"])


def test_a_timeout_ends_a_request_that_gets_no_answer(routes):
    key = new_key()
    began = time.monotonic()
    response = routes.get("timeouts", "/short", headers={"x-hold": "1", **key})
    assert (response.status, response.body) == (504, "upstream request timeout")
    assert time.monotonic() - began >= 0.2 - EARLY
    assert len(arrived(routes, "one", key)) == 1


def test_each_try_has_its_own_timeout(routes):
    key = new_key()
    response = routes.get("timeouts", "/per-try", headers={"x-hold": "1", **key})
    assert response.status == 504
    assert len(arrived(routes, "one", key)) == 3


@pytest.mark.parametrize(
    ("path", "answers", "status", "tries"),
    [
        ("/codes", "503,503,200", 200, 3),
        ("/codes", "503", 503, 4),
        ("/codes", "500,200", 500, 1),
        ("/5xx", "500,502,200", 200, 3),
        ("/5xx", "404,200", 404, 1),
        ("/none", "503,200", 503, 1),
        # The default retries what did not reach the application, and says nothing of 503.
        ("/default", "503,200", 503, 1),
    ],
)
def test_retries_are_seen_by_the_backend(routes, path, answers, status, tries):
    key = new_key()
    response = routes.get("retries", path, headers={"x-answers": answers, **key})
    assert response.status == status
    attempts = [each["headers"]["x-envoy-attempt-count"] for each in arrived(routes, "one", key)]
    assert attempts == [str(number + 1) for number in range(tries)]


def test_a_delay_is_at_least_as_long_as_it_says(routes):
    began = time.monotonic()
    response = routes.get("faults", "/delay")
    assert seen(response)["backend"] == "one"
    assert time.monotonic() - began >= 0.4 - EARLY


def test_an_abort_answers_without_the_backend(routes):
    key = new_key()
    response = routes.get("faults", "/abort", headers=key)
    assert (response.status, response.body) == (418, "fault filter abort")
    grpc = routes.get("faults", "/grpc", headers={"content-type": "application/grpc", **key})
    assert (grpc.status, grpc.headers["grpc-status"]) == (200, "14")
    assert arrived(routes, "one", key) == []


def test_a_delay_and_an_abort_add_up(routes):
    began = time.monotonic()
    assert routes.get("faults", "/both").status == 500
    assert time.monotonic() - began >= 0.3 - EARLY


def test_a_share_of_the_requests_fails(routes):
    """200 requests at one half: six standard deviations around the mean."""
    statuses = [routes.get("faults", "/half").status for _ in range(200)]
    assert set(statuses) == {200, 503} and 58 <= statuses.count(503) <= 142
    assert {routes.get("faults", "/zero").status for _ in range(50)} == {200}
    assert routes.get("faults", "/none").status == 200


def copied(routes, backend: str, path: str) -> dict:
    """The copy of a request that arrives at a backend, waited for."""
    key = new_key()
    response = routes.get("mirrors", path, headers=key)
    assert seen(response)["backend"] == "one"
    (copy,) = routes.stage.envoy.wait_for("the copy", lambda: arrived(routes, backend, key))
    return copy


def test_a_mirror_gets_a_copy(routes):
    copy = copied(routes, "copy", "/all/x")
    assert copy["path"] == "/all/x"
    assert copy["headers"]["host"] == "mirrors.example.com"


def test_every_mirror_gets_a_copy(routes):
    copied(routes, "copy", "/two")
    copied(routes, "two", "/two")


def test_a_share_of_the_requests_is_copied(routes):
    """200 requests at one half: six standard deviations around the mean."""
    key, none = new_key(), new_key()
    for _ in range(200):
        assert routes.get("mirrors", "/half", headers=key).status == 200
    for _ in range(20):
        routes.get("mirrors", "/zero", headers=none)
    # What was sent before a copy that has arrived may still be on its way by another connection.
    copied(routes, "copy", "/all")
    routes.stage.envoy.wait_for("the copies", lambda: len(arrived(routes, "copy", key)) >= 58)
    assert len(arrived(routes, "copy", key)) <= 142
    assert arrived(routes, "copy", none) == []
