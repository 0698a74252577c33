#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs every test, on a fresh Debian 12 with Swift 6.3; installs what is missing.
set -euo pipefail

usage() {
  cat <<'TEXT'
usage: scripts/test.sh [--unit | --end-to-end]

--unit         Swift tests alone (they use grpcio and Python's protobuf as peers)
--end-to-end   pytest alone: skiffd and skiffctl against a real Envoy and grpcio
TEXT
}

unit=true end_to_end=true
case "${1:-}" in
  -h | --help) usage && exit 0 ;;
  --unit) end_to_end=false ;;
  --end-to-end) unit=false ;;
  "") ;;
  *) usage >&2 && exit 64 ;;
esac

cd "$(dirname "$0")/.."
scripts/install.sh
scripts/build-wasm.sh
export SKIFF_PYTHON="$PWD/.build/venv/bin/python"

if $unit; then
  # One build for both halves, with the check that no target imports what it must not.
  swift build --build-tests --explicit-target-dependency-import-check error
  swift test --skip-build
fi
if $end_to_end; then
  swift build --product skiffd && swift build --product skiffctl
  .build/venv/bin/python -m pytest -q Tests/EndToEnd
fi
