# SPDX-License-Identifier: Apache-2.0
"""A WasmPlugin with a local module in a real Envoy: edits are live, and only ECDS carries them."""

from __future__ import annotations

from skiff_e2e.ads import EXTENSION

NAME = "extensions.istio.io/wasmplugin/istio-system.mark"


def plugin_yaml(module: object, said: str, *, more: str = "") -> str:
    return f"""\
apiVersion: extensions.istio.io/v1alpha1
kind: WasmPlugin
metadata:
  name: mark
  namespace: istio-system
spec:
  url: file://{module}
  pluginConfig:
    headers:
      x-said: {said}
{more}"""


def said(text: str | None):
    return lambda response: response.status == 200 and response.headers.get("x-said") == text


def test_an_edit_of_its_configuration_is_one_push_of_ecds(stage, wasm_modules):
    module = wasm_modules["response-headers"]
    stage.write("plugin.yaml", plugin_yaml(module, "one"))
    stage.answer(said("one"))
    before = stage.pushes()
    stage.write("plugin.yaml", plugin_yaml(module, "two"))
    stage.answer(said("two"))
    assert stage.pushed_since(before) == {"ecds": 1}

    (stage.config / "plugin.yaml").unlink()
    stage.answer(said(None))


def test_a_configuration_that_the_module_refuses_leaves_the_last_good_one(stage, wasm_modules):
    module = wasm_modules["response-headers"]
    stage.write("plugin.yaml", plugin_yaml(module, "good"))
    stage.answer(said("good"))
    stage.write("plugin.yaml", plugin_yaml(module, "7"))
    skiffd = stage.skiffd
    (reject,) = skiffd.wait_for("a rejection", lambda: skiffd.get("/debug/rejectsz")["rejects"])
    assert (reject["type"], reject["resources"]) == (EXTENSION, [NAME])
    assert reject["objects"] == [
        {
            "kind": "WasmPlugin",
            "namespace": "istio-system",
            "name": "mark",
            "generation": 2,
            "field": "",
        }
    ]
    assert stage.get().headers["x-said"] == "good"

    stage.write("plugin.yaml", plugin_yaml(module, "mended"))
    stage.answer(said("mended"))
    skiffd.wait_for("all clear", lambda: not skiffd.get("/debug/rejectsz")["rejects"])


def test_plugins_run_by_phase_and_priority(stage, wasm_modules):
    """Each replaces what the one before it has set on the way back: the outermost has the last word."""
    module = wasm_modules["response-headers"]

    def named(name: str, more: str) -> str:
        return plugin_yaml(module, name, more=more).replace("name: mark", f"name: {name}")

    stage.write("inner.yaml", named("inner", "  phase: AUTHZ\n"))
    stage.answer(said("inner"))
    stage.write("low.yaml", named("low", "  phase: AUTHN\n  priority: 1\n"))
    stage.answer(said("low"))
    stage.write("high.yaml", named("high", "  phase: AUTHN\n  priority: 10\n"))
    stage.answer(said("high"))
    (stage.config / "high.yaml").unlink()
    stage.answer(said("low"))


def test_a_plugin_for_other_workloads_is_not_there(stage, wasm_modules):
    module = wasm_modules["response-headers"]
    elsewhere = "  selector:\n    matchLabels:\n      istio: egressgateway\n"
    stage.write("other.yaml", plugin_yaml(module, "other", more=elsewhere))
    stage.write(
        "here.yaml", plugin_yaml(module, "here").replace("name: mark", "name: mark-here")
    )
    stage.answer(said("here"))
    (stage.config / "here.yaml").unlink()
    stage.answer(said(None))
