#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What the control API costs with many objects: lists, watches, writes, memory.
set -euo pipefail

usage() {
  cat <<'TEXT'
usage: scripts/bench-api.sh [--skiffd PATH] [--objects N] [--watchers N]

Builds skiffd (release), fills its API with 10,000 VirtualServices, and prints a table that
docs/performance.md explains. The server is pinned to the first core, the client to the second.

--skiffd    measures this binary and builds none
--objects   how many there are (10000)
--watchers  how many watches follow them (100)
TEXT
}

skiffd='' sizes=()
while [ $# -gt 0 ]; do
  case "$1" in
    -h | --help) usage && exit 0 ;;
    --skiffd) skiffd=$(realpath "$2") && shift 2 ;;
    --objects | --watchers) sizes+=("$1" "$2") && shift 2 ;;
    *) usage >&2 && exit 64 ;;
  esac
done

cd "$(dirname "$0")/.."
if [ -z "$skiffd" ]; then
  swift build -c release --product skiffd >&2
  skiffd=$(swift build -c release --show-bin-path)/skiffd
fi
echo
taskset -c 1 python3 Benchmarks/apiload.py "$skiffd" "${sizes[@]}"
