// SPDX-License-Identifier: Apache-2.0

package import JSON
package import MeshModel

/// A configuration object of any kind, decoded as far as its kind is acted on.
package enum ConfigValue: Hashable, Sendable {
  case wasmPlugin(WasmPlugin)
  case trafficExtension(TrafficExtension)
  case envoyFilter(EnvoyFilter)
  case gateway(Gateway)
  case virtualService(VirtualService)
  case destinationRule(DestinationRule)
  case serviceEntry(ServiceEntry)
  case workloadEntry(WorkloadEntry)
  case sidecar(Sidecar)
  case service(KubernetesService)
  case endpointSlice(EndpointSlice)
  case endpoints(Endpoints)
  case pod(Pod)
  case secret(Secret)
  case istioOperator(IstioOperator)
  case meshConfigMap(MeshConfigMap)
  case meshConfigFile(MeshConfigFile)
  case proxyConfig(ProxyConfigObject)
  /// A kind that is only kept and shown.
  case other

  /// Gives the decoded object the metadata that its source made.
  mutating func setMeta(_ meta: ObjectMeta) {
    switch self {
    case .wasmPlugin(var object):
      object.meta = meta
      self = .wasmPlugin(object)
    case .trafficExtension(var object):
      object.meta = meta
      self = .trafficExtension(object)
    case .envoyFilter(var object):
      object.meta = meta
      self = .envoyFilter(object)
    case .gateway(var object):
      object.meta = meta
      self = .gateway(object)
    case .virtualService(var object):
      object.meta = meta
      self = .virtualService(object)
    case .destinationRule(var object):
      object.meta = meta
      self = .destinationRule(object)
    case .sidecar(var object):
      object.meta = meta
      self = .sidecar(object)
    case .workloadEntry(var object):
      object.meta = meta
      self = .workloadEntry(object)
    case .pod(var object):
      object.meta = meta
      self = .pod(object)
    case .serviceEntry(var object):
      object.meta = meta
      self = .serviceEntry(object)
    case .service(var object):
      object.meta = meta
      self = .service(object)
    case .endpointSlice(var object):
      object.meta = meta
      self = .endpointSlice(object)
    case .endpoints(var object):
      object.meta = meta
      self = .endpoints(object)
    case .secret(var object):
      object.meta = meta
      self = .secret(object)
    case .istioOperator(var object):
      object.meta = meta
      self = .istioOperator(object)
    case .meshConfigMap(var object):
      object.meta = meta
      self = .meshConfigMap(object)
    case .meshConfigFile(var object):
      object.meta = meta
      self = .meshConfigFile(object)
    case .proxyConfig(var object):
      object.meta = meta
      self = .proxyConfig(object)
    case .other: break
    }
  }
}

/// A configuration object as it was written, what it means, and where it stands.
package struct DecodedObject: Hashable, Sendable {
  package let ref: ObjectRef
  /// `networking.istio.io/v1alpha3`.
  package let apiVersion: String
  /// The part of the metadata that counts; its source fills in uid, generation and resourceVersion.
  package var meta: ObjectMeta { didSet { value.setMeta(meta) } }
  package private(set) var value: ConfigValue
  /// The whole object as it was written, but for the content of a Secret.
  package let json: JSONValue
  package let source: SourceMap

  package init(
    ref: ObjectRef, apiVersion: String, meta: ObjectMeta, value: ConfigValue, json: JSONValue,
    source: SourceMap
  ) {
    self.ref = ref
    self.apiVersion = apiVersion
    self.meta = meta
    self.value = value
    self.json = json
    self.source = source
  }

  package var kind: String { ref.kind.kind }

  /// The object with the metadata that its source made, as an API server would return it.
  ///
  /// An object whose age is unknown shows when its source first had it, and null, which is Kubernetes'
  /// zero time, where that is unknown too.
  package var completeJSON: JSONValue {
    guard case .object(var members) = json else { return json }
    var metadata: JSONObject = ["name": .string(meta.name)]
    if !meta.namespace.isEmpty { metadata["namespace"] = .string(meta.namespace) }
    metadata["uid"] = .string(meta.uid)
    metadata["resourceVersion"] = .string(meta.resourceVersion)
    metadata["generation"] = .integer(meta.generation)
    let created = meta.creationTimestamp == 0 ? meta.firstSeen : meta.creationTimestamp
    metadata["creationTimestamp"] =
      created == 0 ? .null : .string(Timestamp.text(ofSeconds: created))
    for (key, value) in json["metadata"]?.objectMembers ?? [:] where metadata[key] == nil {
      metadata[key] = value
    }
    members["metadata"] = .object(metadata)
    return .object(members)
  }
}

/// What a text, or some files, hold.
package struct ManifestReading: Hashable, Sendable {
  /// Sound objects in the order of writing; they may have warnings.
  package var objects: [DecodedObject] = []
  /// Objects that are there but have errors: their last good version stays in force.
  package var refused: Set<ObjectRef> = []
  /// False where some document could not be read far enough to know its objects.
  package var isComplete = true
  /// With object, path and location as far as they are known.
  package var problems: [ConfigError] = []

  package init() {}

  package var hasErrors: Bool { problems.contains { $0.severity == .error } }
}
