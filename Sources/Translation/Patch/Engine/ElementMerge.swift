// SPDX-License-Identifier: Apache-2.0

import EnvoyAPI
import Foundation
import MeshModel
import ProtoReflection
import SwiftProtobuf

/// MERGE of a patch's value into one message that translation has built.
///
/// By protobuf's rules, on any type of the Envoy API, with two exceptions that Istio makes too: the
/// `typed_config` of a filter and of a transport socket of the same name is merged field by field,
/// where protobuf would replace it as a whole.
struct ElementMerge {
  let decoder: PatchValueDecoder

  /// The merged message, which is as Envoy's API wants it.
  ///
  /// - Throws: `conflict` where a `typed_config` is of another type, `invalid` where the result would
  ///   break a rule of the API; the path is in the patch.
  func merged<Element: Message>(
    _ element: Element, by patch: DecodedPatch
  ) throws(ConfigError) -> Element {
    Self.built(try merged(reflected(element), by: patch))
  }

  /// The form that translation builds; fields that it does not know stay as they are.
  static func built<Element: Message>(_ message: DynamicMessage) -> Element {
    do {
      return try Element(serializedBytes: message.serialized())
    } catch {
      preconditionFailure("what reflection wrote as its type does not parse: \(error)")
    }
  }

  func merged(
    _ former: DynamicMessage, by patch: DecodedPatch
  ) throws(ConfigError) -> DynamicMessage {
    guard let value = patch.value else { preconditionFailure("a MERGE has a value") }
    var addition = Addition(value, patch.explicit, patch.mergeOptions)
    var message = former
    do throws(ReflectionError) {
      switch patch.applyTo {
      case .httpFilter, .networkFilter, .listenerFilter:
        try addition.mergeConfig(into: &message)
      case .filterChain: try addition.mergeSocket(into: &message)
      case .cluster: try addition.mergeClusterSocket(into: &message)
      case .listener, .routeConfiguration, .virtualHost, .httpRoute, .extensionConfig, .bootstrap:
        break
      }
      try message.merge(
        from: addition.value, options: patch.mergeOptions, explicit: addition.explicit)
      if patch.applyTo == .httpRoute { message.heedTimeout(of: value) }
    } catch {
      let isType = error.path.last == .field("@type")
      throw ConfigError(
        isType ? .conflict : .invalid, object: patch.filter,
        at: patch.valuePath + FieldPath(error.path), reason: error.reason + "; the patch is skipped"
      )
    }
    try decoder.check(message, after: patch, before: former)
    return message
  }

  func reflected(_ element: some Message) -> DynamicMessage {
    let name = type(of: element).protoMessageName
    guard let descriptor = decoder.types.message(named: name),
      let message = try? DynamicMessage(parsing: element.deterministicBytes(), as: descriptor)
    else { preconditionFailure("a \(name) that we built must parse") }
    return message
  }
}

extension DynamicMessage {
  /// Takes back the limit that a route without a timeout gives to gRPC, where a patch writes a timeout:
  /// beside that limit Envoy forgets it, and beside the one of Istio's it does not.
  fileprivate mutating func heedTimeout(of patch: DynamicMessage) {
    guard let route = descriptor.field(named: "route"),
      let written = patch[number: route.number]?.message,
      written["timeout"]?.message?.isEmpty == false, written["max_stream_duration"] == nil,
      var action = self[number: route.number]?.message,
      let limit = action.descriptor.field(named: "max_stream_duration"),
      let found = action[number: limit.number]?.message, found.setFieldNumbers.count == 1,
      found["grpc_timeout_header_max"]?.message?.isEmpty == true
    else { return }
    action.clear(limit.number)
    set(.message(action), for: route)
  }
}

/// What is still to be merged of a patch's value.
private struct Addition {
  var value: DynamicMessage
  var explicit: ExplicitFields
  let options: MergeOptions

  init(_ value: DynamicMessage, _ explicit: ExplicitFields, _ options: MergeOptions) {
    self.value = value
    self.explicit = explicit
    self.options = options
  }

  /// Merges the `typed_config` of a filter or a transport socket, and takes it out of what is left.
  mutating func mergeConfig(into message: inout DynamicMessage) throws(ReflectionError) {
    guard let field = message.descriptor.field(named: "typed_config"),
      let addition = value[number: field.number]?.message,
      var config = message[number: field.number]?.message
    else { return }
    guard addition.anyTypeURL == config.anyTypeURL || addition.anyTypeURL?.isEmpty ?? true else {
      let name = message["name"]?.string ?? ""
      throw ReflectionError(
        at: [.field("typed_config"), .field("@type")],
        "expected \(config.anyTypeURL ?? ""), the type of \(name), found "
          + (addition.anyTypeURL ?? "none"))
    }
    do throws(ReflectionError) {
      try config.mergeAnyContent(
        from: addition, options: options, explicit: explicit.below(field))
    } catch {
      throw ReflectionError(at: [.field("typed_config")] + error.path, error.reason)
    }
    message.set(.message(config), for: field)
    drop(field)
  }

  /// Merges the transport socket where ours has the same name; another takes its place.
  mutating func mergeSocket(into message: inout DynamicMessage) throws(ReflectionError) {
    guard let field = message.descriptor.field(named: "transport_socket"),
      let addition = value[number: field.number]?.message,
      let socket = message[number: field.number]?.message
    else { return }
    message.set(.message(try merged(addition, field, into: socket)), for: field)
    drop(field)
  }

  /// The same for a cluster, whose sockets may be chosen by endpoint: the first of the same name.
  mutating func mergeClusterSocket(into message: inout DynamicMessage) throws(ReflectionError) {
    guard let matches = message.descriptor.field(named: "transport_socket_matches"),
      case .list(var list)? = message[number: matches.number],
      let field = message.descriptor.field(named: "transport_socket"),
      let addition = value[number: field.number]?.message,
      let position = list.firstIndex(where: {
        $0.message?["transport_socket"]?.message?["name"] == addition["name"]
      }),
      var match = list[position].message,
      let inner = match.descriptor.field(named: "transport_socket"),
      let socket = match[number: inner.number]?.message
    else {
      try mergeSocket(into: &message)
      return
    }
    match.set(.message(try merged(addition, field, into: socket)), for: inner)
    list[position] = .message(match)
    message.set(.list(list), for: matches)
    drop(field)
  }

  private func merged(
    _ addition: DynamicMessage, _ field: FieldDescriptor, into socket: DynamicMessage
  ) throws(ReflectionError) -> DynamicMessage {
    let name = addition["name"]?.string ?? ""
    guard name.isEmpty || name == socket["name"]?.string else { return addition }
    var inner = Addition(addition, explicit.below(field), options)
    var result = socket
    do throws(ReflectionError) {
      try inner.mergeConfig(into: &result)
      try result.merge(from: inner.value, options: options, explicit: inner.explicit)
    } catch {
      throw ReflectionError(at: [.field(field.name)] + error.path, error.reason)
    }
    return result
  }

  private mutating func drop(_ field: FieldDescriptor) {
    value.clear(field.number)
    explicit.nested[field.number] = nil
  }
}
