# SPDX-License-Identifier: Apache-2.0
"""Writes the configurations that scripts/bench.sh serves, one directory each.

    small     an EnvoyFilter with ten ECDS resources, 2.4 KB in all as a response
    large     the same, 101 KB
    services  1,000 ServiceEntries, 1,000 VirtualServices of two routes, a Gateway
    filters   the same, and 500 EnvoyFilters of ten patches each

Each directory NAME gets NAME/config, which skiffd watches, and two templates beside it. With @PUSH@
replaced by a number they become files of the same name in NAME/config: `push.yaml` changes what the
proxies are to run, `other.yaml` only what proxies with other labels are to run.
"""

import pathlib
import sys

SERVICES = 1000
FILTERS = 500


def patch(name, text):
    return f"""\
  - applyTo: EXTENSION_CONFIG
    match:
      context: GATEWAY
    patch:
      operation: ADD
      value:
        name: {name}
        typed_config:
          "@type": type.googleapis.com/google.protobuf.StringValue
          value: "{text}"
"""


def route_patch(host, text):
    return f"""\
  - applyTo: HTTP_ROUTE
    match:
      context: GATEWAY
      routeConfiguration:
        vhost:
          name: "{host}:8080"
          route:
            action: ROUTE
    patch:
      operation: MERGE
      value:
        route:
          timeout: 5s
        request_headers_to_add:
        - header:
            key: x-patched
            value: "{text}"
"""


def cluster_patch(service):
    return f"""\
  - applyTo: CLUSTER
    match:
      context: GATEWAY
      cluster:
        service: {service}
    patch:
      operation: MERGE
      value:
        connect_timeout: 2s
"""


def route_filter(index, text):
    """Nine patches of routes of other hosts each, and one of a cluster."""
    numbers = [(index * 9 + offset) % SERVICES for offset in range(9)]
    patches = [route_patch(f"service-{number}.bench.example.com", text) for number in numbers]
    patches.append(cluster_patch(f"service-{index}.bench.internal"))
    return envoy_filter(f"routes-{index}", "bench", patches)


def envoy_filter(name, label, patches):
    return f"""\
apiVersion: networking.istio.io/v1alpha3
kind: EnvoyFilter
metadata:
  name: {name}
  namespace: bench
spec:
  workloadSelector:
    labels:
      istio: {label}
  configPatches:
{"".join(patches)}"""


def extensions(size):
    """Ten resources named ext-N, each around a text of `size` bytes."""
    texts = (f"version @PUSH@ of resource {index} " for index in range(10))
    return envoy_filter(
        "extensions", "bench",
        [patch(f"ext-{index}", text.ljust(size, "x")) for index, text in enumerate(texts)])


def service_entry(index):
    return f"""\
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata:
  name: service-{index}
  namespace: bench
spec:
  hosts:
  - service-{index}.bench.internal
  location: MESH_INTERNAL
  resolution: STATIC
  ports:
  - number: 80
    name: http
    protocol: HTTP
  endpoints:
  - address: 10.1.{index // 250}.{index % 250 + 1}
    ports:
      http: 8080
"""


def virtual_service(index, path="/v1"):
    return f"""\
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata:
  name: service-{index}
  namespace: bench
spec:
  hosts:
  - service-{index}.bench.example.com
  gateways:
  - gateway
  http:
  - match:
    - uri:
        prefix: {path}
{destination(index)}  -{destination(index)[3:]}"""


def destination(index):
    return f"    route:\n    - destination:\n        host: service-{index}.bench.internal\n"


GATEWAY = """\
apiVersion: networking.istio.io/v1
kind: Gateway
metadata:
  name: gateway
  namespace: bench
spec:
  selector:
    istio: bench
  servers:
  - port:
      number: 8080
      name: http
      protocol: HTTP
    hosts:
    - "*"
"""


def write(directory, push, files=()):
    config = directory / "config"
    config.mkdir(parents=True)
    other = envoy_filter("other", "other", [patch("other", "version @PUSH@")])
    for name, template in {"push.yaml": push, "other.yaml": other}.items():
        (directory / name).write_text(template)
        (config / name).write_text(template.replace("@PUSH@", "0"))
    for name, text in files:
        (config / name).write_text(text)


def main():
    root = pathlib.Path(sys.argv[1])
    write(root / "small", extensions(100))
    write(root / "large", extensions(10_000))
    files = [("gateway.yaml", GATEWAY)]
    for index in range(SERVICES):
        files.append((f"service-{index}.yaml", service_entry(index)))
        if index:
            files.append((f"routes-{index}.yaml", virtual_service(index)))
    write(root / "services", virtual_service(0, "/v1-@PUSH@"), files)
    files.append(("routes-0.yaml", virtual_service(0)))
    filters = [(f"filter-{index}.yaml", route_filter(index, "0")) for index in range(1, FILTERS)]
    write(root / "filters", route_filter(0, "@PUSH@"), files + filters)


if __name__ == "__main__":
    main()
