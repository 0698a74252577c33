// SPDX-License-Identifier: Apache-2.0

/// The ConfigMap `istio`, whose key `mesh` holds the mesh configuration as YAML text.
package struct MeshConfigMap: ConfigObject {
  package static let kind = ObjectKind.configMap

  package var meta: ObjectMeta
  package var meshConfig: MeshConfig

  package init(meta: ObjectMeta, meshConfig: MeshConfig) {
    self.meta = meta
    self.meshConfig = meshConfig
  }

  /// The name of the ConfigMap and the key in it, which are Istio's.
  package static let name = "istio"
  package static let key = "mesh"
}

/// A file with nothing but the mesh configuration (`--mesh-config FILE`).
///
/// Its name is that of the file; there is no kind of Kubernetes for it.
package struct MeshConfigFile: ConfigObject {
  package static let kind = ObjectKind.meshConfigFile

  package var meta: ObjectMeta
  package var meshConfig: MeshConfig

  package init(meta: ObjectMeta, meshConfig: MeshConfig) {
    self.meta = meta
    self.meshConfig = meshConfig
  }
}
