// SPDX-License-Identifier: Apache-2.0

import EnvoyAPI
package import MeshModel
package import ProtoReflection

/// Turns the configuration of the mesh into the xDS resources of a class of proxies.
///
/// A pure function of its two arguments, without clock, flag or store, so a result can be kept for as
/// long as both stay equal. Every object and every patch has its own fault boundary: what is wrong
/// with one is reported and left out, and its neighbours are as if it were not there.
package struct Translator: Sendable {
  let decoder: PatchValueDecoder
  let decodedFilters: DecodedFilters
  private let memories = ClassMemories()

  /// Makes a translator.
  ///
  /// - Parameter types: the whole Envoy API, for what users write in EnvoyFilters.
  package init(types: DescriptorPool) {
    decoder = PatchValueDecoder(types: types)
    decodedFilters = DecodedFilters(decoder)
  }

  /// All resources of a class, each with the objects that it comes from, and what went wrong.
  package func translate(
    _ mesh: MeshSnapshot, for proxyClass: ProxyClass
  ) -> ResourceSnapshot {
    translate(remembered(mesh, proxyClass), recorder: nil).resources
  }

  /// The same resources, and why patches of EnvoyFilters did or did not change them.
  package func translate(
    _ mesh: MeshSnapshot, for proxyClass: ProxyClass, tracing subject: PatchTrace.Subject
  ) -> (resources: ResourceSnapshot, trace: PatchTrace) {
    let scope = remembered(mesh, proxyClass)
    let recorder = PatchRecorder(subject, scope)
    let (resources, engine) = translate(scope, recorder: recorder)
    return (
      resources,
      recorder.trace(problems: mesh.problems + resources.problems, names: engine.names)
    )
  }

  private func remembered(_ mesh: MeshSnapshot, _ proxyClass: ProxyClass) -> ProxyScope {
    ProxyScope(
      mesh, proxyClass, TranslationRound(memories.take(proxyClass, for: mesh.revision)))
  }

  private func translate(
    _ scope: ProxyScope, recorder: PatchRecorder?
  ) -> (resources: ResourceSnapshot, engine: PatchEngine) {
    let (mesh, proxyClass) = (scope.mesh, scope.proxy)
    var problems: [ConfigError] = []
    var sets: [TypeURL: [EncodedResource]] = [:]

    let clusters = Clusters(scope)
    problems += clusters.problems
    sets[.endpoint] = clusters.assignments

    let virtualServices = scope.virtualServices
    var listeners: [ListenerDraft] = []
    var routes: [RouteConfigurationDraft] = []
    switch proxyClass.role {
    case .router:
      let gateway = GatewayPorts(scope)
      problems += gateway.problems
      var tables = GatewayRoutes(scope, virtualServices)
      for port in gateway.ports {
        let listener = GatewayListener(port, scope, virtualServices)
        if let draft = listener.draft { listeners.append(draft) }
        problems += listener.problems
        routes += tables.configurations(for: port)
      }
      let secrets = GatewaySecrets(scope, gateway.ports)
      problems += secrets.problems
      sets[.secret] = secrets.resources
      problems += tables.problems
    case .sidecar:
      let ports = OutboundPorts(scope)
      let sidecar = SidecarListeners(scope, ports: ports, virtualServices)
      listeners = sidecar.listeners
      problems += sidecar.problems
      var tables = SidecarRoutes(scope, virtualServices)
      routes = ports.http.map { tables.configuration(for: $0) }
      for port in ports.streams {
        for member in port.members where member.reading == .detected {
          routes.append(tables.configuration(for: member.service, on: port))
        }
      }
      problems += tables.problems
    }
    let plan = PatchPlan(scope, decodedFilters, recorder)
    problems += plan.problems
    decodedFilters.prune(to: mesh)
    var engine = PatchEngine(
      scope, listeners: listeners, routes: routes, clusters: clusters.clusters, decoder,
      recorder)
    for group in plan.groups { engine.apply(group) }
    problems += engine.problems
    let extensions = ExtensionConfigs(scope, plan.extensionConfigs, recorder)
    problems += extensions.problems
    sets[.extensionConfig] = extensions.resources
    sets[.cluster] = engine.clusters.remaining.map(\.encoded)
    sets[.route] = engine.routes.remaining.map { $0.encoded(in: &scope.round.memory) }
    sets[.listener] = engine.listeners.remaining.map {
      $0.sourced.encoded(as: .listener, named: $0.name)
    }

    let resources = ResourceSnapshot(
      revision: mesh.revision, proxyClass: proxyClass,
      sets: scope.round.memory.sets(of: sets),
      problems: Self.unique(problems.map(mesh.located), besides: mesh.problems))
    scope.round.memory.forgetUnused()
    memories.put(scope.round.memory, of: proxyClass, for: mesh.revision)
    return (resources, engine)
  }

  /// In order, each once: an object that several listeners use is reported once, and what reading has
  /// reported is not reported again.
  private static func unique(
    _ problems: [ConfigError], besides known: [ConfigError]
  ) -> [ConfigError] {
    guard !problems.isEmpty else { return [] }
    var seen = Set(known)
    return problems.filter { seen.insert($0).inserted }
  }
}
