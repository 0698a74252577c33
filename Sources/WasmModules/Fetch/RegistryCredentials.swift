// SPDX-License-Identifier: Apache-2.0

import JSON
import struct Foundation.Data

/// Logins for registries, as a `kubernetes.io/dockerconfigjson` secret or docker's config.json
/// holds them.
///
/// Whatever prints it, a mirror included, prints `<redacted>`. Credential helpers are not run.
package struct RegistryCredentials: Hashable, Sendable {
  /// One registry's entry.
  enum Login: Hashable, Sendable {
    case password(user: String, password: String)
    /// An OAuth2 refresh token, traded for an access token at the realm.
    case identityToken(String)
    /// A bearer token, used as it is.
    case registryToken(String)
  }

  private var logins: [String: Login] = [:]

  /// Reads `{"auths": {REGISTRY: {"auth" | "username" and "password" | "identitytoken"}}}`.
  ///
  /// - Throws: `manifest_failure` that says what is wrong, never what was read.
  package init(dockerConfig text: String) throws(ModuleError) {
    guard let json = try? JSONValue(parsing: text), let root = json.objectMembers else {
      throw Self.invalid("expected a JSON object with auths")
    }
    guard let auths = root["auths"]?.objectMembers else {
      guard root["auths"] == nil || root["auths"] == .null else {
        throw Self.invalid("expected auths to be an object")
      }
      return
    }
    for (registry, entry) in auths {
      if let login = try Self.login(entry, of: registry) { logins[registry] = login }
    }
  }

  /// The login for a registry, found by the key as written, then by its host alone.
  func login(for registry: String) -> Login? {
    let isHub = registry == ImageReference.dockerHub
    let keys = isHub ? ["https://index.docker.io/v1/", registry, "docker.io"] : [registry]
    for key in keys {
      if let login = logins[key] { return login }
    }
    // `https://host:5000/v2/` is another way to write host:5000. Sorted: the same entry each time.
    let match = logins.keys.sorted().first { keys.contains(Self.host(of: $0)) }
    return match.flatMap { logins[$0] }
  }

  private static func host(of key: String) -> String {
    let rest = key.firstRange(of: "://").map { key[$0.upperBound...] } ?? key[...]
    return rest.prefix { $0 != "/" }.lowercased()
  }

  private static func login(
    _ entry: JSONValue, of registry: String
  ) throws(ModuleError) -> Login? {
    func field(_ name: String) -> String? {
      entry[name]?.stringValue.flatMap { $0.isEmpty ? nil : $0 }
    }
    if let token = field("registrytoken") { return .registryToken(token) }
    if let token = field("identitytoken") { return .identityToken(token) }
    if let user = field("username") {
      return .password(user: user, password: field("password") ?? "")
    }
    guard let auth = field("auth") else { return nil }
    guard let data = Data(base64Encoded: auth),
      case let text = String(decoding: data, as: UTF8.self),
      let colon = text.firstIndex(of: ":")
    else { throw invalid("expected auth of \(host(of: registry)) to be base64 of user:password") }
    return .password(
      user: String(text[..<colon]), password: String(text[text.index(after: colon)...]))
  }

  private static func invalid(_ why: String) -> ModuleError {
    ModuleError(
      .manifestFailure, "the image pull secret is not usable as .dockerconfigjson: \(why)")
  }
}

extension RegistryCredentials: CustomStringConvertible, CustomDebugStringConvertible,
  CustomReflectable
{
  package var description: String { "<redacted>" }
  package var debugDescription: String { "<redacted>" }
  package var customMirror: Mirror { Mirror(self, children: []) }
}
