# SPDX-License-Identifier: Apache-2.0
"""Writes which filters an Envoy has: their names, and the types of their configuration.

Envoy tells it about itself in `node.extensions`, which its admin page shows.

usage: envoy_filters.py ENVOY OUTPUT  (Sources/Validation/Generated/EnvoyFilters.swift)
"""

import json
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import urllib.request

KINDS = {
    "http": "envoy.filters.http",
    "network": "envoy.filters.network",
    "listener": "envoy.filters.listener",
}
# Types that a filter takes on a route, but not as its own configuration.
PER_ROUTE = re.compile(r"(PerRoute|PerRouteConfig|Override|CorsPolicy)$")
HEADER = """\
// SPDX-License-Identifier: Apache-2.0
// Written by scripts/envoy_filters.py from what Envoy {version} says about itself.

/// The filters of a standard Envoy: by name the types of its configuration, the filter's own first,
/// then those that are only for routes. Names from before Envoy 1.14 have none.
enum EnvoyFilters {{
"""


def bootstrap(envoy):
    """The bootstrap of an idle Envoy, as it completes it."""
    with tempfile.TemporaryDirectory() as directory:
        address = pathlib.Path(directory) / "admin"
        config = {
            "node": {"id": "filters", "cluster": "filters"},
            "admin": {"address": {"socket_address": {"address": "127.0.0.1", "port_value": 0}}},
        }
        arguments = ["--config-yaml", json.dumps(config), "--admin-address-path", str(address)]
        arguments += ["--log-level", "error", "--use-dynamic-base-id"]
        with subprocess.Popen([envoy, *arguments]) as process:
            try:
                deadline = time.monotonic() + 60
                while not (address.exists() and address.read_text()):
                    if process.poll() is not None or time.monotonic() > deadline:
                        sys.exit("Envoy does not start")
                    time.sleep(0.05)
                url = f"http://{address.read_text()}/config_dump"
                with urllib.request.urlopen(url, timeout=30) as answer:
                    return json.load(answer)["configs"][0]["bootstrap"]
            finally:
                process.terminate()


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    node = bootstrap(sys.argv[1])["node"]
    version = node["user_agent_build_version"]["version"]
    lines = [HEADER.format(version="{major_number}.{minor_number}".format(**version))]
    for kind, category in KINDS.items():
        lines.append(f"  static let {kind}: [String: [String]] = [\n")
        for extension in sorted(node["extensions"], key=lambda each: each["name"]):
            if extension["category"] != category:
                continue
            types = extension.get("type_urls", [])
            types = sorted(types, key=lambda each: bool(PER_ROUTE.search(each)))
            lines.append(f"    {json.dumps(extension['name'])}: {json.dumps(types)},\n")
        lines.append("  ]\n")
    lines.append("}\n")
    pathlib.Path(sys.argv[2]).write_text("".join(lines))


if __name__ == "__main__":
    main()
