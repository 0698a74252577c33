// SPDX-License-Identifier: Apache-2.0

import MeshModel
import ProtoReflection

/// Types of Envoy's v2 API in a message: they are described, but no Envoy since 1.18 takes them.
struct FormerTypes {
  /// Paths to `@type` or `type_url`, each with what to write instead.
  private(set) var problems: [ValueProblem] = []

  init(in message: DynamicMessage, of types: DescriptorPool) {
    var found: [(path: [PathComponent], typeURL: String)] = []
    message.visit { path, message in
      if let typeURL = message.anyTypeURL {
        found.append((path + [.field("@type")], typeURL))
      } else if let content = TypedStruct(message) {
        found.append((path + [.field("type_url")], content.typeURL))
      }
    }
    for (path, typeURL) in found {
      let name = typeURL.split(separator: "/").last.map(String.init) ?? ""
      guard Self.isFormer(name) else { continue }
      let remedy =
        types.successor(of: name).map { "write type.googleapis.com/\($0)" }
        ?? "write the type of the v3 API"
      problems.append(
        ValueProblem(
          code: .unsupported, path: path,
          reason: "\(name) is of Envoy's v2 API, which Envoy no longer has; \(remedy)"))
    }
  }

  /// Whether the package of a type has a version before the third.
  private static func isFormer(_ name: String) -> Bool {
    guard name.hasPrefix("envoy.") else { return false }
    return name.split(separator: ".").contains { part in
      part == "v1" || part == "v2" || part.hasPrefix("v1alpha") || part.hasPrefix("v2alpha")
    } && !name.hasPrefix("envoy.extensions.")
  }
}
