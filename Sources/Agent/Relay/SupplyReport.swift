// SPDX-License-Identifier: Apache-2.0

import MeshModel
import XDS

/// What skiffd and the module store were told last of a stream's modules.
struct SupplyReport {
  fileprivate struct Resource: Hashable {
    var typeURL: TypeURL
    var name: String
  }

  /// What a resource needs of the disk.
  fileprivate struct Files {
    /// Of what is placed, if it names files.
    var version: ContentHash?
    var paths: Set<String> = []
  }

  /// As skiffd has them.
  fileprivate var reported: [Resource: [ModuleStatus]] = [:]
  fileprivate var files: [Resource: Files] = [:]
  /// The files of versions that Envoy has or may have.
  fileprivate var paths: [ContentHash: [String]] = [:]
  fileprivate var inUse: Set<String> = []
  /// Whether a file may be in use that nothing needs any more.
  fileprivate var mayLetGo = false

  /// Another server knows nothing yet.
  mutating func forgetReported() { reported = [:] }

  /// What changed of a resource's statuses, and what is gone, since skiffd was told.
  fileprivate mutating func update(
    _ resource: Resource, to statuses: [ModuleStatus]
  ) -> (changed: [ModuleStatus], gone: [ModuleStatus]) {
    let former = reported[resource] ?? []
    reported[resource] = statuses.isEmpty ? nil : statuses
    let gone = former.filter { status in !statuses.contains { $0.key == status.key } }
      .map { ModuleStatus(key: $0.key, resourceVersion: $0.resourceVersion, phase: .gone) }
    return (statuses.filter { !former.contains($0) }, gone)
  }

  /// Notes which files a resource needs now, and answers them.
  fileprivate mutating func update(_ resource: Resource, to supply: ResourceSupply?) -> Set<String>
  {
    var newer = Files(paths: Set(supply?.heldPaths ?? []))
    if let placement = supply?.placement, !placement.paths.isEmpty {
      newer.version = placement.resource.version
      newer.paths.formUnion(placement.paths)
      paths[placement.resource.version] = placement.paths
    }
    let former = files.removeValue(forKey: resource) ?? Files()
    if !newer.paths.isEmpty { files[resource] = newer }
    let isReplaced = former.version != nil && former.version != newer.version
    if isReplaced || !former.paths.isSubset(of: newer.paths) { mayLetGo = true }
    return newer.paths
  }
}

extension RelayState {
  /// The modules of the stream, one status for each of a resource, by type and name.
  package var moduleStatuses: [ModuleStatus] { intercepted.flatMap(\.statuses) }

  /// Reports what changed.
  mutating func report(actions: inout [RelayAction]) {
    let isTold = isConnected && configuration.reportsModules
    var isChanged = false
    var changed: [ModuleStatus] = []
    var gone: [ModuleStatus] = []
    for index in intercepted.indices {
      for name in intercepted[index].touched.sorted() {
        if intercepted[index].noteStatuses(of: name) { isChanged = true }
        guard isTold else { continue }
        let type = intercepted[index]
        let difference = reporting.update(
          .init(typeURL: type.typeURL, name: name),
          to: Array(type.statuses[type.statusRange(of: name)]))
        changed += difference.changed
        gone += difference.gone
      }
    }
    if isChanged { actions.append(.note(.modules(moduleStatuses))) }
    changed += gone.sorted { ($0.key.resource, $0.key.url) < ($1.key.resource, $1.key.url) }
    if !changed.isEmpty { sendUpstream(.report(changed)) }
  }

  /// Tells which files Envoy has or may have in use.
  ///
  /// These are the files of what it was sent and of what it accepted last. While an answer is due it
  /// may be at either, so nothing is let go of.
  mutating func updateUse(actions: inout [RelayAction]) {
    var used: Set<String> = []
    for type in intercepted {
      for name in type.touched {
        used.formUnion(
          reporting.update(.init(typeURL: type.typeURL, name: name), to: type.supplies[name]))
      }
    }
    if !reporting.mayLetGo || intercepted.contains(where: { $0.unansweredNonce != nil }) {
      guard !used.isSubset(of: reporting.inUse) else { return }
      used.formUnion(reporting.inUse)
    } else {
      used = filesNeeded()
      guard used != reporting.inUse else { return }
    }
    reporting.inUse = used
    actions.append(.use(used))
  }

  /// The files of all resources, and of what Envoy has of them; forgets those of other versions.
  private mutating func filesNeeded() -> Set<String> {
    let placed = Set(reporting.files.values.compactMap(\.version))
    var versions = placed
    for resource in intercepted.compactMap({ envoy.report(on: $0.typeURL) }).flatMap(\.resources) {
      versions.formUnion([resource.sent, resource.acked].compactMap(\.self))
    }
    reporting.paths = reporting.paths.filter { versions.contains($0.key) }
    reporting.mayLetGo = reporting.paths.keys.contains { !placed.contains($0) }
    let held = reporting.files.values.reduce(into: Set()) { $0.formUnion($1.paths) }
    return held.union(reporting.paths.values.joined())
  }
}
