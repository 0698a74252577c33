// SPDX-License-Identifier: Apache-2.0

/// A Kubernetes group and kind, without the version.
///
/// Versions of one kind are the same object, as in Istio, which matches by group and kind alone.
package struct ObjectKind: Hashable, Sendable {
  /// The API group, empty for the core group.
  package var group: String
  package var kind: String

  package init(group: String, kind: String) {
    self.group = group
    self.kind = kind
  }
}

extension ObjectKind {
  package static let wasmPlugin = Self(group: "extensions.istio.io", kind: "WasmPlugin")
  package static let trafficExtension = Self(
    group: "extensions.istio.io", kind: "TrafficExtension")
  package static let envoyFilter = Self(group: "networking.istio.io", kind: "EnvoyFilter")
  package static let gateway = Self(group: "networking.istio.io", kind: "Gateway")
  package static let virtualService = Self(group: "networking.istio.io", kind: "VirtualService")
  package static let serviceEntry = Self(group: "networking.istio.io", kind: "ServiceEntry")
  package static let destinationRule = Self(group: "networking.istio.io", kind: "DestinationRule")
  package static let sidecar = Self(group: "networking.istio.io", kind: "Sidecar")
  package static let workloadEntry = Self(group: "networking.istio.io", kind: "WorkloadEntry")
  package static let proxyConfig = Self(group: "networking.istio.io", kind: "ProxyConfig")
  package static let istioOperator = Self(group: "install.istio.io", kind: "IstioOperator")
  package static let service = Self(group: "", kind: "Service")
  package static let secret = Self(group: "", kind: "Secret")
  package static let configMap = Self(group: "", kind: "ConfigMap")
  /// No kind of Kubernetes: a file that is the mesh configuration.
  package static let meshConfigFile = Self(group: "mesh.istio.io", kind: "MeshConfig")
  package static let endpoints = Self(group: "", kind: "Endpoints")
  package static let pod = Self(group: "", kind: "Pod")
  package static let endpointSlice = Self(group: "discovery.k8s.io", kind: "EndpointSlice")
}

extension ObjectKind: Comparable {
  package static func < (left: Self, right: Self) -> Bool {
    (left.group, left.kind) < (right.group, right.kind)
  }
}

extension ObjectKind: CustomStringConvertible {
  /// `WasmPlugin.extensions.istio.io`, as kubectl writes a kind with its group.
  package var description: String { group.isEmpty ? kind : "\(kind).\(group)" }
}

/// The identity of a configuration object: who wrote this.
///
/// Prints as `WasmPlugin default/basic-auth`; cluster-scoped objects have an empty namespace.
package struct ObjectRef: Hashable, Sendable {
  package var kind: ObjectKind
  package var namespace: String
  package var name: String

  package init(kind: ObjectKind, namespace: String, name: String) {
    self.kind = kind
    self.namespace = namespace
    self.name = name
  }
}

extension ObjectRef: Comparable {
  package static func < (left: Self, right: Self) -> Bool {
    (left.kind, left.namespace, left.name) < (right.kind, right.namespace, right.name)
  }
}

extension ObjectRef: CustomStringConvertible {
  package var description: String {
    namespace.isEmpty ? "\(kind.kind) \(name)" : "\(kind.kind) \(namespace)/\(name)"
  }
}
