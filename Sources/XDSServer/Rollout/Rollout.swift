// SPDX-License-Identifier: Apache-2.0

package import AgentAPI
package import MeshModel
package import XDS

/// How far the newest form of one object has come: what its status is made of.
package struct Rollout: Sendable {
  package struct Proxy: Hashable, Comparable, Sendable {
    /// `<node id>-<counter>`.
    package var connectionID: String
    /// As proxy-status shows it.
    package var name: String

    package static func < (left: Self, right: Self) -> Bool {
      (left.name, left.connectionID) < (right.name, right.connectionID)
    }
  }

  /// What the agent beside a proxy tells of a Wasm module of the object.
  package struct Module: Sendable {
    /// The name of the proxy.
    package var proxy: String
    package var status: Skiff_Agent_V1_WasmModuleStatus
  }

  /// Connected proxies whose bytes depend on the object, and that have come equally far.
  package struct Part: Sendable {
    /// By name; never empty.
    package var proxies: [Proxy]
    package var progress: Progress
    package var modules: [Module]
  }

  package var object: ObjectRef
  /// Of the object, in the configuration that is being served; nil where that does not have it.
  package var generation: Int64?
  /// By the first proxy.
  package var parts: [Part]
}

extension ADSServer {
  /// How far some objects have come; in their order.
  ///
  /// Proxies that stand alike are looked at once, and none of it on an event loop.
  @concurrent package func rollouts(of objects: [ObjectRef]) async -> [Rollout] {
    let mesh = mesh
    var rollouts = objects.map { object in
      Rollout(object: object, generation: mesh?.generations[object], parts: [])
    }
    for group in ProxyGroup.groups(of: await streams.map { $0.standing }) {
      for (position, part) in group.parts(of: objects, revision: classes.mesh?.revision)
        .enumerated()
      {
        if let part { rollouts[position].parts.append(part) }
      }
    }
    return rollouts
  }

  /// A signal whenever a rollout may have moved, from now on; many at once are one.
  package func progressSignals() -> AsyncStream<Void> { progress.signals() }
}
