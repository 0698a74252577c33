#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The one gate, for people, for the commit hook and for CI: everything but the tests.
set -euo pipefail

usage() {
  cat <<'TEXT'
usage: scripts/check.sh [--fast]

format    swift-format's lint, strict, over all Swift that is written by hand
words     what the house refuses, each with its reason (scripts/banned-words.txt)
files     length, SPDX line, executable scripts of at most 60 lines, unique ADR numbers
layers    a build in which a target can import only what Package.swift grants it
generated generated files and pages are what the generators write
goldens   a real Envoy accepts what translation records

--fast    leaves out the last three (for the hook)
TEXT
}

fast=false
case "${1:-}" in
  -h | --help) usage && exit 0 ;;
  --fast) fast=true ;;
  "") ;;
  *) usage >&2 && exit 64 ;;
esac

cd "$(dirname "$0")/.."
failed=0
fail() { echo "check: $1" >&2 && failed=1; }

mapfile -t swift < <(git ls-files -co --exclude-standard '*.swift' | grep -v '/Generated/')
swift format lint --strict --parallel "${swift[@]}" || fail "run scripts/format.sh"

while IFS=$'\t' read -r pattern where reason; do
  [[ -z $pattern || $pattern == \#* ]] && continue
  hits=$(git ls-files -co --exclude-standard -- $where | grep -v '/Generated/' |
    xargs -r grep -snE -- "$pattern" | grep -v 'check:allow' || true)
  [ -z "$hits" ] || fail "$pattern is refused: $reason"$'\n'"$hits"
done <scripts/banned-words.txt

for file in $(git ls-files -co --exclude-standard '*.swift' '*.sh' '*.py' '*.c' '*.h' '*.proto' '*.yaml' |
  grep -vE '/Generated/|/Fixtures/'); do
  [ -e "$file" ] || continue  # deleted, not committed yet
  head -3 "$file" | grep -q 'SPDX-License-Identifier: Apache-2.0' || fail "$file has no SPDX line"
  lines=$(wc -l <"$file")
  case $file in
    *.swift) [ "$lines" -le 600 ] || fail "$file has $lines lines; split it" ;;
    scripts/*.sh) [ "$lines" -le 80 ] || fail "$file has $lines lines; split it" ;;
  esac
done
[ -z "$(ls docs/adr | cut -c1-4 | sort | uniq -d)" ] || fail "two ADRs have one number"

if ! $fast; then
  scripts/install.sh
  swift build --build-tests --explicit-target-dependency-import-check error || fail "layers"
  scripts/generate-protos.sh --check || fail "generated protobuf files are stale"
  scripts/generate-docs.sh --check || fail "generated pages are stale"
  .build/venv/bin/python scripts/validate-goldens.py || fail "Envoy refuses a golden"
fi
[ "$failed" = 0 ] && echo "check: all good"
exit "$failed"
