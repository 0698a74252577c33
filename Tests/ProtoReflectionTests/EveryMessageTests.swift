// SPDX-License-Identifier: Apache-2.0

import JSON
import EnvoyAPI
import ProtoReflection
import Testing

/// Properties that hold for every message of the Envoy API.
@Suite struct EveryMessageTests {
  @Test func `the set is complete and every descriptor decodes`() throws {
    let pool = EnvoyTypes.pool
    #expect(pool.messageNames.count > 2_000)
    for name in pool.messageNames {
      let type = try #require(pool.message(named: name))
      for field in type.fields {
        #expect(type.field(named: field.name) === field)
        #expect(type.field(number: field.number) === field)
        #expect(type.field(named: field.jsonName) != nil)
        let isMessage = field.kind == .message || field.kind == .group
        #expect((field.message != nil) == isMessage, "\(name).\(field.name)")
        #expect((field.enumeration != nil) == (field.kind == .enum), "\(name).\(field.name)")
        #expect((field.mapEntry != nil) == field.isMap, "\(name).\(field.name)")
      }
    }
  }

  @Test func `a default instance is no bytes, and comes back from JSON`() throws {
    for type in try allMessageTypes() {
      let empty = DynamicMessage(type)
      #expect(empty.serialized() == [])
      #expect(try DynamicMessage(parsing: [], as: type) == empty)
      // Null is a value of Value, so that type has no empty form.
      guard type.wellKnownType != .value else { continue }
      #expect(
        try DynamicMessage.decode(empty.json(), as: type).get() == empty, "\(type.fullName)")
    }
  }

  @Test func `random messages come back from wire and from JSON`() throws {
    let types = try allMessageTypes()
    var generator = RandomMessages(seed: 2, anyTypes: types)
    for type in types {
      let original = generator.message(type)
      let wire = original.serialized()
      let parsed = try DynamicMessage(parsing: wire, as: type)
      #expect(parsed.serialized() == wire, "\(type.fullName)")
      #expect(parsed.unknownFields.isEmpty, "\(type.fullName)")
      for names in [JSONEncodingOptions.FieldNames.proto, .lowerCamelCase] {
        let json = original.json(JSONEncodingOptions(fieldNames: names))
        let reparsed = try JSONValue(parsing: json.text(pretty: names == .proto))
        #expect(reparsed == json, "\(type.fullName)")
        let decoded = DynamicMessage.decode(reparsed, as: type)
        #expect(decoded.errors == [], "\(type.fullName)")
        #expect(decoded.message.serialized() == wire, "\(type.fullName): \(json.text())")
      }
    }
  }

  @Test func `a merge is what parsing one serialisation after the other gives`() throws {
    let types = try allMessageTypes()
    var generator = RandomMessages(seed: 3, anyTypes: types)
    for type in types {
      let (a, b) = (generator.message(type), generator.message(type))
      var merged = a
      try merged.merge(from: b)
      let concatenated = try DynamicMessage(parsing: a.serialized() + b.serialized(), as: type)
      #expect(merged.serialized() == concatenated.serialized(), "\(type.fullName)")
    }
  }

  @Test func `broken bytes end in an error and never in a trap`() throws {
    let types = try allMessageTypes()
    var generator = RandomMessages(seed: 4, anyTypes: types)
    let validator = ConstraintValidator()
    var refused = 0
    for type in types {
      let wire = generator.message(type).serialized()
      guard !wire.isEmpty else { continue }
      for _ in 0..<3 {
        var broken = wire
        for _ in 0..<2 {
          broken[Int.random(in: 0..<broken.count, using: &generator.random)] =
            UInt8.random(in: 0...255, using: &generator.random)
        }
        broken.removeLast(Int.random(in: 0...min(3, broken.count - 1), using: &generator.random))
        guard let parsed = try? DynamicMessage(parsing: broken, as: type) else {
          refused += 1
          continue
        }
        let again = parsed.serialized()
        #expect(try DynamicMessage(parsing: again, as: type).serialized() == again)
        _ = DynamicMessage.decode(parsed.json(), as: type)
        _ = validator.violations(in: parsed, now: .seconds(1_000_000_000))
      }
    }
    #expect(refused > 1_000)
  }
}
