// SPDX-License-Identifier: Apache-2.0

/// A claim of a token that a VirtualService matches on in the place of a header:
/// `@request.auth.claims.group` or `@request.auth.claims[group][name]`.
package struct JWTClaim: Hashable, Sendable {
  package static let prefix = "@request.auth.claims"

  /// From the outermost claim to the one that is compared.
  package let path: [String]

  /// Nil for what is no claim.
  package init?(header: String) {
    guard header.hasPrefix(Self.prefix) else { return nil }
    let rest = header.dropFirst(Self.prefix.count)
    if rest.hasPrefix("."), rest.count > 1 {
      path = rest.dropFirst().split(separator: ".", omittingEmptySubsequences: false)
        .map(String.init)
    } else if rest.hasPrefix("["), rest.hasSuffix("]") {
      path = rest.dropFirst().dropLast().components(separatedBy: "][")
    } else {
      return nil
    }
    guard path.allSatisfy({ !$0.isEmpty }) else { return nil }
  }
}

extension Substring {
  /// The parts between a separator of more than one character.
  fileprivate func components(separatedBy separator: String) -> [String] {
    var parts: [String] = []
    var rest = self
    while let range = rest.firstRange(of: separator) {
      parts.append(String(rest[..<range.lowerBound]))
      rest = rest[range.upperBound...]
    }
    return parts + [String(rest)]
  }
}
