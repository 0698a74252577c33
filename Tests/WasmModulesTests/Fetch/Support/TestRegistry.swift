// SPDX-License-Identifier: Apache-2.0

@testable import WasmModules

/// What a registry holds, and a script that serves it by the distribution API.
struct TestRegistry: Sendable {
  /// Who may read.
  enum Access: Sendable {
    case everybody
    case basic(String)
    /// A token of this server; the login may be nil for anonymous pulls.
    case token(realm: String, login: String?)
  }

  static let dockerManifest = "application/vnd.docker.distribution.manifest.v2+json"
  static let ociManifest = "application/vnd.oci.image.manifest.v1+json"

  var access = Access.everybody
  /// By `REPOSITORY/manifests/REFERENCE` and `REPOSITORY/blobs/DIGEST`.
  var content: [String: [UInt8]] = [:]
  var repository = "team/filter"

  /// Adds an image of layers by media type; with a title, if one follows after a space.
  @discardableResult
  mutating func push(
    _ layers: [(String, [UInt8])], tag: String? = "latest", mediaType: String = ociManifest
  ) -> ModuleDigest {
    let descriptors = layers.map { type, bytes in
      let digest = ModuleDigest.of(bytes)
      content["\(repository)/blobs/\(digest)"] = bytes
      let parts = type.split(separator: " ")
      let title =
        parts.count == 2
        ? ",\"annotations\":{\"org.opencontainers.image.title\":\"\(parts[1])\"}" : ""
      return
        "{\"mediaType\":\"\(parts[0])\",\"digest\":\"\(digest)\",\"size\":\(bytes.count)\(title)}"
    }
    let list = descriptors.joined(separator: ",")
    return add(
      "{\"schemaVersion\":2,\"mediaType\":\"\(mediaType)\",\"layers\":[\(list)]}", tag: tag)
  }

  /// Adds an index of images by platform; an empty platform is left out.
  mutating func pushIndex(_ images: [(String, ModuleDigest)], tag: String = "latest")
    -> ModuleDigest
  {
    let descriptors = images.map { platform, digest in
      let parts = platform.split(separator: "/")
      let text =
        parts.count == 2
        ? ",\"platform\":{\"os\":\"\(parts[0])\",\"architecture\":\"\(parts[1])\"}" : ""
      return "{\"mediaType\":\"\(Self.ociManifest)\",\"digest\":\"\(digest)\",\"size\":1\(text)}"
    }
    return add(
      "{\"schemaVersion\":2,\"manifests\":[\(descriptors.joined(separator: ","))]}", tag: tag)
  }

  mutating func add(_ manifest: String, tag: String?) -> ModuleDigest {
    let bytes = Array(manifest.utf8)
    let digest = ModuleDigest.of(bytes)
    content["\(repository)/manifests/\(digest)"] = bytes
    if let tag { content["\(repository)/manifests/\(tag)"] = bytes }
    return digest
  }

  /// The answer to a request.
  func answer(_ request: TestServer.Request) -> TestServer.Answer {
    guard request.path.hasPrefix("/v2/") else { return .status(404) }
    let authorization = request.headers["authorization"]
    switch access {
    case .everybody: break
    case .basic(let login):
      guard authorization == login.basicAuthorization else {
        return .respond(status: 401, headers: [("www-authenticate", "Basic realm=\"x\"")])
      }
    case .token(let realm, _):
      guard authorization == "Bearer good" else {
        let challenge =
          "Bearer realm=\"\(realm)\",service=\"reg \\\"1\\\"\","
          + "scope=\"repository:\(repository):pull\""
        return .respond(status: 401, headers: [("www-authenticate", challenge)])
      }
    }
    guard let bytes = content[String(request.path.dropFirst("/v2/".count))] else {
      return .status(404)
    }
    return .ok(bytes)
  }

  /// The answer of the token server, which lives at `/token` of the same server.
  func tokenAnswer(_ request: TestServer.Request, lifetime: Int = 300) -> TestServer.Answer {
    guard case .token(_, let login) = access,
      request.headers["authorization"] == login?.basicAuthorization
    else { return .status(401) }
    return .ok(Array("{\"token\":\"good\",\"expires_in\":\(lifetime)}".utf8))
  }
}
