// SPDX-License-Identifier: Apache-2.0

import JSON
import ProtoReflection
import Testing

/// Layouts on the wire, among them those of proto2 and of editions.
@Suite struct WireTests {
  static let old: JSONValue = [
    "name": "old.proto", "package": "old", "syntax": "proto2",
    "enum_type": [
      ["name": "Color", "value": [["name": "RED", "number": 1], ["name": "BLUE", "number": 2]]]
    ],
    "message_type": [
      [
        "name": "Thing",
        "field": [
          field("a", 1, "SINT32"), field("b", 2, "SFIXED64"),
          field("list", 3, "INT32", label: "LABEL_REPEATED"),
          field("packed", 4, "SINT64", label: "LABEL_REPEATED", [("options", ["packed": true])]),
          field("color", 5, "ENUM", typeName: ".old.Color"),
          field("colors", 6, "ENUM", label: "LABEL_REPEATED", typeName: ".old.Color"),
          field("inner", 7, "GROUP", typeName: ".old.Thing.Inner"),
          field("flags", 8, "MESSAGE", label: "LABEL_REPEATED", typeName: ".old.Thing.FlagsEntry"),
          field("zero", 9, "UINT32"),
        ],
        "nested_type": [
          ["name": "Inner", "field": [field("x", 1, "FIXED32")]],
          [
            "name": "FlagsEntry", "options": ["map_entry": true],
            "field": [field("key", 1, "BOOL"), field("value", 2, "INT64")],
          ],
        ],
        "extension_range": [["start": 100, "end": 200]],
      ]
    ],
    "extension": [field("note", 100, "STRING", [("extendee", ".old.Thing")])],
  ]

  private func thing() throws -> MessageDescriptor {
    try #require(try pool(adding: Self.old).message(named: "old.Thing"))
  }

  @Test(arguments: [
    (#"{"a":-1}"#, [0x08, 0x01]),
    (#"{"b":"-2"}"#, [0x11, 0xFE, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF]),
    (#"{"list":[1,-1]}"#, [0x18, 0x01, 0x18] + [UInt8](repeating: 0xFF, count: 9) + [0x01]),
    (#"{"packed":["1","-1"]}"#, [0x22, 0x02, 0x02, 0x01]),
    (#"{"color":"BLUE"}"#, [0x28, 0x02]),
    (#"{"inner":{"x":7}}"#, [0x3B, 0x0D, 0x07, 0, 0, 0, 0x3C]),
    (
      #"{"flags":{"false":"0","true":"5"}}"#,
      [0x42, 0x04, 0x08, 0x00, 0x10, 0x00, 0x42, 0x04, 0x08, 0x01, 0x10, 0x05]
    ),
    // proto2 scalars have presence.
    (#"{"zero":0}"#, [0x48, 0x00]),
    (#"{"[old.note]":"n"}"#, [0xA2, 0x06, 0x01, 0x6E]),
  ])
  func `each layout is written and read`(_ json: String, _ wire: [UInt8]) throws {
    let type = try thing()
    let message = try DynamicMessage.decode(JSONValue(parsing: json), as: type).get()
    #expect(message.serialized() == wire)
    let parsed = try DynamicMessage(parsing: wire, as: type)
    #expect(parsed == message)
    #expect(parsed.json().text() == json)
  }

  @Test func `lists are read packed or not, whatever the declaration`() throws {
    let type = try thing()
    #expect(
      try DynamicMessage(parsing: [0x1A, 0x02, 0x01, 0x02], as: type).json().text()
        == #"{"list":[1,2]}"#)
    #expect(
      try DynamicMessage(parsing: [0x20, 0x02, 0x22, 0x01, 0x01], as: type).json().text()
        == #"{"packed":["1","-1"]}"#)
  }

  @Test func `a closed enum keeps unnamed numbers as unknown fields`() throws {
    let type = try thing()
    let message = try DynamicMessage(parsing: [0x28, 0x09, 0x32, 0x02, 0x01, 0x09], as: type)
    #expect(message.json().text() == #"{"colors":["RED"]}"#)
    #expect(message.unknownFields == [0x28, 0x09, 0x30, 0x09])
    #expect(
      DynamicMessage.decode(["color": 9], as: type).errors.map(\.description)
        == ["color: unknown value 9 of old.Color"])
  }

  @Test func `a field of another layout or number is unknown and kept`() throws {
    let type = try thing()
    // Field 1 as a string, field 50 as a group, field 1 as it should be.
    let wire: [UInt8] = [0x0A, 0x01, 0x61, 0x93, 0x03, 0x08, 0x01, 0x94, 0x03, 0x08, 0x02]
    let message = try DynamicMessage(parsing: wire, as: type)
    #expect(message.json().text() == #"{"a":1}"#)
    #expect(message.serialized() == [0x08, 0x02] + wire.dropLast(2))
  }

  @Test func `a map's entry may lack key or value and come twice`() throws {
    let type = try thing()
    let message = try DynamicMessage(
      parsing: [0x42, 0x00, 0x42, 0x02, 0x08, 0x01, 0x42, 0x02, 0x10, 0x07], as: type)
    #expect(message.json().text() == #"{"flags":{"false":"7","true":"0"}}"#)
  }

  @Test(arguments: [
    ([0x08], "a: malformed protobuf: found a truncated varint at byte 1"),
    ([0x00], "malformed protobuf: found a field tag of 0 at byte 1"),
    ([0x0F], "malformed protobuf: found a field tag of 15 at byte 1"),
    ([0x11, 1, 2], "b: malformed protobuf: found a truncated 64-bit value at byte 1"),
    ([0x3B, 0x0D], "inner: malformed protobuf: found a truncated 32-bit value at byte 2"),
    ([0x3B, 0x44], "inner: malformed protobuf: found a group's end out of place at byte 2"),
    (
      [0x42, 0x7F],
      "flags: malformed protobuf: found a length of 127 where 0 bytes are left at byte 2"
    ),
    (
      [0x08] + [UInt8](repeating: 0xFF, count: 10),
      "a: malformed protobuf: found a varint of more than 64 bits at byte 11"
    ),
    ([0xA2, 0x06, 0x01, 0xFF], "[old.note]: expected UTF-8 in a string, found other bytes"),
  ])
  func `malformed bytes are refused`(_ wire: [UInt8], _ reason: String) throws {
    let type = try thing()
    let error = try #require(throws: ReflectionError.self) {
      try DynamicMessage(parsing: wire, as: type)
    }
    #expect(error.description == reason)
  }

  @Test func `nesting on the wire is bounded`() throws {
    var wire: [UInt8] = []
    // Each level is a ListValue in a Value in a ListValue.
    for _ in 0..<60 {
      var value = DynamicMessage(try message("google.protobuf.Value"))
      value.unknownFields = [0x32] + Self.varint(wire.count) + wire
      let bytes = value.serialized()
      wire = [0x0A] + Self.varint(bytes.count) + bytes
    }
    let error = #expect(throws: ReflectionError.self) {
      try DynamicMessage(parsing: wire, as: try message("google.protobuf.ListValue"))
    }
    #expect(error?.reason == "expected at most 100 levels of nesting, found more")
  }

  private static func varint(_ value: Int) -> [UInt8] {
    value < 0x80 ? [UInt8(value)] : [UInt8(value & 0x7F) | 0x80] + varint(value >> 7)
  }

  @Test func `editions choose presence, packing and delimiters`() throws {
    let pool = try pool(adding: [
      "name": "new.proto", "package": "new", "syntax": "editions", "edition": "EDITION_2023",
      "options": ["features": ["repeated_field_encoding": "EXPANDED"]],
      "message_type": [
        [
          "name": "Thing",
          "field": [
            field("explicit", 1, "INT32"),
            field(
              "implicit", 2, "INT32", [("options", ["features": ["field_presence": "IMPLICIT"]])]),
            field("expanded", 3, "INT32", label: "LABEL_REPEATED"),
            field(
              "child", 4, "MESSAGE", typeName: ".new.Thing",
              [("options", ["features": ["message_encoding": "DELIMITED"]])]),
          ],
        ]
      ],
    ])
    let type = try #require(pool.message(named: "new.Thing"))
    let json = try JSONValue(
      parsing: #"{"explicit":0,"implicit":0,"expanded":[1,2],"child":{"explicit":1}}"#)
    let message = try DynamicMessage.decode(json, as: type).get()
    #expect(message.serialized() == [0x08, 0x00, 0x18, 0x01, 0x18, 0x02, 0x23, 0x08, 0x01, 0x24])
    #expect(try DynamicMessage(parsing: message.serialized(), as: type) == message)
  }

  @Test func `bytes that are no descriptor set are refused`() {
    #expect(throws: ReflectionError.self) { try DescriptorPool(fileDescriptorSet: [0x0A, 0x05]) }
    #expect(throws: ReflectionError.self) {
      try DescriptorPool(fileDescriptorSet: [0x0A, 0x02, 0x22, 0x00])
    }
  }

  @Test func `a type that the set lacks is told and not followed`() throws {
    let pool = try pool(adding: [
      "name": "gap.proto", "package": "gap", "syntax": "proto3",
      "message_type": [
        ["name": "A", "field": [field("b", 1, "MESSAGE", typeName: ".elsewhere.B")]]
      ],
    ])
    let type = try #require(pool.message(named: "gap.A"))
    #expect(
      DynamicMessage.decode(["b": [:]], as: type).errors.map(\.description)
        == ["b: unsupported: no descriptor of elsewhere.B is known"])
    let wire: [UInt8] = [0x0A, 0x01, 0x08]
    #expect(try DynamicMessage(parsing: wire, as: type).serialized() == wire)
  }
}
