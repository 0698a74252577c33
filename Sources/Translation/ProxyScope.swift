// SPDX-License-Identifier: Apache-2.0

import MeshModel

/// What of the mesh concerns the proxies of one class: the services that they see, and the policies
/// that apply to them, in their order.
///
/// Worked out once for each translation; everything else is built from it.
struct ProxyScope {
  let mesh: MeshSnapshot
  let proxy: ProxyClass
  /// Where pieces of the last translation may still be found.
  let round: TranslationRound
  let surroundings: Shared<Surroundings>
  /// What DestinationRules say about the services.
  let destinations: DestinationPolicies
  /// The Sidecar resource that counts for the proxies.
  let sidecar: Sidecar?
  /// What may be called, by the listener of the Sidecar resource; one of everything without.
  let egress: [EgressScope]
  /// One for each host name, in name order.
  let services: ServiceList
  /// In the order of Istio before phases and priorities: own namespace, root namespace, then age.
  let plugins: [Plugin]
  /// Those that only some routes of the proxy use, in the order of the mesh configuration.
  let routePlugins: [Plugin]
  /// What Gateways put on all routes through them, by `namespace/name`.
  let gatewayPlugins: [String: [PluginReference]]
  /// In the order in which their patches are applied.
  let envoyFilters: [EnvoyFilter]

  init(
    _ mesh: MeshSnapshot, _ proxy: ProxyClass,
    _ round: TranslationRound = TranslationRound(ClassMemory())
  ) {
    self.mesh = mesh
    self.proxy = proxy
    self.round = round
    surroundings = round.memory.shared(Surroundings(mesh, proxy))
    destinations = DestinationPolicies(mesh.destinationRules, surroundings.value)
    let seen = round.memory.visible.part(
      VisibleServices.Argument(index: mesh.serviceIndex, namespace: proxy.namespace)
    ).services
    let visible = seen.all
    let sidecar = Self.sidecar(mesh, proxy)
    self.sidecar = sidecar
    if let listeners = sidecar?.egress, !listeners.isEmpty {
      let egress = listeners.map { EgressScope($0, visible, mesh, from: proxy.namespace) }
      let called = Set(egress.flatMap(\.services).map(\.hostname))
      services = ServiceList(visible.filter { called.contains($0.hostname) })
      self.egress = egress
    } else {
      services = seen
      egress = [EgressScope(visible, from: proxy.namespace)]
    }
    let attachment = PolicyAttachment(proxy: proxy)
    let root = mesh.meshConfig.rootNamespace
    let namespaces = proxy.namespace == root ? [root] : [proxy.namespace, root]
    plugins = namespaces.flatMap { mesh.plugins[$0] ?? [] }.filter { plugin in
      // A proxy that cannot run Wasm says so; its listeners must not wait for modules.
      if case .wasm = plugin.filter, !proxy.runsWasm { return false }
      return attachment.applies(
        in: plugin.meta.namespace, selector: plugin.placement.selector,
        targetRefs: plugin.placement.targetRefs)
    }
    routePlugins = proxy.runsWasm ? RoutePlugins.used(in: mesh, by: proxy) : []
    gatewayPlugins = RoutePlugins.byGateway(mesh)
    envoyFilters = namespaces.flatMap { mesh.envoyFilters[$0] ?? [] }.filter {
      attachment.applies(
        in: $0.meta.namespace, selector: $0.workloadSelector, targetRefs: $0.targetRefs)
    }.sorted { left, right in
      // Lower priority, then the root namespace, then age; Istio's last key is `name.namespace`.
      let leftKey = (left.priority, left.meta.namespace == root ? 0 : 1)
      let rightKey = (right.priority, right.meta.namespace == root ? 0 : 1)
      return leftKey == rightKey
        ? EnvoyFilter.precedesByAge(left, right) : leftKey < rightKey
    }
  }

  /// Whether a Gateway of the proxies passes connections on to whatever service a client names
  /// (AUTO_PASSTHROUGH).
  var passesOn: Bool {
    proxy.role == .router
      && mesh.gateways.contains { gateway in
        gateway.servers.contains { $0.tls?.mode == .autoPassthrough }
          && gateway.selector.matches(proxy.labels)
      }
  }

  func service(named hostname: String) -> Service? {
    mesh.service(named: hostname, visibleIn: proxy.namespace)
  }
}

/// The services that workloads of a namespace may use, one for each host name.
struct VisibleServices: Piece {
  struct Argument: Equatable {
    let index: ServiceIndex
    let namespace: String
  }

  let services: ServiceList

  init(_ argument: Argument) {
    var visible: [Service] = []
    var former: String?
    for service in argument.index.all where service.hostname != former {
      // Of several with one name, the lookup decides, so that routes and clusters agree.
      former = service.hostname
      if let chosen = argument.index.service(
        named: service.hostname, visibleIn: argument.namespace)
      {
        visible.append(chosen)
      }
    }
    services = ServiceList(visible)
  }
}

/// Whether a policy (WasmPlugin, EnvoyFilter) attaches to a proxy, as Istio decides it.
struct PolicyAttachment {
  /// The label that marks the workloads of a Gateway API gateway, with the gateway's name.
  static let gatewayNameLabel = "gateway.networking.k8s.io/gateway-name"

  let proxy: ProxyClass

  /// The namespace must be the proxy's or the root; that is the caller's part.
  func applies(
    in namespace: String, selector: LabelSelector?, targetRefs: [PolicyTargetReference]
  ) -> Bool {
    guard !targetRefs.isEmpty else { return selector?.matches(proxy.labels) ?? true }
    // Only gateways of the Gateway API are targets of references, in their own namespace.
    guard let name = proxy.labels[Self.gatewayNameLabel],
      namespace == proxy.namespace
    else { return false }
    return targetRefs.contains { reference in
      reference.group == "gateway.networking.k8s.io" && reference.kind == "Gateway"
        && reference.name == name
    }
  }
}

extension ProxyScope {
  /// The objects that declare the services of some instances.
  func origins(of instances: [ProxyClass.ServiceInstance]) -> [Origin] {
    let hostnames = Set(instances.map(\.hostname))
    return hostnames.sorted().flatMap { service(named: $0)?.origins ?? [] }
  }
}
