// SPDX-License-Identifier: Apache-2.0

import Manifests
import MeshModel

/// The objects in force by kind.
struct Inventory: Sendable {
  /// What services are made from.
  struct ServiceSources: Equatable, Sendable {
    var serviceEntries = ObjectList<ServiceEntry>()
    var workloadEntries = ObjectList<WorkloadEntry>()
    var pods = ObjectList<Pod>()
    var kubernetesServices = ObjectList<KubernetesService>()
    var endpointSlices = ObjectList<EndpointSlice>()
    var endpoints = ObjectList<Endpoints>()
  }

  /// What the mesh configuration is made from.
  struct MeshConfigSources: Equatable, Sendable {
    var operators = ObjectList<IstioOperator>()
    var maps = ObjectList<MeshConfigMap>()
    var files = ObjectList<MeshConfigFile>()
  }

  private(set) var wasmPlugins = ObjectList<WasmPlugin>()
  private(set) var trafficExtensions = ObjectList<TrafficExtension>()
  private(set) var envoyFilters = ObjectList<EnvoyFilter>()
  private(set) var gateways = ObjectList<Gateway>()
  private(set) var virtualServices = ObjectList<VirtualService>()
  private(set) var destinationRules = ObjectList<DestinationRule>()
  private(set) var sidecars = ObjectList<Sidecar>()
  private(set) var secrets = ObjectList<Secret>()
  private(set) var proxyConfigs = ObjectList<ProxyConfigObject>()
  private(set) var services = ServiceSources()
  private(set) var meshConfigs = MeshConfigSources()
  private(set) var sources: [ObjectRef: SourceMap] = [:]
  private(set) var generations: [ObjectRef: Int64] = [:]

  /// Takes over what has changed; nil stands for an object that is gone.
  mutating func update(_ changes: [ObjectRef: DecodedObject?]) {
    var byKind: [ObjectKind: [(ref: ObjectRef, object: DecodedObject?)]] = [:]
    for (ref, object) in changes {
      sources[ref] = object?.source
      generations[ref] = object?.meta.generation
      byKind[ref.kind, default: []].append((ref, object))
    }
    func of<Object: ConfigObject>(
      _ take: (ConfigValue) -> Object?
    ) -> [(ref: ObjectRef, object: Object?)] {
      byKind[Object.kind]?.map { ($0.ref, $0.object.flatMap { take($0.value) }) } ?? []
    }
    wasmPlugins.update(of { if case .wasmPlugin(let object) = $0 { object } else { nil } })
    trafficExtensions.update(
      of { if case .trafficExtension(let object) = $0 { object } else { nil } })
    envoyFilters.update(of { if case .envoyFilter(let object) = $0 { object } else { nil } })
    gateways.update(of { if case .gateway(let object) = $0 { object } else { nil } })
    virtualServices.update(of { if case .virtualService(let object) = $0 { object } else { nil } })
    destinationRules.update(
      of { if case .destinationRule(let object) = $0 { object } else { nil } })
    sidecars.update(of { if case .sidecar(let object) = $0 { object } else { nil } })
    secrets.update(of { if case .secret(let object) = $0 { object } else { nil } })
    proxyConfigs.update(of { if case .proxyConfig(let object) = $0 { object } else { nil } })
    services.serviceEntries.update(
      of { if case .serviceEntry(let object) = $0 { object } else { nil } })
    services.workloadEntries.update(
      of { if case .workloadEntry(let object) = $0 { object } else { nil } })
    services.pods.update(of { if case .pod(let object) = $0 { object } else { nil } })
    services.kubernetesServices.update(
      of { if case .service(let object) = $0 { object } else { nil } })
    services.endpointSlices.update(
      of { if case .endpointSlice(let object) = $0 { object } else { nil } })
    services.endpoints.update(of { if case .endpoints(let object) = $0 { object } else { nil } })
    meshConfigs.operators.update(
      of { if case .istioOperator(let object) = $0 { object } else { nil } })
    meshConfigs.maps.update(of { if case .meshConfigMap(let object) = $0 { object } else { nil } })
    meshConfigs.files.update(
      of { if case .meshConfigFile(let object) = $0 { object } else { nil } })
  }
}
