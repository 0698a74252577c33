# SPDX-License-Identifier: Apache-2.0
"""What really became of an object: /debug/statusz and /debug/wait, with three real Envoys."""

from __future__ import annotations

import json
import os
import signal
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from skiff_e2e.gateway import backend_yaml, free_port, gateway_envoy, gateway_yaml, route_yaml
from skiff_e2e.http import request
from skiff_e2e.skiffd import Skiffd, write
from test_envoyfilter_live import ROUTER, envoy_filter, lua, patch

NAMES = ["east", "north", "west"]
TIMEOUT = 30


class Mesh:
    """skiffd, three gateways of one class, and the manifests of a route."""

    def __init__(self, directory) -> None:
        self.directory, self.config = directory, directory / "config"
        self.write("gateway.yaml", gateway_yaml(free_port()))
        self.write("backend.yaml", backend_yaml(free_port()))
        self.write("route.yaml", route_yaml("one"))
        self.envoys = {}

    def write(self, name: str, text: str) -> None:
        write(self.config / name, text)

    def ask(self, path: str) -> tuple[int, object]:
        answer = request(self.skiffd.http, path, timeout=TIMEOUT + 10)
        try:
            return answer.status, json.loads(answer.body)
        except ValueError:
            return answer.status, answer.body

    def wait(self, resource: str, *, generation: int | None = None, **query) -> tuple[int, dict]:
        query = {"timeout": f"{TIMEOUT}s"} | query
        if generation:
            query["generation"] = generation
        text = "&".join(f"{key}={value}" for key, value in query.items())
        return self.ask(f"/debug/wait?resource={resource}&{text}")

    def status(self, resource: str) -> dict:
        code, status = self.ask(f"/debug/statusz?resource={resource}")
        assert code == 200, status
        return status


def conditions(status: dict) -> dict[str, tuple[str, str, str]]:
    return {c["type"]: (c["status"], c["reason"], c["message"]) for c in status["conditions"]}


@contextmanager
def stopped(pid: int):
    """A process that gets no time, as one that reads nothing."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


@pytest.fixture
def mesh(tmp_path):
    mesh = Mesh(tmp_path)
    with Skiffd(mesh.config, tmp_path) as skiffd:
        mesh.skiffd = skiffd.wait_until_ready()
        with ThreadPoolExecutor() as pool:
            started = pool.map(
                lambda name: gateway_envoy(tmp_path, skiffd.grpc, name=name), NAMES)
            mesh.envoys = dict(zip(NAMES, started))
        try:
            for envoy in mesh.envoys.values():
                envoy.wait_until_ready()
            yield mesh
        finally:
            for envoy in mesh.envoys.values():
                envoy.stop()


def test_programmed_is_what_every_proxy_has_acknowledged(mesh):
    code, status = mesh.wait("virtualservice/default/web")
    assert code == 200
    assert status["proxies"] == {"total": 3, "programmed": 3, "pending": 0, "rejected": 0}
    assert conditions(status) == {
        "Accepted": ("True", "Valid", ""),
        "Programmed": ("True", "Programmed", "3 of 3 proxies run it"),
        "Rejected": ("False", "NotRejected", "no proxy rejects it"),
    }
    assert {c["observedGeneration"] for c in status["conditions"]} == {1}
    # An edit is a new generation, and is waited for before skiffd has read it.
    mesh.write("route.yaml", route_yaml("two"))
    code, status = mesh.wait("VirtualService/default/web", generation=2)
    assert (code, status["observedGeneration"]) == (200, 2)
    assert status["proxies"]["programmed"] == 3


def test_a_refused_object_says_so_in_envoys_words_and_others_do_not(mesh):
    mesh.write("filter.yaml", envoy_filter(patch("INSERT_BEFORE", lua("fine"), at=ROUTER)))
    assert mesh.wait("envoyfilter/istio-system/order", generation=1)[0] == 200
    broken = lua("broken")
    broken["typed_config"]["default_source_code"]["inline_string"] = "function envoy_on_request("
    mesh.write("filter.yaml", envoy_filter(patch("INSERT_BEFORE", broken, at=ROUTER)))
    code, status = mesh.wait(
        "envoyfilters.networking.istio.io/istio-system/order", generation=2, **{"for": "rejected"})
    assert code == 200
    found = mesh.wait("envoyfilter/istio-system/order", timeout="0s")
    assert found[0] == 504
    mesh.skiffd.wait_for(
        "all rejections",
        lambda: mesh.status("envoyfilter/istio-system/order")["proxies"]["rejected"] == 3)
    status = mesh.status("envoyfilter/istio-system/order")
    assert status["proxies"] == {"total": 3, "programmed": 0, "pending": 0, "rejected": 3}
    found = conditions(status)
    assert found["Programmed"] == (
        "False", "Rejected",
        "0 of 3 proxies run it; rejected by "
        "east.istio-system, north.istio-system, west.istio-system")
    assert found["Rejected"][:2] == ("True", "RejectedByProxy")
    assert "script load error" in found["Rejected"][2]
    assert "(east.istio-system, north.istio-system, west.istio-system, since " in (
        found["Rejected"][2])
    # The route has nothing to do with it.
    assert conditions(mesh.status("virtualservice/default/web"))["Programmed"][0] == "True"
    mesh.write("filter.yaml", envoy_filter(patch("INSERT_BEFORE", lua("mended"), at=ROUTER)))
    code, status = mesh.wait("envoyfilter/istio-system/order", generation=3)
    assert (code, status["proxies"]["programmed"]) == (200, 3)
    assert conditions(status)["Rejected"][0] == "False"


def test_a_proxy_that_does_not_answer_is_named(mesh):
    assert mesh.wait("virtualservice/default/web")[0] == 200
    with stopped(mesh.envoys["west"].child.pid):
        mesh.write("route.yaml", route_yaml("two"))
        mesh.skiffd.wait_for(
            "the others",
            lambda: (s := mesh.status("virtualservice/default/web"))["observedGeneration"] == 2
            and s["proxies"]["programmed"] == 2)
        code, status = mesh.wait("virtualservice/default/web", timeout="100ms")
        assert code == 504
        assert conditions(status)["Programmed"] == (
            "False", "Pending", "2 of 3 proxies run it; waiting for west.istio-system")
    assert mesh.wait("virtualservice/default/web")[0] == 200


def test_what_an_edit_takes_away_is_waited_for_too(mesh):
    selected = json.loads(envoy_filter(patch("INSERT_BEFORE", lua("fine"), at=ROUTER)))
    mesh.write("filter.yaml", json.dumps(selected))
    assert mesh.wait("envoyfilter/istio-system/order", generation=1)[0] == 200
    with stopped(mesh.envoys["west"].child.pid):
        selected["spec"]["workloadSelector"] = {"labels": {"app": "nobody"}}
        mesh.write("filter.yaml", json.dumps(selected))
        mesh.skiffd.wait_for(
            "the others",
            lambda: (s := mesh.status("envoyfilter/istio-system/order"))["observedGeneration"] == 2
            and s["proxies"] == {"total": 1, "programmed": 0, "pending": 1, "rejected": 0})
    mesh.skiffd.wait_for(
        "its end", lambda: mesh.status("envoyfilter/istio-system/order")["proxies"]["total"] == 0)
    assert conditions(mesh.status("envoyfilter/istio-system/order"))["Programmed"] == (
        "False", "NoProxies", "no connected proxy depends on it")


def test_an_invalid_edit_is_not_accepted_and_the_last_good_one_stays_programmed(mesh):
    assert mesh.wait("virtualservice/default/web")[0] == 200
    mesh.write("route.yaml", route_yaml("two").replace("number: 80", "number: eighty"))
    mesh.skiffd.wait_for(
        "the error",
        lambda: not conditions(mesh.status("virtualservice/default/web"))["Accepted"][0] == "True")
    found = conditions(mesh.status("virtualservice/default/web"))
    assert found["Accepted"][:2] == ("False", "Invalid")
    assert "spec.http[0].route[0].destination.port.number" in found["Accepted"][2]
    assert f"({mesh.config}/route.yaml:" in found["Accepted"][2]
    assert found["Programmed"] == ("True", "Programmed", "3 of 3 proxies run it")


def test_all_objects_have_a_status(mesh):
    assert mesh.wait("virtualservice/default/web")[0] == 200
    assert mesh.wait("gateway/default/web")[0] == 200
    assert mesh.wait("serviceentry/default/backend")[0] == 200
    code, rows = mesh.ask("/debug/statusz")
    assert code == 200
    assert [(r["kind"], r["name"], r["proxies"]["programmed"]) for r in rows] == [
        ("Gateway", "web", 3), ("ServiceEntry", "backend", 3), ("VirtualService", "web", 3)]


@pytest.mark.parametrize(
    ("query", "code", "says"),
    [
        ("", 400, "say which object: ?resource=KIND/NAMESPACE/NAME"),
        ("resource=web", 400, "say which object: ?resource=KIND/NAMESPACE/NAME, found"),
        ("resource=vegetable/default/web", 400, "unknown kind"),
        ("resource=gateway/default/none", 404, "Gateway default/none not found"),
        ("resource=gateway/default/web&generation=x", 400, "generation: expected a number"),
        ("resource=gateway/default/web&for=Ready", 400, "for: expected one of Accepted"),
        ("resource=gateway/default/web&timeout=2", 400, "timeout: expected a duration"),
        ("resource=gateway/default/web&timeout=-1s", 400, "timeout: expected a duration"),
        ("resource=gateway/default/web&timeout=0s", 504, '"reason":"NoProxies"'),
    ],
)
def test_a_bad_question_gets_a_sentence(quiet, query, code, says):
    answer = request(quiet.http, f"/debug/wait?{query}")
    text = str(answer.body).replace("\\/", "/")
    assert (answer.status, says in text) == (code, True), text


@pytest.fixture(scope="module")
def quiet(tmp_path_factory):
    """skiffd without proxies."""
    directory = tmp_path_factory.mktemp("quiet")
    write(directory / "config" / "gateway.yaml", gateway_yaml(free_port()))
    with Skiffd(directory / "config", directory) as skiffd:
        yield skiffd.wait_until_ready()
