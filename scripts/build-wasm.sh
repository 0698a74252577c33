#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds Proxy-Wasm plugins with nothing but the Swift toolchain, whose clang and linker it uses. A
# plugin is compiled together with the SDK as one module, so what it does not use falls away. Equal
# inputs give equal bytes, wherever the checkout is.
set -euo pipefail

usage() {
  cat <<'TEXT'
usage: scripts/build-wasm.sh [FOLDER…]
Builds every plugin folder (default: all of wasm/plugins) to .build/wasm/<folder's name>.wasm and
prints size, sha256 and path of each. What is up to date is not built again. Each module is packed
as OCI image layouts as well: .build/plugins/oci/<folder's name>/{compat,docker,artifact,…}.
TEXT
}
[[ "${1-}" != -h && "${1-}" != --help ]] || { usage; exit 0; }
folders=()
for folder in "$@"; do folders+=("$(realpath --relative-to="$(dirname "$0")/.." "$folder")"); done
cd "$(dirname "$0")/.."
[[ ${#folders[@]} -gt 0 ]] || folders=(wasm/plugins/*)

command -v swiftc >/dev/null || { echo "no swiftc on the PATH: install Swift 6.3" >&2; exit 1; }
resources=$(swiftc -print-target-info | sed -n 's/.*"runtimeResourcePath": *"\(.*\)".*/\1/p')
tools=$(cd "$resources/../../bin" && pwd)
target=wasm32-unknown-none-wasm
swift_flags=(-target "$target" -swift-version 6 -Osize -wmo -warnings-as-errors -module-name plugin
  -enable-experimental-feature Embedded -enable-experimental-feature Extern
  -enforce-exclusivity=unchecked -Xfrontend -disable-incremental-llvm-codegen)
clang_flags=("--target=$target" -std=c17 -Os -Wall -Wextra -Werror -ffreestanding -fno-builtin)
# The stack goes below the data, so that overflowing it traps instead of overwriting.
link_flags=(--no-entry --gc-sections --strip-all --stack-first -z stack-size=131072)
toolchain=$(swiftc --version 2>/dev/null | sed -n 1p)

output=.build/wasm
mkdir -p "$output"
scratch=$(mktemp -d "$output/.build.XXXXXX")
trap 'rm -rf "$scratch"' EXIT

for folder in "${folders[@]}"; do
  name=$(basename "$folder")
  module=$output/$name.wasm
  sources=(wasm/ProxyWasm/*.swift "$folder"/*.swift)
  layouts=.build/plugins/oci/$name
  digests=$(sha256sum scripts/build-wasm.sh scripts/oci_layout.py wasm/runtime/* "${sources[@]}")
  inputs=$(echo "$toolchain $digests" | sha256sum)
  if [[ ! -f $module || ! -d $layouts ||
    $(cat "$output/$name.inputs" 2>/dev/null) != "$inputs" ]]; then
    for unit in heap libc; do
      "$tools/clang" "${clang_flags[@]}" -c "wasm/runtime/$unit.c" -o "$scratch/$unit.o"
    done
    "$tools/swiftc" "${swift_flags[@]}" -c "${sources[@]}" -o "$scratch/$name.o"
    "$tools/wasm-ld" "${link_flags[@]}" "$scratch"/{heap,libc,"$name"}.o \
      "$resources/embedded/$target/libswiftUnicodeDataTables.a" -o "$scratch/$name.wasm"
    python3 scripts/oci_layout.py "$scratch/$name.wasm" "$layouts"
    mv "$scratch/$name.wasm" "$module"
    echo "$inputs" > "$output/$name.inputs"
  fi
  printf '%8d bytes  sha256:%s  %s\n' "$(stat -c %s "$module")" \
    "$(sha256sum "$module" | cut -d' ' -f1)" "$module"
done
