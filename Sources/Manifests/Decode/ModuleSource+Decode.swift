// SPDX-License-Identifier: Apache-2.0

import MeshModel

extension ModuleSource {
  /// What the URL of a Wasm module means.
  ///
  /// A text without a scheme is an OCI image. Unlike Istio, which takes the host of
  /// `registry:5000/image` for a scheme and refuses it, a registry with a port needs no `oci://`.
  /// With `takesPaths`, a path from the root is a file without `file://`.
  static func decode(
    _ node: Node, takesPaths: Bool = false
  ) throws(ConfigError) -> (url: String, source: ModuleSource) {
    let url = try node.text()
    guard !url.contains(where: \.isWhitespace) else {
      throw node.invalid("\"\(url)\" has a space; write it as %20")
    }
    guard let mark = url.firstRange(of: "://") else {
      if takesPaths, url.hasPrefix("/") { return (url, .file(path: url)) }
      if url.hasPrefix("/") || url.hasPrefix(".") {
        throw node.invalid("\"\(url)\" is no URL; write file://\(url) for a file")
      }
      return (url, .oci(reference: url))
    }
    let rest = String(url[mark.upperBound...])
    let scheme = url[..<mark.lowerBound].lowercased()
    guard !rest.isEmpty else { throw node.invalid("\"\(url)\" has nothing after \(scheme)://") }
    switch scheme {
    case "file": return (url, .file(path: rest))
    case "http", "https": return (url, .http(url: url))
    case "oci": return (url, .oci(reference: rest))
    default:
      throw node.invalid(
        "expected a scheme of file, http, https, oci, found \"\(scheme)\"")
    }
  }
}
