// SPDX-License-Identifier: Apache-2.0

import NIOCore
import Synchronization
import WasmModules

/// A source whose modules, failures and pace a test decides.
final class ScriptedSource: ModuleSource {
  struct State: Sendable {
    /// By URL, or by `oci://` and the image's name.
    var modules: [String: [UInt8]] = [:]
    var failures: [String: ModuleError] = [:]
    /// Registries that only this text of a secret opens.
    var secrets: [String: RegistryCredentials] = [:]
    var isHeldUp = false
    var heldUp: [CheckedContinuation<Void, Never>] = []
    var resolves: [String] = []
    var downloads: [String] = []
    var underWay = 0
    var mostUnderWay = 0
  }

  let state = Mutex(State())
  /// The downloads that have their bytes and write them.
  let writing = Log<ModuleLocation>()

  init(_ modules: [String: [UInt8]] = [:]) { state.withLock { $0.modules = modules } }

  subscript(url: String) -> [UInt8]? {
    get { state.withLock { $0.modules[url] } }
    set { state.withLock { $0.modules[url] = newValue } }
  }

  var resolves: Int { state.withLock { $0.resolves.count } }
  var downloads: Int { state.withLock { $0.downloads.count } }
  var mostUnderWay: Int { state.withLock { $0.mostUnderWay } }

  func fail(_ url: String, _ error: ModuleError?) { state.withLock { $0.failures[url] = error } }

  func protect(_ url: String, with secret: String) throws {
    let credentials = try RegistryCredentials(dockerConfig: secret)
    state.withLock { $0.secrets[url] = credentials }
  }

  /// Makes downloads wait, after their first byte was written, until `goOn`.
  func holdUp() { state.withLock { $0.isHeldUp = true } }

  func goOn() {
    let waiting = state.withLock { state in
      defer { state.heldUp = [] }
      state.isHeldUp = false
      return state.heldUp
    }
    for continuation in waiting { continuation.resume() }
  }

  /// The digest of the manifest that a module's image would have.
  static func manifest(_ bytes: [UInt8]) -> ModuleDigest { .of([0x7b] + bytes) }

  private static func key(_ location: ModuleLocation) -> String {
    if case .oci = location { location.moduleName } else { "\(location)" }
  }

  private func bytes(_ fetch: ModuleFetch) throws(ModuleError) -> [UInt8] {
    let key = Self.key(fetch.location)
    return try state.withLock { state throws(ModuleError) in
      if let failure = state.failures[key] { throw failure }
      if let secret = state.secrets[key], fetch.credentials != secret {
        throw ModuleError(.manifestFailure, "\(key): 401")
      }
      guard let bytes = state.modules[key] else {
        throw ModuleError(.downloadFailure, "\(key): 404")
      }
      return bytes
    }
  }

  func resolve(_ fetch: ModuleFetch) async throws(ModuleError) -> ModuleDigest? {
    guard case .oci = fetch.location else { return nil }
    state.withLock { $0.resolves.append(Self.key(fetch.location)) }
    return Self.manifest(try bytes(fetch))
  }

  func download(
    _ fetch: ModuleFetch, resolved: ModuleDigest?, to sink: any ModuleSink
  ) async throws(ModuleError) -> ModuleDigest {
    state.withLock { state in
      state.downloads.append(Self.key(fetch.location))
      state.underWay += 1
      state.mostUnderWay = max(state.mostUnderWay, state.underWay)
    }
    defer { state.withLock { $0.underWay -= 1 } }
    let bytes = try bytes(fetch)
    // A first attempt that breaks off, as of a source that retries.
    try await sink.restart()
    try await sink.write(ByteBuffer(bytes: [1, 2, 3]))
    try await sink.restart()
    try await sink.write(ByteBuffer(bytes: bytes.prefix(1)))
    writing.append(fetch.location)
    await withCheckedContinuation { continuation in
      let goesOn = state.withLock { state in
        if state.isHeldUp { state.heldUp.append(continuation) }
        return !state.isHeldUp
      }
      if goesOn { continuation.resume() }
    }
    try await sink.write(ByteBuffer(bytes: bytes.dropFirst()))
    return resolved ?? .of(bytes)
  }
}

/// A module of its own for each number.
func wasm(_ number: Int, size: Int = 64) -> [UInt8] {
  [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00] + "\(number) ".utf8
    + [UInt8](repeating: UInt8(number & 0xff), count: size)
}
