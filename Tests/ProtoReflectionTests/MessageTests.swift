// SPDX-License-Identifier: Apache-2.0

import JSON
import ProtoReflection
import Testing

/// Reading and changing messages by their fields.
@Suite struct MessageTests {
  @Test func `fields are set, cleared and displaced`() throws {
    let type = try message("envoy.config.route.v3.RouteMatch")
    let (prefix, path) = (try field("prefix", of: type), try field("path", of: type))
    var match = DynamicMessage(type)
    #expect(match["prefix"] == nil)
    match.set(.string("/"), for: prefix)
    #expect(match["prefix"] == .string("/"))
    match.set(.string("/a"), for: path)
    #expect(match.setFieldNumbers == [path.number])
    let oneof = try #require(type.oneofs.first { $0.name == "path_specifier" })
    #expect(match.setMember(of: oneof) === path)
    match.set(nil, for: path)
    #expect(match.isEmpty)
    #expect(match.setMember(of: oneof) == nil)
  }

  @Test func `an inner message is changed in place and made when it is missing`() throws {
    let type = try message("envoy.config.route.v3.Route")
    var route = DynamicMessage(type)
    let matchField = try field("match", of: type)
    let prefix = try field("prefix", of: try message("envoy.config.route.v3.RouteMatch"))
    route.update(matchField) { $0.set(.string("/"), for: prefix) }
    #expect(route.json().text() == #"{"match":{"prefix":"/"}}"#)
    route.update(matchField) { $0.clear(prefix.number) }
    #expect(route.json().text() == #"{"match":{}}"#)
    #expect(route.update(try field("name", of: type)) { _ in 1 } == nil)
  }

  @Test func `an Any is packed, read and replaced`() throws {
    let any = try message("google.protobuf.Any")
    let duration = try decode(#""1.5s""#, as: "google.protobuf.Duration")
    var packed = DynamicMessage(packing: duration, as: any)
    #expect(packed.anyTypeURL == "type.googleapis.com/google.protobuf.Duration")
    #expect(packed.anyContent == duration)
    #expect(try DynamicMessage(parsing: packed.serialized(), as: any) == packed)
    packed.setAnyContent(DynamicMessage(duration.descriptor))
    #expect(packed.anyContent == DynamicMessage(duration.descriptor))
    #expect(duration.anyTypeURL == nil)
    #expect(duration.anyContent == nil)
  }

  @Test func `equal messages are equal bytes, whatever the order of making`() throws {
    let keys = (0..<50).map { "key\($0)" }
    func metadata(_ keys: [String]) throws -> DynamicMessage {
      var object = JSONObject()
      for key in keys { object[key] = ["v": .string(key)] }
      return try DynamicMessage.decode(
        ["filter_metadata": .object(object)], as: message("envoy.config.core.v3.Metadata")
      ).get()
    }
    let (a, b) = (try metadata(keys), try metadata(keys.reversed()))
    #expect(a == b)
    #expect(a.serialized() == b.serialized())
    #expect(a.json().text() == b.json().text())
  }

  @Test func `descriptors are found by name and by URL, and decoded once`() async throws {
    let name = "envoy.config.cluster.v3.Cluster"
    let pool = try message(name).pool
    #expect(pool.message(typeURL: "type.googleapis.com/" + name) === pool.message(named: name))
    #expect(pool.message(typeURL: name) == nil)
    #expect(pool.message(named: "envoy.config.cluster.v3.Nothing") == nil)
    let policy = try #require(pool.enumeration(named: name + ".LbPolicy"))
    #expect(policy.number(named: "RANDOM") == 3)
    #expect(policy.name(of: 3) == "RANDOM")
    #expect(pool.enumeration(named: name) == nil)
    #expect(pool.extensionField(named: "validate.rules")?.number == 1071)
    let types = await withTaskGroup(of: MessageDescriptor?.self) { group in
      for _ in 0..<64 {
        group.addTask { pool.message(named: "envoy.config.core.v3.GrpcService") }
      }
      return await group.reduce(into: Set<ObjectIdentifier?>()) {
        $0.insert($1.map { ObjectIdentifier($0) })
      }
    }
    #expect(types.count == 1)
  }

  private func field(_ name: String, of type: MessageDescriptor) throws -> FieldDescriptor {
    try #require(type.field(named: name))
  }
}
