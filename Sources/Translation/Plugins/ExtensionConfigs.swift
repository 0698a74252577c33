// SPDX-License-Identifier: Apache-2.0

import EnvoyAPI
import MeshModel
import ProtoReflection
import SwiftProtobuf

/// ECDS: the configurations that filters of `config_discovery` ask for by name.
///
/// All that a proxy may ask for, from EXTENSION_CONFIG patches and from plugins; the xDS server
/// sends what it asks for.
struct ExtensionConfigs {
  private(set) var resources: [EncodedResource] = []
  private(set) var problems: [ConfigError] = []

  init(_ scope: ProxyScope, _ patches: [DecodedPatch], _ recorder: PatchRecorder?) {
    var owners: [String: ObjectRef] = [:]
    for plugin in scope.plugins + scope.routePlugins {
      guard
        let config = WasmConfig.resource(for: plugin, in: scope.mesh, reporting: &problems)
      else { continue }
      owners[config.name] = plugin.ref
      resources.append(
        Sourced(config, origins: [plugin.declaration])
          .encoded(as: .extensionConfig, named: config.name))
    }
    for patch in patches {
      guard let value = patch.value, let name = value["name"]?.string else {
        preconditionFailure("an EXTENSION_CONFIG without a name does not pass validation")
      }
      var step = PatchStep(patch, recorder?.recording(of: patch) ?? .nothing)
      let place = PatchTrace.Place([]).appending(.extensionConfig, name)
      // Istio sends all of one name, of which Envoy takes any; here the first in order counts.
      if let owner = owners[name] {
        let problem = ConfigError(
          .conflict, object: patch.filter, at: patch.valuePath["name"],
          reason: "expected a name of its own, found \"\(name)\", which \(owner) uses already; "
            + "the patch is skipped")
        problems.append(problem)
        step.failed(problem, step.clauses(), at: place)
      } else {
        owners[name] = patch.filter
        resources.append(
          EncodedResource(
            typeURL: .extensionConfig, name: name, bytes: value.serialized(),
            origins: [patch.origin]))
        step.changed(PatchTrace.Change(verb: .added, element: name), step.clauses(), at: place)
      }
      recorder?.record(step)
    }
  }
}
