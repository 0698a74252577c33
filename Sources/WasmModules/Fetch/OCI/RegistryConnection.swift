// SPDX-License-Identifier: Apache-2.0

import JSON

/// A repository of one registry, or of a mirror of it, asked as one login.
///
/// See https://github.com/opencontainers/distribution-spec/blob/main/spec.md.
struct RegistryConnection: Sendable {
  /// `/v2/` of the registry, with the prefix of a mirror.
  var registry: HTTPURL
  var repository: String
  var login: RegistryCredentials.Login?
  var session: HTTPSession
  var tokens: RegistryTokens

  /// Token answers are small; a bigger one is not a token.
  private static let tokenLimit = 1 << 20
  /// The lifetime of a token that does not say it (token specification: 60 seconds).
  private static let defaultLifetime: Int64 = 60
  /// A token is asked for anew each day, whatever its server promises.
  private static let longestLifetime: Int64 = 86400

  /// Asks for a path below the repository, such as `manifests/latest`, with whatever
  /// authorization the registry wants.
  func get(_ path: String, accept: [String] = []) async throws(ModuleError) -> HTTPAnswer {
    var url = registry
    url.target += "\(repository)/\(path)"
    var request = HTTPSession.Request(url: url, accept: accept)
    request.authorization = tokens.token(for: key).map { "Bearer \($0)" }
    let hadToken = request.authorization != nil
    var answer = try await session.send(request)
    guard answer.status == 401, answer.url.isSameOrigin(as: url) else { return answer }
    if hadToken { tokens.forget(key) }
    request.authorization = try await authorization(for: answer)
    answer = try await session.send(request)
    guard answer.status == 401 else { return answer }
    tokens.forget(key)
    throw answer.failure(.manifestFailure, remedy: refusal)
  }

  private var key: RegistryTokens.Key {
    RegistryTokens.Key(registry: registry, repository: repository, login: login)
  }

  /// What to do about a 401 or 403.
  var refusal: String {
    login == nil
      ? "the registry wants credentials and there is no pull secret for \(registry.authority)"
      : "the registry refuses the credentials of the pull secret for \(registry.authority)"
  }

  private func authorization(for answer: HTTPAnswer) async throws(ModuleError) -> String {
    let challenges = answer.header("www-authenticate").flatMap(RegistryChallenge.parse)
    if case .registryToken(let token) = login { return "Bearer \(token)" }
    if let bearer = challenges.first(where: { $0.scheme == "bearer" }) {
      return "Bearer \(try await token(for: bearer))"
    }
    let wantsBasic = challenges.contains { $0.scheme == "basic" }
    guard wantsBasic, case .password(let user, let password) = login else {
      throw answer.failure(.manifestFailure, remedy: refusal)
    }
    return "\(user):\(password)".basicAuthorization
  }

  private func token(for challenge: RegistryChallenge) async throws(ModuleError) -> String {
    var request: HTTPSession.Request
    do throws(ModuleError) {
      let realm = try challenge.realm(of: registry, hasLogin: login != nil)
      request = tokenRequest(challenge, realm: realm)
    } catch {
      throw error.about(registry)
    }
    let answer = try await session.send(request)
    guard answer.status == 200 else {
      let isRefusal = [400, 401, 403].contains(answer.status)
      throw answer.failure(.manifestFailure, remedy: isRefusal ? refusal : nil)
    }
    let bytes = try await answer.bytes(limit: Self.tokenLimit)
    let json = try? JSONValue(parsing: bytes)
    let value = json?["token"]?.stringValue ?? json?["access_token"]?.stringValue
    guard let value, !value.isEmpty else {
      throw ModuleError(.manifestFailure, "\(answer.url): the token server's answer has no token")
    }
    let lifetime = json?["expires_in"]?.integerValue ?? Self.defaultLifetime
    tokens.keep(value, for: key, lifetime: .seconds(min(max(0, lifetime), Self.longestLifetime)))
    return value
  }

  private func tokenRequest(
    _ challenge: RegistryChallenge, realm: HTTPURL
  ) -> HTTPSession.Request {
    var fields: [(String, String)] = []
    if let service = challenge.parameters["service"] { fields.append(("service", service)) }
    let scope = challenge.parameters["scope"] ?? "repository:\(repository):pull"
    fields.append(("scope", scope))
    var request = HTTPSession.Request(url: realm)
    if case .identityToken(let token) = login {
      fields += [
        ("grant_type", "refresh_token"), ("client_id", "skiff-agent"), ("refresh_token", token),
      ]
      request.form = Self.form(fields)
      return request
    }
    request.url.target += (realm.target.contains("?") ? "&" : "?") + Self.form(fields)
    if case .password(let user, let password) = login {
      request.authorization = "\(user):\(password)".basicAuthorization
    }
    return request
  }

  /// Fields as a query or a form (`application/x-www-form-urlencoded`).
  private static func form(_ fields: [(String, String)]) -> String {
    fields.map { name, value in
      let encoded = value.utf8.map { byte in
        byte.isASCIILetterOrDigit || "-._~:/".utf8.contains(byte)
          ? String(Unicode.Scalar(byte))
          : "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
      }
      return "\(name)=\(encoded.joined())"
    }.joined(separator: "&")
  }
}
