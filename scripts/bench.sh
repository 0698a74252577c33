#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What a proxy and a push cost, beside what the kernel alone charges for the same bytes.
set -euo pipefail

usage() {
  cat <<'TEXT'
usage: scripts/bench.sh [--skiffd PATH] [--pushes N] [--results DIR]

Builds skiffd (release) and Benchmarks/, runs the floor and skiffd in turns with 1,000 and 5,000
proxies, then scripts/bench-translation.sh and scripts/bench-api.sh; prints tables that
docs/performance.md explains. The server is pinned to the first core, the proxies to the second;
nothing else should run.

--skiffd   measures this binary, builds none and leaves out translation alone
--pushes   of each run (10)
--results  keeps what the load client printed there, as JSON
TEXT
}

pushes=10 skiffd='' results='' server='' translation=true
while [ $# -gt 0 ]; do
  case "$1" in
    -h | --help) usage && exit 0 ;;
    --skiffd) skiffd=$(realpath "$2") && shift 2 ;;
    --pushes) pushes=$2 && shift 2 ;;
    --results) mkdir -p "$2" && results=$(realpath "$2") && shift 2 ;;
    *) usage >&2 && exit 64 ;;
  esac
done

cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap '[ -z "$server" ] || kill "$server" 2>/dev/null; rm -rf "$work"' EXIT
[ -n "$results" ] || { results=$work/results && mkdir "$results"; }
if [ -z "$skiffd" ]; then
  scripts/install.sh
  swift build -c release --product skiffd >&2
  skiffd=$(swift build -c release --show-bin-path)/skiffd translation=scripts/bench-translation.sh
fi
cc -std=gnu11 -O2 -o "$work/floor" Benchmarks/floor.c
cc -std=gnu11 -O2 -o "$work/xdsload" Benchmarks/{xdsload,proxy,names}.c
python3 Benchmarks/configurations.py "$work"

listens() { sed -n "s/.* ready .*$1=\([^ ]*\).*/\1/p" "$work/log"; }
start() {  # PROGRAM ARGUMENT…: sets server and address
  taskset -c 0 "$@" >"$work/log" 2>&1 &
  server=$!
  for _ in $(seq 600); do
    address=$(listens grpc) && [ -z "$address" ] && sleep 0.1 || return 0
  done
  cat "$work/log" >&2 && exit 1
}
load() {  # NAME PROXIES ARGUMENT…
  taskset -c 1 "$work/xdsload" --label "$1" --proxies "$2" --port "${address##*:}" --server "$server" \
    --pushes "$pushes" "${@:3}" >"$results/$1.json" || echo "bench: $1 is incomplete" >&2
}
stop() { kill "$server" && { wait "$server" || true; } && server=''; }
floor() { start "$work/floor" --size "$1" && load "$2" "$3" "${ecds[@]}" --push-signal && stop; }
skiffd() {  # CONFIGURATION FILE NAME PROXIES ARGUMENT…: each push edits that file
  start "$skiffd" --config-dir "$work/$1/config" --debounce-after 10ms --grpc-address 127.0.0.1:0 \
    --http-address 127.0.0.1:0 --monitoring-address 127.0.0.1:0
  curl -s -o "$work/ready" --fail --retry 60 --retry-delay 1 --retry-all-errors "$(listens http)/ready"
  load "$3" "$4" --push-command "sed s/@PUSH@/\$PUSH/ $work/$1/$2.yaml >$work/next &&
    mv $work/next $work/$1/config/$2.yaml" "${@:5}"
  curl -s "$(listens monitoring)/metrics" | awk '/^skiff_translations_total/ {n += $2} END {print n + 0}' \
    >"$results/$3.translations"
  stop
}
ecds=(--types ecds --names "ecds=$(seq -s, -f 'ext-%g' 0 9)")
for count in 1000 5000; do
  floor 100 floor-small-$count $count && skiffd small push skiffd-small-$count $count "${ecds[@]}"
  floor 10000 floor-large-$count $count && skiffd large push skiffd-large-$count $count "${ecds[@]}"
done
skiffd small push skiffd-small-1 1 "${ecds[@]}"
skiffd large push skiffd-stopped 1000 "${ecds[@]}" --stop 1
skiffd small push skiffd-rejected 1000 "${ecds[@]}" --reject 1 && skiffd services push skiffd-services 1000
for config in services filters; do skiffd $config push skiffd-$config-1 1; done
skiffd services other skiffd-nothing 1000 --expect-nothing --settle 3000
python3 Benchmarks/table.py "$results" 1000 5000 && $translation && scripts/bench-api.sh --skiffd "$skiffd"
