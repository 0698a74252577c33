// SPDX-License-Identifier: Apache-2.0
// The header fields and trailers of a stream, live in the host: reading asks it, writing changes
// what goes on its way. Each map may be changed only while its own callback runs or holds the
// stream.
// https://github.com/proxy-wasm/spec/tree/main/abi-versions/v0.2.1#http-fields

struct HeaderMap {
  enum Kind: UInt32 {
    case requestHeaders = 0
    case requestTrailers = 1
    case responseHeaders = 2
    case responseTrailers = 3
    case httpCallResponseHeaders = 6
    case httpCallResponseTrailers = 7
  }

  private let map: UInt32

  init(_ kind: Kind) {
    map = kind.rawValue
  }

  /// Reads a field (several values come joined by commas), replaces it, or removes it with nil.
  subscript(name: String) -> String? {
    get { bytes(of: name).map { String(bytes: $0) } }
    nonmutating set {
      if let newValue {
        replace(name, newValue)
      } else {
        remove(name)
      }
    }
  }

  /// A value as it is on the wire; nil if there is no such field.
  func bytes(of name: String) -> [UInt8]? {
    name.withPayload { key, keySize in
      try? hostBytes { hostGetMapValue(map, key, keySize, $0, $1) }
    }
  }

  /// All fields in their order.
  var all: HTTPFields {
    get throws(ProxyStatus) {
      try HTTPFields(serialized: hostBytes { hostGetMapPairs(map, $0, $1) })
    }
  }

  /// Size of all fields in the host's serialised form, in bytes.
  var serializedSize: Int {
    var size = 0
    return hostGetMapSize(map, &size) == 0 ? size : 0
  }

  /// Puts `fields` in the place of everything that the map holds.
  @discardableResult
  func replaceAll(with fields: HTTPFields) -> ProxyStatus {
    fields.serialized.withPayload { ProxyStatus(code: hostSetMapPairs(map, $0, $1)) }
  }

  /// Adds a value and leaves those that are there.
  @discardableResult
  func add(_ name: String, _ value: some Payload) -> ProxyStatus {
    name.withPayload { key, keySize in
      value.withPayload { ProxyStatus(code: hostAddMapValue(map, key, keySize, $0, $1)) }
    }
  }

  /// Makes `value` the only value of the field.
  @discardableResult
  func replace(_ name: String, _ value: some Payload) -> ProxyStatus {
    name.withPayload { key, keySize in
      value.withPayload { ProxyStatus(code: hostReplaceMapValue(map, key, keySize, $0, $1)) }
    }
  }

  /// Removes all values of the field; none is no error.
  @discardableResult
  func remove(_ name: String) -> ProxyStatus {
    name.withPayload { ProxyStatus(code: hostRemoveMapValue(map, $0, $1)) }
  }
}
