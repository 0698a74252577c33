// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// The message and enum types of a `google.protobuf.FileDescriptorSet`.
///
/// Building one only indexes names; descriptors are decoded on first use and kept. All of it can
/// be used from any thread.
///
/// https://protobuf.com/docs/descriptors
package final class DescriptorPool: Sendable {
  let bytes: [UInt8]
  private let index: DescriptorIndex
  private let decoded: Mutex<Decoded>

  private struct Decoded {
    var messages: [MessageDescriptor?]
    var enums: [EnumDescriptor?]
    /// By extended type, then in order of declaration; nil until somebody asks.
    var extensions: [String: [FieldDescriptor]]?
    /// By the name of a former version; nil until somebody asks.
    var successors: [String: String]?
  }

  /// Indexes a serialised `google.protobuf.FileDescriptorSet`.
  ///
  /// - Throws: `ReflectionError` when the bytes are no descriptor set.
  package init(fileDescriptorSet bytes: [UInt8]) throws(ReflectionError) {
    let index = try DescriptorIndex(bytes)
    self.bytes = bytes
    self.index = index
    decoded = Mutex(
      Decoded(
        messages: Array(repeating: nil, count: index.messages.count),
        enums: Array(repeating: nil, count: index.enums.count)))
  }

  /// The full names of all messages, in order of declaration; entries of maps included.
  package var messageNames: [String] { index.messages.map(\.fullName) }

  /// The message with a full name such as `envoy.config.cluster.v3.Cluster`.
  package func message(named fullName: String) -> MessageDescriptor? {
    index.messageByName[fullName].flatMap(message(at:))
  }

  /// The message that an `Any` with this type URL holds; what is before the last slash is free.
  package func message(typeURL: String) -> MessageDescriptor? {
    guard let slash = typeURL.utf8.lastIndex(of: UInt8(ascii: "/")) else { return nil }
    return message(named: String(typeURL[typeURL.index(after: slash)...]))
  }

  /// The enum with a full name such as `envoy.config.core.v3.TrafficDirection`.
  package func enumeration(named fullName: String) -> EnumDescriptor? {
    index.enumByName[fullName].flatMap(enumeration(at:))
  }

  /// The extension with a full name such as `validate.rules`.
  package func extensionField(named fullName: String) -> FieldDescriptor? {
    let name = "[\(fullName)]"
    return extensions().values.lazy.flatMap { $0 }.first { $0.name == name }
  }

  /// The full name of the message that `name` most likely stands for.
  ///
  /// A type of the same simple name in another package is preferred: a wrong version or package
  /// is the usual mistake.
  package func nearestMessageName(to name: String) -> String? {
    let suffix = "." + (name.split(separator: ".").last ?? "")
    let namesakes = index.messages.lazy.map(\.fullName).filter { $0.hasSuffix(suffix) }
    let best = namesakes.min { Self.sharedPrefix($0, name) > Self.sharedPrefix($1, name) }
    // Bound the guess: a short name such as `Key` exists in unrelated packages.
    if let best, Self.sharedPrefix(best, name) * 2 >= name.utf8.count - suffix.utf8.count {
      return best
    }
    return NearestName.of(name, among: index.messages.lazy.map(\.fullName)) ?? best
  }

  /// The full name of the message that came after one of a former version, as the annotation
  /// `udpa.annotations.versioning` says: `envoy.config.filter.http.lua.v2.Lua` became
  /// `envoy.extensions.filters.http.lua.v3.Lua`.
  package func successor(of fullName: String) -> String? {
    if let known = decoded.withLock({ $0.successors }) { return known[fullName] }
    var fresh: [String: String] = [:]
    for entry in index.messages {
      if let former = try? formerName(of: entry) { fresh[former] = entry.fullName }
    }
    decoded.withLock { $0.successors = fresh }
    return fresh[fullName]
  }

  private func formerName(of entry: DescriptorIndex.Entry) throws(ReflectionError) -> String? {
    var range = entry.range
    // MessageOptions, the extension, VersioningAnnotation.previous_message_type.
    for number: Int32 in [7, 7_881_811, 1] {
      var reader = WireReader(bytes, range)
      var found: Range<Int>?
      while let tag = try reader.nextTag() {
        if tag.number == number, tag.type == .lengthDelimited {
          found = try reader.lengthDelimited()
        } else {
          try reader.skip(tag)
        }
      }
      guard let found else { return nil }
      range = found
    }
    return String(validating: bytes[range], as: UTF8.self)
  }

  private static func sharedPrefix(_ a: String, _ b: String) -> Int {
    zip(a.utf8, b.utf8).prefix { $0 == $1 }.count
  }

  func messageIndex(named fullName: String) -> Int? { index.messageByName[fullName] }

  func enumIndex(named fullName: String) -> Int? { index.enumByName[fullName] }

  /// The message at a position of the index; nil when its descriptor is malformed.
  func message(at position: Int) -> MessageDescriptor? {
    if let known = decoded.withLock({ $0.messages[position] }) { return known }
    let entry = index.messages[position]
    guard let features = try? features(ofMessageAt: position),
      let fresh = try? MessageDescriptor(entry, index: position, features: features, pool: self)
    else { return nil }
    // Two threads may decode the same type; the first to store wins, so that identity holds.
    return decoded.withLock { decoded in
      if let known = decoded.messages[position] { return known }
      decoded.messages[position] = fresh
      return fresh
    }
  }

  /// The enum at a position of the index; nil when its descriptor is malformed.
  func enumeration(at position: Int) -> EnumDescriptor? {
    if let known = decoded.withLock({ $0.enums[position] }) { return known }
    let entry = index.enums[position]
    guard let features = try? features(around: entry),
      let fresh = try? EnumDescriptor(entry, bytes: bytes, features: features)
    else { return nil }
    return decoded.withLock { decoded in
      if let known = decoded.enums[position] { return known }
      decoded.enums[position] = fresh
      return fresh
    }
  }

  func extensionField(of extendee: String, number: Int32) -> FieldDescriptor? {
    extensions()[extendee]?.first { $0.number == number }
  }

  /// The extension of a type by its full name in brackets, as JSON writes it.
  func extensionField(of extendee: String, named name: String) -> FieldDescriptor? {
    extensions()[extendee]?.first { $0.name == name }
  }

  private func extensions() -> [String: [FieldDescriptor]] {
    if let known = decoded.withLock({ $0.extensions }) { return known }
    var fresh: [String: [FieldDescriptor]] = [:]
    for entry in index.extensions {
      guard let proto = try? FieldProto(bytes, entry.range), let extendee = proto.extendee,
        var features = try? features(around: entry)
      else { continue }
      if let options = proto.options {
        try? features.apply(optionsIn: bytes, options, featuresNumber: 21)
      }
      // Extensions of a proto3 file have presence all the same.
      features.implicitPresence = false
      fresh[extendee, default: []].append(
        FieldDescriptor(
          proto, name: "[\(entry.fullName)]", cardinality: proto.isRepeated ? .repeated : .singular,
          oneofIndex: nil, features: features, pool: self))
    }
    return decoded.withLock { decoded in
      if let known = decoded.extensions { return known }
      decoded.extensions = fresh
      return fresh
    }
  }

  private func features(around entry: DescriptorIndex.Entry) throws(ReflectionError) -> FeatureSet {
    guard let parent = entry.parent else { return index.files[entry.file].features }
    return try features(ofMessageAt: parent)
  }

  private func features(ofMessageAt position: Int) throws(ReflectionError) -> FeatureSet {
    let entry = index.messages[position]
    var features = try features(around: entry)
    var reader = WireReader(bytes, entry.range)
    while let tag = try reader.nextTag() {
      if tag.number == 7, tag.type == .lengthDelimited {
        try features.apply(optionsIn: bytes, try reader.lengthDelimited(), featuresNumber: 12)
      } else {
        try reader.skip(tag)
      }
    }
    return features
  }
}
