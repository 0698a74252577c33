// SPDX-License-Identifier: Apache-2.0

/// Names one response on one stream; the request that answers it repeats it.
///
/// It is the stream's id and a counter, so that pages which show nonces of many streams show no two
/// alike, and short enough to be stored without an allocation.
package struct Nonce: Hashable, Sendable, RawRepresentable {
  package var rawValue: String
  package init(rawValue: String) { self.rawValue = rawValue }

  init(streamID: String, count: UInt64) {
    rawValue = "\(streamID)-\(String(count, radix: 36))"
  }
}

extension Nonce: CustomStringConvertible {
  package var description: String { rawValue }
}
