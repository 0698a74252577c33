// SPDX-License-Identifier: Apache-2.0

import NIOCore

/// One attempt at an image: its mirrors in order, then its registry.
///
/// The digest that is verified is that of the image's manifest, as Istio has it. Of an index with
/// several platforms Istio compares the digest of the chosen one only; what `docker push` prints
/// and people copy is that of the index. Both are accepted.
struct ImagePull: Sendable {
  /// Manifests are small; a registry may refuse above 4 MiB (distribution specification).
  private static let manifestLimit = 4 << 20

  var image: ImageReference
  var fetch: ModuleFetch
  /// Where to ask, with whose login, in order; the registry itself is the last.
  var connections: [RegistryConnection]
  var settings: RemoteModuleSource.Settings
  var timing: FetchTiming
  var plainRegistries: PlainRegistries

  /// A manifest that was checked against all that is known beforehand.
  private struct Resolution {
    var manifest: ImageManifest
    /// What `fetch.expected` was found to be, else the manifest's own digest.
    var verified: ModuleDigest
  }

  /// The digest of the image, without its layers.
  func resolve() async throws(ModuleError) -> ModuleDigest {
    try await firstSuccess { (connection) throws(ModuleError) in
      try await resolution(of: image.identifier, from: connection).verified
    }
  }

  /// The module, into a sink.
  func download(
    resolved: ModuleDigest?, to sink: any ModuleSink
  ) async throws(ModuleError) -> ModuleDigest {
    let identifier = resolved?.description ?? image.identifier
    return try await firstSuccess { (connection) throws(ModuleError) in
      let resolution = try await resolution(of: identifier, from: connection)
      try await downloadModule(resolution.manifest, from: connection, to: sink)
      return resolved ?? resolution.verified
    }
  }

  /// A mirror may be down, or behind: whatever it fails with, the next one is asked.
  private func firstSuccess<Result>(
    _ attempt: (RegistryConnection) async throws(ModuleError) -> Result
  ) async throws(ModuleError) -> Result {
    var failures: [ModuleError] = []
    for connection in connections {
      do throws(ModuleError) {
        return try await orPlain(connection, attempt)
      } catch {
        failures.append(error)
      }
    }
    guard var failure = failures.last else { preconditionFailure("an image without a registry") }
    failure.isRetryable = failures.contains(where: \.isRetryable)
    failure.reason = failures.reversed().map(\.reason).joined(separator: "; mirror: ")
    throw failure
  }

  /// Registries on a developer's machine speak plain http; they are asked again that way.
  ///
  /// Istio does so with every registry. A connection that somebody broke would then take the
  /// password in the clear, so here the registry must be listed as insecure or be loopback.
  private func orPlain<Result>(
    _ connection: RegistryConnection,
    _ attempt: (RegistryConnection) async throws(ModuleError) -> Result
  ) async throws(ModuleError) -> Result {
    let registry = connection.registry
    var plain = connection
    plain.registry.isTLS = false
    plain.registry.port = registry.effectivePort == 443 ? 80 : registry.port
    if plainRegistries.contains(registry) {
      do throws(ModuleError) {
        return try await attempt(plain)
      } catch {
        plainRegistries.remove(registry)
        throw error
      }
    }
    do throws(ModuleError) {
      return try await attempt(connection)
    } catch {
      guard error.hint == .noTLS, registry.isTLS else { throw error }
      let isLocal = registry.host == "localhost" || IPAddress(registry.host)?.isLoopback == true
      guard isLocal || settings.isInsecure(registry) else {
        throw ModuleError(
          .downloadFailure,
          error.reason + "; if the registry speaks plain http, name "
            + "\(registry.authority) in WASM_INSECURE_REGISTRIES",
          isRetryable: error.isRetryable)
      }
    }
    let result = try await attempt(plain)
    plainRegistries.insert(registry)
    return result
  }

  private func resolution(
    of identifier: String, from connection: RegistryConnection
  ) async throws(ModuleError) -> Resolution {
    let top = try await manifest(identifier, from: connection)
    guard top.manifests != nil else { return try verified(top, index: nil) }
    let chosen: ImageManifest.Descriptor
    do throws(ModuleError) { chosen = try top.chosenManifest() } catch { throw error.about(image) }
    let manifest = try await manifest(chosen.digest.description, from: connection)
    guard manifest.manifests == nil else {
      throw ModuleError(.manifestFailure, "\(image): the image index names another index")
    }
    return try verified(manifest, index: top.digest)
  }

  private func verified(
    _ manifest: ImageManifest, index: ModuleDigest?
  ) throws(ModuleError) -> Resolution {
    let found = manifest.digest
    guard let expected = fetch.expected else {
      return Resolution(manifest: manifest, verified: found)
    }
    guard expected == found || expected == index else {
      let outer = index.map { " (image index \($0))" } ?? ""
      throw ModuleError.mismatch(fetch.location, expected: expected, found: "\(found)\(outer)")
    }
    return Resolution(manifest: manifest, verified: expected)
  }

  private func manifest(
    _ identifier: String, from connection: RegistryConnection
  ) async throws(ModuleError) -> ImageManifest {
    let limit = settings.attemptTimeout
    let subject = fetch.location
    let bytes = try await timing.within(
      limit,
      timedOut: {
        ModuleError(
          .downloadFailure,
          "\(subject): no manifest from \(connection.registry.authority) within \(limit)",
          isRetryable: true)
      },
      { () async throws(ModuleError) in
        let answer = try await connection.get(
          "manifests/\(identifier)", accept: ImageManifest.accepted)
        switch answer.status {
        case 200: return try await answer.bytes(limit: Self.manifestLimit)
        case 403: throw answer.failure(.manifestFailure, remedy: connection.refusal)
        case 404:
          throw answer.failure(.manifestFailure, remedy: "is the image pushed, and its name right?")
        default: throw answer.failure(.downloadFailure)
        }
      })
    do throws(ModuleError) {
      if let asked = ModuleDigest(identifier), asked != .of(bytes) {
        throw ModuleError(
          .manifestFailure,
          "the registry sent a manifest of another digest, \(ModuleDigest.of(bytes))",
          isRetryable: true)
      }
      return try ImageManifest(bytes)
    } catch {
      throw error.about(subject)
    }
  }

  private func downloadModule(
    _ manifest: ImageManifest, from connection: RegistryConnection, to sink: any ModuleSink
  ) async throws(ModuleError) {
    let subject = "\(fetch.location)"
    let found: ImageManifest.ModuleLayer
    do throws(ModuleError) { found = try manifest.moduleLayer() } catch {
      throw error.about(subject)
    }
    let layer = found.layer
    guard layer.size <= settings.maximumSize else {
      throw ModuleError.tooLarge(
        limit: settings.maximumSize, what: "its layer of \(layer.size) bytes"
      )
      .about(subject)
    }
    let patience = settings.attemptTimeout
    let arrived = BlobProgress()
    try await timing.within(
      patience, isStalled: { arrived.isStalled() },
      timedOut: {
        ModuleError(
          .downloadFailure,
          "\(subject): no byte of layer \(layer.digest) for \(patience), \(arrived.count) arrived",
          isRetryable: true)
      },
      { () async throws(ModuleError) in
        let answer = try await connection.get("blobs/\(layer.digest)")
        guard answer.status == 200 else {
          throw answer.failure(.downloadFailure).about(subject)
        }
        var unpacking = ModuleUnpacking(
          reader: EnvelopeReader(limit: settings.maximumSize, choosing: found.choice), sink: sink,
          subject: subject)
        var hasher = ModuleDigest.Hasher()
        try await answer.read(limit: settings.maximumSize) { (piece) throws(ModuleError) in
          arrived.add(piece.readableBytes)
          piece.withUnsafeReadableBytes { hasher.update($0) }
          try await unpacking.write(piece)
        }
        guard arrived.count == layer.size, hasher.digest == layer.digest else {
          throw ModuleError(
            .downloadFailure,
            "\(subject): expected layer \(layer.digest) of \(layer.size) bytes, "
              + "found \(hasher.digest) of \(arrived.count)",
            isRetryable: true)
        }
        _ = try await unpacking.finish()
      })
  }
}
