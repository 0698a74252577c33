// SPDX-License-Identifier: Apache-2.0

import MeshModel

extension VirtualService {
  private static let schema = Schema(
    fields: ["hosts", "gateways", "http", "tls", "tcp", "exportTo", "wasm"])

  /// Reads `spec` (https://istio.io/latest/docs/reference/config/networking/virtual-service/).
  static func decode(_ spec: Node, _ meta: ObjectMeta, _ problems: Problems) -> VirtualService? {
    guard let fields = Fields(spec, schema, problems) else { return nil }
    let hosts = fields.each("hosts") { node in
      problems.catching { () throws(ConfigError) in
        let host = try node.string()
        if !IPAddress.isAddress(host), let fault = DNSName.hostFault(host) {
          throw node.invalid("\"\(host)\" \(fault)")
        }
        return host
      }
    }
    let gateways = fields.strings("gateways")
    for name in ["http", "tls", "tcp"] where fields.has(name) && fields.isMissingOrEmpty(name) {
      problems.error(.required, at: fields.path[name], "expected at least one route")
    }
    if spec["http"] == nil, spec["tls"] == nil, spec["tcp"] == nil {
      problems.error(.required, at: fields.path["http"], "expected one of http, tls, tcp")
    }
    let nodes = fields.optional("http") { (node) throws(ConfigError) in try node.list() } ?? []
    let routes = nodes.enumerated().compactMap { HTTPRoute.decode($1, index: $0, problems) }
    var service = VirtualService(
      meta: meta, hosts: hosts, gateways: gateways, exportTo: fields.strings("exportTo"),
      http: routes)
    service.tls = fields.each("tls") {
      ConnectionRoute.decode($0, sniWithin: hosts, gateways: gateways, problems)
    }
    service.tcp = fields.each("tcp") {
      ConnectionRoute.decode($0, sniWithin: nil, gateways: gateways, problems)
    }
    service.plugins = PluginReference.list(fields)
    service.validate(fields)
    return service
  }
}
