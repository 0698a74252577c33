// SPDX-License-Identifier: Apache-2.0

import JSON

/// What a plain scalar means: YAML 1.2's core schema, with numbers in every form that Kubernetes
/// reads (https://yaml.org/spec/1.2.2/#103-core-schema).
///
/// A control plane reads files that were written for Kubernetes, whose reader follows YAML 1.1. Where
/// the two agree there is nothing to decide; hexadecimal, octal and grouped numbers have one sensible
/// meaning and get it; words for booleans other than `true` and `false` stay the text that they look
/// like, marked as ambiguous.
enum YAMLScalar {
  struct Meaning {
    var content: YAMLValue.Content
    var isAmbiguous = false
  }

  /// What YAML 1.1 takes for a boolean and YAML 1.2 does not.
  static func ambiguousBoolean(_ text: String) -> Bool? {
    switch text {
    case "y", "Y", "yes", "Yes", "YES", "on", "On", "ON": true
    case "n", "N", "no", "No", "NO", "off", "Off", "OFF": false
    default: nil
    }
  }

  /// The meaning of a plain scalar, or nil for a number that JSON or a double cannot hold.
  static func meaning(of text: String) -> Meaning? {
    switch text {
    case "", "~", "null", "Null", "NULL": return Meaning(content: .null)
    case "true", "True", "TRUE": return Meaning(content: .bool(true))
    case "false", "False", "FALSE": return Meaning(content: .bool(false))
    default: break
    }
    guard let first = text.utf8.first, "0123456789+-.".utf8.contains(first) else {
      return Meaning(content: .string(text), isAmbiguous: ambiguousBoolean(text) != nil)
    }
    let magnitude = "+-".utf8.contains(first) ? text.dropFirst() : text[...]
    let sign = first == UInt8(ascii: "-") ? "-" : ""
    if [".inf", ".Inf", ".INF", ".nan", ".NaN", ".NAN"].contains(magnitude) { return nil }
    guard let literal = number(magnitude) else { return Meaning(content: .string(text)) }
    return JSONNumber(literal: sign + literal).map { Meaning(content: .number($0)) }
  }

  /// The JSON literal of a number without its sign.
  private static func number(_ text: Substring) -> String? {
    guard text.utf8.allSatisfy({ $0 < 0x80 }) else { return nil }
    let digits = text.contains("_") ? Substring(text.filter { $0 != "_" }) : text
    for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] where digits.hasPrefix(prefix) {
      return UInt64(digits.dropFirst(2), radix: radix).map(String.init)
    }
    return decimal(digits)
  }

  private static func decimal(_ text: Substring) -> String? {
    var rest = text
    let whole = rest.prefix(while: \.isNumber)
    rest = rest.dropFirst(whole.count)
    var fraction = ""[...]
    if rest.first == "." {
      rest = rest.dropFirst()
      fraction = rest.prefix(while: \.isNumber)
      rest = rest.dropFirst(fraction.count)
    }
    guard !whole.isEmpty || !fraction.isEmpty else { return nil }
    var exponent = ""
    if let mark = rest.first, mark == "e" || mark == "E" {
      rest = rest.dropFirst()
      let sign = rest.first.flatMap { "+-".contains($0) ? String($0) : nil } ?? ""
      let digits = rest.dropFirst(sign.count)
      guard !digits.isEmpty, digits.allSatisfy(\.isNumber) else { return nil }
      (exponent, rest) = ("\(mark)\(sign)\(digits)", "")
    }
    guard rest.isEmpty else { return nil }
    // A leading zero is octal in YAML 1.1 and so for Kubernetes (file modes are written like this).
    if text.utf8.allSatisfy({ (0x30...0x37).contains($0) }), whole.count > 1, whole.first == "0" {
      return UInt64(whole, radix: 8).map(String.init)
    }
    let stripped = whole.drop { $0 == "0" }
    return (stripped.isEmpty ? "0" : String(stripped)) + (fraction.isEmpty ? "" : ".\(fraction)")
      + exponent
  }
}
