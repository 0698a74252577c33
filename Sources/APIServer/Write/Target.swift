// SPDX-License-Identifier: Apache-2.0

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
