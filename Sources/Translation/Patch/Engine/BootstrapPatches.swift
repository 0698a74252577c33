// SPDX-License-Identifier: Apache-2.0

package import EnvoyAPI
package import MeshModel
import SwiftProtobuf

/// BOOTSTRAP: what an Envoy is started with.
///
/// Istio reads these patches and does nothing with them. Here they change the file that is printed;
/// an Envoy that runs has read its own already.
extension Translator {
  /// A bootstrap with the patches that are meant for the proxy, in their order.
  ///
  /// - Parameters:
  ///   - bootstrap: the unpatched file.
  ///   - mesh: where the EnvoyFilters are.
  ///   - proxyClass: the class of the proxy that will start with it.
  /// - Returns: the patched file, and what was wrong with its patches; one that fails is skipped.
  package func patched(
    _ bootstrap: Envoy_Config_Bootstrap_V3_Bootstrap, by mesh: MeshSnapshot,
    for proxyClass: ProxyClass
  ) -> (bootstrap: Envoy_Config_Bootstrap_V3_Bootstrap, problems: [ConfigError]) {
    let scope = ProxyScope(mesh, proxyClass)
    let plan = PatchPlan(scope, decodedFilters, nil)
    let merge = ElementMerge(decoder: decoder)
    let contexts: [EnvoyFilter.Context] =
      proxyClass.role == .router
      ? [.any, .gateway] : [.any, .sidecarInbound, .sidecarOutbound]
    var patched = bootstrap
    var problems = plan.problems.filter { problem in
      scope.envoyFilters.contains { filter in
        filter.ref == problem.object
          && filter.configPatches.contains {
            $0.applyTo == .bootstrap && problem.path.components.starts(with: $0.path.components)
          }
      }
    }
    for patch in plan.bootstrap where contexts.contains(patch.patch.context) {
      do throws(ConfigError) {
        patched = try merge.merged(patched, by: patch)
      } catch {
        problems.append(error)
      }
    }
    return (patched, problems.map(mesh.located))
  }
}
