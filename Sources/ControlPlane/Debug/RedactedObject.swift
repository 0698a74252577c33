// SPDX-License-Identifier: Apache-2.0

import JSON
import Manifests
import MeshModel

extension DecodedObject {
  /// The whole object as a page may show it: of a Secret the names of its entries, not what they hold.
  var redactedJSON: JSONValue {
    guard ref.kind.group.isEmpty, ref.kind.kind == "Secret",
      var members = completeJSON.objectMembers
    else { return completeJSON }
    for field in ["data", "stringData"] {
      guard let entries = members[field]?.objectMembers else { continue }
      members[field] = .object(pairs: entries.map { ($0.key, "[redacted]") })
    }
    // kubectl keeps all that it applied in an annotation.
    if var metadata = members["metadata"]?.objectMembers, metadata["annotations"] != nil {
      metadata["annotations"] = nil
      members["metadata"] = .object(metadata)
    }
    return .object(members)
  }
}
