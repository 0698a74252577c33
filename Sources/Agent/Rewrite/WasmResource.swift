// SPDX-License-Identifier: Apache-2.0

import Glibc
package import MeshModel

/// Why a resource with Wasm in it cannot be given to Envoy, whatever can be fetched.
///
/// Istio counts it as `unmarshal_failure`.
package struct WasmResourceError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The resource's name; empty where it could not be read.
  package var name: String
  /// A sentence in lower case, without a full stop.
  package var reason: String

  package init(name: String, reason: String) {
    self.name = name
    self.reason = reason
  }

  package var description: String { reason }
}

/// A resource as the control plane sent it, with the remote Wasm modules that it needs.
///
/// Envoy is given the same bytes with the modules in local files, and nothing else changed: not the
/// order of fields, and no field that this version of the API does not know.
package struct WasmResource: Sendable {
  /// What takes the place of a remote module.
  package enum Substitute: Hashable, Sendable {
    /// The module's path on this machine.
    case file(String)
    /// The filter becomes one that lets all traffic pass, or none, as the plugin's strategy says.
    case fallback
  }

  package let typeURL: TypeURL
  package let name: String
  /// In the order of the resource.
  package let modules: [ModuleUse]
  private let bytes: [UInt8]

  /// Looks for remote modules.
  ///
  /// - Parameters:
  ///   - typeURL: the resource's own type, from its `Any`: an extension configuration or a listener.
  ///   - bytes: the value of the `Any`.
  /// - Throws: Where the bytes cannot be read, or a Wasm filter has neither local nor remote code.
  package init(typeURL: TypeURL, bytes: [UInt8]) throws(WasmResourceError) {
    self.typeURL = typeURL
    self.bytes = bytes
    guard typeURL == .listener || typeURL == .extensionConfig else {
      throw WasmResourceError(
        name: "",
        reason: "expected \(TypeURL.extensionConfig) or \(TypeURL.listener), "
          + "found \(typeURL)")
    }
    // Nearly all listeners: one search instead of a walk, and their name is not asked for.
    guard typeURL == .extensionConfig || Self.mentionsWasm(bytes) else {
      name = ""
      modules = []
      return
    }
    var name = ""
    do throws(WireError) {
      let message = try WireMessage(bytes[...])
      name = message.text(1) ?? ""
      if typeURL == .extensionConfig, message.merged(2) == nil {
        throw WireError(reason: "expected a typed_config, found none")
      }
      self.name = name
      modules = try Self.modules(in: bytes, typeURL: typeURL, resource: name)
    } catch {
      throw WasmResourceError(name: name, reason: error.reason)
    }
  }

  /// The resource with all modules in local files, one for each of `modules`.
  package func rewritten(with files: [String]) -> [UInt8] {
    rewritten(with: files.map(Substitute.file))
  }

  /// The resource with a substitute for each of `modules`; `fallback` keeps neighbours working.
  package func rewritten(with substitutes: [Substitute]) -> [UInt8] {
    precondition(substitutes.count == modules.count, "each module of \(name) needs a substitute")
    guard !modules.isEmpty else { return bytes }
    var rest = zip(modules, substitutes).makeIterator()
    do {
      return try Self.edit(bytes, typeURL) { site throws(WireError) in
        // The walk meets the sites in the order in which it met them before.
        guard try site.module(in: { $0 }) != nil, let (module, substitute) = rest.next() else {
          return .keep
        }
        return switch substitute {
        case .file(let path): try site.localized(path)
        case .fallback: site.fallback(module.failStrategy)
        }
      }
    } catch {
      preconditionFailure("\(name) was rewritten when it was read, and now: \(error.reason)")
    }
  }

  /// The resource with all remote plugins replaced by their strategies; nil where there is none.
  package func fallback() -> [UInt8]? {
    modules.isEmpty ? nil : rewritten(with: modules.map { _ in .fallback })
  }

  private static func modules(
    in bytes: [UInt8], typeURL: TypeURL, resource: String
  ) throws(WireError) -> [ModuleUse] {
    var modules: [ModuleUse] = []
    // Localised here too, so that what cannot be rewritten is refused now and not later.
    _ = try edit(bytes, typeURL) { site throws(WireError) in
      let module = try site.module { plugin in
        typeURL == .extensionConfig ? resource : "\(resource)/\(plugin)"
      }
      guard let module else { return .keep }
      modules.append(module)
      return try site.localized("")
    }
    return modules
  }

  private static func edit(
    _ bytes: [UInt8], _ typeURL: TypeURL,
    by edit: @escaping (ModuleSite) throws(WireError) -> WireMessage.Edit
  ) throws(WireError) -> [UInt8] {
    let walk = ModuleWalk(visit: edit)
    let result =
      typeURL == .listener ? try walk.listener(bytes) : try walk.typedExtension(bytes)
    return result.applied(to: bytes[...]) ?? []
  }

  private static let wasmName = Array("wasm.v3.Wasm".utf8)

  /// Whether the type URL of a Wasm filter can be in it; seeks the capital letter, which is rare.
  private static func mentionsWasm(_ bytes: [UInt8]) -> Bool {
    let capital = wasmName.count - 4
    return bytes.withUnsafeBytes { all in
      var start = capital
      while start < all.count, let base = all.baseAddress,
        let found = memchr(base + start, Int32(wasmName[capital]), all.count - start)
      {
        let position = UnsafeRawPointer(found) - base
        let candidate = all[(position - capital)...].prefix(wasmName.count)
        if candidate.elementsEqual(wasmName) { return true }
        start = position + 1
      }
      return false
    }
  }
}
