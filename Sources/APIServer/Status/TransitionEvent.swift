// SPDX-License-Identifier: Apache-2.0

import Foundation
import JSON
import MeshModel
import ObjectStore

/// A `v1` Event about a condition that changed, as `kubectl describe` shows it.
///
/// The same again within the life of an event counts up in the event that is there.
struct TransitionEvent {
  let subject: StatusSubject
  let condition: Condition

  /// As Kubernetes bounds it.
  private static let messageLimit = 1024
  /// Seconds that an event is kept after it happened last, as in Kubernetes.
  static let life: Int64 = 3600
  static let source = "skiff"

  /// Nil for a transition that nobody needs to hear of.
  ///
  /// What an object begins with is news only where it is good or bad: not that no proxy needs it yet.
  init?(_ transition: StatusMembers.Transition, of subject: StatusSubject) {
    self.subject = subject
    condition = transition.condition
    switch condition.kind {
    case .accepted:
      if condition.isTrue, transition.former?.status != "False" { return nil }
    case .programmed:
      // A rejection has an event of its own.
      if condition.reason == "Rejected" { return nil }
      if condition.reason == "NoProxies", transition.former?.status != "True" { return nil }
    case .rejected:
      if !condition.isTrue { return nil }
    case .moduleReady:
      if !condition.isTrue, condition.reason == "Fetching" { return nil }
    case .degraded: return nil
    }
  }

  var isWarning: Bool {
    switch condition.kind {
    case .accepted, .moduleReady: !condition.isTrue
    case .rejected: condition.isTrue
    case .programmed, .degraded: false
    }
  }

  private var type: String { isWarning ? "Warning" : "Normal" }

  private var reason: String {
    condition.kind == .moduleReady ? "Module\(condition.reason)" : condition.reason
  }

  private var message: String {
    String(decoding: condition.summary.utf8.prefix(Self.messageLimit), as: UTF8.self)
  }

  /// The same for the same news about the same object.
  var ref: ObjectRef {
    var hasher = ContentHash.Hasher()
    for part in [subject.uid, type, reason, message] { hasher.combine(part) }
    let suffix = "\(hasher.finalize())".prefix(16)
    // Names have at most 253 bytes.
    return ObjectRef(
      kind: .event, namespace: subject.ref.namespace,
      name: "\(subject.ref.name.prefix(236)).\(suffix)")
  }

  /// The write that tells it, over an event that says the same already.
  func write(over existing: StoredObject?, at time: JSONValue, _ resource: APIResource) -> Write {
    if let existing {
      let count = existing.json["count"]?.integerValue ?? 1
      let json = existing.json.setting("count", .integer(count + 1))
        .setting("lastTimestamp", time)
      return Write(ref, .replace(json.canonical, owner: .api, at: existing.revision))
    }
    let object = subject.stored.json
    let json: JSONValue = [
      "metadata": [
        "name": .string(ref.name), "namespace": .string(ref.namespace),
        "uid": .string(UUID().uuidString.lowercased()), "creationTimestamp": time,
      ],
      "involvedObject": [
        "apiVersion": object["apiVersion"] ?? .null, "kind": .string(subject.ref.kind.kind),
        "namespace": .string(subject.ref.namespace), "name": .string(subject.ref.name),
        "uid": .string(subject.uid), "resourceVersion": .string(object.resourceVersion),
      ],
      "type": .string(type), "reason": .string(reason), "message": .string(message),
      "source": ["component": .string(Self.source)],
      "reportingComponent": .string(Self.source), "reportingInstance": "",
      "firstTimestamp": time, "lastTimestamp": time, "eventTime": .null, "count": 1,
    ]
    let complete = json.asVersion(resource.versions[0], of: resource).canonical
    return Write(ref, .create(complete, owner: .api))
  }
}
