// SPDX-License-Identifier: Apache-2.0

/// How a registry wants to be convinced: one challenge of a WWW-Authenticate header.
///
/// See RFC 9110 §11.6.1 and https://distribution.github.io/distribution/spec/auth/token/.
struct RegistryChallenge: Hashable, Sendable {
  /// In lower case.
  var scheme: String
  /// Names in lower case.
  var parameters: [String: String]

  /// Reads the challenges of a header, several in one value included.
  static func parse(_ header: String) -> [RegistryChallenge] {
    var challenges: [RegistryChallenge] = []
    var rest = header[...]
    while true {
      rest = rest.drop { $0 == " " || $0 == "," || $0 == "\t" }
      let word = rest.prefix { $0 != " " && $0 != "=" && $0 != "," && $0 != "\t" }
      guard !word.isEmpty else { return challenges }
      rest = rest[word.endIndex...].drop { $0 == " " }
      guard rest.first == "=" else {
        challenges.append(RegistryChallenge(scheme: word.lowercased(), parameters: [:]))
        continue
      }
      rest = rest.dropFirst().drop { $0 == " " }
      let value = Self.value(&rest)
      guard let last = challenges.indices.last else { return [] }
      challenges[last].parameters[word.lowercased()] = value
    }
  }

  private static func value(_ rest: inout Substring) -> String {
    guard rest.first == "\"" else {
      let word = rest.prefix { $0 != "," && $0 != " " }
      rest = rest[word.endIndex...]
      return String(word)
    }
    rest = rest.dropFirst()
    var value = ""
    while let character = rest.popFirst(), character != "\"" {
      guard character == "\\", let escaped = rest.popFirst() else {
        value.append(character)
        continue
      }
      value.append(escaped)
    }
    return value
  }

  /// The URL of the token server, if it may be asked.
  ///
  /// A registry could name a metadata service as its realm, and get the agent to ask it. Like Istio
  /// (pkg/wasm/imagefetcher.go), only http and https are taken, no `localhost`, no cloud metadata
  /// name, no private, loopback or link-local literal. Unlike Istio, the registry's own host is,
  /// whatever it is: it was asked already. And no password goes to http when the registry is TLS.
  func realm(of registry: HTTPURL, hasLogin: Bool) throws(ModuleError) -> HTTPURL {
    guard let text = parameters["realm"], let realm = try? HTTPURL(parsing: text) else {
      throw ModuleError(.manifestFailure, "the registry's token realm is no http or https URL")
    }
    let refused: String?
    if realm.host != registry.host, Self.isForbidden(realm.host) {
      refused = "is a private or metadata address"
    } else if hasLogin, registry.isTLS, !realm.isTLS {
      refused = "is plain http, and a password would be sent there"
    } else {
      refused = nil
    }
    guard let refused else { return realm }
    throw ModuleError(.manifestFailure, "the registry's token realm \(realm) \(refused)")
  }

  private static func isForbidden(_ host: String) -> Bool {
    if host == "localhost" || host == "metadata.google.internal" { return true }
    guard let address = IPAddress(host) else { return false }
    return address.isLoopback || address.isPrivate || AddressGuard().isBlocked(address)
  }
}
