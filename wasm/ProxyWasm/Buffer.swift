// SPDX-License-Identifier: Apache-2.0
// A body or a configuration, live in the host. In a body callback it holds the chunk at hand, or
// everything since the callback began to answer `pause`.
// https://github.com/proxy-wasm/spec/tree/main/abi-versions/v0.2.1#buffers

struct Buffer {
  enum Kind: UInt32 {
    case requestBody = 0
    case responseBody = 1
    case httpCallResponseBody = 4
    case vmConfiguration = 6
    case pluginConfiguration = 7
    case foreignFunctionArguments = 8
  }

  private let buffer: UInt32

  init(_ kind: Kind) {
    buffer = kind.rawValue
  }

  /// Bytes that are there now.
  var count: Int {
    var (size, unused) = (0, UInt32(0))
    return hostGetBufferStatus(buffer, &size, &unused) == 0 ? size : 0
  }

  /// All bytes that are there now; empty if the buffer is out of reach.
  var bytes: [UInt8] {
    read(from: 0, count: .max)
  }

  var text: String { String(bytes: bytes) }

  /// At most `count` bytes from `start` on.
  func read(from start: Int, count: Int) -> [UInt8] {
    (try? hostBytes { hostGetBuffer(buffer, start, count, $0, $1) }) ?? []
  }

  /// Puts `value` in the place of everything.
  @discardableResult
  func set(_ value: some Payload) -> ProxyStatus {
    replace(from: 0, count: .max, with: value)
  }

  @discardableResult
  func prepend(_ value: some Payload) -> ProxyStatus {
    replace(from: 0, count: 0, with: value)
  }

  @discardableResult
  func append(_ value: some Payload) -> ProxyStatus {
    replace(from: .max, count: 0, with: value)
  }

  /// Puts `value` in the place of `count` bytes from `start` on.
  ///
  /// Envoy can replace all, prepend and append; it answers `badArgument` to a change in the middle.
  @discardableResult
  func replace(from start: Int, count: Int, with value: some Payload) -> ProxyStatus {
    value.withPayload { ProxyStatus(code: hostSetBuffer(buffer, start, count, $0, $1)) }
  }
}
