// SPDX-License-Identifier: Apache-2.0

import MeshModel
import XDS

/// What skiffd and the module store were told last of a stream's modules.
struct SupplyReport {
  /// All statuses, as they were noted last.
  fileprivate var noted: [ModuleStatus] = []
  /// As skiffd has them.
  fileprivate var reported: [ModuleStatus.Key: ModuleStatus] = [:]
  fileprivate var paths: [ContentHash: [String]] = [:]
  fileprivate var inUse: Set<String> = []

  /// Another server knows nothing yet.
  mutating func forgetReported() { reported = [:] }
}

extension RelayState {
  /// The modules of the stream, one status for each of a resource, by type and name.
  package var moduleStatuses: [ModuleStatus] {
    var known: Set<ModuleStatus.Key> = []
    return intercepted.flatMap { type in
      type.supplies.values.filter { !$0.statuses.isEmpty }.sorted { $0.name < $1.name }
        .flatMap(\.statuses)
    }
    .filter { known.insert($0.key).inserted }
  }

  /// Reports what changed.
  mutating func report(actions: inout [RelayAction]) {
    let statuses = moduleStatuses
    if statuses != reporting.noted {
      reporting.noted = statuses
      actions.append(.note(.modules(statuses)))
    }
    guard isConnected, configuration.reportsModules else { return }
    var changed = statuses.filter { reporting.reported[$0.key] != $0 }
    let keys = Set(statuses.map(\.key))
    let gone = reporting.reported.values.filter { !keys.contains($0.key) }
      .map {
        ModuleStatus(key: $0.key, resourceVersion: $0.resourceVersion, phase: .gone)
      }
    for status in changed { reporting.reported[status.key] = status }
    for status in gone { reporting.reported[status.key] = nil }
    changed += gone.sorted { ($0.key.resource, $0.key.url) < ($1.key.resource, $1.key.url) }
    if !changed.isEmpty { sendUpstream(.report(changed)) }
  }

  /// Tells which files Envoy has or may have in use.
  ///
  /// These are the files of what it was sent and of what it accepted last. While an answer is due it
  /// may be at either, so nothing is let go of.
  mutating func updateUse(actions: inout [RelayAction]) {
    var used: Set<String> = []
    var versions: Set<ContentHash> = []
    for supply in intercepted.flatMap(\.supplies.values) {
      used.formUnion(supply.heldPaths)
      guard let placement = supply.placement, !placement.paths.isEmpty else { continue }
      used.formUnion(placement.paths)
      versions.insert(placement.resource.version)
      reporting.paths[placement.resource.version] = placement.paths
    }
    if reporting.paths.isEmpty && used.isEmpty && reporting.inUse.isEmpty { return }
    for resource in intercepted.compactMap({ envoy.report(on: $0.typeURL) }).flatMap(\.resources) {
      versions.formUnion([resource.sent, resource.acked].compactMap(\.self))
    }
    if intercepted.contains(where: { $0.unansweredNonce != nil }) {
      used.formUnion(reporting.inUse)
    } else {
      reporting.paths = reporting.paths.filter { versions.contains($0.key) }
    }
    used.formUnion(versions.flatMap { reporting.paths[$0] ?? [] })
    guard used != reporting.inUse else { return }
    reporting.inUse = used
    actions.append(.use(used))
  }
}
