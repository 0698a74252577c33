// SPDX-License-Identifier: Apache-2.0

import MeshModel

/// From the kind of an object to its decoder.
enum KindDecoder {
  /// The fields of every Kubernetes object.
  private static let object = Schema(
    fields: ["apiVersion", "kind", "metadata", "spec"], ignored: ["status"])

  /// Decodes an object; nil only where an error was noted.
  static func decode(
    _ root: Node, _ kind: ObjectKind, _ meta: ObjectMeta, _ problems: Problems
  ) -> ConfigValue? {
    switch kind {
    case .endpointSlice:
      return EndpointSlice.decode(root, meta, problems).map(ConfigValue.endpointSlice)
    case .pod: return Pod.decode(root, meta, problems).map(ConfigValue.pod)
    case .endpoints: return Endpoints.decode(root, meta, problems).map(ConfigValue.endpoints)
    case .secret: return Secret.decode(root, meta, problems).map(ConfigValue.secret)
    // Most ConfigMaps are somebody else's.
    case .configMap:
      return MeshConfigMap.decode(root, meta, problems).map(ConfigValue.meshConfigMap) ?? .other
    case .meshConfigFile:
      return MeshConfigFile.decode(root, meta, problems).map(ConfigValue.meshConfigFile)
    default: break
    }
    guard KnownKinds.decoded.contains(kind) else {
      KnownKinds.warn(about: kind, problems)
      return .other
    }
    guard let fields = Fields(root, object, problems) else { return nil }
    // A missing spec has no fields; what it must have is then missing at its place.
    let spec = fields["spec"] ?? Node(YAMLValue(.object([]), line: 0), at: FieldPath("spec"))
    return switch kind {
    case .wasmPlugin: WasmPlugin.decode(spec, meta, problems).map(ConfigValue.wasmPlugin)
    case .trafficExtension:
      TrafficExtension.decode(spec, meta, problems).map(ConfigValue.trafficExtension)
    case .envoyFilter: EnvoyFilter.decode(spec, meta, problems).map(ConfigValue.envoyFilter)
    case .gateway: Gateway.decode(spec, meta, problems).map(ConfigValue.gateway)
    case .virtualService:
      VirtualService.decode(spec, meta, problems).map(ConfigValue.virtualService)
    case .destinationRule:
      DestinationRule.decode(spec, meta, problems).map(ConfigValue.destinationRule)
    case .sidecar: Sidecar.decode(spec, meta, problems).map(ConfigValue.sidecar)
    case .workloadEntry: WorkloadEntry.decode(spec, meta, problems).map(ConfigValue.workloadEntry)
    case .serviceEntry: ServiceEntry.decode(spec, meta, problems).map(ConfigValue.serviceEntry)
    case .service: KubernetesService.decode(spec, meta, problems).map(ConfigValue.service)
    case .istioOperator: IstioOperator.decode(spec, meta, problems).map(ConfigValue.istioOperator)
    case .proxyConfig:
      ProxyConfigObject.decode(spec, meta, problems).map(ConfigValue.proxyConfig)
    default: preconditionFailure("every decoded kind has a decoder")
    }
  }
}
