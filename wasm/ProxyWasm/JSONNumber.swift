// SPDX-License-Identifier: Apache-2.0
// A JSON number as it was written, since JSON sets no limit to its digits; what a plugin needs of
// it is computed when asked for.

struct JSONNumber {
  let text: String

  /// The number if it is a whole one and fits; `1e3` and `1.0` are whole.
  var integer: Int64? {
    if let plain = Int64(text) { return plain }
    let value = double
    // Beyond 2^53 a Double no longer names one integer.
    guard value.magnitude <= 9_007_199_254_740_992, value == value.rounded(.towardZero) else {
      return nil
    }
    return Int64(value)
  }

  /// The nearest Double for up to 15 digits and exponents within 22, which covers what people
  /// write; else within a few units in the last place.
  var double: Double {
    var (mantissa, digits, exponent) = (UInt64(0), 0, 0)
    var rest = Substring(text).utf8
    let isNegative = rest.first == UInt8(ascii: "-")
    if isNegative { rest.removeFirst() }
    var isFraction = false
    while let byte = rest.first, byte != UInt8(ascii: "e"), byte != UInt8(ascii: "E") {
      rest.removeFirst()
      guard byte != UInt8(ascii: ".") else {
        isFraction = true
        continue
      }
      // A nineteenth digit still fits 64 bits; later ones only move the point.
      if digits < 19 {
        mantissa = mantissa * 10 + UInt64(byte - UInt8(ascii: "0"))
        if mantissa > 0 { digits += 1 }
        if isFraction { exponent -= 1 }
      } else if !isFraction {
        exponent += 1
      }
    }
    if !rest.isEmpty { exponent += Self.exponent(rest.dropFirst()) }
    let value = Self.scale(Double(mantissa), by: exponent)
    return isNegative ? -value : value
  }

  private static func exponent(_ digits: Substring.UTF8View) -> Int {
    var value = 0
    for byte in digits where byte != UInt8(ascii: "+") && byte != UInt8(ascii: "-") {
      // Far beyond any Double already; more digits change nothing.
      value = min(value * 10 + Int(byte - UInt8(ascii: "0")), 100_000)
    }
    return digits.first == UInt8(ascii: "-") ? -value : value
  }

  private static func scale(_ value: Double, by exponent: Int) -> Double {
    guard value != 0 else { return 0 }
    var result = value
    var rest = exponent.magnitude
    while rest > 0, result != 0, result != .infinity {
      // Powers up to 10^22 are exact.
      let step = min(rest, 22)
      var power = 1.0
      for _ in 0..<step { power *= 10 }
      result = exponent < 0 ? result / power : result * power
      rest -= step
    }
    return result
  }
}
