// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Parts of a URL as RFC 3986 wants them.
enum URLText {
  private static let unreserved = CharacterSet(
    charactersIn: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")

  /// With everything escaped that could mean something in a path or a query.
  static func escaped(_ text: String) -> String {
    text.addingPercentEncoding(withAllowedCharacters: unreserved) ?? ""
  }

  /// `?a=b&c=d`, or nothing; in the order given.
  static func query(_ pairs: [(String, String)]) -> String {
    guard !pairs.isEmpty else { return "" }
    return "?" + pairs.map { "\(escaped($0.0))=\(escaped($0.1))" }.joined(separator: "&")
  }
}
