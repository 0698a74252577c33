// SPDX-License-Identifier: Apache-2.0

/// A label selector of the API: `a=b,c!=d,e in (f,g),h notin (i),j,!k`
/// (https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/).
struct LabelQuery {
  enum Requirement: Equatable {
    case isIn(String, Set<String>)
    case isNotIn(String, Set<String>)
    case exists(String)
    case isMissing(String)
  }

  private(set) var requirements: [Requirement] = []

  init() {}

  init(_ text: String) throws(APIStatus) {
    for part in Self.split(text) {
      guard let requirement = Self.requirement(part) else {
        throw .badRequest("unable to parse requirement: \"\(part)\" is no label selector")
      }
      requirements.append(requirement)
    }
  }

  var isEmpty: Bool { requirements.isEmpty }

  func matches(_ labels: [String: String]) -> Bool {
    requirements.allSatisfy { requirement in
      switch requirement {
      case .isIn(let key, let values): labels[key].map(values.contains) ?? false
      // A missing label is none of the values, as in Kubernetes.
      case .isNotIn(let key, let values): !(labels[key].map(values.contains) ?? false)
      case .exists(let key): labels[key] != nil
      case .isMissing(let key): labels[key] == nil
      }
    }
  }

  /// The parts between commas that are not in parentheses.
  private static func split(_ text: String) -> [String] {
    var parts: [String] = [""]
    var depth = 0
    for character in text {
      if character == "(" { depth += 1 }
      if character == ")" { depth -= 1 }
      if character == ",", depth == 0 {
        parts.append("")
      } else {
        parts[parts.count - 1].append(character)
      }
    }
    return parts.map(trimmed).filter { !$0.isEmpty }
  }

  private static func requirement(_ text: String) -> Requirement? {
    func isKey(_ text: String) -> Bool {
      !text.isEmpty && text.utf8.count <= 317
        && text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "-_./".contains($0)) }
    }
    func pair(_ mark: String) -> (String, String)? {
      guard let range = text.firstRange(of: mark) else { return nil }
      return (trimmed(text[..<range.lowerBound]), trimmed(text[range.upperBound...]))
    }
    if text.hasSuffix(")"), let open = text.firstIndex(of: "(") {
      let words = text[..<open].split(separator: " ").map(String.init)
      let values = Set(
        text[text.index(after: open)...].dropLast().split(separator: ",").map(trimmed))
      guard words.count == 2, isKey(words[0]) else { return nil }
      switch words[1] {
      case "in": return .isIn(words[0], values)
      case "notin": return .isNotIn(words[0], values)
      default: return nil
      }
    }
    for mark in ["!=", "==", "="] {
      guard let (key, value) = pair(mark) else { continue }
      guard isKey(key), value.isEmpty || isKey(value) else { return nil }
      return mark == "!=" ? .isNotIn(key, [value]) : .isIn(key, [value])
    }
    if text.hasPrefix("!") {
      let key = trimmed(text.dropFirst())
      return isKey(key) ? .isMissing(key) : nil
    }
    return isKey(text) ? .exists(text) : nil
  }

  private static func trimmed(_ text: some StringProtocol) -> String {
    String(text.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
  }
}
