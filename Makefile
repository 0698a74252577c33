# SPDX-License-Identifier: Apache-2.0
help: ; @echo "make run | demo | test | check | format | bench | protos | docs | wasm | goldens | hooks"
run: ; scripts/run.sh
demo: ; scripts/demo.sh
test: ; scripts/test.sh
check: ; scripts/check.sh
format: ; scripts/format.sh
bench: ; scripts/bench.sh
protos: ; scripts/generate-protos.sh
docs: ; scripts/generate-docs.sh
wasm: ; scripts/build-wasm.sh
goldens: ; scripts/update-goldens.sh
hooks: ; printf '#!/bin/sh\nexec scripts/check.sh --fast\n' > .git/hooks/pre-commit && chmod +x .git/hooks/pre-commit
.PHONY: help run demo test check format bench protos docs wasm goldens hooks
