// SPDX-License-Identifier: Apache-2.0

import JSON

/// The manifest of an image, or the index over several.
///
/// See https://github.com/opencontainers/image-spec (manifest.md, image-index.md) and docker's
/// https://distribution.github.io/distribution/spec/manifest-v2-2/.
struct ImageManifest: Hashable, Sendable {
  /// What a manifest names: bytes by digest.
  struct Descriptor: Hashable, Sendable {
    var mediaType: String
    var digest: ModuleDigest
    var size: Int
    /// `os/architecture`, of a manifest in an index.
    var platform: String?
    var title: String?
    var isAttestation: Bool
  }

  /// What is asked for, in this order.
  static let accepted = [
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
  ]

  /// The digest of the manifest's bytes.
  var digest: ModuleDigest
  /// The manifests of an index; nil for an image.
  var manifests: [Descriptor]?
  var layers: [Descriptor]

  /// Reads a manifest.
  ///
  /// - Throws: `manifest_failure`, without a URL.
  init(_ bytes: [UInt8]) throws(ModuleError) {
    digest = .of(bytes)
    guard let json = try? JSONValue(parsing: bytes), json.objectMembers != nil else {
      throw ModuleError(
        .manifestFailure, "the manifest is no JSON object; is it a registry that answers there?")
    }
    guard json["schemaVersion"]?.integerValue == 2 else {
      throw ModuleError(
        .manifestFailure, "expected a manifest of schema version 2; push the image again")
    }
    if let list = json["manifests"]?.arrayElements {
      manifests = try Self.descriptors(list)
      layers = []
    } else if let list = json["layers"]?.arrayElements {
      layers = try Self.descriptors(list)
    } else {
      throw ModuleError(.manifestFailure, "the manifest has neither layers nor manifests")
    }
  }

  private static func descriptors(_ list: [JSONValue]) throws(ModuleError) -> [Descriptor] {
    var descriptors: [Descriptor] = []
    for entry in list {
      guard let digest = entry["digest"]?.stringValue.flatMap({ ModuleDigest($0) }),
        let size = entry["size"]?.integerValue, size >= 0
      else {
        throw ModuleError(
          .manifestFailure, "expected each descriptor of the manifest to have sha256 and size")
      }
      let platform = entry["platform"]
      descriptors.append(
        Descriptor(
          mediaType: entry["mediaType"]?.stringValue ?? "", digest: digest, size: Int(size),
          platform: platform.map {
            "\($0["os"]?.stringValue ?? "")/\($0["architecture"]?.stringValue ?? "")"
          },
          title: entry["annotations"]?["org.opencontainers.image.title"]?.stringValue,
          isAttestation: entry["annotations"]?["vnd.docker.reference.type"] != nil))
    }
    return descriptors
  }

  /// Which image of an index is meant.
  ///
  /// linux/amd64 first, whatever this machine is: its digest is the one that Istio compares, and a
  /// Wasm module is the same for all. Then this machine's own, then Wasm's, then the only one.
  func chosenManifest() throws(ModuleError) -> Descriptor {
    let images = (manifests ?? []).filter { !$0.isAttestation }
    let preferred = ["linux/amd64", "linux/\(Self.architecture)", "wasi/wasm", "wasip1/wasm"]
    for platform in preferred {
      if let image = images.first(where: { $0.platform == platform }) { return image }
    }
    if images.count == 1 { return images[0] }
    let unknown = images.first { $0.platform == nil || $0.platform == "unknown/unknown" }
    if let unknown { return unknown }
    let found = images.map { $0.platform ?? "" }.joined(separator: ", ")
    throw ModuleError(
      .manifestFailure,
      "the image index has no linux/amd64 and no wasi/wasm, only \(found.isEmpty ? "none" : found)")
  }

  private static var architecture: String {
    #if arch(arm64)
      "arm64"
    #else
      "amd64"
    #endif
  }
}
