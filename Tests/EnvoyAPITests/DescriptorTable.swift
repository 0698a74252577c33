// SPDX-License-Identifier: Apache-2.0

import SwiftProtobuf

/// All messages and enums of a descriptor set by full name, in a form that compares.
struct DescriptorTable {
  /// Fields by name, in words such as `3 repeated message .google.protobuf.Any in config_type`.
  private(set) var messages: [String: [String: String]] = [:]
  /// Values by name.
  private(set) var enums: [String: [String: Int32]] = [:]

  init(_ set: Google_Protobuf_FileDescriptorSet) {
    for file in set.file {
      add(file.messageType, file.enumType, to: file.package, syntax: file.syntax)
    }
  }

  /// What this table says otherwise than `whole`; fields and messages that only `whole` has are
  /// no difference, but an enum has to be complete.
  func differences(from whole: DescriptorTable) -> [String] {
    var result: [String] = []
    for (name, fields) in messages {
      guard let expected = whole.messages[name] else {
        result.append("\(name): no such message")
        continue
      }
      for (field, shape) in fields where expected[field] != shape {
        result.append("\(name).\(field): expected \(expected[field] ?? "nothing"), found \(shape)")
      }
    }
    for (name, values) in enums where whole.enums[name] != values {
      result.append("\(name): expected \(whole.enums[name] ?? [:]), found \(values)")
    }
    return result.sorted()
  }

  private mutating func add(
    _ messages: [Google_Protobuf_DescriptorProto], _ enums: [Google_Protobuf_EnumDescriptorProto],
    to scope: String, syntax: String
  ) {
    for message in messages {
      let name = "\(scope).\(message.name)"
      self.messages[name] = Dictionary(
        uniqueKeysWithValues: message.field.map {
          ($0.name, Self.shape(of: $0, in: message, syntax: syntax))
        })
      add(message.nestedType, message.enumType, to: name, syntax: syntax)
    }
    for enumeration in enums {
      self.enums["\(scope).\(enumeration.name)"] = Dictionary(
        uniqueKeysWithValues: enumeration.value.map { ($0.name, $0.number) })
    }
  }

  private static func shape(
    of field: Google_Protobuf_FieldDescriptorProto, in message: Google_Protobuf_DescriptorProto,
    syntax: String
  ) -> String {
    var words = ["\(field.number)", syntax, "\(field.label)", "\(field.type)"]
    if field.hasTypeName { words.append(field.typeName) }
    if field.proto3Optional {
      words.append("with presence")
    } else if field.hasOneofIndex {
      words.append("in \(message.oneofDecl[Int(field.oneofIndex)].name)")
    }
    if message.options.mapEntry { words.append("of a map") }
    return words.joined(separator: " ")
  }
}
