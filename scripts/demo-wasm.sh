#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A remote Wasm module from YAML to traffic: skiffd, skiff-agent, a real Envoy, a server of modules.
set -euo pipefail

usage() {
  cat <<'TEXT'
usage: scripts/demo-wasm.sh [--once]

Starts skiffd on manifests/samples/basic-auth (with the module's address changed to a server on
port 9003), and skiff-agent with Envoy on port 10005, then waits for Ctrl-C while you try the curl
lines that it prints.

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
echo "demo: building skiffd and skiff-agent (the first build takes some minutes)" >&2
swift build --product skiffd >&2
swift build --product skiff-agent >&2
bin=$(swift build --show-bin-path)
work=.build/demo-wasm && rm -rf "$work" && mkdir -p "$work/config"

cp manifests/samples/basic-auth/*.yaml "$work/config/"
sum=$(sha256sum .build/wasm/basic-auth.wasm | cut -d' ' -f1)
sed -i "s|uri: https://.*|uri: http://127.0.0.1:9003/basic-auth.wasm|; s|# sha256: <.*|sha256: $sum|" \
  "$work/config/extension-config.yaml"

trap 'kill $(jobs -p) 2>/dev/null || true; wait' EXIT
.build/venv/bin/python -m http.server 9003 --bind 127.0.0.1 --directory .build/wasm >"$work/modules.log" 2>&1 &
.build/venv/bin/python scripts/demo_backend.py 9001 "the product page" &
"$bin/skiffd" --config-dir "$work/config" 2> >(tee "$work/skiffd.log" >&2) &
"$bin/skiff-agent" proxy --type router --id gateway --namespace istio-system \
  --labels istio=bookinfo-gateway --xds-address 127.0.0.1:15010 --data-dir "$work/agent" \
  --drain-duration 0s --envoy .build/venv/bin/envoy -- --log-path "$PWD/$work/envoy.log" \
  2> >(tee "$work/agent.log" >&2) &

curl -s --retry 60 --retry-delay 1 --retry-all-errors -o "$work/first" http://localhost:10005/
curl() { command curl -sS "$@"; } # its progress meter is not for a log
run() { if $once; then echo "\$ $*" && eval "$*" && echo; else echo "  $*"; fi; }
$once || echo "try:" >&2
run "curl -i -H 'Host: bookinfo.example.com' localhost:10005/productpage"
run "curl -i -u ok:test -H 'Host: bookinfo.example.com' localhost:10005/productpage"
run "curl -i -H 'Host: bookinfo.example.com' localhost:10005/other"
run "curl 'localhost:8080/debug/wasmz?pretty'"
$once || wait
