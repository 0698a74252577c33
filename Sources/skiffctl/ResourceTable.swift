// SPDX-License-Identifier: Apache-2.0

import JSON

/// Resources in the columns that `istioctl proxy-config` prints.
enum ResourceTable {
  static func text(_ kind: ProxyConfiguration.Kind, _ resources: [JSONValue]) -> String {
    switch kind {
    case .all: preconditionFailure("all is printed kind by kind")
    case .cluster:
      table(["SERVICE FQDN", "PORT", "SUBSET", "DIRECTION", "TYPE"], resources.map(cluster))
    case .listener: table(["ADDRESS", "PORT", "NAME"], resources.map(listener))
    case .route:
      table(["NAME", "VHOST NAME", "DOMAINS", "MATCH", "DESTINATION"], routes(resources))
    case .endpoint:
      table(["ENDPOINT", "STATUS", "WEIGHT", "CLUSTER"], resources.flatMap(endpoints))
    case .secret: table(["RESOURCE NAME", "TYPE"], resources.map(secret))
    case .ecds: table(["ECDS NAME", "TYPE"], resources.map(extensionConfig))
    }
  }

  /// Istio's cluster names hold the first four columns: `outbound|80|v1|a.example.com`.
  private static func cluster(_ cluster: JSONValue) -> [String] {
    let name = cluster["name"]?.stringValue ?? ""
    let parts = name.split(separator: "|", omittingEmptySubsequences: false).map(String.init)
    let type = cluster["type"]?.stringValue ?? "STATIC"
    guard parts.count == 4 else { return [name, "-", "-", "-", type] }
    return [parts[3], parts[1], parts[2].isEmpty ? "-" : parts[2], parts[0], type]
  }

  private static func listener(_ listener: JSONValue) -> [String] {
    let address = listener["address"]?["socket_address"]
    return [
      address?["address"]?.stringValue ?? "-",
      address?["port_value"]?.integerValue.map(String.init) ?? "-",
      listener["name"]?.stringValue ?? "",
    ]
  }

  private static func routes(_ configurations: [JSONValue]) -> [[String]] {
    configurations.flatMap { configuration in
      (configuration["virtual_hosts"]?.arrayElements ?? []).flatMap { host in
        let domains = (host["domains"]?.arrayElements ?? []).compactMap(\.stringValue)
        let head = [
          configuration["name"]?.stringValue ?? "", host["name"]?.stringValue ?? "",
          domains.joined(separator: ", "),
        ]
        let routes = host["routes"]?.arrayElements ?? []
        return routes.isEmpty
          ? [head + ["-", "-"]] : routes.map { head + [match($0), destination($0)] }
      }
    }
  }

  private static func match(_ route: JSONValue) -> String {
    let match = route["match"]
    if let path = match?["path"]?.stringValue { return path }
    if let prefix = match?["prefix"]?.stringValue { return "\(prefix)*" }
    if let prefix = match?["path_separated_prefix"]?.stringValue { return "\(prefix)/*" }
    return match?["safe_regex"]?["regex"]?.stringValue.map { "regex \($0)" } ?? "-"
  }

  private static func destination(_ route: JSONValue) -> String {
    if let cluster = route["route"]?["cluster"]?.stringValue { return cluster }
    if let clusters = route["route"]?["weighted_clusters"]?["clusters"]?.arrayElements {
      return clusters.map { cluster in
        "\(cluster["name"]?.stringValue ?? "") (\(cluster["weight"]?.integerValue ?? 0))"
      }
      .joined(separator: ", ")
    }
    if route["redirect"] != nil { return "redirect" }
    return route["direct_response"]?["status"]?.integerValue.map { "direct \($0)" } ?? "-"
  }

  private static func endpoints(_ assignment: JSONValue) -> [[String]] {
    (assignment["endpoints"]?.arrayElements ?? []).flatMap { locality in
      (locality["lb_endpoints"]?.arrayElements ?? []).map { endpoint in
        let address = endpoint["endpoint"]?["address"]
        let socket = address?["socket_address"]
        let port = socket?["port_value"]?.integerValue ?? 0
        return [
          socket?["address"]?.stringValue.map { "\($0):\(port)" }
            ?? address?["pipe"]?["path"]?.stringValue ?? "-",
          endpoint["health_status"]?.stringValue ?? "HEALTHY",
          endpoint["load_balancing_weight"]?.integerValue.map(String.init) ?? "1",
          assignment["cluster_name"]?.stringValue ?? "",
        ]
      }
    }
  }

  /// Istio's words for the types.
  private static func secret(_ secret: JSONValue) -> [String] {
    [secret["name"]?.stringValue ?? "", secret["validation_context"] == nil ? "Cert Chain" : "CA"]
  }

  private static func extensionConfig(_ config: JSONValue) -> [String] {
    let type = config["typed_config"]?["@type"]?.stringValue ?? "-"
    return [
      config["name"]?.stringValue ?? "", String(type.split(separator: "/").last ?? "-"),
    ]
  }
}
