// SPDX-License-Identifier: Apache-2.0

package import MeshModel

/// Finds the kinds that people mean on a command line or in a query.
package enum KindName {
  /// The kind of a name as kubectl takes it.
  ///
  /// - Parameter text: in any case, singular or plural, with the group or without:
  ///   `EnvoyFilter`, `envoyfilters`, `wasmplugin.extensions.istio.io`.
  /// - Returns: the kind; nil where none of Istio's and Kubernetes' that are known here is called so.
  package static func kind(_ text: String) -> ObjectKind? {
    let parts = text.lowercased().split(separator: ".", maxSplits: 1)
    guard let name = parts.first else { return nil }
    return (KnownKinds.decoded + KnownKinds.unsupported).first { kind in
      let singular = kind.kind.lowercased()
      return (name == singular || name == plural(of: singular))
        && (parts.count == 1 || parts[1] == kind.group)
    }
  }

  /// `gateways`, `serviceentries`, `endpoints`: a kind in lower case as the resource of an API.
  package static func plural(of singular: String) -> String {
    if singular.hasSuffix("y"), !singular.hasSuffix("ay") { return singular.dropLast() + "ies" }
    if singular.hasSuffix("ss") || singular.hasSuffix("x") { return singular + "es" }
    return singular.hasSuffix("s") ? singular : singular + "s"
  }
}
