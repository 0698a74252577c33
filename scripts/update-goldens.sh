#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Records the outputs of all golden cases anew and removes what is no longer produced.
set -euo pipefail

usage() {
  cat <<'TEXT'
usage: scripts/update-goldens.sh [-h] [SUITE]

Runs the golden tests with SKIFF_UPDATE_GOLDENS=1, so that they write
Tests/*/Fixtures/<Kind>/<case>/{resources,origins,problems}.yaml instead of
comparing them. Read the difference with `git diff` before you commit it.

SUITE  a filter for `swift test`, "Goldens" by default
TEXT
}

if [[ "${1:-}" == "-h" || "${1:-}" == "--help" ]]; then
  usage
  exit 0
fi

cd "$(dirname "$0")/.."
SKIFF_UPDATE_GOLDENS=1 swift test --filter "${1:-Goldens}"
git status --short -- 'Tests/*/Fixtures' || true
