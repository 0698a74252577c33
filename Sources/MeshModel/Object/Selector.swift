// SPDX-License-Identifier: Apache-2.0

/// A `matchLabels` selector: every pair must be among the labels of the workload.
package struct LabelSelector: Hashable, Sendable {
  /// Empty selects every workload.
  package var matchLabels: [String: String]

  package init(matchLabels: [String: String]) { self.matchLabels = matchLabels }

  package func matches(_ labels: [String: String]) -> Bool {
    matchLabels.allSatisfy { labels[$0.key] == $0.value }
  }
}

/// A reference from a policy to what it attaches to (Gateway API's LocalPolicyTargetReference).
package struct PolicyTargetReference: Hashable, Sendable {
  package var group: String
  package var kind: String
  package var name: String

  package init(group: String, kind: String, name: String) {
    self.group = group
    self.kind = kind
    self.name = name
  }
}
