// SPDX-License-Identifier: Apache-2.0

import MeshModel

/// Whether a patch is meant for a proxy: `match.proxy` of EnvoyFilter.
enum ProxyMatcher {
  /// Istio's limit: a longer expression matches no proxy.
  private static let longestExpression = 1024

  /// - Throws: `invalid` where the version is no regular expression; Istio would match every proxy.
  static func matches(
    _ patch: EnvoyFilter.ConfigPatch, _ proxy: ProxyClass
  ) throws(ConfigError) -> Bool {
    for (key, value) in patch.proxy.metadata where proxy.metadata[key] != value { return false }
    let text = patch.proxy.proxyVersion
    guard !text.isEmpty else { return true }
    let path = patch.path["match"]["proxy"]["proxyVersion"]
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
    guard let version = proxy.istioVersion else { return false }
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
