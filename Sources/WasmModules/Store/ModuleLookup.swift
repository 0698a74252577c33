// SPDX-License-Identifier: Apache-2.0

/// A request as the index understands it: which entry answers, and which may.
///
/// Istio's rules (pkg/wasm/cache.go), with three differences. An image without a tag counts as
/// `latest`, as in every registry. A digest of http bytes is found whatever URL brought it, for it is
/// the name of the file. What a URL names is known per pull secret: what one secret was shown is not
/// told to another, unless it asks by digest, which only someone who may see the module knows.
struct ModuleLookup: Hashable, Sendable {
  /// A URL as one pull secret sees it.
  struct Viewpoint: Hashable, Sendable {
    var url: String
    /// A salted hash of the pull secret; empty without one and where secrets are not used.
    var authorisation: String
  }

  let location: ModuleLocation
  /// The digest that the request or its URL pins.
  let expected: ModuleDigest?
  let viewpoint: Viewpoint
  let plugin: String
  let resourceVersion: String
  /// Whether only a pull for this very resource version will do.
  let mustPull: Bool

  /// Reads a request.
  ///
  /// - Throws: that its URL or its digest cannot be read.
  init(_ request: ModuleRequest, salt: String) throws(ModuleError) {
    location = try .parse(request.url)
    var expected = location.digest
    if let text = request.sha256, !text.isEmpty {
      guard let digest = ModuleDigest(hex: text) ?? ModuleDigest(text) else {
        throw ModuleError(
          .fetchFailure, "the sha256 of \(location) is not 64 hexadecimal digits")
      }
      expected = digest
    }
    var authorisation = ""
    if case .oci = location, let secret = request.pullSecret {
      authorisation = ModuleDigest.of((salt + secret.revealed).utf8).hex
    }
    self.expected = expected
    viewpoint = Viewpoint(url: request.url, authorisation: authorisation)
    plugin = request.plugin
    resourceVersion = request.resourceVersion
    guard expected == nil else {
      mustPull = false
      return
    }
    mustPull =
      switch request.pullPolicy {
      case .always: true
      case .ifNotPresent: false
      case .unspecified:
        if case .oci(let image) = location { image.identifier == "latest" } else { false }
      }
  }
}
