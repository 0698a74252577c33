// SPDX-License-Identifier: Apache-2.0

package import Manifests
package import ProtoReflection

extension ManifestReader {
  /// A reader that checks objects against the Envoy API: the one that a directory is read with, and
  /// `skiffctl`'s.
  package init(checkingAgainst types: DescriptorPool) {
    self.init(checks: ObjectChecks(envoyFilter: EnvoyFilterCheck(types: types).callAsFunction))
  }
}
