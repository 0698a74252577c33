// SPDX-License-Identifier: Apache-2.0

package import JSON

/// An `install.istio.io/v1alpha1` IstioOperator: here, a carrier of the mesh configuration.
package struct IstioOperator: ConfigObject {
  package static let kind = ObjectKind.istioOperator

  package var meta: ObjectMeta
  /// Nil where `spec.meshConfig` is not written.
  package var meshConfig: MeshConfig?
  /// The whole spec as it was written; what is not acted on is kept and shown.
  package var spec: JSONValue

  package init(meta: ObjectMeta, meshConfig: MeshConfig?, spec: JSONValue) {
    self.meta = meta
    self.meshConfig = meshConfig
    self.spec = spec
  }
}
