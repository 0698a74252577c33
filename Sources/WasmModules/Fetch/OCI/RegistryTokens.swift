// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Bearer tokens that registries gave, until they expire.
///
/// A token is found only by the very login that it was given for: a plugin without a pull secret
/// never profits from another one's.
final class RegistryTokens: Sendable {
  /// Who asked for what.
  struct Key: Hashable {
    var registry: HTTPURL
    var repository: String
    var login: RegistryCredentials.Login?
  }

  private struct Token {
    var value: String
    var expiry: Duration
  }

  /// A token is not used in its last seconds: it must live until the registry reads it.
  private static let margin = Duration.seconds(10)

  private let now: @Sendable () -> Duration
  private let tokens = Mutex<[Key: Token]>([:])

  init(now: @escaping @Sendable () -> Duration) { self.now = now }

  func token(for key: Key) -> String? {
    let now = now()
    return tokens.withLock { $0[key].flatMap { $0.expiry > now ? $0.value : nil } }
  }

  /// Keeps a token; those that are over are forgotten, so the number stays that of the users.
  func keep(_ value: String, for key: Key, lifetime: Duration) {
    let now = now()
    tokens.withLock { tokens in
      tokens = tokens.filter { $0.value.expiry > now }
      tokens[key] = Token(value: value, expiry: now + lifetime - Self.margin)
    }
  }

  func forget(_ key: Key) {
    tokens.withLock { tokens in _ = tokens.removeValue(forKey: key) }
  }
}
