// SPDX-License-Identifier: Apache-2.0

import MeshModel

extension ObjectMeta {
  private static let schema = Schema(
    fields: ["name", "namespace", "labels", "annotations", "creationTimestamp"],
    ignored: [
      "uid", "resourceVersion", "generation", "managedFields", "ownerReferences", "finalizers",
      "generateName", "selfLink", "deletionTimestamp", "deletionGracePeriodSeconds", "clusterName",
    ])

  /// Reads `metadata`; nil where the object cannot be identified.
  static func decode(_ node: Node, kind: ObjectKind, _ problems: Problems) -> ObjectMeta? {
    guard let fields = Fields(node, schema, problems) else { return nil }
    let name = fields.required("name") { (node) throws(ConfigError) in
      let name = try node.string()
      let fault =
        switch kind {
        case .service: DNSName.labelFault(name, mayBeginWithDigit: false)
        case ObjectKind(group: "", kind: "Namespace"): DNSName.labelFault(name)
        // These names are paths of an API and may hold colons.
        case _ where kind.group == "rbac.authorization.k8s.io": name.isEmpty ? "is empty" : nil
        default: DNSName.subdomainFault(name)
        }
      if let fault { throw node.invalid("\"\(name)\" \(fault)") }
      return name
    }
    let namespace = fields.optional("namespace") { (node) throws(ConfigError) in
      let namespace = try node.string()
      if !namespace.isEmpty, let fault = DNSName.labelFault(namespace) {
        throw node.invalid("\"\(namespace)\" \(fault)")
      }
      return namespace
    }
    guard let name, namespace != nil || !fields.has("namespace") else { return nil }
    var meta = ObjectMeta(name: name, namespace: namespace ?? "")
    if let labels = fields.optional(
      "labels", { (node) throws(ConfigError) in try node.stringMap() })
    {
      meta.labels = labels
    }
    if let annotations = fields.optional(
      "annotations", { (node) throws(ConfigError) in try node.stringMap() })
    {
      meta.annotations = annotations
    }
    let created = fields.optional("creationTimestamp") { (node) throws(ConfigError) in
      guard let seconds = Timestamp.seconds(of: try node.string()) else {
        throw node.expected("a timestamp such as 2026-01-31T12:00:00Z")
      }
      return seconds
    }
    meta.creationTimestamp = created ?? 0
    return meta
  }
}
