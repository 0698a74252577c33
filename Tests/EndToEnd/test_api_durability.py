# SPDX-License-Identifier: Apache-2.0
"""The store under kill -9: what was answered is there, once, and watches go on or are told."""

from __future__ import annotations

import http.client
import json
import threading
from collections import Counter
from pathlib import Path

from skiff_e2e.http import request
from skiff_e2e.skiffd import Skiffd

PLUGINS = "/apis/extensions.istio.io/v1alpha1/namespaces/default/wasmplugins"
KILLS = 100


def plugin(name: str, priority: int = 0) -> str:
    return json.dumps(
        {
            "apiVersion": "extensions.istio.io/v1alpha1",
            "kind": "WasmPlugin",
            "metadata": {"name": name},
            "spec": {"url": "file:///a.wasm", "priority": priority},
        }
    )


def start(directory: Path, generation: int) -> Skiffd:
    flags = ["--api-address", "127.0.0.1:0", "--data-dir", str(directory / "data")]
    return Skiffd(None, directory, name=f"skiffd-{generation}", flags=flags)


class Writers:
    """Writes objects until the server dies under them; remembers what was answered."""

    def __init__(self, port: int, generation: int, answered: dict[str, int]) -> None:
        self.port, self.generation, self.answered = port, generation, answered
        self.enough = threading.Event()
        self.threads = [threading.Thread(target=self.write, args=(n,)) for n in range(3)]
        for thread in self.threads:
            thread.start()

    def write(self, writer: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        headers = {"content-type": "application/json"}
        count = 0
        try:
            while True:
                name = f"g{self.generation}-w{writer}-{count}"
                connection.request("POST", PLUGINS, plugin(name), headers)
                response = connection.getresponse()
                body = json.loads(response.read())
                assert response.status == 201, body
                self.answered[name] = int(body["metadata"]["resourceVersion"])
                count += 1
                if count >= 3:
                    self.enough.set()
        except (OSError, http.client.HTTPException, ValueError):
            self.enough.set()
        finally:
            connection.close()


def test_a_hundred_kills_lose_nothing_that_was_answered(tmp_path):
    answered: dict[str, int] = {}
    for generation in range(KILLS):
        skiffd = start(tmp_path, generation)
        writers = Writers(skiffd.api, generation, answered)
        assert writers.enough.wait(20)
        skiffd.child.kill()
        skiffd.child.wait()
        for thread in writers.threads:
            thread.join(20)
    with start(tmp_path, KILLS) as skiffd:
        items = json.loads(request(skiffd.api, PLUGINS).body)["items"]
        names = Counter(item["metadata"]["name"] for item in items)
        versions = {
            item["metadata"]["name"]: int(item["metadata"]["resourceVersion"]) for item in items
        }
        assert len(answered) >= KILLS * 3
        assert set(names.values()) == {1}
        # The status of each may have been written since.
        assert all(version <= versions.get(name, 0) for name, version in answered.items())
        assert len(set(versions.values())) == len(versions)
        # What was on its way when the server died may be there: one for each writer and kill.
        assert len(names) - len(answered) <= KILLS * 3
        assert_watch_tells_all(skiffd, versions)


def assert_watch_tells_all(skiffd: Skiffd, versions: dict[str, int]) -> None:
    """A watch from long ago gets every later change, in order, across all the kills."""
    ordered = sorted(versions.values())
    since = ordered[len(ordered) // 2]
    events = watch(skiffd, f"resourceVersion={since}&timeoutSeconds=1")
    seen = [int(event["object"]["metadata"]["resourceVersion"]) for event in events]
    assert seen == sorted(set(seen))
    told = {
        event["object"]["metadata"]["name"]: int(event["object"]["metadata"]["resourceVersion"])
        for event in events
    }
    # Its status may be written while this looks.
    assert all(
        told.get(name, 0) >= version for name, version in versions.items() if version > since)
    assert {event["type"] for event in events} <= {"ADDED", "MODIFIED"}


def watch(skiffd: Skiffd, query: str) -> list[dict]:
    answer = request(skiffd.api, f"{PLUGINS}?watch=true&{query}", timeout=20)
    return [json.loads(line) for line in answer.body.splitlines()]


def test_a_watch_that_asks_for_too_much_is_told_to_list_again(tmp_path):
    with start(tmp_path, 0) as skiffd:
        connection = http.client.HTTPConnection("127.0.0.1", skiffd.api, timeout=10)
        headers = {"content-type": "application/merge-patch+json"}
        # Large objects fill the log sooner than ten thousand small ones.
        large = json.loads(plugin("a"))
        large["spec"]["pluginConfig"] = {"text": "x" * 1_000_000}
        connection.request("POST", PLUGINS, json.dumps(large), {"content-type": "application/json"})
        first = json.loads(connection.getresponse().read())["metadata"]["resourceVersion"]
        for count in range(100):
            body = json.dumps({"spec": {"priority": count + 1}})
            connection.request("PATCH", f"{PLUGINS}/a", body, headers)
            response = connection.getresponse()
            response.read()
            assert response.status == 200
        connection.close()
        (event,) = watch(skiffd, f"resourceVersion={first}&timeoutSeconds=5")
        assert (event["type"], event["object"]["code"], event["object"]["reason"]) == (
            "ERROR",
            410,
            "Expired",
        )
        skiffd.child.kill()
        skiffd.child.wait()
    with start(tmp_path, 1) as skiffd:
        (event,) = watch(skiffd, f"resourceVersion={first}&timeoutSeconds=5")
        assert event["object"]["code"] == 410
        (event,) = watch(skiffd, "timeoutSeconds=1")
        assert event["object"]["spec"]["priority"] == 100


def test_one_data_directory_has_one_skiffd(tmp_path):
    with start(tmp_path, 0):
        second = ["--api-address", "127.0.0.1:0", "--data-dir", str(tmp_path / "data")]
        try:
            Skiffd(None, tmp_path, name="second", flags=second)
        except AssertionError as error:
            assert "is in use by another skiffd; give each its own --data-dir" in str(error)
        else:
            raise AssertionError("two processes have one store")
