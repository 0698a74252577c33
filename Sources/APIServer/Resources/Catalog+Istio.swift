// SPDX-License-Identifier: Apache-2.0

import JSON
import MeshModel

extension Catalog {
  private static func istio(
    _ kind: String, in group: String, _ plural: String, _ versions: [String] = ["v1", "v1beta1"],
    short: [String] = [], _ columns: [Column] = []
  ) -> APIResource {
    APIResource(
      kind: ObjectKind(group: "\(group).istio.io", kind: kind), versions: versions,
      plural: plural, shortNames: short, categories: ["istio-io", "\(group)-istio-io"],
      isMeasured: true, hasHistory: true, columns: columns)
  }

  private static let hosts = Column.field(
    "Hosts", "spec", "hosts", description: "The host names that the object is about.")

  private static let host = Column.field(
    "Host", "spec", "host", description: "The service that the policy is for.")

  /// What selects the proxies that an object is for.
  private static func selector(_ path: String...) -> Column {
    Column("Selector", wide: true, "The labels of the proxies that the object is for.") { object in
      let labels = path.reduce(object) { $0[$1] ?? .null }
      let text = Column.text(labels)
      return text == "" ? "<all>" : text
    }
  }

  /// Kinds of Istio: those that are translated, and those that are kept.
  static let istio: [APIResource] = [
    istio(
      "WasmPlugin", in: "extensions", "wasmplugins", ["v1alpha1"],
      [
        .field("URL", "spec", "url", description: "Where the module comes from."),
        .field("Phase", "spec", "phase", description: "Where in the filter chain it runs."),
        selector("spec", "selector", "matchLabels"),
      ]),
    istio("TrafficExtension", in: "extensions", "trafficextensions", ["v1alpha1"]),
    istio(
      "EnvoyFilter", in: "networking", "envoyfilters", ["v1alpha3"],
      [
        Column("Patches", type: "integer", "How many patches it has.") { object in
          .integer(object["spec"]?["configPatches"]?.arrayElements?.count ?? 0)
        },
        Column("Apply-To", wide: true, "What its patches change.") { object in
          let patches = object["spec"]?["configPatches"]?.arrayElements ?? []
          var seen: [String] = []
          for name in patches.compactMap({ $0["applyTo"]?.stringValue }) where !seen.contains(name)
          {
            seen.append(name)
          }
          return .string(seen.joined(separator: ","))
        },
        selector("spec", "workloadSelector", "labels"),
      ]),
    istio(
      "VirtualService", in: "networking", "virtualservices", ["v1", "v1beta1", "v1alpha3"],
      short: ["vs"],
      [
        .field("Gateways", "spec", "gateways", description: "The gateways that it is bound to."),
        hosts,
      ]),
    istio(
      "Gateway", in: "networking", "gateways", ["v1", "v1beta1", "v1alpha3"], short: ["gw"],
      [
        Column("Ports", "The ports that it opens.") { object in
          let servers = object["spec"]?["servers"]?.arrayElements ?? []
          return .string(
            servers.map { server in
              let port = server["port"] ?? .null
              return "\(port["number"]?.text() ?? "")/\(port["protocol"]?.stringValue ?? "")"
            }.joined(separator: ","))
        },
        Column("Hosts", "The host names that it takes.") { object in
          let servers = object["spec"]?["servers"]?.arrayElements ?? []
          return Column.text(.array(servers.flatMap { $0["hosts"]?.arrayElements ?? [] }))
        },
        selector("spec", "selector"),
      ]),
    istio(
      "DestinationRule", in: "networking", "destinationrules", ["v1", "v1beta1", "v1alpha3"],
      short: ["dr"], [host]),
    istio(
      "ServiceEntry", in: "networking", "serviceentries", ["v1", "v1beta1", "v1alpha3"],
      short: ["se"],
      [
        hosts,
        .field("Location", "spec", "location", description: "Inside or outside of the mesh."),
        .field("Resolution", "spec", "resolution", description: "How its endpoints are found."),
      ]),
    istio(
      "Sidecar", in: "networking", "sidecars", ["v1", "v1beta1", "v1alpha3"],
      [selector("spec", "workloadSelector", "labels")]),
    istio(
      "WorkloadEntry", in: "networking", "workloadentries", ["v1", "v1beta1", "v1alpha3"],
      short: ["we"],
      [.field("Address", "spec", "address", description: "Where the workload is reached.")]),
    istio(
      "WorkloadGroup", in: "networking", "workloadgroups", ["v1", "v1beta1", "v1alpha3"],
      short: ["wg"]),
    istio("ProxyConfig", in: "networking", "proxyconfigs", ["v1beta1"]),
    istio(
      "AuthorizationPolicy", in: "security", "authorizationpolicies", short: ["ap"],
      [.field("Action", "spec", "action", description: "What happens to requests that match.")]),
    istio(
      "PeerAuthentication", in: "security", "peerauthentications", short: ["pa"],
      [
        .field(
          "Mode", "spec", "mtls", "mode", description: "Whether peers must show a certificate.")
      ]),
    istio(
      "RequestAuthentication", in: "security", "requestauthentications", short: ["ra"]),
    istio("Telemetry", in: "telemetry", "telemetries", ["v1", "v1alpha1"], short: ["telemetry"]),
    APIResource(
      kind: .istioOperator, versions: ["v1alpha1"], plural: "istiooperators",
      shortNames: ["iop", "io"], isMeasured: true, hasHistory: true),
  ]
}
