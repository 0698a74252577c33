// SPDX-License-Identifier: Apache-2.0

import MeshModel

extension VirtualService.HTTPRoute {
  /// What the fields of a route say against each other, as Istio's admission has it.
  func validate(_ fields: Fields) {
    switch action {
    case .route: break
    case .redirect: conflicts(fields, "redirect", ["rewrite", "fault"])
    case .directResponse: conflicts(fields, "directResponse", ["rewrite", "fault"])
    case .delegate: break
    }
    validateAuthority(fields)
    switch action {
    case .redirect, .directResponse:
      for name in ["timeout", "retries", "mirror", "mirrors"] where fields.has(name) {
        fields.problems.warning(
          .conflict, at: fields.path[name], "has no effect: nothing is forwarded here")
      }
    case .route, .delegate: break
    }
  }

  private func conflicts(_ fields: Fields, _ action: String, _ names: [String]) {
    for name in names where fields.has(name) {
      fields.problems.error(
        .conflict, at: fields.path[name], "may not be set together with \(action)")
    }
  }

  /// A request has one authority; setting `host` or `:authority` rewrites it, too.
  private func validateAuthority(_ fields: Fields) {
    var first = rewrite.flatMap { $0.authority.isEmpty ? nil : "rewrite.authority" }
    for (name, values) in [("set", headers.request.set), ("add", headers.request.add)] {
      for header in values.keys.sorted() where VirtualService.Headers.isAuthority(header) {
        if let first {
          fields.problems.error(
            .conflict, at: fields.path["headers"]["request"][name][header],
            "rewrites the authority, which \(first) does already")
        }
        first = first ?? "headers.request.\(name)"
      }
    }
  }
}
