// SPDX-License-Identifier: Apache-2.0

import AgentAPI
import MeshModel
import XDS

/// Proxies of one class that have been sent and have answered the same.
///
/// Ten thousand proxies are a handful of such groups, also in the middle of a push, and what is true of
/// one of a group is true of all.
struct ProxyGroup {
  private struct Key: Hashable {
    var entry: ObjectIdentifier
    var isPlaced: Bool
    var position: StreamState.Position
  }

  private var proxies: [Rollout.Proxy] = []
  private var first: ProxyStanding
  private var modules: [String: [Rollout.Module]] = [:]

  static func groups(of standings: [ProxyStanding]) -> [ProxyGroup] {
    var groups: [Key: ProxyGroup] = [:]
    var keys: [Key] = []
    for standing in standings.sorted(by: { $0.proxy < $1.proxy }) {
      let key = Key(
        entry: ObjectIdentifier(standing.entry), isPlaced: standing.isPlaced,
        position: standing.state.position)
      if groups[key] == nil { keys.append(key) }
      groups[key, default: ProxyGroup(first: standing)].add(standing)
    }
    return keys.compactMap { groups[$0] }
  }

  private init(first: ProxyStanding) { self.first = first }

  private mutating func add(_ standing: ProxyStanding) {
    proxies.append(standing.proxy)
    for status in standing.modules {
      modules[status.resource, default: []].append(
        Rollout.Module(proxy: standing.proxy.name, status: status))
    }
  }

  /// How far the group has come with some objects; nil for those that nothing it gets depends on.
  ///
  /// While the proxies' class is being found or translated anew, nobody knows what they will get.
  func parts(of objects: [ObjectRef], revision: UInt64?) -> [Rollout.Part?] {
    guard first.isPlaced, let (newest, dependents) = first.entry.dependents,
      newest.revision == revision
    else {
      let unknown = Rollout.Part(proxies: proxies, progress: .pending([]), modules: [])
      return objects.map { _ in unknown }
    }
    var leftovers: [ObjectRef: [ResourceKey]] = [:]
    for (key, resource) in first.state.leftovers(against: newest) {
      for object in Set(resource.origins.map(\.object)) {
        leftovers[object, default: []].append(key)
      }
    }
    return objects.map { object in
      let (keys, left) = (dependents[object] ?? [], leftovers[object] ?? [])
      guard !keys.isEmpty || !left.isEmpty,
        let progress = first.state.progress(
          of: object, on: keys, in: newest, leftovers: left)
      else { return nil }
      let modules =
        self.modules.isEmpty
        ? [] : Set(keys.map(\.name)).sorted().flatMap { self.modules[$0] ?? [] }
      return Rollout.Part(proxies: proxies, progress: progress, modules: modules)
    }
  }
}
