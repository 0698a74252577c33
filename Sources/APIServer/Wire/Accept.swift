// SPDX-License-Identifier: Apache-2.0

/// In which form a client wants its answer: the `Accept` header as Kubernetes reads it.
enum Accept: Hashable {
  case json
  /// `as=Table`: columns, for kubectl to print.
  case table
  /// `as=PartialObjectMetadata` and its list.
  case metadata
  /// `as=APIGroupDiscoveryList`, with its version.
  case discovery(version: String)
  case unacceptable

  /// The first form of the header that this server has.
  init(_ header: String?, discovery isDiscovery: Bool = false) {
    guard let header, !header.isEmpty else {
      self = .json
      return
    }
    for range in header.split(separator: ",") {
      let parts = range.split(separator: ";").map(Self.trimmed)
      guard let type = parts.first else { continue }
      guard ["application/json", "*/*", "application/*"].contains(type) else { continue }
      var parameters: [String: String] = [:]
      for part in parts.dropFirst() {
        let pair = part.split(separator: "=", maxSplits: 1).map(String.init)
        if pair.count == 2 { parameters[pair[0]] = pair[1] }
      }
      switch parameters["as"] {
      case nil:
        self = .json
        return
      case "Table" where !isDiscovery && parameters["g"] == "meta.k8s.io":
        self = .table
        return
      case "PartialObjectMetadata" where !isDiscovery,
        "PartialObjectMetadataList" where !isDiscovery:
        self = .metadata
        return
      case "APIGroupDiscoveryList" where isDiscovery:
        let version = parameters["v"] ?? ""
        guard ["v2", "v2beta1"].contains(version) else { continue }
        self = .discovery(version: version)
        return
      default: continue
      }
    }
    self = .unacceptable
  }

  private static func trimmed(_ text: Substring) -> String {
    let start = text.drop { $0 == " " }
    return String(start.reversed().drop { $0 == " " }.reversed())
  }
}
