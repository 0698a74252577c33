#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Writes docs/flags.md and docs/metrics.md from what the programs say of themselves.
set -euo pipefail

usage() {
  cat <<'TEXT'
usage: scripts/generate-docs.sh [--check]

Runs .build/debug/{skiffd,skiffctl,skiff-agent}, which must be built.

--check   writes nothing; fails when a committed page is not what would be written
TEXT
}

check=false
case "${1:-}" in
  -h | --help) usage && exit 0 ;;
  --check) check=true ;;
  "") ;;
  *) usage >&2 && exit 64 ;;
esac

cd "$(dirname "$0")/.."
bin=.build/debug
work=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; rm -rf "$work"' EXIT
mkdir "$work/config"

head_of() { printf '<!-- SPDX-License-Identifier: Apache-2.0 -->\n# %s\n\nWritten by `scripts/generate-docs.sh`.\n' "$1"; }
help_of() { printf '\n## %s\n\n```\n' "$*" && COLUMNS=100 "$@" --help | sed 's/ *$//' && printf '```\n'; }

{
  head_of Flags
  printf 'Every flag is an environment variable too: `SKIFF_`, then the flag in capitals, `-` as `_`.\n'
  cd "$bin"
  PATH=$PWD:$PATH
  cd - >/dev/null
  help_of skiffd
  help_of skiff-agent proxy
  for command in validate translate diff explain bootstrap proxy-status proxy-config apply get delete wait history rollback; do help_of skiffctl "$command"; done
} >"$work/flags.md"

address() {  # LOG NAME: waits for the ready line
  for _ in $(seq 300); do
    grep -q ' ready ' "$1" && sed -n "s/.* ready .*$2=\([^ ]*\).*/\1/p" "$1" && return
    sleep 0.1
  done
  cat "$1" >&2 && exit 1
}
table() { curl -sS "http://$1" | sed -n 's/^# HELP \([^ ]*\) \(.*\)/| `\1` | \2 |/p' | LC_ALL=C sort; }

skiffd --config-dir "$work/config" --grpc-address 127.0.0.1:0 --http-address 127.0.0.1:0 \
  --monitoring-address 127.0.0.1:0 2>"$work/skiffd.log" &
grpc=$(address "$work/skiffd.log" grpc)
skiff-agent proxy --type router --id docs --namespace default --xds-address "$grpc" \
  --data-dir "$work/agent" --status-address 127.0.0.1:0 2>"$work/agent.log" &
{
  head_of Metrics
  printf '\n## skiffd: `/metrics` on --monitoring-address\n\n| metric | what |\n|---|---|\n'
  table "$(address "$work/skiffd.log" monitoring)/metrics"
  printf '\n## skiff-agent: `/stats/prometheus` on --status-address, before those of its Envoy\n\n| metric | what |\n|---|---|\n'
  table "$(address "$work/agent.log" status)/stats/prometheus"
} >"$work/metrics.md"

for page in flags metrics; do
  if $check; then
    diff -u "docs/$page.md" "$work/$page.md" || { echo "run scripts/generate-docs.sh" >&2 && exit 1; }
  else
    cp "$work/$page.md" "docs/$page.md"
  fi
done
