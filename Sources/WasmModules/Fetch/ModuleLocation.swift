// SPDX-License-Identifier: Apache-2.0

/// Where a module is, as the `url` of a WasmPlugin says it.
package enum ModuleLocation: Hashable, Sendable, CustomStringConvertible {
  /// A file of the proxy's own machine. Only the caller can open it; no source fetches it.
  case file(path: String)
  /// An `http` or `https` URL, as written, user and query included.
  case http(url: String)
  /// An image in a registry: `oci://…`, or a URL without a scheme.
  case oci(ImageReference)

  /// Reads a `url`.
  ///
  /// - Throws: `fetch_failure` with what is wrong and which forms are taken.
  package static func parse(_ url: String) throws(ModuleError) -> ModuleLocation {
    guard let separator = url.firstRange(of: "://") else {
      return .oci(try ImageReference(parsing: url))
    }
    let rest = String(url[separator.upperBound...])
    switch url[..<separator.lowerBound].lowercased() {
    case "oci": return .oci(try ImageReference(parsing: rest))
    case "http", "https":
      _ = try HTTPURL(parsing: url)
      return .http(url: url)
    case "file":
      // The host of a file URL is nothing to us; `file://a/b` is read as the path a/b.
      guard !rest.isEmpty else {
        throw ModuleError(.fetchFailure, "file:// names no file; use file:///PATH")
      }
      return .file(path: rest)
    case let scheme:
      throw ModuleError(
        .fetchFailure,
        "unsupported Wasm module URL scheme \(scheme); use http, https, oci or file")
    }
  }

  /// What identifies the module whatever its version: Istio's module name (pkg/wasm/cache.go).
  ///
  /// For an image the repository without tag and digest, else the URL.
  package var moduleName: String {
    switch self {
    case .file(let path): "file://\(path)"
    case .http(let url): url
    case .oci(let image): "oci://\(image.name)"
    }
  }

  /// The digest that the location itself pins (`@sha256:…`), of an image's manifest.
  package var digest: ModuleDigest? {
    guard case .oci(let image) = self else { return nil }
    return image.digest
  }

  /// The location for a human: without user, password and query.
  package var description: String {
    switch self {
    case .file(let path): return "file://\(path)"
    case .http(let url):
      guard let url = try? HTTPURL(parsing: url) else { return "http URL" }
      return url.description
    case .oci(let image): return "oci://\(image)"
    }
  }
}
