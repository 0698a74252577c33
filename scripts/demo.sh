#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The whole path on one machine: YAML, skiffd, a real Envoy as a gateway, a Wasm plugin, two backends.
set -euo pipefail

usage() {
  cat <<'TEXT'
usage: scripts/demo.sh [--once]

Starts skiffd on manifests/samples/hello, with its API on port 8001, Envoy on the ports 10000 and 10001,
and two backends on 9001 and 9002, then waits for Ctrl-C while you try the curl lines that it prints.

--once   runs the curl lines itself, prints what they answer, and ends
TEXT
}

once=false
case "${1:-}" in
  -h | --help) usage && exit 0 ;;
  --once) once=true ;;
  "") ;;
  *) usage >&2 && exit 64 ;;
esac

cd "$(dirname "$0")/.."
scripts/install.sh
scripts/build-wasm.sh
mkdir -p /tmp/skiff/wasm && cp .build/wasm/{hello,response-headers}.wasm /tmp/skiff/wasm/
echo "demo: building skiffd and skiffctl (the first build takes some minutes)" >&2
swift build --product skiffd >&2
swift build --product skiffctl >&2
bin=$(swift build --show-bin-path)
logs=.build/demo && mkdir -p "$logs"

trap 'kill $(jobs -p) 2>/dev/null || true; wait' EXIT
for backend in v1:9001 v2:9002; do
  .build/venv/bin/python scripts/demo_backend.py "${backend#*:}" "hello ${backend%:*}" &
done
"$bin/skiffd" --config-dir manifests/samples/hello --api-address 127.0.0.1:8001 \
  2> >(tee "$logs/skiffd.log" >&2) &
"$bin/skiffctl" bootstrap --type router --id gateway --namespace istio-system \
  --labels istio=ingressgateway --xds-address 127.0.0.1:15010 >"$logs/envoy.json"
.build/venv/bin/envoy -c "$logs/envoy.json" --log-path "$logs/envoy.log" &

curl -s --retry 60 --retry-delay 1 --retry-all-errors -o "$logs/first" http://localhost:10001/
curl() { command curl -sS "$@"; } # its progress meter is not for a log
run() { if $once; then echo "\$ $*" && eval "$*" && echo; else echo "  $*"; fi; }
$once || echo "try:" >&2
run "curl -i -H 'Host: hello.example.com' localhost:10001/"
run "curl -i -H 'Host: hello.example.com' localhost:10000/"
run "for i in \$(seq 100); do curl -s -H 'Host: weighted.example.com' localhost:10000/; done | sort | uniq -c"
run "curl -i -H 'Host: unknown.example.com' localhost:10000/"
$once || wait
