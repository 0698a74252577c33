// SPDX-License-Identifier: Apache-2.0

import MeshModel

/// Whether a patch is meant for a proxy: `match.proxy` of EnvoyFilter.
enum ProxyMatcher {
  /// Istio's limit: a longer expression matches no proxy.
  private static let longestExpression = 1024

  /// - Throws: `invalid` where the version is no regular expression; Istio would match every proxy.
  static func compare(
    _ patch: EnvoyFilter.ConfigPatch, _ proxy: ProxyClass, _ clauses: inout Clauses
  ) throws(ConfigError) {
    let path = patch.path["match"]["proxy"]
    for (key, value) in patch.proxy.metadata.sorted(by: { $0.key < $1.key }) {
      let actual = proxy.metadata[key]
      clauses.require(
        path["metadata"][key], wanted: value, found: actual ?? "", actual == value)
    }
    let text = patch.proxy.proxyVersion
    guard !text.isEmpty else { return }
    let isFound = try isFound(text, in: proxy.istioVersion, at: path["proxyVersion"])
    clauses.require(
      path["proxyVersion"], wanted: text, found: proxy.istioVersion ?? "", isFound)
  }

  private static func isFound(
    _ text: String, in version: String?, at path: FieldPath
  ) throws(ConfigError) -> Bool {
    guard text.utf8.count <= longestExpression else {
      throw ConfigError(
        .invalid, at: path,
        reason: "expected at most \(longestExpression) characters, found \(text.utf8.count); "
          + "the patch matches no proxy")
    }
    if let fault = RegularExpression.fault(in: text) {
      throw ConfigError(
        .invalid, at: path,
        reason: "expected a regular expression in RE2 syntax, found \"\(text)\": \(fault); "
          + "the patch is skipped")
    }
    guard let version else { return false }
    // Searched, not matched as a whole.
    do {
      return try Regex(text).firstMatch(in: version) != nil
    } catch {
      throw ConfigError(
        .unsupported, at: path,
        reason: "the regular expression \"\(text)\" cannot be used here; the patch is skipped")
    }
  }
}
