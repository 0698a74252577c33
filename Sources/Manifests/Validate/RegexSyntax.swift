// SPDX-License-Identifier: Apache-2.0

/// Finds mistakes in a regular expression that RE2, and so Envoy, would refuse.
///
/// Envoy refuses a whole resource for one bad expression, so it is worth to find the common mistakes
/// where they were written: unbalanced brackets, a repetition of nothing, and what RE2 leaves out on
/// purpose (https://github.com/google/re2/wiki/Syntax). It never refuses what RE2 accepts.
enum RegexSyntax {
  /// Why RE2 would refuse the expression, or nil where no mistake was found.
  static func fault(in pattern: String) -> String? {
    let characters = Array(pattern)
    var open = 0
    var index = 0
    var canRepeat = false
    while index < characters.count {
      let character = characters[index]
      let next = index + 1 < characters.count ? characters[index + 1] : nil
      index += 1
      switch character {
      case "\\":
        guard let next else { return "ends with a backslash" }
        if ("1"..."9").contains(next) { return "has a back-reference, which RE2 does not know" }
        index += 1
        if next == "Q" { skipQuoted(characters, &index) }
        canRepeat = true
      case "[":
        guard skipClass(characters, &index) else { return "has a [ without its ]" }
        canRepeat = true
      case "(":
        open += 1
        canRepeat = false
        if next == "?" {
          let rest = String(characters[index...].prefix(3))
          for look in ["?=", "?!", "?<=", "?<!"] where rest.hasPrefix(look) {
            return "looks ahead or behind with (\(look), which RE2 does not know"
          }
          index += 1
        }
      case ")":
        open -= 1
        if open < 0 { return "has a ) without its (" }
        canRepeat = true
      case "*", "+", "?":
        if !canRepeat { return "repeats nothing with \(character)" }
      case "|": canRepeat = false
      default: canRepeat = true
      }
    }
    return open > 0 ? "has a ( without its )" : nil
  }

  /// Moves behind `\E` or to the end.
  private static func skipQuoted(_ characters: [Character], _ index: inout Int) {
    while index < characters.count {
      index += 1
      if characters[index - 1] == "\\", index < characters.count, characters[index] == "E" {
        index += 1
        return
      }
    }
  }

  /// Moves behind the `]` of a class; a `]` in the first place is a member.
  private static func skipClass(_ characters: [Character], _ index: inout Int) -> Bool {
    if index < characters.count, characters[index] == "^" { index += 1 }
    if index < characters.count, characters[index] == "]" { index += 1 }
    while index < characters.count {
      switch characters[index] {
      case "\\": index += 2
      case "]":
        index += 1
        return true
      case "[" where index + 1 < characters.count && characters[index + 1] == ":":
        index += 2
        while index + 1 < characters.count, characters[index] != ":" || characters[index + 1] != "]"
        {
          index += 1
        }
        index += 2
      default: index += 1
      }
    }
    return false
  }
}
