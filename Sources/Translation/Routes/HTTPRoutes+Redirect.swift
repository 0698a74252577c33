// SPDX-License-Identifier: Apache-2.0

import EnvoyAPI
import MeshModel

/// Answers that send the client elsewhere.
extension HTTPRoutes {
  func redirect(
    _ redirect: VirtualService.Redirect, at path: FieldPath
  ) throws(ConfigError) -> Envoy.RedirectAction {
    var action = Envoy.RedirectAction()
    action.responseCode =
      switch redirect.code {
      case 301: .movedPermanently
      case 302: .found
      case 303: .seeOther
      case 307: .temporaryRedirect
      case 308: .permanentRedirect
      default:
        throw ConfigError(
          .invalid, at: path["redirectCode"],
          reason: "expected 301, 302, 303, 307 or 308, found \(redirect.code); "
            + "the route is left out")
      }
    if !redirect.uri.isEmpty { action.pathRedirect = redirect.uri }
    action.hostRedirect = redirect.authority
    if !redirect.scheme.isEmpty { action.schemeRedirect = redirect.scheme }
    // The port of a protocol is not written out.
    let scheme = redirect.scheme.isEmpty ? (isTLS ? "https" : "http") : redirect.scheme
    let wanted: UInt16? =
      switch redirect.port {
      case .number(let number): number
      case .requestPort: port
      case .protocolDefault, nil: nil
      }
    if let wanted, wanted != (scheme == "https" ? 443 : 80) {
      action.portRedirect = UInt32(wanted)
    }
    return action
  }
}
