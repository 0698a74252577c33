#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Formats all Swift that is written by hand, in place.
set -euo pipefail
cd "$(dirname "$0")/.."
git ls-files -co --exclude-standard '*.swift' | grep -v '/Generated/' |
  xargs swift format format --in-place --parallel
