// SPDX-License-Identifier: Apache-2.0

import JSON
import MeshModel

/// What a request is about: a kind in a version, a namespace, a name, a part of the object.
struct Target {
  var resource: APIResource
  var version: String
  /// Nil for kinds without one, and for all.
  var namespace: String?
  /// Nil for a collection.
  var name: String?
  var subresource = ""

  var isStatus: Bool { subresource == "status" }

  func ref(_ name: String) -> ObjectRef {
    ObjectRef(kind: resource.kind, namespace: namespace ?? "", name: name)
  }
}

/// How a write is done: the parameters that all of them have.
struct WriteOptions {
  var isDryRun = false
  var manager: String
  /// Server-side apply overrides other managers.
  var isForced = false
  var validation = FieldValidation.warn

  init(_ query: Query, userAgent: String?) throws(APIStatus) {
    switch query.all("dryRun") {
    case []: break
    case ["All"]: isDryRun = true
    case let values:
      throw .badRequest("the parameter dryRun is All or missing, found \(values)")
    }
    let agent = userAgent?.prefix { $0 != "/" } ?? ""
    manager = query["fieldManager"] ?? (agent.isEmpty ? "unknown" : String(agent))
    guard manager.utf8.count <= 128 else {
      throw .badRequest("the parameter fieldManager has more than 128 bytes")
    }
    isForced = query.flag("force")
    if let name = query["fieldValidation"] {
      guard let validation = FieldValidation(rawValue: name) else {
        throw .badRequest(
          "the parameter fieldValidation is Ignore, Warn or Strict, found \"\(name)\"")
      }
      self.validation = validation
    }
  }
}

/// `DeleteOptions`, from the body of a deletion and its parameters.
struct DeleteOptions {
  var isDryRun = false
  var uid: String?
  var resourceVersion: String?

  init(_ body: JSONValue, _ query: Query) {
    isDryRun =
      query.all("dryRun").contains("All")
      || body["dryRun"]?.arrayElements?.contains("All") == true
    uid = body["preconditions"]?["uid"]?.stringValue
    resourceVersion = body["preconditions"]?["resourceVersion"]?.stringValue
  }
}

/// What a write came to.
struct WriteOutcome {
  var object: JSONValue
  var isNew = false
  var warnings: [String] = []
}

/// A change of an object that is sent as a difference.
enum Patch {
  case json(JSONPatch)
  case merge(JSONValue)
  case strategic(JSONValue)
  case apply(JSONValue)
}
