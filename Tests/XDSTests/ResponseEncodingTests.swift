// SPDX-License-Identifier: Apache-2.0

import MeshModel
import Testing
import XDS

/// The expected bytes were written by Python's protobuf from envoy.service.discovery.v3.
@Suite struct ResponseEncodingTests {
  private let typeURL = TypeURL(rawValue: "type.googleapis.com/t")

  private func hexadecimal(_ bytes: [UInt8]) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }

  private func resource(_ bytes: [UInt8]) -> EncodedResource {
    EncodedResource(typeURL: typeURL, name: "r", bytes: bytes, origins: [])
  }

  @Test func `body and nonce together are a DiscoveryResponse`() {
    let body = ResponseEncoding.body(
      versionInfo: "v1",
      resources: [
        resource(Array("a@1".utf8)), resource([]), resource(.init(repeating: 0x78, count: 300)),
      ],
      typeURL: typeURL)
    let nonce = ResponseEncoding.noncePrefix(Nonce(rawValue: "s1-1"))
    #expect(
      hexadecimal(body + nonce) == "0a027631"
        + "121c0a15747970652e676f6f676c65617069732e636f6d2f741203614031"
        + "12170a15747970652e676f6f676c65617069732e636f6d2f74"
        + "12c6020a15747970652e676f6f676c65617069732e636f6d2f7412ac02"
        + String(repeating: "78", count: 300)
        + "2215747970652e676f6f676c65617069732e636f6d2f74" + "2a0473312d31")
  }

  @Test func `a response without resources has a version and a type`() {
    let body = ResponseEncoding.body(versionInfo: "v", resources: [], typeURL: typeURL)
    #expect(
      hexadecimal(body) == "0a0176" + "2215747970652e676f6f676c65617069732e636f6d2f74")
  }

  @Test(arguments: [127, 128, 16_383, 16_384, 3_000_000])
  func `lengths are varints of any size`(_ length: Int) {
    let body = ResponseEncoding.body(
      versionInfo: "", resources: [resource(.init(repeating: 1, count: length))],
      typeURL: TypeURL(rawValue: ""))
    // Decoded by hand: resources, a length, the type URL, a value of that length, and nothing else.
    var rest = body[...]
    func varint() -> Int {
      var value = 0
      var shift = 0
      while let byte = rest.popFirst() {
        value |= Int(byte & 0x7f) << shift
        shift += 7
        if byte < 0x80 { break }
      }
      return value
    }
    let (outer, size) = (rest.removeFirst(), varint())
    #expect(outer == 0x12 && size == rest.count)
    rest = rest.dropFirst(2 + 21)
    let (inner, valueSize) = (rest.removeFirst(), varint())
    #expect(inner == 0x12 && valueSize == length && rest.count == length)
  }
}
