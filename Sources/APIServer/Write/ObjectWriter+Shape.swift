// SPDX-License-Identifier: Apache-2.0

import Foundation
import JSON
import MeshModel
import ObjectStore

/// What an object looks like between the wire and the store.
extension ObjectWriter {
  /// A body as an object of the target: kind, version, namespace and name must agree.
  func identified(_ body: JSONValue, _ target: Target) throws(APIStatus) -> JSONValue {
    let resource = target.resource
    guard case .object = body else {
      throw .badRequest("expected an object of kind \(resource.kind.kind), found \(body.kind)")
    }
    let apiVersion = resource.apiVersion(target.version)
    if let written = body["apiVersion"]?.stringValue, written != apiVersion {
      throw .badRequest(
        "the API version in the data (\(written)) does not match the expected API version "
          + "(\(apiVersion))")
    }
    if let written = body["kind"]?.stringValue, written != resource.kind.kind {
      throw .badRequest(
        "the kind in the data (\(written)) does not match the expected kind (\(resource.kind.kind))"
      )
    }
    if let metadata = body["metadata"], metadata != .null, metadata.objectMembers == nil {
      throw .badRequest("metadata: expected an object, found \(metadata.kind)")
    }
    var object = body.asVersion(target.version, of: resource)
    if let name = target.name {
      guard object.name.isEmpty || object.name == name else {
        throw .badRequest(
          "the name of the object (\(object.name)) does not match the name on the URL (\(name))")
      }
      object = object.settingMetadata("name", .string(name))
    }
    if let namespace = target.namespace {
      guard object.namespace.isEmpty || object.namespace == namespace else {
        throw .badRequest(
          "the namespace of the provided object does not match the namespace sent on the request")
      }
      object = object.settingMetadata("namespace", .string(namespace))
    } else {
      object = object.settingMetadata("namespace", nil)
    }
    return object.canonical
  }

  /// An edited object with what only the server may change as it was.
  func merged(
    _ edited: JSONValue, over live: JSONValue, _ target: Target
  ) throws(APIStatus) -> JSONValue {
    let resource = target.resource
    if !edited.uid.isEmpty, edited.uid != live.uid {
      throw .conflict(
        resource, live.name,
        "Precondition failed: UID in precondition: \(edited.uid), UID in object meta: \(live.uid)")
    }
    var object = edited
    if target.isStatus {
      object = live.setting("status", edited["status"])
    } else if resource.hasStatus {
      object = object.setting("status", live["status"])
    }
    for key in ["uid", "creationTimestamp", "generation", "deletionTimestamp", "resourceVersion"] {
      object = object.settingMetadata(key, live.metadata[key])
    }
    if live.isBeingDeleted {
      object = object.settingMetadata(
        "deletionGracePeriodSeconds", live.metadata["deletionGracePeriodSeconds"])
    }
    return object
  }

  /// The object with its managers after an author wrote it.
  func withManagers(
    _ object: JSONValue, _ edited: JSONValue, _ live: JSONValue, _ author: ManagedFields.Entry,
    _ target: Target
  ) -> JSONValue {
    // An author may take managers over (kubectl does when it goes to server-side apply), or clear
    // the list; nobody writes an empty list by accident.
    let written = edited.metadata["managedFields"]
    let isKept = written == nil || written == .null
    var managed = ManagedFields(isKept ? live : edited)
    func relevant(_ value: JSONValue) -> JSONValue {
      target.isStatus
        ? JSONValue.object([:]).setting("status", value["status"]) : withoutStatus(value, target)
    }
    managed.update(
      from: relevant(live), to: relevant(object), by: author, target.resource)
    return object.settingMetadata(
      "managedFields", managed.entries.isEmpty ? JSONValue.absent : managed.json)
  }

  /// Without the status, where that has an endpoint of its own.
  func withoutStatus(_ object: JSONValue, _ target: Target) -> JSONValue {
    target.resource.hasStatus ? object.setting("status", nil) : object
  }

  /// In the version that is stored, with sorted members.
  func stored(_ object: JSONValue, _ resource: APIResource) -> JSONValue {
    object.asVersion(resource.versions[0], of: resource).canonical
  }

  /// With what Kubernetes fills in for a kind, where something relies on it.
  static func completed(_ object: JSONValue, _ resource: APIResource) -> JSONValue {
    switch resource.kind {
    case .namespace:
      var labels = object.metadata["labels"] ?? [:]
      labels = labels.setting("kubernetes.io/metadata.name", .string(object.name))
      return object.settingMetadata("labels", labels)
        .setting("spec", ["finalizers": ["kubernetes"]])
        .setting("status", ["phase": "Active"])
    case .secret:
      var object = object.setting("type", object["type"] ?? "Opaque")
      guard let texts = object["stringData"]?.objectMembers else { return object }
      var data = object["data"]?.objectMembers ?? [:]
      for (key, text) in texts {
        data[key] = .string(Data((text.stringValue ?? "").utf8).base64EncodedString())
      }
      object = object.setting("stringData", nil)
      return object.setting("data", .object(data))
    case .service:
      var spec = object["spec"]?.objectMembers ?? [:]
      spec["type"] = spec["type"] ?? "ClusterIP"
      spec["sessionAffinity"] = spec["sessionAffinity"] ?? "None"
      spec["ports"] = spec["ports"]?.arrayElements.map { ports in
        .array(
          ports.map { port in
            guard port.objectMembers != nil else { return port }
            return port.setting("protocol", port["protocol"] ?? "TCP")
              .setting("targetPort", port["targetPort"] ?? port["port"])
          })
      }
      return object["spec"]?.objectMembers == nil ? object : object.setting("spec", .object(spec))
    default: return object
    }
  }

  /// The write that makes a namespace, unless it is there: configuration brings its namespaces.
  func missingNamespace(_ name: String) async -> [Write] {
    guard let resource = catalog.resource(of: .namespace) else { return [] }
    let ref = ObjectRef(kind: .namespace, namespace: "", name: name)
    guard await store.object(ref) == nil else { return [] }
    let object: JSONValue = [
      "metadata": [
        "name": .string(name), "uid": .string(UUID().uuidString.lowercased()),
        "creationTimestamp": timestamp, "generation": 1,
      ]
    ]
    let complete = stored(Self.completed(object, resource), resource)
    return [Write(ref, .create(complete, owner: .api))]
  }
}
