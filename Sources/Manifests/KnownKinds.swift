// SPDX-License-Identifier: Apache-2.0

package import MeshModel

/// What is known about kinds besides those that are decoded.
package enum KnownKinds {
  /// The kinds that are acted on.
  package static let decoded: [ObjectKind] = [
    .wasmPlugin, .trafficExtension, .envoyFilter, .gateway, .virtualService, .destinationRule,
    .serviceEntry, .workloadEntry, .sidecar, .service, .endpointSlice, .endpoints, .pod, .secret,
    .istioOperator, .proxyConfig, .configMap,
  ]

  /// Istio's kinds that this version keeps and shows, but does not act on.
  package static let unsupported: [ObjectKind] = [
    "networking.istio.io": [
      "WorkloadGroup"
    ],
    "security.istio.io": ["AuthorizationPolicy", "PeerAuthentication", "RequestAuthentication"],
    "telemetry.istio.io": ["Telemetry"],
  ].flatMap { group, kinds in kinds.map { ObjectKind(group: group, kind: $0) } }

  /// Kinds of Kubernetes without a namespace that are likely to stand beside ours in a file.
  private static let clusterScoped: Set<ObjectKind> = Set(
    [
      "": ["Namespace", "Node", "PersistentVolume"],
      "rbac.authorization.k8s.io": ["ClusterRole", "ClusterRoleBinding"],
      "apiextensions.k8s.io": ["CustomResourceDefinition"],
      "admissionregistration.k8s.io": [
        "MutatingWebhookConfiguration", "ValidatingWebhookConfiguration",
        "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding",
      ],
      "apiregistration.k8s.io": ["APIService"],
      "storage.k8s.io": ["StorageClass", "CSIDriver"],
      "scheduling.k8s.io": ["PriorityClass"],
      "networking.k8s.io": ["IngressClass"],
      "gateway.networking.k8s.io": ["GatewayClass"],
    ].flatMap { group, kinds in kinds.map { ObjectKind(group: group, kind: $0) } })

  static func isClusterScoped(_ kind: ObjectKind) -> Bool {
    clusterScoped.contains(kind) || kind == .meshConfigFile
  }

  /// Warns where an object of a kind that is not decoded looks as if its author expected an effect.
  static func warn(about kind: ObjectKind, _ problems: Problems) {
    let path = FieldPath("kind")
    if unsupported.contains(kind) {
      problems.warning(.unsupported, at: path, "\(kind.kind) is not acted on by this version")
      return
    }
    let all = decoded + unsupported
    if let meant = all.first(where: { $0.kind == kind.kind && !$0.group.isEmpty }),
      kind.group.hasSuffix(".istio.io")
    {
      problems.warning(
        .invalid, at: FieldPath("apiVersion"),
        "\(kind.kind) belongs to the group \(meant.group), found \(kind.group)")
    } else if kind.group.hasSuffix(".istio.io") {
      let names = all.filter { $0.group == kind.group }.map(\.kind)
      problems.warning(
        .invalid, at: path,
        "unknown kind \"\(kind.kind)\" of \(kind.group)"
          + NearestName.hint(for: kind.kind, among: names))
    }
  }
}
