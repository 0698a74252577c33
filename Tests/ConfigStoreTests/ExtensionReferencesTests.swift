// SPDX-License-Identifier: Apache-2.0

import ConfigStore
import Manifests
import MeshModel
import Testing

@Suite struct ExtensionReferencesTests {
  private static let wasm = "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm"
  private static let lua = "type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua"

  /// Every patch in an object of its own.
  private func problems(_ patches: String...) -> [String] {
    let text = patches.enumerated().map { index, patch in
      """
      apiVersion: networking.istio.io/v1alpha3
      kind: EnvoyFilter
      metadata: {name: x\(index), namespace: default}
      spec: {configPatches: [{\(patch)}]}
      """
    }.joined(separator: "\n---\n")
    let reading = ManifestReader().read(text: text, file: "f")
    #expect(reading.problems == [])
    return SnapshotBuilder.build(reading.objects, revision: 1).problems
      .map { "\($0.severity) \($0)" }
  }

  private func filter(_ name: String, _ types: String..., source: String = "ads: {}") -> String {
    "applyTo: HTTP_FILTER, patch: {operation: INSERT_FIRST, value: {name: \(name), "
      + "config_discovery: {config_source: {\(source)}, type_urls: [\(types.joined(separator: ", "))]}}}"
  }

  private func config(_ name: String, _ type: String) -> String {
    "applyTo: EXTENSION_CONFIG, patch: {operation: ADD, value: {name: \(name), "
      + "typed_config: {\"@type\": \(type)}}}"
  }

  @Test func `a name that is served and asked for is fine, in either order`() {
    #expect(problems(filter("a", Self.wasm), config("a", Self.wasm)) == [])
    #expect(problems(config("a", Self.wasm), filter("a", Self.lua, Self.wasm)) == [])
  }

  @Test func `a TypedStruct is of the type that it names`() {
    let outer = "type.googleapis.com/xds.type.v3.TypedStruct, type_url: \(Self.wasm)"
    #expect(problems(filter("a", Self.wasm), config("a", outer)) == [])
  }

  @Test func `a name that nobody serves is told with the one that was meant`() {
    #expect(
      problems(filter("example.auth", Self.wasm), config("Example.Auth", Self.wasm)) == [
        "warning EnvoyFilter default/x0: spec.configPatches[0].patch.value.name: no EXTENSION_CONFIG "
          + "serves \"example.auth\", so requests wait and then fail; "
          + "did you mean \"Example.Auth\"? (f:4)",
        "warning EnvoyFilter default/x1: spec.configPatches[0].patch.value.name: no filter asks for "
          + "\"Example.Auth\", so it is served to nobody; insert an HTTP_FILTER with this name and "
          + "config_discovery (f:9)",
      ])
  }

  @Test func `what does not come over ADS, and what plugins serve, is not looked for`() {
    #expect(problems(filter("a", Self.wasm, source: "path_config_source: {path: /x}")) == [])
    #expect(problems(filter("extensions.istio.io/wasmplugin/default.a", Self.wasm)) == [])
  }

  @Test func `a type that the filter did not announce is an error, once for each such filter`() {
    let reason =
      "error EnvoyFilter default/x1: spec.configPatches[0].patch.value.typed_config.@type: "
      + "envoy.extensions.filters.http.lua.v3.Lua is not among the type_urls of the filter \"a\" of "
      + "EnvoyFilter default/x0, so Envoy refuses it; add \(Self.lua) there (f:9)"
    #expect(problems(filter("a", Self.wasm), config("a", Self.lua)) == [reason])
    #expect(
      problems(filter("a", Self.wasm), config("a", Self.lua), filter("a", Self.lua)) == [reason])
  }
}
