// SPDX-License-Identifier: Apache-2.0
// Header fields or trailers as one ordered value: what a local response, an HTTP call and a
// whole-map rewrite take. Values are kept as bytes, since HTTP does not promise UTF-8.
// https://github.com/proxy-wasm/spec/tree/main/abi-versions/v0.2.1#serialization

struct HTTPFields: ExpressibleByDictionaryLiteral {
  struct Field {
    let name: String
    let bytes: [UInt8]

    var value: String { String(bytes: bytes) }
  }

  private(set) var fields: [Field]

  init(_ fields: [Field] = []) {
    self.fields = fields
  }

  init(dictionaryLiteral elements: (String, String)...) {
    fields = elements.map { Field(name: $0.0, bytes: [UInt8]($0.1.utf8)) }
  }

  /// The first value of a field.
  ///
  /// Hosts hold names in lower case, and so should `name` be.
  subscript(name: String) -> String? {
    fields.first { $0.name.hasSameBytes(as: name) }?.value
  }

  mutating func append(_ name: String, _ value: String) {
    fields.append(Field(name: name, bytes: [UInt8](value.utf8)))
  }

  mutating func removeAll(named name: String) {
    fields.removeAll { $0.name.hasSameBytes(as: name) }
  }

  /// Count, sizes of every name and value, then the names and values with a NUL after each.
  var serialized: [UInt8] {
    guard !fields.isEmpty else { return [] }
    var result: [UInt8] = []
    result.append(word: fields.count)
    for field in fields {
      result.append(word: field.name.utf8.count)
      result.append(word: field.bytes.count)
    }
    for field in fields {
      result.append(contentsOf: field.name.utf8)
      result.append(0)
      result.append(contentsOf: field.bytes)
      result.append(0)
    }
    return result
  }

  init(serialized bytes: [UInt8]) throws(ProxyStatus) {
    fields = []
    guard bytes.count >= 4 else { return }
    let count = bytes.word(at: 0)
    guard count >= 0, count <= (bytes.count - 4) / 8 else { throw .parseFailure }
    var offset = 4 + count * 8
    for index in 0..<count {
      let (nameSize, size) = (bytes.word(at: 4 + index * 8), bytes.word(at: 8 + index * 8))
      let rest = bytes.count - offset - 2
      guard nameSize >= 0, size >= 0, nameSize <= rest, size <= rest - nameSize else {
        throw .parseFailure
      }
      let valueStart = offset + nameSize + 1
      fields.append(
        Field(
          name: String(decoding: bytes[offset..<(offset + nameSize)], as: UTF8.self),
          bytes: [UInt8](bytes[valueStart..<(valueStart + size)])))
      offset = valueStart + size + 1
    }
  }
}

extension [UInt8] {
  fileprivate mutating func append(word: Int) {
    for shift in [0, 8, 16, 24] { append(UInt8(truncatingIfNeeded: word >> shift)) }
  }

  fileprivate func word(at offset: Int) -> Int {
    var word: UInt32 = 0
    for index in 0..<4 { word |= UInt32(self[offset + index]) << UInt32(8 * index) }
    return Int(Int32(bitPattern: word))
  }
}
