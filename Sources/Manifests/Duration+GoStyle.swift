// SPDX-License-Identifier: Apache-2.0

extension Duration {
  /// Reads a duration as Go's `time.ParseDuration` does: numbers with units, from large to small or
  /// in any order, with an optional sign (`1h2m3.5s`, `-10ms`, `0`).
  init?(goStyle text: String) {
    var rest = Substring(text)
    let isNegative = rest.first == "-"
    if isNegative || rest.first == "+" { rest = rest.dropFirst() }
    if rest == "0" {
      self = .zero
      return
    }
    guard !rest.isEmpty else { return nil }
    var total: Int64 = 0
    while !rest.isEmpty {
      guard let nanoseconds = Self.leadingTerm(of: &rest) else { return nil }
      let (sum, overflow) = total.addingReportingOverflow(nanoseconds)
      guard !overflow else { return nil }
      total = sum
    }
    self = .nanoseconds(isNegative ? -total : total)
  }

  /// One number with its unit, in nanoseconds.
  private static func leadingTerm(of rest: inout Substring) -> Int64? {
    let isDigit = { (character: Character) in character.isASCII && character.isNumber }
    let whole = rest.prefix(while: isDigit)
    rest = rest.dropFirst(whole.count)
    var fraction = ""[...]
    if rest.first == "." {
      rest = rest.dropFirst()
      fraction = rest.prefix(while: isDigit)
      rest = rest.dropFirst(fraction.count)
    }
    let units: [(String, Int64)] = [
      ("ns", 1), ("us", 1_000), ("µs", 1_000), ("μs", 1_000), ("ms", 1_000_000),
      ("s", 1_000_000_000), ("m", 60_000_000_000), ("h", 3_600_000_000_000),
    ]
    guard !whole.isEmpty || !fraction.isEmpty,
      let (name, unit) = units.first(where: { rest.hasPrefix($0.0) })
    else { return nil }
    rest = rest.dropFirst(name.count)
    let (product, overflow) = (whole.isEmpty ? 0 : Int64(whole) ?? .max)
      .multipliedReportingOverflow(by: unit)
    guard !overflow else { return nil }
    var (result, scale) = (product, unit)
    for digit in fraction {
      scale /= 10
      result += Int64(digit.wholeNumberValue ?? 0) * scale
    }
    return result
  }
}
