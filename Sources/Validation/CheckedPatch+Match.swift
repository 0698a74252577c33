// SPDX-License-Identifier: Apache-2.0

import MeshModel

/// Matches that no proxy has, and clauses that are not looked at.
extension CheckedPatch {
  mutating func checkMatch() {
    switch patch.match {
    case .none, .waypoint: break
    case .listener(let match): checkListener(match)
    case .routeConfiguration(let match): checkRoutes(match, at: matchPath["routeConfiguration"])
    case .cluster(let match):
      checkPort(Int(match.portNumber), at: matchPath["cluster"]["portNumber"])
    }
    if patch.applyTo == .extensionConfig, patch.match != .none {
      warn(
        .unsupported, at: matchPath,
        "an extension configuration is served to every proxy that asks for its name; "
          + "of the match only proxy counts")
    }
  }

  private mutating func checkListener(_ match: EnvoyFilter.ListenerMatch) {
    let path = matchPath["listener"]
    checkPort(Int(match.portNumber), at: path["portNumber"])
    let contexts: [String: EnvoyFilter.Context] = [
      "virtualInbound": .sidecarInbound, "virtualOutbound": .sidecarOutbound,
    ]
    if let context = contexts[match.name], patch.context != .any, patch.context != context {
      warn(
        .conflict, at: path["name"],
        "\(match.name) is a listener of \(context.rawValue), and context is "
          + "\(patch.context.rawValue), so nothing matches")
    }
    guard let chain = match.filterChain else { return }
    checkPort(Int(chain.destinationPort), at: path["filterChain"]["destinationPort"])
    let protocols = chain.applicationProtocols
    if protocols.contains(where: \.isWhitespace) {
      let list = protocols.filter { !$0.isWhitespace }
      warn(
        .invalid, at: path["filterChain"]["applicationProtocols"],
        "spaces count, as in Istio, so nothing matches; write \"\(list)\"")
    }
    if !["", "tls", "raw_buffer", "quic"].contains(chain.transportProtocol) {
      warn(
        .invalid, at: path["filterChain"]["transportProtocol"],
        "expected tls or raw_buffer, found \"\(chain.transportProtocol)\", so nothing matches")
    }
  }

  private mutating func checkRoutes(
    _ match: EnvoyFilter.RouteConfigurationMatch, at path: FieldPath
  ) {
    checkPort(Int(match.portNumber), at: path["portNumber"])
    if patch.context == .sidecarInbound || patch.context == .sidecarOutbound {
      for (name, value) in [("gateway", match.gateway), ("portName", match.portName)]
      where !value.isEmpty {
        warn(
          .conflict, at: path[name],
          "only gateways have one, and context is \(patch.context.rawValue), so nothing matches; "
            + "use context GATEWAY")
      }
    }
    if !match.gateway.isEmpty, !match.gateway.contains("/") {
      warn(
        .invalid, at: path["gateway"],
        "expected namespace/name, found \"\(match.gateway)\", so nothing matches")
    }
    if let host = match.virtualHost?.name, !Self.isVirtualHostName(host) {
      warn(
        .invalid, at: path["vhost"]["name"],
        "virtual hosts are named host:port, found \"\(host)\"; write \"\(host):80\" for port 80")
    }
  }

  /// `host:port`, `inbound|http|8080`, and those for what is not known.
  private static func isVirtualHostName(_ name: String) -> Bool {
    name.isEmpty || name.contains(":") || name.contains("|")
      || ["allow_any", "block_all", "default"].contains(name)
  }

  private mutating func checkPort(_ port: Int, at path: FieldPath) {
    guard port > 65535 else { return }
    warn(.invalid, at: path, "expected a port up to 65535, found \(port), so nothing matches")
  }

  /// Names of filters that no filter of Envoy has, and that no patch of the object adds.
  mutating func checkMatchedNames(in object: PatchedFilters) {
    guard let match = listenerMatch else { return }
    let path = matchPath["listener"]
    let written: [(FilterKind, String?, FieldPath)] = [
      (.network, match.filterChain?.filter?.name, path["filterChain"]["filter"]["name"]),
      (
        .http, match.filterChain?.filter?.subFilter,
        path["filterChain"]["filter"]["subFilter"]["name"]
      ),
      (.listener, match.listenerFilter, path["listenerFilter"]),
    ]
    for (kind, name, path) in written {
      guard let name, !name.isEmpty,
        !object.writes(name, kind),
        let nearest = kind.nearestName(to: name)
      else { continue }
      warn(
        .notFound, at: path,
        "no filter of Envoy is called \"\(name)\"; did you mean \"\(nearest)\"?")
    }
  }
}
