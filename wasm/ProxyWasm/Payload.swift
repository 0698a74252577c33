// SPDX-License-Identifier: Apache-2.0
// Bytes on their way to and from the host. Text and raw bytes are taken alike, so that a plugin can
// answer with a string and forward a body untouched.

/// What can be handed to the host as bytes.
protocol Payload {
  func withPayload<Result>(_ body: (Bytes, Int) -> Result) -> Result
}

extension String: Payload {
  func withPayload<Result>(_ body: (Bytes, Int) -> Result) -> Result {
    var contiguous = self
    return contiguous.withUTF8 { body($0.baseAddress, $0.count) }
  }

  /// Text from bytes; what is not UTF-8 becomes U+FFFD.
  init(bytes: [UInt8]) {
    self.init(decoding: bytes, as: UTF8.self)
  }

  /// Byte by byte; unlike `==` it needs no Unicode tables, which weigh more than most plugins.
  func hasSameBytes(as other: String) -> Bool {
    utf8.elementsEqual(other.utf8)
  }
}

extension [UInt8]: Payload {
  func withPayload<Result>(_ body: (Bytes, Int) -> Result) -> Result {
    withUnsafeBufferPointer { body($0.baseAddress, $0.count) }
  }
}

@_extern(c, "proxy_wasm_release")
func releaseHostMemory(_ payload: UnsafeMutableRawPointer?)

/// Bytes that the host returns in memory which it took from the module's `malloc`.
///
/// The memory is ours from then on, so it is copied and freed.
func hostBytes(_ call: (BytesOut, SizeOut) -> UInt32) throws(ProxyStatus) -> [UInt8] {
  var data: UnsafeMutablePointer<UInt8>?
  var size = 0
  try ProxyStatus.check(call(&data, &size))
  defer { releaseHostMemory(data) }
  return [UInt8](UnsafeBufferPointer(start: data, count: size))
}
