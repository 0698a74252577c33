// SPDX-License-Identifier: Apache-2.0

import MeshModel
import WasmModules

/// The configuration of a Wasm filter as an object, the way users write it into a TypedStruct.
///
/// Both of protobuf's JSON names of a field are read, as Envoy reads both.
struct PluginObject {
  private let config: WireStruct?

  init(wasm: WireStruct) throws(WireError) { config = try wasm.member("config") }

  func module(
    of site: ModuleSite, in resource: (_ plugin: String) -> String
  ) throws(WireError) -> ModuleUse? {
    let vm = try config?.member("vm_config", "vmConfig")
    let code = try vm?.member("code")
    if try code?.member("local") != nil { return nil }
    guard let config, let remote = try code?.member("remote") else { throw .noCode }
    var name = try config.text("name") ?? ""
    if name.isEmpty { name = site.filterName }
    let policyOpens = try config.isEnum(
      "failure_policy", "failurePolicy", name: "FAIL_OPEN", number: 3)
    let failsOpen = try config.isTrue("fail_open", "failOpen") || policyOpens
    var use = ModuleUse(
      plugin: name, request: nil, failStrategy: failsOpen ? .open : .closed,
      isNetwork: site.isNetwork)
    guard let uri = try remote.member("http_uri", "httpUri") else { return use }
    let timeout = try uri.text("timeout").flatMap { Duration(goString: $0) } ?? .zero
    var request = ModuleRequest(
      plugin: resource(name), url: try uri.text("uri") ?? "",
      sha256: try remote.text("sha256") ?? "",
      timeout: timeout > .zero ? timeout : ModuleUse.defaultTimeout)
    let variables = try vm?.member("environment_variables", "environmentVariables")?
      .member("key_values", "keyValues")
    try ModuleEnvironment { name throws(WireError) in try variables?.text(name) }.complete(&request)
    use.request = request
    return use
  }

  static func localizing(
    _ wasm: WireStruct, _ file: String
  ) throws(WireError) -> WireMessage.Edit {
    try wasm.editing("config") { config throws(WireError) in
      try config.editing("vm_config", "vmConfig") { vm throws(WireError) in
        let code = try vm.editing("code") { code throws(WireError) in
          let local = WireStruct.entry("filename", text: file)
          return .replace(
            code.replacing(
              ["local", "remote"], with: WireStruct.entry("local", object: local)))
        }
        let localVM = try WireStruct(ArraySlice(code.applied(to: vm.message.bytes) ?? []))
        return .replace(try withPublicEnvironment(localVM))
      }
    }
  }

  private static func withPublicEnvironment(_ vm: WireStruct) throws(WireError) -> [UInt8] {
    let names = ["environment_variables", "environmentVariables"]
    let edited = try vm.editing(names[0], names[1]) { environment throws(WireError) in
      try environment.editing("key_values", "keyValues") { variables throws(WireError) in
        let hidden = variables.memberNames.filter { $0.hasPrefix(ModuleEnvironment.prefix) }
        return hidden.isEmpty ? .keep : .replace(variables.replacing(Set(hidden), with: nil))
      }
    }
    let bytes = edited.applied(to: vm.message.bytes) ?? []
    let result = try WireStruct(ArraySlice(bytes))
    guard let environment = try result.member(names[0], names[1]) else { return bytes }
    for name in environment.memberNames where try !environment.isNothing(name) { return bytes }
    return result.replacing(Set(names), with: nil)
  }
}
