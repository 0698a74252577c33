# SPDX-License-Identifier: Apache-2.0
"""What the status of many objects costs while proxies come and go."""

from __future__ import annotations

import json
from contextlib import ExitStack

from skiff_e2e.gateway import backend_yaml, free_port, gateway_envoy, gateway_yaml, route_yaml
from skiff_e2e.http import request
from skiff_e2e.kubectl import Kubectl
from skiff_e2e.skiffd import Skiffd, write

COUNT = 300
ENTRIES = "/apis/networking.istio.io/v1/namespaces/default/serviceentries"


def objects(skiffd: Skiffd) -> list[dict]:
    return json.loads(request(skiffd.api, ENTRIES, timeout=20).body)["items"]


def shares(skiffd: Skiffd) -> set[tuple[int, int]]:
    """How many proxies run an object, of how many that depend on it: all answers there are."""
    proxies = [item.get("status", {}).get("proxies", {}) for item in objects(skiffd)]
    return {(p.get("programmed", -1), p.get("total", -1)) for p in proxies}


def test_hundreds_of_objects_while_proxies_come_and_go(tmp_path):
    flags = ["--api-address", "127.0.0.1:0", "--data-dir", str(tmp_path / "data")]
    with ExitStack() as stack:
        skiffd = stack.enter_context(Skiffd(None, tmp_path, flags=flags)).wait_until_ready()
        kubectl = Kubectl(f"http://127.0.0.1:{skiffd.api}", tmp_path / "home")
        write(tmp_path / "all/web.yaml", gateway_yaml(free_port()) + "---\n" + route_yaml())
        for number in range(COUNT):
            name = f"backend-{number:04}" if number else "backend"
            write(tmp_path / f"all/{name}.yaml", backend_yaml(9000, name))
        kubectl("create", "-f", str(tmp_path / "all"))

        def writes() -> int:
            return int(skiffd.metrics("skiff_status_writes_total")[""])

        def settled(count: int) -> int:
            """Waits until all objects are at so many proxies; the writes so far."""
            skiffd.wait_for(
                f"{count} proxies", lambda: shares(skiffd) == {(count, count)}, seconds=60)
            return writes()

        begun = settled(0)
        envoys = [
            stack.enter_context(gateway_envoy(tmp_path, skiffd.grpc, name=name))
            for name in ["east", "north", "west"]
        ]
        came = settled(3)
        assert came - begun <= 4 * (COUNT + 2)
        envoys[0].stop()
        gone = settled(2)
        assert gone - came <= 2 * (COUNT + 2)
        envoys.append(stack.enter_context(gateway_envoy(tmp_path, skiffd.grpc, name="south")))
        back = settled(3)
        assert back - gone <= 3 * (COUNT + 2)
        print(f"begin {begun}, three come {came - begun}, one goes {gone - came}, "
              f"one comes {back - gone}")
        # Nothing moves, nothing is written: one object's edit is a write or two of that object.
        revision = json.loads(request(skiffd.api, ENTRIES + "?limit=1").body)["metadata"]
        kubectl("patch", "se", "backend", "--type=merge", "-p",
                '{"spec":{"endpoints":[{"address":"127.0.0.2"}]}}')
        kubectl("wait", "--for=condition=Programmed", "se/backend", "--timeout=20s")
        assert writes() - back <= 3
        changed = request(
            skiffd.api,
            f"{ENTRIES}?watch=1&timeoutSeconds=1&resourceVersion={revision['resourceVersion']}",
            timeout=20).body.splitlines()
        names = {json.loads(line)["object"]["metadata"]["name"] for line in changed}
        assert names == {"backend"}
