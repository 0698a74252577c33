// SPDX-License-Identifier: Apache-2.0

/// The rules for names, as Kubernetes words them
/// (https://kubernetes.io/docs/concepts/overview/working-with-objects/names/).
enum DNSName {
  /// Why a text is no DNS-1123 label, or nil if it is one.
  static func labelFault(_ text: String, mayBeginWithDigit: Bool = true) -> String? {
    guard (1...63).contains(text.utf8.count) else { return "must have 1 to 63 characters" }
    guard isLabel(text[...]) else {
      return "must consist of lower case letters, digits and -, and begin and end with a letter or "
        + "digit"
    }
    if !mayBeginWithDigit, text.utf8.first.map({ $0 < UInt8(ascii: "a") }) ?? true {
      return "must begin with a letter"
    }
    return nil
  }

  /// Why a text is no DNS-1123 subdomain, or nil if it is one.
  static func subdomainFault(_ text: String) -> String? {
    guard (1...253).contains(text.utf8.count) else { return "must have 1 to 253 characters" }
    let labels = text.split(separator: ".", omittingEmptySubsequences: false)
    return labels.allSatisfy(isLabel)
      ? nil
      : "must consist of lower case letters, digits, - and ., and begin and end with a letter or "
        + "digit"
  }

  /// Why a text is no host name for Istio: a DNS name in any case, `*` or `*.` and a DNS name.
  static func hostFault(_ text: String, wildcard: Bool = true) -> String? {
    if text == "*" { return wildcard ? nil : "may not be *" }
    guard !text.isEmpty else { return "is empty" }
    guard text.utf8.count <= 253 else { return "has more than 253 characters" }
    if text.hasPrefix("*.") || (text.hasPrefix("*-") && text.contains(".")) {
      guard wildcard else { return "may not have a wildcard" }
      return text.dropFirst(2).split(separator: ".", omittingEmptySubsequences: false)
        .allSatisfy(isHostLabel)
        ? nil : "is no DNS name"
    }
    guard !text.contains("*") else { return "may have a wildcard only as its first label" }
    var labels = text.split(separator: ".", omittingEmptySubsequences: false)
    if labels.last?.isEmpty == true { labels.removeLast() }
    return labels.allSatisfy(isHostLabel) ? nil : "is no DNS name"
  }

  private static func isLabel(_ label: Substring) -> Bool {
    isHostLabel(label) && label.utf8.allSatisfy { !(0x41...0x5A).contains($0) && $0 != 0x5F }
  }

  /// Letters in any case, digits, `-` and `_` inside.
  private static func isHostLabel(_ label: Substring) -> Bool {
    func isAlphanumeric(_ byte: UInt8) -> Bool {
      (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
    }
    guard let first = label.utf8.first, let last = label.utf8.last, label.utf8.count <= 63 else {
      return false
    }
    return isAlphanumeric(first) && isAlphanumeric(last)
      && label.utf8.allSatisfy { isAlphanumeric($0) || $0 == 0x2D || $0 == 0x5F }
  }
}
