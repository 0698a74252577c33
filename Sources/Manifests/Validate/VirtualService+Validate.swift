// SPDX-License-Identifier: Apache-2.0

import MeshModel

extension VirtualService {
  /// What the parts of a VirtualService say against each other, as Istio's admission has it.
  func validate(_ fields: Fields) {
    if hosts.isEmpty, fields.isMissingOrEmpty("hosts") {
      validateDelegate(fields)
    } else {
      validateHosts(fields)
    }
    validateExportTo(fields)
    validateClaims(fields.problems)
    // A condition that could not be read would look like none.
    if !fields.problems.list.contains(where: { $0.severity == .error }) {
      warnOfUnreachableRoutes(fields.problems)
    }
  }

  private var isForSidecars: Bool { gateways.isEmpty || gateways.contains("mesh") }

  /// Without hosts it is a delegate: another VirtualService's routes refer to it.
  private func validateDelegate(_ fields: Fields) {
    for name in ["gateways", "tls", "tcp"] where !fields.isMissingOrEmpty(name) {
      fields.problems.error(
        .conflict, at: fields.path[name],
        "may not be set without hosts: such a VirtualService is a delegate, which has only http")
    }
    for route in http {
      if case .delegate = route.action {
        fields.problems.error(
          at: route.path["delegate"], "a delegate may not delegate again; there is only one level")
      }
    }
  }

  private func validateHosts(_ fields: Fields) {
    let problems = fields.problems
    let path = fields.path["hosts"]
    if hosts.contains("*"), isForSidecars {
      problems.error(at: path, "\"*\" may not be used for sidecars; name gateways")
    }
    // Positions are those of the manifest only where every host could be read.
    guard hosts.count == fields.count("hosts") else { return }
    let wildcards = hosts.filter { $0.hasPrefix("*") }
    var seen: Set<String> = []
    for (index, host) in hosts.enumerated() {
      if !seen.insert(host).inserted {
        problems.error(.conflict, at: path[index], "\(host) is already listed")
      } else if let wider = wildcards.first(where: {
        $0 != host && Hostname.isSubset(host, of: $0)
      }) {
        problems.error(.conflict, at: path[index], "\(host) is already covered by \(wider)")
      }
    }
  }

  private func validateExportTo(_ fields: Fields) {
    let path = fields.path["exportTo"]
    var seen: Set<String> = []
    for (index, scope) in exportTo.enumerated() {
      let namespace = scope == "." ? meta.namespace : scope
      if !seen.insert(namespace).inserted {
        fields.problems.error(.conflict, at: path[index], "\(scope) is already listed")
      } else if scope == "~" {
        fields.problems.error(
          at: path[index], "\"~\", no namespace, is only for services; delete the object instead")
      } else if scope != "*", scope != ".", let fault = DNSName.labelFault(scope) {
        fields.problems.error(at: path[index], "the namespace \"\(scope)\" \(fault)")
      }
    }
    if seen.count > 1, seen.contains("*") {
      fields.problems.error(
        .conflict, at: path, "\"*\" exports to all namespaces; leave out the others")
    }
  }

  /// Claims are known where tokens are checked, which is at gateways.
  private func validateClaims(_ problems: Problems) {
    for route in http {
      for (index, match) in route.matches.enumerated() {
        let path = route.path["match"][index]
        for (name, conditions) in [
          ("headers", match.headers), ("withoutHeaders", match.withoutHeaders),
        ] {
          for header in conditions.keys.sorted() where header.hasPrefix(JWTClaim.prefix) {
            if isForSidecars, !hosts.isEmpty {
              problems.error(
                at: path[name][header], "claims can only be matched at gateways, not by sidecars")
            } else {
              problems.warning(
                .unsupported, at: path[name][header],
                "RequestAuthentication is not acted on by this version; claims are known only "
                  + "where an EnvoyFilter adds jwt_authn with payload_in_metadata: payload")
            }
          }
        }
      }
    }
  }
}
