// SPDX-License-Identifier: Apache-2.0

/// How `google.protobuf.Any` is kept: field 2 holds the unpacked message itself when the pool has
/// its type and the bytes parse, and the bytes otherwise. On the wire both look alike.
extension DynamicMessage {
  private static let typeURLNumber: Int32 = 1
  private static let valueNumber: Int32 = 2

  /// Packs a message into an `Any`, whose descriptor is the second argument.
  package init(
    packing content: DynamicMessage, as any: MessageDescriptor,
    prefix: String = "type.googleapis.com"
  ) {
    precondition(any.wellKnownType == .any, "only google.protobuf.Any packs messages")
    self.init(any)
    setAnyContent(content, typeURL: "\(prefix)/\(content.descriptor.fullName)")
  }

  /// The type URL of an `Any`; empty when unset, nil for other types.
  package var anyTypeURL: String? {
    guard descriptor.wellKnownType == .any else { return nil }
    return self[number: Self.typeURLNumber]?.string ?? ""
  }

  /// The message in an `Any`, or nil for other types, unknown types, and malformed content.
  package var anyContent: DynamicMessage? {
    guard let typeURL = anyTypeURL else { return nil }
    if let content = self[number: Self.valueNumber] { return content.message }
    return descriptor.pool.message(typeURL: typeURL).map(DynamicMessage.init(_:))
  }

  /// Replaces the content of an `Any` and keeps its type URL; the type must be the same.
  package mutating func setAnyContent(_ content: DynamicMessage) {
    guard let typeURL = anyTypeURL else {
      preconditionFailure("only google.protobuf.Any holds another message")
    }
    setAnyContent(content, typeURL: typeURL)
  }

  mutating func setAnyContent(_ content: DynamicMessage, typeURL: String) {
    guard let typeField = descriptor.field(number: Self.typeURLNumber),
      let valueField = descriptor.field(number: Self.valueNumber)
    else { preconditionFailure("google.protobuf.Any has fields 1 and 2") }
    store(.string(typeURL), for: typeField)
    if content.isEmpty {
      clear(Self.valueNumber)
    } else {
      store(.message(content), for: valueField)
    }
  }

  /// Brings field 2 into agreement with the type URL after either has changed.
  mutating func normalizeAny(depth: Int) {
    guard let value = self[number: Self.valueNumber],
      let valueField = descriptor.field(number: Self.valueNumber)
    else { return }
    let type = descriptor.pool.message(typeURL: anyTypeURL ?? "")
    let bytes: [UInt8]
    switch value {
    case .message(let content):
      if content.descriptor === type { return }
      bytes = content.serialized()
    case .bytes(let content): bytes = content
    default: return
    }
    guard let type else {
      store(.bytes(bytes), for: valueField)
      return
    }
    var content = DynamicMessage(type)
    var reader = WireReader(bytes)
    do {
      try content.merge(&reader, depth: depth + 1)
      store(.message(content), for: valueField)
    } catch {
      store(.bytes(bytes), for: valueField)
    }
  }
}
