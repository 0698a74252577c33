// SPDX-License-Identifier: Apache-2.0

/// A `networking.istio.io` VirtualService: how requests to its hosts are routed.
package struct VirtualService: ConfigObject {
  package static let kind = ObjectKind.virtualService

  package struct HTTPRoute: Hashable, Sendable {
    /// The position in `spec.http`.
    package var index: Int
    package var name = ""
    /// Any of these; empty matches every request.
    package var matches: [HTTPMatch] = []
    package var action: Action
    package var rewrite: Rewrite?
    /// In nanoseconds; nil where unset, which disables the timeout as in Istio.
    package var timeout: Duration?
    /// Nil where unset, which stands for the mesh's default.
    package var retries: Retries?
    package var fault: Fault?
    package var mirrors: [Mirror] = []
    package var corsPolicy: CORSPolicy?
    package var headers = Headers()
    /// The delegate that it was written in, at `spec.http[index]`; nil for a route of the
    /// VirtualService itself.
    package var delegated: Origin?
    /// The Wasm plugins that its requests pass.
    package var plugins: [PluginReference] = []

    package init(index: Int, action: Action) {
      self.index = index
      self.action = action
    }

    /// `spec.http[index]`.
    package var path: FieldPath { FieldPath("spec", "http")[index] }
  }

  package var meta: ObjectMeta
  package var hosts: [String]
  /// As written; empty stands for `mesh`, the sidecars.
  package var gateways: [String]
  /// Empty exports to all namespaces.
  package var exportTo: [String]
  package var http: [HTTPRoute]
  /// Encrypted connections, chosen by SNI and not decrypted.
  package var tls: [ConnectionRoute] = []
  package var tcp: [ConnectionRoute] = []
  /// The Wasm plugins that the requests of every route pass.
  package var plugins: [PluginReference] = []

  package init(
    meta: ObjectMeta, hosts: [String], gateways: [String] = [], exportTo: [String] = [],
    http: [HTTPRoute]
  ) {
    self.meta = meta
    self.hosts = hosts
    self.gateways = gateways
    self.exportTo = exportTo
    self.http = http
  }

  /// The object, and the delegates that its routes were taken from.
  package var routeOrigins: [Origin] {
    [origin]
      + http.compactMap {
        $0.delegated.map { Origin(object: $0.object, generation: $0.generation) }
      }
  }
}
