// SPDX-License-Identifier: Apache-2.0

extension Duration {
  /// Reads a length of time as Go and therefore Istio write it: `1h2m3.5s`, `100ms`, `-1s`, `0`.
  ///
  /// - Parameter text: one or more numbers with a unit of h, m, s, ms, us or ns.
  package init?(goString text: String) {
    var rest = Substring(text)
    let isNegative = rest.hasPrefix("-")
    if isNegative || rest.hasPrefix("+") { rest.removeFirst() }
    if rest == "0" {
      self = .zero
      return
    }
    var total = Duration.zero
    guard !rest.isEmpty else { return nil }
    while !rest.isEmpty {
      let number = rest.prefix { $0.isNumber && $0.isASCII || $0 == "." }
      rest = rest.dropFirst(number.count)
      let unit = rest.prefix { $0.isLetter }
      rest = rest.dropFirst(unit.count)
      guard let nanoseconds = Self.nanoseconds[String(unit)],
        let amount = Self.duration(number, unitNanoseconds: nanoseconds)
      else { return nil }
      total += amount
      // Go counts nanoseconds in 64 bits.
      guard total <= .nanoseconds(Int64.max) else { return nil }
    }
    self = isNegative ? .zero - total : total
  }

  /// As Go prints it, in the largest units that leave no fraction of a nanosecond: `1m30s`, `100ms`.
  package var goString: String {
    var nanoseconds = components.seconds * 1_000_000_000 + components.attoseconds / 1_000_000_000
    guard nanoseconds != 0 else { return "0s" }
    var text = nanoseconds < 0 ? "-" : ""
    nanoseconds = abs(nanoseconds)
    for unit in ["h", "m", "s", "ms", "us", "ns"] {
      guard let size = Self.nanoseconds[unit], nanoseconds >= size else { continue }
      text += "\(nanoseconds / size)\(unit)"
      nanoseconds %= size
    }
    return text
  }

  private static let nanoseconds: [String: Int64] = [
    "h": 3_600_000_000_000, "m": 60_000_000_000, "s": 1_000_000_000, "ms": 1_000_000,
    // The micro sign and the Greek letter.
    "us": 1_000, "\u{B5}s": 1_000, "\u{3BC}s": 1_000, "ns": 1,
  ]

  /// Exact to the nanosecond: the whole part and the fraction are taken apart.
  private static func duration(_ number: Substring, unitNanoseconds: Int64) -> Duration? {
    let parts = number.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count <= 2, let whole = Int64(parts[0].isEmpty ? "0" : parts[0]),
      !number.isEmpty, number != "."
    else { return nil }
    let (product, overflows) = whole.multipliedReportingOverflow(by: unitNanoseconds)
    guard !overflows else { return nil }
    var fraction: Int64 = 0
    var scale = unitNanoseconds
    for digit in parts.count == 2 ? parts[1] : "" {
      guard let value = digit.wholeNumberValue else { return nil }
      scale /= 10
      fraction += Int64(value) * scale
    }
    return .nanoseconds(product) + .nanoseconds(fraction)
  }
}
