// SPDX-License-Identifier: Apache-2.0

import MeshModel
import NIOCore

/// What a relay must know of an envoy.service.discovery.v3.DiscoveryResponse that it only forwards.
struct ResponseEnvelope: Hashable {
  private enum Number {
    static let versionInfo: UInt64 = 1
    static let resources: UInt64 = 2
    static let typeURL: UInt64 = 4
    static let nonce: UInt64 = 5
    static let anyTypeURL: UInt64 = 1
    static let anyValue: UInt64 = 2
    /// Of a TypedExtensionConfig and of a Listener alike.
    static let resourceName: UInt64 = 1
  }

  /// A resource with the bytes that its version is the hash of.
  struct Resource: Hashable {
    var typeURL = ""
    var name = ""
    var bytes: [UInt8] = []
  }

  private(set) var versionInfo = ""
  private(set) var typeURL = ""
  private(set) var nonce = ""

  init(_ message: ByteBuffer) throws(MalformedMessage) {
    self = try message.scanning { fields throws(MalformedMessage) in
      try ResponseEnvelope(fields)
    }
  }

  private init(_ scanner: FieldScanner) throws(MalformedMessage) {
    var scanner = scanner
    while let (number, value) = try scanner.next() {
      switch number {
      case Number.versionInfo: versionInfo = String(decoding: value, as: UTF8.self)
      case Number.typeURL: typeURL = String(decoding: value, as: UTF8.self)
      case Number.nonce: nonce = String(decoding: value, as: UTF8.self)
      default: break
      }
    }
  }

  /// Copies the resources out of a response.
  static func resources(of message: ByteBuffer) throws(MalformedMessage) -> [Resource] {
    try message.scanning { fields throws(MalformedMessage) in
      var (fields, resources) = (fields, [Resource]())
      while let (number, value) = try fields.next() {
        if number == Number.resources { resources.append(try resource(FieldScanner(value))) }
      }
      return resources
    }
  }

  private static func resource(_ scanner: FieldScanner) throws(MalformedMessage) -> Resource {
    var (scanner, resource) = (scanner, Resource())
    while let (number, value) = try scanner.next() {
      switch number {
      case Number.anyTypeURL: resource.typeURL = String(decoding: value, as: UTF8.self)
      case Number.anyValue:
        resource.bytes = Array(value)
        resource.name = name(FieldScanner(value))
      default: break
      }
    }
    return resource
  }

  /// A resource that is broken further on is refused under its name, so that its author is found.
  private static func name(_ scanner: FieldScanner) -> String {
    var (scanner, name) = (scanner, "")
    while let (number, value) = try? scanner.next() {
      if number == Number.resourceName { name = String(decoding: value, as: UTF8.self) }
    }
    return name
  }
}

extension ByteBuffer {
  fileprivate func scanning<Value>(
    _ body: (FieldScanner) throws(MalformedMessage) -> Value
  ) throws(MalformedMessage) -> Value {
    let result: Result<Value, MalformedMessage> = withUnsafeReadableBytes { bytes in
      Result { () throws(MalformedMessage) in try body(FieldScanner(bytes)) }
    }
    return try result.get()
  }
}
