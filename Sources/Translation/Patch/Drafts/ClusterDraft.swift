// SPDX-License-Identifier: Apache-2.0

import EnvoyAPI
import MeshModel

/// A cluster that is still open to patches, with what its name says about it.
///
/// Its message is read out of its bytes when a patch looks at it; a cluster that no patch is about stays
/// the resource that it is.
struct ClusterDraft: PatchableDraft {
  private var content: EncodedContent<Envoy.Cluster>
  private(set) var name: String
  let context: EnvoyFilter.Context
  let subset: String
  /// The host names of its services; several for a cluster of the workload's own port.
  let services: [String]
  let port: UInt32?
  var origins: [Origin]

  var message: Envoy.Cluster {
    get { content.message }
    set {
      content = .message(newValue)
      name = newValue.name
    }
  }

  /// As it is served.
  var encoded: EncodedResource { content.encoded(as: .cluster, named: name, origins) }

  var keys: [DraftKey] {
    [.name(name)] + services.map(DraftKey.service) + (port.map { [.port($0)] } ?? [])
  }

  init(_ cluster: Sourced<Envoy.Cluster>, for proxy: ProxyClass) {
    let name = cluster.content.name
    let resource = cluster.encoded(as: .cluster, named: name)
    self.name = name
    content = .resource(resource)
    origins = resource.origins
    let parts = name.split(separator: "|", omittingEmptySubsequences: false).map(String.init)
    let isInbound = parts[0] == "inbound" || name == ClusterName.inboundPassthrough
    context =
      switch proxy.role {
      case .router: .gateway
      case .sidecar: isInbound ? .sidecarInbound : .sidecarOutbound
      }
    guard parts.count == 4 else {
      (subset, services, port) = ("", [], nil)
      return
    }
    subset = parts[2]
    port = UInt32(parts[1])
    guard parts[3].isEmpty else {
      services = [parts[3]]
      return
    }
    let number = port
    services =
      isInbound
      ? Set(proxy.instances.filter { UInt32($0.targetPort) == number }.map(\.hostname)).sorted()
      : []
  }

  /// A cluster that a patch adds.
  init(added message: Envoy.Cluster, _ context: EnvoyFilter.Context, by origin: Origin) {
    content = .message(message)
    name = message.name
    self.context = context
    (subset, services, port) = ("", [], nil)
    origins = [origin]
  }
}
