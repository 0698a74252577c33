// SPDX-License-Identifier: Apache-2.0

/// A reference to an image: registry, repository, and a tag or a digest.
///
/// Read as container tools read it: no registry is Docker Hub, whose short names live under
/// `library/`; no tag and no digest is `latest`. Unlike Istio, `localhost/x` is the registry
/// `localhost`, as with docker, and not a Docker Hub user of that name.
///
/// See https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pulling-manifests.
package struct ImageReference: Hashable, Sendable, CustomStringConvertible {
  /// Docker Hub, under the name that Istio's module names use.
  package static let dockerHub = "index.docker.io"

  /// `host[:port]`, in lower case.
  package var registry: String
  /// The path below the registry, without a leading slash.
  package var repository: String
  /// The tag, if one is written; with a digest beside it, it is decoration.
  package var tag: String?
  /// The digest, if one is written.
  package var digest: ModuleDigest?

  /// Reads `[REGISTRY/]REPOSITORY[:TAG][@sha256:HEX]`.
  ///
  /// - Throws: `fetch_failure` with what is wrong.
  package init(parsing text: String) throws(ModuleError) {
    var rest = Substring(text)
    if let at = rest.firstIndex(of: "@") {
      guard let digest = ModuleDigest(rest[rest.index(after: at)...]) else {
        throw Self.invalid(text, "expected @sha256: and 64 hexadecimal digits")
      }
      self.digest = digest
      rest = rest[..<at]
    }
    if let colon = rest.lastIndex(of: ":"), !rest[colon...].contains("/") {
      let tag = rest[rest.index(after: colon)...]
      // `host:5000` without a repository would else be the image host with the tag 5000.
      guard rest.contains("/") || !rest[..<colon].contains(".") else {
        throw Self.invalid(text, "expected REGISTRY/REPOSITORY:TAG, found no repository")
      }
      guard Self.isTag(tag) else {
        throw Self.invalid(text, "expected a tag of letters, digits, '.', '_' and '-'")
      }
      self.tag = String(tag)
      rest = rest[..<colon]
    }
    let parts = rest.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
    if parts.count == 2, parts[0].contains(".") || parts[0].contains(":") || parts[0] == "localhost"
    {
      registry = parts[0].lowercased()
      repository = String(parts[1])
    } else {
      registry = Self.dockerHub
      repository = String(rest)
    }
    if registry == "docker.io" || registry == "registry-1.docker.io" { registry = Self.dockerHub }
    if registry == Self.dockerHub, !repository.contains("/") {
      repository = "library/" + repository
    }
    guard Self.isRepository(repository) else {
      throw Self.invalid(
        text, "expected a repository of lower-case letters, digits, '.', '_', '-' and '/'")
    }
    guard let authority = try? HTTPURL(parsing: "https://\(registry)/"), authority.user == nil
    else {
      throw Self.invalid(text, "expected a registry host[:port]")
    }
  }

  /// Registry and repository, without tag and digest.
  package var name: String { "\(registry)/\(repository)" }

  /// What is asked of the registry: the digest if there is one, else the tag.
  package var identifier: String { digest?.description ?? tag ?? "latest" }

  package var description: String {
    name + (digest.map { "@\($0)" } ?? ":\(tag ?? "latest")")
  }

  private static func isTag(_ tag: Substring) -> Bool {
    (1...128).contains(tag.utf8.count)
      && tag.utf8.allSatisfy { $0.isASCIILetterOrDigit || "._-".utf8.contains($0) }
  }

  private static func isRepository(_ path: String) -> Bool {
    path.utf8.count <= 255
      && path.split(separator: "/", omittingEmptySubsequences: false).allSatisfy { part in
        !part.isEmpty && part != "." && part != ".."
          && part.utf8.allSatisfy {
            $0.isASCIILetterOrDigit && !(0x41...0x5a).contains($0) || "._-".utf8.contains($0)
          }
      }
  }

  private static func invalid(_ text: String, _ why: String) -> ModuleError {
    // What stands before an @ may be a password of somebody who wrote a URL with one.
    let shown = text.contains("@sha256:") ? text : String(text.split(separator: "@").last ?? "")
    return ModuleError(.fetchFailure, "\(shown) is no image reference: \(why)")
  }
}

extension UInt8 {
  /// Whether the byte is an ASCII letter or digit.
  var isASCIILetterOrDigit: Bool {
    (0x30...0x39).contains(self) || (0x41...0x5a).contains(self) || (0x61...0x7a).contains(self)
  }
}
