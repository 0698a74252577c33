// SPDX-License-Identifier: Apache-2.0

/// Where each type of a `google.protobuf.FileDescriptorSet` is in its bytes.
///
/// Start-up pays only for this: a walk over names that decodes no field. A type's descriptor is
/// decoded when somebody asks for it, which of some three thousand types few ever are.
struct DescriptorIndex: Sendable {
  struct Entry: Sendable {
    let fullName: String
    /// The serialised descriptor of the message, enum or extension.
    let range: Range<Int>
    let file: Int
    /// The message around it, by its position in `messages`; nil at a file's top.
    let parent: Int?
  }

  struct File: Sendable {
    var features: FeatureSet
  }

  private(set) var files: [File] = []
  private(set) var messages: [Entry] = []
  private(set) var enums: [Entry] = []
  private(set) var extensions: [Entry] = []
  private(set) var messageByName: [String: Int] = [:]
  private(set) var enumByName: [String: Int] = [:]

  /// Walks a serialised descriptor set.
  ///
  /// - Throws: `ReflectionError` when the bytes are no descriptor set.
  init(_ bytes: [UInt8]) throws(ReflectionError) {
    // Envoy's API has some 3,000 messages; growing these step by step costs a fifth of the walk.
    messages.reserveCapacity(4096)
    messageByName.reserveCapacity(4096)
    var reader = WireReader(bytes)
    while let tag = try reader.nextTag() {
      if tag.number == 1, tag.type == .lengthDelimited {
        try addFile(bytes, try reader.lengthDelimited())
      } else {
        try reader.skip(tag)
      }
    }
  }

  private mutating func addFile(_ bytes: [UInt8], _ range: Range<Int>) throws(ReflectionError) {
    var package = ""
    var features = FeatureSet.proto2
    var options: Range<Int>?
    var types: [(number: Int32, range: Range<Int>)] = []
    var reader = WireReader(bytes, range)
    while let tag = try reader.nextTag() {
      switch (tag.number, tag.type) {
      case (2, .lengthDelimited): package = try reader.string()
      case (4, .lengthDelimited), (5, .lengthDelimited), (7, .lengthDelimited):
        types.append((tag.number, try reader.lengthDelimited()))
      case (8, .lengthDelimited): options = try reader.lengthDelimited()
      case (12, .lengthDelimited):
        switch try reader.string() {
        case "proto3": features = .proto3
        case "editions": features = .edition2023
        default: features = .proto2
        }
      default: try reader.skip(tag)
      }
    }
    if let options { try features.apply(optionsIn: bytes, options, featuresNumber: 50) }
    let file = files.count
    files.append(File(features: features))
    let scope = package.isEmpty ? "" : package + "."
    for type in types {
      switch type.number {
      case 4: try addMessage(bytes, type.range, scope: scope, file: file, parent: nil, depth: 0)
      case 5: try addEnum(bytes, type.range, scope: scope, file: file, parent: nil)
      default: try addExtension(bytes, type.range, scope: scope, file: file, parent: nil)
      }
    }
  }

  private mutating func addMessage(
    _ bytes: [UInt8], _ range: Range<Int>, scope: String, file: Int, parent: Int?, depth: Int
  ) throws(ReflectionError) {
    // protoc itself refuses deeper nesting; without a limit hostile bytes could end the stack.
    guard depth < 32 else { throw ReflectionError("expected at most 32 nested types") }
    let fullName = scope + (try Self.name(bytes, range))
    let index = messages.count
    messages.append(Entry(fullName: fullName, range: range, file: file, parent: parent))
    messageByName[fullName] = index
    var reader = WireReader(bytes, range)
    var inner: String?
    while let tag = try reader.nextTag() {
      guard tag.type == .lengthDelimited, (3...6).contains(tag.number), tag.number != 5 else {
        try reader.skip(tag)
        continue
      }
      let nested = try reader.lengthDelimited()
      let innerScope = inner ?? fullName + "."
      inner = innerScope
      switch tag.number {
      case 3:
        try addMessage(
          bytes, nested, scope: innerScope, file: file, parent: index, depth: depth + 1)
      case 4: try addEnum(bytes, nested, scope: innerScope, file: file, parent: index)
      default: try addExtension(bytes, nested, scope: innerScope, file: file, parent: index)
      }
    }
  }

  private mutating func addEnum(
    _ bytes: [UInt8], _ range: Range<Int>, scope: String, file: Int, parent: Int?
  ) throws(ReflectionError) {
    let fullName = scope + (try Self.name(bytes, range))
    enumByName[fullName] = enums.count
    enums.append(Entry(fullName: fullName, range: range, file: file, parent: parent))
  }

  private mutating func addExtension(
    _ bytes: [UInt8], _ range: Range<Int>, scope: String, file: Int, parent: Int?
  ) throws(ReflectionError) {
    let fullName = scope + (try Self.name(bytes, range))
    extensions.append(Entry(fullName: fullName, range: range, file: file, parent: parent))
  }

  /// Every kind of descriptor has its name as field 1, in practice first.
  private static func name(
    _ bytes: [UInt8], _ range: Range<Int>
  ) throws(ReflectionError) -> String {
    var reader = WireReader(bytes, range)
    while let tag = try reader.nextTag() {
      if tag.number == 1, tag.type == .lengthDelimited { return try reader.string() }
      try reader.skip(tag)
    }
    throw ReflectionError("expected a name in a descriptor, found none")
  }
}
