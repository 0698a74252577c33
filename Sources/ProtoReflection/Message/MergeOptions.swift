// SPDX-License-Identifier: Apache-2.0

/// Where a merge departs from protobuf's own.
package struct MergeOptions: Hashable, Sendable {
  package enum Lists: Hashable, Sendable {
    /// The other's elements come after ours.
    case append
    /// A list that the other sets takes the place of ours.
    case replace
  }

  package enum Durations: Hashable, Sendable {
    /// Seconds and nanoseconds are merged apart, so that 0s changes nothing.
    case fieldwise
    /// A duration that the other sets takes the place of ours as one value.
    case replace
  }

  package enum Wrappers: Hashable, Sendable {
    /// A wrapper around a zero changes nothing, as the zero inside is not set.
    case fieldwise
    /// A wrapper, a timestamp or an `Any` that the other sets takes the place of ours.
    case replace
  }

  package enum AnyMessages: Hashable, Sendable {
    /// Type URL and content are two scalars: what the other has set overwrites ours.
    case fieldwise
    /// Contents of the same type are merged; another type is an error.
    case unpacked
  }

  package var lists: Lists
  package var durations: Durations
  package var wrappers: Wrappers
  package var anyMessages: AnyMessages

  package init(
    lists: Lists = .append, durations: Durations = .fieldwise, wrappers: Wrappers = .fieldwise,
    anyMessages: AnyMessages = .fieldwise
  ) {
    self.lists = lists
    self.durations = durations
    self.wrappers = wrappers
    self.anyMessages = anyMessages
  }

  /// What parsing the concatenation of both serialisations does.
  package static let protobuf = Self()
  /// What Istio's MERGE does below the top of a message.
  package static let istio = Self(durations: .replace)
  /// What Istio's MERGE_AND_REPLACE_LIST does.
  package static let istioReplacingLists = Self(lists: .replace, durations: .replace)
}
