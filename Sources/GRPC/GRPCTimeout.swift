// SPDX-License-Identifier: Apache-2.0

import NIOCore

/// The value of `grpc-timeout`: at most eight digits and a unit.
///
/// See "Timeout" in <https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md>.
enum GRPCTimeout {
  private static let units: [(unit: Character, nanoseconds: Int64)] = [
    ("n", 1), ("u", 1_000), ("m", 1_000_000), ("S", 1_000_000_000), ("M", 60_000_000_000),
    ("H", 3_600_000_000_000),
  ]

  /// The time that a header allows; nil when the header is malformed.
  ///
  /// Times too long to be counted in nanoseconds become the longest that can be.
  static func parse(_ text: String) -> TimeAmount? {
    guard let last = text.last, let unit = units.first(where: { $0.unit == last }) else {
      return nil
    }
    let digits = text.dropLast()
    guard (1...8).contains(digits.utf8.count),
      digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
      let value = Int64(digits)
    else { return nil }
    let (product, overflow) = value.multipliedReportingOverflow(by: unit.nanoseconds)
    return .nanoseconds(overflow ? .max : product)
  }

  /// The header for a time, in the finest unit that has room for it, rounded up.
  static func format(_ time: TimeAmount) -> String {
    let nanoseconds = max(0, time.nanoseconds)
    for (unit, size) in units {
      let value = nanoseconds / size + (nanoseconds % size == 0 ? 0 : 1)
      if value <= 99_999_999 { return "\(value)\(unit)" }
    }
    return "99999999H"
  }
}
