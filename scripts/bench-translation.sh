#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What it costs from a changed object to encoded resources: everything anew, and after one edit.
set -euo pipefail

if [ $# -gt 0 ]; then
  echo "usage: scripts/bench-translation.sh"
  echo "Builds and runs translation-bench (release) on the first core; docs/performance.md explains it."
  [ "$1" = -h ] || [ "$1" = --help ] || exit 64
  exit 0
fi

cd "$(dirname "$0")/.."
swift build -c release --product translation-bench >&2
program=$(swift build -c release --show-bin-path)/translation-bench
echo
taskset -c 0 "$program"
