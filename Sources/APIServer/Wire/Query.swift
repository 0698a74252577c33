// SPDX-License-Identifier: Apache-2.0

import Foundation

/// The parameters of a request, decoded as Go encodes them: `+` is a space.
struct Query {
  private var values: [String: [String]] = [:]

  init(_ text: String?) {
    for pair in (text ?? "").split(separator: "&") {
      let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let value = parts.count == 2 ? Self.decoded(parts[1]) : ""
      values[Self.decoded(parts[0]), default: []].append(value)
    }
  }

  private static func decoded(_ text: Substring) -> String {
    let spaced = text.replacingOccurrences(of: "+", with: " ")
    return spaced.removingPercentEncoding ?? spaced
  }

  /// The first value that is not empty.
  subscript(name: String) -> String? { values[name]?.first { !$0.isEmpty } }

  func all(_ name: String) -> [String] { values[name] ?? [] }

  func flag(_ name: String) -> Bool {
    guard let value = values[name]?.first else { return false }
    return !["0", "false", "False", "FALSE", "f", "F"].contains(value)
  }

  func integer(_ name: String) throws(APIStatus) -> Int? {
    guard let text = self[name] else { return nil }
    guard let number = Int(text), number >= 0 else {
      throw .badRequest("the parameter \(name) is no number: \"\(text)\"")
    }
    return number
  }
}
