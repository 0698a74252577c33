// SPDX-License-Identifier: Apache-2.0

package import AgentAPI
package import MeshModel
package import XDS

/// How far the newest form of one object has come: what its status is made of.
package struct Rollout: Sendable {
  /// One connected proxy whose bytes depend on the object.
  package struct Part: Sendable {
    /// `<node id>-<counter>`.
    package var connectionID: String
    /// The proxy's name, as proxy-status shows it.
    package var proxy: String
    package var progress: Progress
    /// What the agent beside it tells of the object's Wasm modules.
    package var modules: [Skiff_Agent_V1_WasmModuleStatus]
  }

  package var object: ObjectRef
  /// Of the object, in the configuration that is being served; nil where that does not have it.
  package var generation: Int64?
  /// By connection id.
  package var parts: [Part]
}

extension ADSServer {
  /// How far some objects have come, proxy by proxy; in their order.
  package func rollouts(of objects: [ObjectRef]) async -> [Rollout] {
    let mesh = mesh
    let streams = await streams.map { stream in
      objects.indices.compactMap { position in
        stream.rolloutPart(of: objects[position]).map { (position, $0) }
      }
    }
    var rollouts = objects.map { object in
      Rollout(object: object, generation: mesh?.generations[object], parts: [])
    }
    for (position, part) in streams.joined() { rollouts[position].parts.append(part) }
    for position in rollouts.indices {
      rollouts[position].parts.sort { $0.connectionID < $1.connectionID }
    }
    return rollouts
  }

  /// A signal whenever a rollout may have moved, from now on; many at once are one.
  package func progressSignals() -> AsyncStream<Void> { progress.signals() }
}
