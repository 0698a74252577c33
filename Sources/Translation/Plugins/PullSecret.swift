// SPDX-License-Identifier: Apache-2.0

import MeshModel

/// The logins for the registry of a plugin's image, as they are handed to the agent that pulls it.
///
/// They stand in the environment of the plugin's VM, as in Istio; the agent takes them out before
/// Envoy sees the resource.
enum PullSecret {
  static let variable = "ISTIO_META_WASM_IMAGE_PULL_SECRET"

  /// The text of a Secret of the plugin's namespace; empty where there is none, which is reported.
  static func text(
    of name: String, for plugin: Plugin, in mesh: MeshSnapshot,
    reporting problems: inout [ConfigError]
  ) -> String {
    let namespace = plugin.meta.namespace
    let secret = mesh.secrets[namespace]?[name]
    if let logins = secret?.dockerConfig { return String(decoding: logins.exposed, as: UTF8.self) }
    let reason =
      secret == nil
      ? "there is no Secret \(namespace)/\(name)"
      : "the Secret \(namespace)/\(name) has no .dockerconfigjson"
    problems.append(
      ConfigError(
        .notFound, severity: .warning, object: plugin.ref,
        at: plugin.origin.path["imagePullSecret"], reason: reason + "; the image is not pulled"))
    return ""
  }
}
