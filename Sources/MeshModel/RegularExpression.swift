// SPDX-License-Identifier: Apache-2.0

/// Checks the syntax of RE2 expressions, which Envoy uses everywhere.
///
/// Envoy refuses a whole resource for one bad expression, so each is checked before it is sent. What
/// passes here and fails there comes back as a rejection.
///
/// https://github.com/google/re2/wiki/Syntax
package enum RegularExpression {
  /// What is wrong with an expression; nil for a sound one.
  package static func fault(in expression: String) -> String? {
    var checker = Checker(text: Array(expression.unicodeScalars))
    return checker.fault()
  }

  /// What is wrong with a text that takes the place of what an expression finds, where `\0` to `\9`
  /// stand for its groups and `\\` for a backslash; nil for a sound one.
  package static func fault(inSubstitution text: String, for expression: String) -> String? {
    var checker = Checker(text: Array(expression.unicodeScalars))
    guard checker.fault() == nil else { return nil }
    var rest = text.unicodeScalars[...]
    while let backslash = rest.firstIndex(of: "\\") {
      rest = rest[backslash...].dropFirst()
      guard let escaped = rest.popFirst() else { return "\"\(text)\" ends with a \\" }
      if escaped == "\\" { continue }
      guard let group = escaped.properties.numericType.flatMap({ _ in Int(String(escaped)) }) else {
        return "\"\(text)\" has \\\(escaped); expected \\0 to \\9 or \\\\"
      }
      if group > checker.groups {
        return "\"\(text)\" refers to group \(group), but the expression has \(checker.groups)"
      }
    }
    return nil
  }

  /// One pass over the expression: groups, classes, escapes and repetitions.
  private struct Checker {
    let text: [Unicode.Scalar]
    var offset = 0
    var openGroups = 0
    /// Those that a substitution may refer to.
    var groups = 0
    /// Whether what was read last may be repeated, and whether it is itself a repetition.
    var isRepeatable = false
    var isRepeated = false

    init(text: [Unicode.Scalar]) { self.text = text }

    private func peek(_ distance: Int = 0) -> Unicode.Scalar? {
      offset + distance < text.count ? text[offset + distance] : nil
    }

    mutating func fault() -> String? {
      while let scalar = peek() {
        if let fault = step(scalar) { return fault }
      }
      return openGroups > 0 ? "missing )" : nil
    }

    private mutating func step(_ scalar: Unicode.Scalar) -> String? {
      offset += 1
      switch scalar {
      case "(": return group()
      case ")":
        openGroups -= 1
        (isRepeatable, isRepeated) = (true, false)
        return openGroups < 0 ? "unexpected )" : nil
      case "|", "^":
        (isRepeatable, isRepeated) = (scalar == "^", false)
        return nil
      case "*", "+", "?": return repetition("\(scalar)")
      case "{":
        guard let end = countedRepetition() else { return literal() }
        return end
      case "[": return characterClass()
      case "\\": return escape()
      default: return literal()
      }
    }

    private mutating func literal() -> String? {
      (isRepeatable, isRepeated) = (true, false)
      return nil
    }

    private mutating func repetition(_ operation: String) -> String? {
      guard isRepeatable else { return "nothing to repeat before \(operation)" }
      guard !isRepeated else { return "bad repetition \(operation)" }
      if peek() == "?" { offset += 1 }
      isRepeated = true
      return nil
    }

    /// Reads `{n}`, `{n,}` or `{n,m}`; nil for a brace that stands for itself, else a fault or the
    /// empty optional.
    private mutating func countedRepetition() -> String?? {
      guard let end = text[offset...].firstIndex(of: "}") else { return nil }
      let body = String(String.UnicodeScalarView(text[offset..<end]))
      let bounds = body.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
      guard bounds.count <= 2, let low = Self.count(bounds[0]) else { return nil }
      var high: Int?
      if bounds.count == 2, !bounds[1].isEmpty {
        guard let bound = Self.count(bounds[1]) else { return nil }
        high = bound
      }
      offset = end + 1
      // RE2's limit on counted repetitions.
      if max(low, high ?? low) > 1000 || low > high ?? low { return "bad repetition {\(body)}" }
      return .some(repetition("{\(body)}"))
    }

    private static func count(_ digits: String) -> Int? {
      digits.isEmpty || !digits.utf8.allSatisfy({ (48...57).contains($0) }) ? nil : Int(digits)
    }

    private mutating func group() -> String? {
      openGroups += 1
      (isRepeatable, isRepeated) = (false, false)
      guard peek() == "?" else {
        groups += 1
        return nil
      }
      offset += 1
      if peek() == "P" { offset += 1 }
      if peek() == "<" {
        groups += 1
        guard let end = text[offset...].firstIndex(of: ">"), end > offset + 1,
          text[(offset + 1)..<end].allSatisfy(Self.isWord)
        else { return "RE2 has no look-behind; a named group needs a name in < and >" }
        offset = end + 1
        return nil
      }
      while let flag = peek() {
        offset += 1
        switch flag {
        case "i", "m", "s", "U", "-": continue
        case ":": return nil
        case ")":
          openGroups -= 1
          return nil
        default: return "RE2 has no (?\(flag)"
        }
      }
      return "missing )"
    }

    private static func isWord(_ scalar: Unicode.Scalar) -> Bool {
      scalar == "_" || scalar.properties.isAlphabetic || scalar.properties.numericType != nil
    }

    private mutating func characterClass() -> String? {
      if peek() == "^" { offset += 1 }
      var isFirst = true
      while let scalar = peek() {
        offset += 1
        switch scalar {
        case "]" where !isFirst: return literal()
        case "[" where peek() == ":":
          guard let end = namedClassEnd() else { break }
          offset = end
        case "\\":
          if let fault = escape() { return fault }
        default:
          if peek() == "-", let high = peek(1), high != "]", high != "\\", high != "[" {
            offset += 2
            if high < scalar { return "bad range \(scalar)-\(high)" }
          }
        }
        isFirst = false
      }
      return "missing ]"
    }

    /// The place behind `[:name:]`, if that is what follows.
    private func namedClassEnd() -> Int? {
      guard let colon = text[(offset + 1)...].firstIndex(of: ":"), colon + 1 < text.count,
        text[colon + 1] == "]"
      else { return nil }
      return colon + 2
    }

    private mutating func escape() -> String? {
      guard let scalar = peek() else { return "trailing \\" }
      offset += 1
      (isRepeatable, isRepeated) = (true, false)
      switch scalar {
      case "1"..."9": return "RE2 has no back-references"
      case "p", "P": return unicodeClass()
      case "x": return hexadecimal()
      case "Q":
        while peek() != nil, !(peek() == "\\" && peek(1) == "E") { offset += 1 }
        offset = min(offset + 2, text.count)
        return nil
      case "a"..."z", "A"..."Z":
        return "abfnrtvdDsSwWAzBbC".unicodeScalars.contains(scalar)
          ? nil : "RE2 has no \\\(scalar)"
      default: return nil
      }
    }

    private mutating func unicodeClass() -> String? {
      guard peek() == "{" else {
        offset += 1
        return offset <= text.count ? nil : "trailing \\p"
      }
      guard let end = text[offset...].firstIndex(of: "}") else { return "missing } after \\p" }
      offset = end + 1
      return nil
    }

    private mutating func hexadecimal() -> String? {
      if peek() == "{" {
        guard let end = text[offset...].firstIndex(of: "}"),
          UInt32(String(String.UnicodeScalarView(text[(offset + 1)..<end])), radix: 16) != nil
        else { return "bad \\x escape" }
        offset = end + 1
        return nil
      }
      guard let first = peek(), let second = peek(1), first.properties.isASCIIHexDigit,
        second.properties.isASCIIHexDigit
      else { return "bad \\x escape" }
      offset += 2
      return nil
    }
  }
}
