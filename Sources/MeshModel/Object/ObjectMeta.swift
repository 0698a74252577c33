// SPDX-License-Identifier: Apache-2.0

/// The part of Kubernetes' ObjectMeta that the control plane reads or makes.
///
/// `uid`, `generation`, `resourceVersion` and `creationTimestamp` come from the source; the
/// directory source makes them and keeps them across reloads, since order among plugins and the
/// attribution of a rejection depend on them.
package struct ObjectMeta: Hashable, Sendable {
  package var name: String
  package var namespace: String
  package var labels: [String: String]
  package var annotations: [String: String]
  package var uid: String
  /// Counts the changes of the spec, from 1.
  package var generation: Int64
  package var resourceVersion: String
  /// Seconds since the Unix epoch, 0 where unknown; Istio's order by age has this resolution too.
  package var creationTimestamp: Int64
  /// When the source first had an object whose age is unknown, in seconds since the Unix epoch.
  ///
  /// For people only: it may differ after a restart, so it orders nothing.
  package var firstSeen: Int64 = 0

  package init(
    name: String, namespace: String, labels: [String: String] = [:],
    annotations: [String: String] = [:], uid: String = "", generation: Int64 = 1,
    resourceVersion: String = "", creationTimestamp: Int64 = 0
  ) {
    self.name = name
    self.namespace = namespace
    self.labels = labels
    self.annotations = annotations
    self.uid = uid
    self.generation = generation
    self.resourceVersion = resourceVersion
    self.creationTimestamp = creationTimestamp
  }
}

/// A decoded configuration object of one kind.
package protocol ConfigObject: Sendable, Hashable {
  static var kind: ObjectKind { get }
  var meta: ObjectMeta { get }
}

extension ConfigObject {
  package var ref: ObjectRef {
    ObjectRef(kind: Self.kind, namespace: meta.namespace, name: meta.name)
  }

  /// The whole object as the origin of what is built from it.
  package var origin: Origin { origin(at: FieldPath()) }

  /// One field of the object as the origin of what is built from it.
  package func origin(at path: FieldPath) -> Origin {
    Origin(object: ref, generation: meta.generation, path: path)
  }

  /// Age first, then name, then namespace: the order that Istio's config store gives to objects.
  package static func precedesByAge(_ left: Self, _ right: Self) -> Bool {
    (left.meta.creationTimestamp, left.meta.name, left.meta.namespace)
      < (right.meta.creationTimestamp, right.meta.name, right.meta.namespace)
  }
}
