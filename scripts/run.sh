#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds skiffd and runs it on a directory of manifests; installs what is missing.
set -euo pipefail

usage() {
  cat <<'TEXT'
usage: scripts/run.sh [--release] [--demo] [DIRECTORY…]

Serves the manifests of the directories (default: manifests/samples/hello) until Ctrl-C:
  127.0.0.1:15010   Envoys connect here (ADS)
  127.0.0.1:8080    debug pages: http://127.0.0.1:8080/
  127.0.0.1:15014   Prometheus metrics

--release   an optimised build, which takes longer to make
--demo      also a real Envoy and two backends: see scripts/demo.sh
TEXT
}

configuration=debug demo=false directories=()
for argument in "$@"; do
  case "$argument" in
    -h | --help) usage && exit 0 ;;
    --release) configuration=release ;;
    --demo) demo=true ;;
    -*) usage >&2 && exit 64 ;;
    *) directories+=(--config-dir "$(realpath "$argument")") ;;
  esac
done
cd "$(dirname "$0")/.."
if $demo; then exec scripts/demo.sh; fi
[ ${#directories[@]} -gt 0 ] || directories=(--config-dir manifests/samples/hello)

scripts/install.sh
echo "run: building skiffd ($configuration; the first build takes some minutes)" >&2
swift build --configuration "$configuration" --product skiffd >&2
exec "$(swift build --configuration "$configuration" --show-bin-path)/skiffd" "${directories[@]}"
