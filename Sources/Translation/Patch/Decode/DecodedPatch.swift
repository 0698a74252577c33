// SPDX-License-Identifier: Apache-2.0

import EnvoyAPI
package import MeshModel
package import ProtoReflection

/// A patch of an EnvoyFilter, ready to be applied: all of it that is the same for every proxy.
package struct DecodedPatch: Sendable {
  let filter: ObjectRef
  let generation: Int64
  package let patch: EnvoyFilter.ConfigPatch
  /// With INSERT_* read as ADD where there is no order.
  let operation: EnvoyFilter.Operation
  /// Nil only where the operation needs no value.
  package var value: DynamicMessage?
  /// What the value sets to nothing; empty unless presence is explicit.
  var explicit = ExplicitFields()
  let mergeOptions: MergeOptions

  var index: Int { patch.index }
  var applyTo: EnvoyFilter.ApplyTo { patch.applyTo }
  var isMerge: Bool { operation == .merge || operation == .mergeAndReplaceList }
  var origin: Origin { Origin(object: filter, generation: generation, path: patch.path) }
  var valuePath: FieldPath { patch.path["patch"]["value"] }
  var matchPath: FieldPath { patch.path["match"] }

  init(_ patch: EnvoyFilter.ConfigPatch, of filter: EnvoyFilter) {
    self.filter = filter.ref
    generation = filter.meta.generation
    self.patch = patch
    operation = patch.effectiveOperation
    mergeOptions = MergeOptions(
      lists: operation == .mergeAndReplaceList ? .replace : .append, durations: .replace,
      wrappers: filter.presence == .explicit ? .replace : .fieldwise)
  }

  /// Whether a MERGE says something about a field.
  func mentions(_ fieldName: String) -> Bool {
    guard let value, let field = value.descriptor.field(named: fieldName) else { return false }
    return value[number: field.number] != nil || explicit.cleared.contains(field.number)
      || explicit.nested[field.number] != nil
  }

  /// Completes an error that was found where only the path was known.
  func located(_ problem: ConfigError) -> ConfigError {
    var problem = problem
    problem.object = filter
    return problem
  }
}

extension EnvoyFilter.ApplyTo {
  /// The message that a patch's value is.
  var valueType: String {
    switch self {
    case .listener: Envoy.Listener.protoMessageName
    case .listenerFilter: Envoy.ListenerFilter.protoMessageName
    case .filterChain: Envoy.FilterChain.protoMessageName
    case .networkFilter: Envoy.NetworkFilter.protoMessageName
    case .httpFilter: Envoy.HTTPFilter.protoMessageName
    case .routeConfiguration: Envoy.RouteConfiguration.protoMessageName
    case .virtualHost: Envoy.VirtualHost.protoMessageName
    case .httpRoute: Envoy.Route.protoMessageName
    case .cluster: Envoy.Cluster.protoMessageName
    case .extensionConfig: Envoy.TypedExtensionConfig.protoMessageName
    case .bootstrap: "envoy.config.bootstrap.v3.Bootstrap"
    }
  }
}
