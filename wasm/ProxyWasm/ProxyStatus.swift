// SPDX-License-Identifier: Apache-2.0
// What a host function answers. A call that can fail in normal operation throws it (a property that
// is not there, a compare-and-swap that lost); a call that fails only when it is made at the wrong
// time returns it.
// https://github.com/proxy-wasm/spec/tree/main/abi-versions/v0.2.1#proxy_status_t

enum ProxyStatus: UInt32, Error {
  case ok = 0
  case notFound = 1
  case badArgument = 2
  case serializationFailure = 3
  case parseFailure = 4
  case badExpression = 5
  case invalidMemoryAccess = 6
  case empty = 7
  case casMismatch = 8
  case resultMismatch = 9
  case internalFailure = 10
  case brokenConnection = 11
  case unimplemented = 12

  /// The status of a host function; a number that the ABI does not know counts as an internal
  /// failure.
  init(code: UInt32) {
    self = ProxyStatus(rawValue: code) ?? .internalFailure
  }

  static func check(_ code: UInt32) throws(ProxyStatus) {
    guard code == 0 else { throw ProxyStatus(code: code) }
  }
}
