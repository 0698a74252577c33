// SPDX-License-Identifier: Apache-2.0
// Which paths a rule covers. A prefix is text, not a folder: /product covers /products as well.

struct PathPattern {
  private enum Kind {
    case prefix
    case suffix
    case exact
  }

  private let kind: Kind
  /// In lower case; as written, and decoded if that is something else.
  private let texts: [[UInt8]]

  /// Reads the one of `prefix`, `suffix` and `exact` that a rule has.
  init(rule: JSON) throws(PluginError) {
    let found = [("prefix", Kind.prefix), ("suffix", .suffix), ("exact", .exact)].filter {
      rule[$0.0].ifPresent != nil
    }
    guard found.count == 1, let (name, kind) = found.first else {
      throw rule.expected("exactly one of prefix, suffix and exact")
    }
    let json = rule[name]
    let text = try json.string().utf8.asciiLowercased
    guard !text.isEmpty,
      !text.contains(where: { $0 == UInt8(ascii: "?") || $0 == UInt8(ascii: "#") })
    else { throw json.expected("a path without query and fragment") }
    guard kind == .suffix || Self.isPlain(text) else {
      throw json.expected("a path that begins with '/', without '//', '.', '..', ';' and '\\'")
    }
    self.kind = kind
    let decoded = PathReadings.decoded(text)
    texts = decoded == text ? [text] : [text, decoded]
  }

  /// Whether a resolved path can look like this.
  private static func isPlain(_ text: [UInt8]) -> Bool {
    guard text.first == UInt8(ascii: "/") else { return false }
    guard !text.contains(UInt8(ascii: ";")), !text.contains(UInt8(ascii: "\\")) else {
      return false
    }
    // What follows the last slash may be the beginning of a name, as in /.well-known.
    return text.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
      .dropFirst().dropLast().allSatisfy { segment in
        !segment.isEmpty && !segment.elementsEqual(".".utf8) && !segment.elementsEqual("..".utf8)
      }
  }

  func covers(_ readings: PathReadings) -> Bool {
    guard let paths = readings.paths else { return true }
    return paths.contains { path in texts.contains { covers(path, $0) } }
  }

  private func covers(_ path: [UInt8], _ text: [UInt8]) -> Bool {
    switch kind {
    case .prefix: path.starts(with: text)
    case .suffix: path.count >= text.count && path.suffix(text.count).elementsEqual(text)
    case .exact: path.elementsEqual(text)
    }
  }
}
