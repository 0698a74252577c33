// SPDX-License-Identifier: Apache-2.0

import MeshModel

extension IstioOperator {
  /// Only the mesh configuration is acted on; the rest describes an installation and is kept.
  private static let schema = Schema(
    fields: ["meshConfig"],
    ignored: [
      "profile", "installPackagePath", "hub", "tag", "namespace", "revision", "resourceSuffix",
      "compatibilityVersion", "components", "addonComponents", "values", "unvalidatedValues",
    ])

  /// Reads `spec` (https://istio.io/latest/docs/reference/config/istio.operator.v1alpha1/).
  static func decode(_ spec: Node, _ meta: ObjectMeta, _ problems: Problems) -> IstioOperator? {
    guard let fields = Fields(spec, schema, problems) else { return nil }
    let meshConfig = fields["meshConfig"].flatMap { MeshConfig.decode($0, problems) }
    return IstioOperator(meta: meta, meshConfig: meshConfig, spec: spec.json)
  }
}
