#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Writes everything that is generated from protobuf definitions; see usage below.
set -euo pipefail

usage() {
  cat <<'TEXT'
usage: scripts/generate-protos.sh [--check]

From proto/**/*.proto, our subset of the Envoy API, and proto/skiff, our own messages:
  Sources/{EnvoyAPI,AgentAPI}/Generated      the Swift types
  proto/subset.binpb                         the subset's descriptors, for EnvoyAPITests
From the xds-protos package, the whole Envoy API:
  Sources/CEnvoyDescriptors/envoy.binpb      its descriptors, embedded into the programs

--check   writes nothing; fails when a committed file is not what would be written
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

# protoc and the descriptors come from PyPI. These versions decide the content of the output.
python=.build/venv/bin/python
[ -x "$python" ] || python3 -m venv .build/venv
"$python" -m pip install --quiet --disable-pip-version-check \
  grpcio-tools==1.85.1 xds-protos==1.85.0 protobuf==7.36.2

# The plugin is built from the very swift-protobuf that the package links.
swift package resolve >&2
plugin=(--package-path .build/checkouts/swift-protobuf --scratch-path .build/protoc-gen-swift
  --configuration release --product protoc-gen-swift)
swift build "${plugin[@]}" >&2
bin=$(swift build "${plugin[@]}" --show-bin-path)

out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
mkdir -p "$out"/Sources/{EnvoyAPI/Generated,AgentAPI/Generated,CEnvoyDescriptors} "$out/proto"
generate() {  # TARGET FILE…
  "$python" -m grpc_tools.protoc -I proto --plugin="$bin/protoc-gen-swift" \
    --swift_opt=Visibility=Package,UseAccessLevelOnImports=true,FileNaming=PathToUnderscores \
    --swift_out="$out/Sources/$1/Generated" --descriptor_set_out="$out/$1.binpb" "${@:2}"
}
mapfile -t subset < <(find proto/ -name '*.proto' -not -path 'proto/skiff/*' -printf '%P\n' | LC_ALL=C sort)
generate EnvoyAPI "${subset[@]}"
generate AgentAPI skiff/agent/v1/wasm.proto
mv "$out/EnvoyAPI.binpb" "$out/proto/subset.binpb"
"$python" scripts/envoy_descriptors.py "$out/Sources/CEnvoyDescriptors/envoy.binpb"

for path in Sources/{EnvoyAPI,AgentAPI}/Generated Sources/CEnvoyDescriptors/envoy.binpb proto/subset.binpb; do
  if $check; then
    diff -rq "$out/$path" "$path" || { echo "run scripts/generate-protos.sh" >&2 && exit 1; }
  else
    rm -rf "$path" && cp -r "$out/$path" "$path"
  fi
done
