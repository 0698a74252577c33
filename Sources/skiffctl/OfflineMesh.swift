// SPDX-License-Identifier: Apache-2.0

import ConfigStore
import EnvoyAPI
import Foundation
import Manifests
import MeshModel
import Translation
import Validation

/// Manifests as `skiffd` would have them in force, read once.
struct OfflineMesh {
  let snapshot: MeshSnapshot
  /// All that was read, of kinds that are not acted on, too.
  let objects: [DecodedObject]

  /// - Parameters:
  ///   - paths: files, directories, or `-` for standard input.
  ///   - meshConfig: a file with the mesh configuration.
  init(paths: [String], meshConfig: String? = nil) {
    let reading = ManifestReader(checkingAgainst: EnvoyTypes.pool).read(paths: paths)
    let mesh = meshConfig.map { ManifestReader(takesMeshConfig: true).read(paths: [$0]) }
    objects = reading.objects + (mesh?.objects ?? [])
    snapshot = SnapshotBuilder.build(
      objects, revision: 1, problems: reading.problems + (mesh?.problems ?? []),
      now: Int64(Date().timeIntervalSince1970))
  }

  func proxyClass(of proxy: Proxy) -> ProxyClass { snapshot.classifier.proxyClass(of: proxy) }

  /// All that a proxy would get.
  func resources(for proxy: Proxy) -> ResourceSnapshot {
    Translator(types: EnvoyTypes.pool).translate(snapshot, for: proxyClass(of: proxy))
  }

  /// What reading found wrong, then what translation did, with file and line.
  func problems(with resources: ResourceSnapshot) -> [ConfigError] {
    (snapshot.problems + resources.problems).map(snapshot.located)
  }
}

extension ConfigError {
  /// One line for a terminal.
  var line: String { severity == .warning ? "warning: \(self)" : "\(self)" }
}
