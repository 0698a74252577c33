// SPDX-License-Identifier: Apache-2.0

import Crypto
import Foundation

/// The tokens that may use the API, from a file with one on each line; empty lines and those that
/// begin with `#` do not count.
///
/// Only hashes are kept, and compared: neither a memory dump's strings nor the time of a comparison
/// tells a token.
package struct BearerTokens: Sendable {
  private let digests: Set<[UInt8]>

  /// - Throws: A sentence where there is no token.
  package init(file: String) throws(TokenFileFault) {
    let text: String
    do { text = try String(contentsOfFile: file, encoding: .utf8) } catch {
      throw TokenFileFault(description: "\(file) cannot be read; it holds one token on each line")
    }
    let tokens = text.split(whereSeparator: \.isNewline)
      .map { $0.trimmingCharacters(in: .whitespaces) }
      .filter { !$0.isEmpty && !$0.hasPrefix("#") }
    guard !tokens.isEmpty else {
      throw TokenFileFault(description: "\(file) holds no token; write one on a line")
    }
    if let short = tokens.firstIndex(where: { $0.utf8.count < 16 }) {
      throw TokenFileFault(
        description: "token \(short + 1) of \(file) has fewer than 16 bytes; make a longer one")
    }
    digests = Set(tokens.map(Self.digest))
  }

  /// Whether an `Authorization` header carries one of the tokens.
  package func allow(authorization: String?) -> Bool {
    guard let authorization else { return false }
    let parts = authorization.split(separator: " ", maxSplits: 1)
    guard parts.count == 2, parts[0].lowercased() == "bearer" else { return false }
    return digests.contains(Self.digest(parts[1].trimmingCharacters(in: .whitespaces)))
  }

  private static func digest(_ token: String) -> [UInt8] {
    Array(SHA256.hash(data: Data(token.utf8)))
  }
}

/// Why a file of tokens is of no use.
package struct TokenFileFault: Error, CustomStringConvertible {
  package let description: String
}
