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

  /// - Parameter paths: files, directories, or `-` for standard input.
  init(paths: [String]) {
    let reading = ManifestReader(checkingAgainst: EnvoyTypes.pool).read(paths: paths)
    snapshot = SnapshotBuilder.build(
      reading.objects, revision: 1, problems: reading.problems,
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
