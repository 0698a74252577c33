// SPDX-License-Identifier: Apache-2.0

import EnvoyAPI
import JSON
import ProtoReflection
import Testing

/// What holds for every merge, on ten thousand pairs of random messages of random Envoy types.
@Suite struct MergePropertyTests {
  struct Pair {
    let type: MessageDescriptor
    let ours: DynamicMessage
    let theirs: DynamicMessage
  }

  static func pairs(seed: UInt64, count: Int = 10_000) throws -> [Pair] {
    let types = try allMessageTypes()
    let envoyTypes = types.filter { $0.fullName.hasPrefix("envoy.") }
    var generator = RandomMessages(seed: seed, anyTypes: types)
    return try (0..<count).map { _ in
      let type = try #require(envoyTypes.randomElement(using: &generator.random))
      return Pair(type: type, ours: generator.message(type), theirs: generator.message(type))
    }
  }

  @Test func `a merge is what parsing one message after the other gives`() throws {
    for pair in try Self.pairs(seed: 11) {
      var merged = pair.ours
      try merged.merge(from: pair.theirs)
      let parsed = try DynamicMessage(
        parsing: pair.ours.serialized() + pair.theirs.serialized(), as: pair.type)
      #expect(merged.serialized() == parsed.serialized(), "\(pair.type.fullName)")
    }
  }

  @Test func `protobuf's own library merges the same`() throws {
    let pairs = try Self.pairs(seed: 12)
    let answers = try PythonPeer("merge.py").ask(
      pairs.map { pair in
        [
          "type": .string(pair.type.fullName),
          "ours": .string(PythonPeer.base64(pair.ours.serialized())),
          "theirs": .string(PythonPeer.base64(pair.theirs.serialized())),
        ]
      })
    try #require(answers.count == pairs.count)
    for (pair, answer) in zip(pairs, answers) {
      var merged = pair.ours
      try merged.merge(from: pair.theirs)
      let bytes = try #require(answer["merged"]?.stringValue.flatMap(PythonPeer.bytes))
      // Read back, since content of an Any is kept there as it came.
      let peer = try DynamicMessage(parsing: bytes, as: pair.type)
      #expect(merged.serialized() == peer.serialized(), "\(pair.type.fullName)")
    }
  }

  @Test func `merging an empty message changes nothing, and into an empty one gives the other`()
    throws
  {
    for pair in try Self.pairs(seed: 13, count: 2_000) {
      for options in [MergeOptions.protobuf, .istio, .istioReplacingLists] {
        var same = pair.ours
        try same.merge(from: DynamicMessage(pair.type), options: options)
        #expect(same.serialized() == pair.ours.serialized())
        var other = DynamicMessage(pair.type)
        try other.merge(from: pair.ours, options: options)
        #expect(other.serialized() == pair.ours.serialized())
      }
    }
  }

  /// With explicit presence a patch can say every change; protobuf's rules cannot.
  @Test func `an explicit merge makes any message of any other`() throws {
    var count = 0
    for pair in try Self.pairs(seed: 14) {
      guard let patch = JSONPatch.from(pair.ours, to: pair.theirs) else { continue }
      count += 1
      let decoding = DynamicMessage.decode(
        patch, as: pair.type, options: JSONDecoding.Options(notesExplicitFields: true))
      #expect(decoding.errors == [], "\(pair.type.fullName)")
      var merged = pair.ours
      try merged.merge(
        from: decoding.message,
        options: MergeOptions(lists: .replace, durations: .replace, wrappers: .replace),
        explicit: decoding.explicit)
      #expect(
        merged.serialized() == pair.theirs.serialized(), "\(pair.type.fullName): \(patch.text())")
    }
    #expect(count > 7_000, "too few of the pairs have a patch between them")
  }
}

/// The JSON that changes one message into another: what differs, and null for what goes.
enum JSONPatch {
  /// Nil where JSON has no words for the change: within a `google.protobuf.Struct` null is a value.
  static func from(_ ours: DynamicMessage, to theirs: DynamicMessage) -> JSONValue? {
    let written = theirs.json()
    var members: [(String, JSONValue)] = []
    for field in ours.descriptor.fields {
      let (old, new) = (ours[number: field.number], theirs[number: field.number])
      guard bytes(of: old, field, ours.descriptor) != bytes(of: new, field, ours.descriptor) else {
        continue
      }
      guard let new else {
        guard !takesNull(field) else { return nil }
        members.append((field.name, .null))
        continue
      }
      guard let json = written[field.name] else { return nil }
      guard let value = change(old, new, json, field) else { return nil }
      members.append((field.name, value))
    }
    return .object(pairs: members)
  }

  /// Values are compared by their bytes, as 0 and -0 are equal and NaN is not.
  private static func bytes(
    of value: DynamicValue?, _ field: FieldDescriptor, _ type: MessageDescriptor
  ) -> [UInt8]? {
    guard let value else { return nil }
    var message = DynamicMessage(type)
    message.set(value, for: field)
    return message.serialized()
  }

  private static func change(
    _ old: DynamicValue?, _ new: DynamicValue, _ json: JSONValue, _ field: FieldDescriptor
  ) -> JSONValue? {
    switch (old, new) {
    case (.message(let old), .message(let new)):
      switch new.descriptor.wellKnownType {
      case nil: from(old, to: new)
      case .structure, .value, .listValue: nil
      default: json
      }
    case (.map(let old), .map(let new)):
      removals(from: old, to: new, json, takesNull(field.mapEntry?.value))
    default: json
    }
  }

  private static func removals(
    from old: [MapKey: DynamicValue], to new: [MapKey: DynamicValue], _ json: JSONValue,
    _ takesNull: Bool
  ) -> JSONValue? {
    let gone = old.keys.filter { new[$0] == nil }
    guard gone.isEmpty || !takesNull else { return nil }
    return .object(
      pairs: (json.objectMembers ?? [:]).map { ($0.key, $0.value) }
        + gone.sorted().map { ($0.text, .null) })
  }

  private static func takesNull(_ field: FieldDescriptor?) -> Bool {
    field?.message?.wellKnownType == .value
      || field?.enumeration?.fullName == "google.protobuf.NullValue"
  }
}
