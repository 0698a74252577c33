# SPDX-License-Identifier: Apache-2.0
"""skiffctl apply --wait, history and rollback with three real Envoys, each behind its agent."""

from __future__ import annotations

import os
import pty
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest
from skiff_e2e.agent import Agent
from skiff_e2e.gateway import backend_yaml, free_port, gateway_yaml, route_yaml
from skiff_e2e.skiffd import Skiffd, program, write
from test_api_status import NAMES, Mesh, with_lua
from test_history import rows
from test_object_status import stopped
from test_skiffctl_api import Ctl

WEB = "virtualservice.networking.istio.io/web"
ORDER = "envoyfilter.networking.istio.io/order"
PROGRESS = re.compile(r"(waiting for skiffd|programmed \d/3) …")


@pytest.fixture(scope="module")
def mesh(tmp_path_factory):
    directory = tmp_path_factory.mktemp("rollout")
    flags = ["--api-address", "127.0.0.1:0"]
    with ExitStack() as stack:
        skiffd = stack.enter_context(Skiffd(None, directory, flags=flags)).wait_until_ready()
        mesh = Mesh(skiffd, directory / "home")
        mesh.ctl = Ctl(f"http://127.0.0.1:{skiffd.api}")
        with ThreadPoolExecutor() as pool:
            started = pool.map(lambda name: Agent(directory / name, skiffd.grpc, name=name), NAMES)
            mesh.agents = {name: stack.enter_context(agent) for name, agent in zip(NAMES, started)}
        mesh.ctl("apply", "-f", "-", stdin=gateway_yaml(free_port()) + "---\n"
                 + backend_yaml(free_port()))
        for agent in mesh.agents.values():
            agent.wait_until_ready()
        yield mesh


def test_apply_waits_for_the_last_proxy_of_all_objects(mesh):
    text = route_yaml("one") + "---\n" + gateway_yaml(free_port()).replace(
        "name: web", "name: nobody", 1).replace("istio: ingressgateway", "istio: nobody")
    lines = mesh.ctl("apply", "--wait", "-f", "-", stdin=text).splitlines()
    assert lines[:2] == [f"{WEB} created", "gateway.networking.istio.io/nobody created"]
    assert lines[-2:] == [
        f"{WEB} programmed 3/3",
        "gateway.networking.istio.io/nobody programmed 0/0, no connected proxy depends on it",
    ]
    assert all(re.fullmatch(r"programmed [012]/2 objects.* …", line) for line in lines[2:-2])
    assert len(lines) > 4
    # What is there already is waited for too.
    lines = mesh.ctl("apply", "--wait", "-f", "-", stdin=route_yaml("one")).splitlines()
    assert (lines[0], lines[-1]) == (f"{WEB} unchanged", f"{WEB} programmed 3/3")
    assert mesh.ctl("wait", "--for=condition=Programmed", "vs/web") == f"{WEB} condition met\n"


def test_progress_names_how_many_run_it(mesh, tmp_path):
    write(tmp_path / "route.yaml", route_yaml("two"))
    with stopped(mesh.agents["west"].envoy_pid):
        arguments = ["apply", "--wait", "-f", str(tmp_path / "route.yaml")]
        with mesh.ctl.start(tmp_path, "apply", *arguments) as apply:
            apply.wait_for_log("programmed 2/3 …")
            done = mesh.ctl.run(*arguments, "--timeout", "1s")
            assert (done.returncode, done.stderr) == (
                1, f"error: timed out waiting: {WEB} is programmed 2/3\n")
            os.kill(mesh.agents["west"].envoy_pid, 18)  # SIGCONT
            assert apply.child.wait(timeout=20) == 0
            lines = apply.log.splitlines()
    assert (lines[0], lines[-1]) == (f"{WEB} configured", f"{WEB} programmed 3/3")
    assert all(PROGRESS.fullmatch(line) for line in lines[1:-1])
    assert len(set(lines)) == len(lines)


def test_a_terminal_shows_one_line_that_is_drawn_again(mesh, tmp_path):
    write(tmp_path / "route.yaml", route_yaml("three"))
    control, terminal = pty.openpty()
    command = [program("skiffctl"), "apply", *mesh.ctl.flags, "--wait"]
    with subprocess.Popen(
        [*command, "-f", str(tmp_path / "route.yaml")], stdin=terminal, stdout=terminal,
        stderr=terminal,
    ) as child:
        os.close(terminal)
        output = b""
        try:
            while part := os.read(control, 4096):
                output += part
        except OSError:
            pass  # The other end is closed.
        assert child.wait(timeout=20) == 0
    os.close(control)
    first, _, rest = output.decode().partition("\r\n")
    assert first == f"{WEB} configured"
    drawn = rest.split("\r\x1b[K")
    assert (drawn[0], drawn[-1]) == ("", f"{WEB} programmed 3/3\r\n")
    assert len(drawn) > 2
    # The last drawing is taken away before what stays.
    assert all(PROGRESS.fullmatch(line) for line in drawn[1:-1])


def test_a_rejection_is_told_at_once_and_a_rollback_mends_it(mesh):
    name = ["-n", "istio-system"]
    ctl = mesh.ctl
    assert ctl("apply", "--wait", *name, "-f", "-", stdin=with_lua("fine")).splitlines()[-1] == (
        f"{ORDER} programmed 3/3")
    broken = with_lua("broken", "function envoy_on_request(")
    done = ctl.run("apply", "--wait", "-f", "-", stdin=broken + "\n---\n" + route_yaml("four"))
    lines = done.stdout.splitlines()
    assert (done.returncode, done.stderr) == (1, "")
    assert lines[:2] == [f"{ORDER} configured", f"{WEB} configured"]
    told = [line for line in lines if " rejected: " in line]
    assert told and all(line.startswith(f"{ORDER} rejected: ") for line in told)
    assert "script load error" in told[0]
    # Its neighbour has arrived.
    assert lines[-1] == f"{WEB} programmed 3/3"
    where = ("-n", "istio-system", "envoyfilter", "order")
    mesh.wait_until("all three", lambda: mesh.programmed(*where) == ("0/3", "3"))

    lines = ctl("rollback", "envoyfilter/order", *name, "--wait").splitlines()
    assert lines[0] == f"{ORDER} rolled back to revision 1"
    assert lines[1].startswith("  spec.configPatches[0].patch.value")
    assert lines[-1] == f"{ORDER} programmed 3/3"
    assert mesh.programmed(*where) == ("3/3", "0")

    history = rows(ctl("history", "envoyfilter/order", *name))
    assert [row[:2] for row in history] == [
        ["1", "skiffctl"], ["2", "skiffctl"], ["3", "skiffctl"]]
    assert [row[2].split(",")[0] for row in history][::2] == ["created", "as revision 1"]
    assert (history[0][3], history[2][3]) == ("programmed 3/3", "programmed 3/3")
    assert history[1][3].startswith("rejected by 3: ")
    table = mesh.kubectl(
        "get", "controllerrevisions", *name, "-l", "skiff.dev/name=order").splitlines()
    assert [re.split(r" {3,}", line)[:4] for line in table[1:]] == [
        [f"envoyfilter-order-{n}", ORDER, str(n), "skiffctl"] for n in (1, 2, 3)]
    assert "rejected by 3: " in table[2] and "programmed 3/3" in table[3]
    whole = ctl("history", "envoyfilter/order", *name, "--revision", "2")
    assert "script load error" in whole and "east.istio-system, north.istio-system" in whole
    ctl("delete", "envoyfilter/order", *name)
    assert ctl("rollback", "envoyfilter/order", *name, "--wait").splitlines()[-1] == (
        f"{ORDER} programmed 3/3")
    ctl("delete", "envoyfilter/order", *name)


def test_what_another_deletes_is_not_waited_for(mesh, tmp_path):
    with stopped(mesh.agents["west"].envoy_pid):
        write(tmp_path / "route.yaml", route_yaml("five"))
        arguments = ["apply", "--wait", "-f", str(tmp_path / "route.yaml")]
        with mesh.ctl.start(tmp_path, "apply", *arguments) as apply:
            apply.wait_for_log("programmed 2/3 …")
            mesh.kubectl("delete", "vs", "web")
            assert apply.child.wait(timeout=20) == 1
            assert apply.log.splitlines()[-1] == f"{WEB} deleted by another"
